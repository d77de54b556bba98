//! `<FilterModeSwitch>`: all lines, only matches, or only the others.

use leptos::prelude::*;

use super::{
    context::use_state,
    segments::{Segment, Segments},
};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{command::Command, search::FilterMode},
};

/// Chooses between all lines, only matching lines, and only the others.
#[component]
pub fn FilterModeSwitch() -> impl IntoView {
    let state = use_state();
    let mode = Signal::derive(move || state.filter().with(|filter| filter.mode.as_str()));
    let segments = FilterMode::ALL.map(|mode| Segment {
        value: mode.as_str(),
        text: match mode {
            FilterMode::All => "All lines",
            FilterMode::Matching => "Matches",
            FilterMode::NotMatching => "Non-matches",
        },
        command: Command::SetFilterMode(mode),
    });
    view! {
        <Segments
            id="filter"
            label="Filter"
            title="Filter (&)".to_owned()
            segments=segments.to_vec()
            chosen=mode
        />
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::search::FilterState, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn the_mode_of_the_filter_is_pressed_and_each_mode_can_be_chosen() {
        let stage = ComponentStage::showing(|| view! { <FilterModeSwitch /> }).await;
        for (mode, text) in FilterMode::ALL.into_iter().zip(["All lines", "Matches", "Non-matches"]) {
            stage.set(stage.state().filter(), FilterState { mode, ..FilterState::default() }).await;
            assert_eq!(stage.texts_of("[aria-pressed=true]"), [text]);
            stage.click(&format!("[data-value={}]", mode.as_str())).await;
            assert_eq!(stage.commands(), [Command::SetFilterMode(mode)]);
        }
    }
}
