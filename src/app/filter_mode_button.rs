//! `<FilterModeButton>`: all lines, only matches, or only the others.

use leptos::prelude::*;

use super::{
    aria,
    context::{use_commands, use_state},
};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, search::FilterMode},
};

/// Switches between all lines, only matching lines, and only the others.
#[component]
pub fn FilterModeButton() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let mode = Memo::new(move |_| state.filter().with(|filter| filter.mode));
    let text = move || match mode.get() {
        FilterMode::All => "All lines",
        FilterMode::Matching => "Only matches",
        FilterMode::NotMatching => "Without matches",
    };
    view! {
        <button
            type="button"
            id="filter"
            title="Filter: only matches, only other lines, all lines (&)"
            aria-pressed=move || aria(mode.get() != FilterMode::All)
            on:click=move |_| commands.run(Command::NextFilterMode)
        >
            {text}
        </button>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::search::FilterState, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn the_button_names_the_mode_and_asks_for_the_next_one() {
        let stage = ComponentStage::showing(|| view! { <FilterModeButton /> }).await;
        for (mode, text, is_pressed) in [
            (FilterMode::Matching, "Only matches", "true"),
            (FilterMode::NotMatching, "Without matches", "true"),
            (FilterMode::All, "All lines", "false"),
        ] {
            stage.set(stage.state().filter(), FilterState { mode, ..FilterState::default() }).await;
            assert_eq!(
                (stage.text("#filter").as_str(), stage.attribute("#filter", "aria-pressed").as_str()),
                (text, is_pressed)
            );
        }
        stage.click("#filter").await;
        assert_eq!(stage.commands(), [Command::NextFilterMode]);
    }
}
