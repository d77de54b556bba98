//! `<LevelFilter>`: a switch for each log level, with the number of its lines.

use leptos::prelude::*;

use super::{
    aria,
    context::{use_commands, use_state},
};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{
        command::Command,
        grouped_number::{compact, counted},
        level::Level,
    },
};

/// Filters by log level. Every level has a switch of fixed width, with lines or without: none moves while another is pressed or counts.
#[component]
pub fn LevelFilter() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let count = move |level: Level| {
        state.filter().with(|filter| filter.level_counts.get(level as usize).copied().unwrap_or(0))
    };
    let is_counting = move || state.filter().with(|filter| filter.is_counting_levels);
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
                    class:none=move || count(level) == 0
                    title=move || title(level, count(level), is_counting())
                    aria-pressed=move || aria(is_on(level))
                    on:click=move |_| commands.run(Command::ToggleLevel(level))
                >
                    {level.as_str()}
                    " "
                    <b>{move || format!("{}{}", compact(count(level)), if is_counting() { "+" } else { "" })}</b>
                </button>
            </For>
        </div>
    }
}

fn title(level: Level, count: u64, is_counting: bool) -> String {
    let key = Command::ToggleLevel(level).key();
    let at_least = if is_counting { "at least " } else { "" };
    format!("Level {}: {at_least}{} ({key})", level.as_str(), counted(count, "line", "lines"))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::search::FilterState, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn every_level_has_a_switch_with_the_number_of_its_lines() {
        let stage = ComponentStage::showing(|| view! { <LevelFilter /> }).await;
        assert_eq!(stage.texts_of(".level.none"), Level::ALL.map(|level| format!("{} 0", level.as_str())));
        let filter = FilterState {
            level_counts: [1_204, 0, 3, 0, 0],
            levels: [false, false, false, false, true],
            ..FilterState::default()
        };
        stage.set(stage.state().filter(), filter).await;
        assert_eq!(stage.texts_of(".level"), ["error 1.2k", "warning 0", "info 3", "debug 0", "trace 0"]);
        assert_eq!(stage.count(".level.none"), 3);
        assert_eq!(stage.attribute("[data-level=error]", "title"), "Level error: 1,204 lines (1)");
        assert_eq!(stage.attribute("[data-level=error]", "aria-pressed"), "false");
        assert_eq!(stage.attribute("[data-level=trace]", "aria-pressed"), "true");
        let filter = FilterState {
            level_counts: [1_204, 0, 3, 0, 0],
            is_counting_levels: true,
            ..FilterState::default()
        };
        stage.set(stage.state().filter(), filter).await;
        assert_eq!(stage.text("[data-level=error]"), "error 1.2k+", "not all lines were interpreted");
        let title = stage.attribute("[data-level=error]", "title");
        assert_eq!(title, "Level error: at least 1,204 lines (1)");
    }

    #[wasm_bindgen_test]
    async fn a_switch_toggles_its_level() {
        let stage = ComponentStage::showing(|| view! { <LevelFilter /> }).await;
        stage.click("[data-level=warning]").await;
        assert_eq!(stage.commands(), [Command::ToggleLevel(Level::Warning)]);
    }
}
