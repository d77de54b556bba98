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
