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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::search::FilterState, test_page::ComponentStage};

    /// Returns the levels whose switches are visible.
    fn visible(stage: &ComponentStage) -> Vec<String> {
        let visible = stage.all(".level").into_iter().filter(|button| !button.hidden());
        visible.filter_map(|button| button.get_attribute("data-level")).collect()
    }

    #[wasm_bindgen_test]
    async fn levels_without_lines_have_no_switch_unless_they_are_filtered_by() {
        let stage = ComponentStage::showing(|| view! { <LevelFilter /> }).await;
        assert!(visible(&stage).is_empty());
        let filter = FilterState {
            level_counts: [1_204, 0, 3, 0, 0],
            levels: [false, false, false, false, true],
            ..FilterState::default()
        };
        stage.set(stage.state().filter(), filter).await;
        assert_eq!(visible(&stage), ["error", "info", "trace"]);
        assert_eq!(stage.text("[data-level=error]"), "error 1,204");
        assert_eq!(stage.attribute("[data-level=error]", "aria-pressed"), "false");
        assert_eq!(stage.attribute("[data-level=trace]", "aria-pressed"), "true");
    }

    #[wasm_bindgen_test]
    async fn a_switch_toggles_its_level_and_names_its_key() {
        let stage = ComponentStage::showing(|| view! { <LevelFilter /> }).await;
        stage.click("[data-level=warning]").await;
        assert_eq!(stage.commands(), [Command::ToggleLevel(Level::Warning)]);
        assert_eq!(stage.attribute("[data-level=warning]", "title"), "Show lines of level warning (2)");
    }
}
