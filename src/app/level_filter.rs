//! `<LevelFilter>`: a switch for each log level, with the number of its lines.

use leptos::prelude::*;

use super::{
    aria,
    context::{use_commands, use_state},
};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, grouped_number::grouped, level::Level},
};

/// Filters by log level. A level without lines has no switch, unless it is filtered by.
#[component]
pub fn LevelFilter() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let count = move |level: Level| {
        state.filter().with(|filter| filter.level_counts.get(level as usize).copied().unwrap_or(0))
    };
    let is_on = move |level: Level| {
        state.filter().with(|filter| filter.levels.get(level as usize).copied().unwrap_or(false))
    };
    view! {
        <div class="levels" role="group" aria-label="Filter by level">
            <For each=|| Level::ALL key=|level| *level as usize let(level)>
                <button
                    type="button"
                    class="level"
                    data-level=level.as_str()
                    title=format!("Show lines of level {} ({})", level.as_str(), Command::ToggleLevel(level).key())
                    aria-pressed=move || aria(is_on(level))
                    hidden=move || count(level) == 0 && !is_on(level)
                    on:click=move |_| commands.run(Command::ToggleLevel(level))
                >
                    {level.as_str()}
                    " "
                    <b>{move || grouped(count(level))}</b>
                </button>
            </For>
        </div>
    }
}
