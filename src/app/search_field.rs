//! `<SearchField>`: the pattern to search for.

use leptos::prelude::*;

use super::{
    aria,
    context::{use_commands, use_controller, use_state},
};
use crate::{controller::state::ViewerStateStoreFields, model::command::Command};

/// Edits the pattern to search for.
#[component]
pub fn SearchField() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let pattern = Signal::derive(move || state.query().with(|query| query.pattern.clone()));
    let set_pattern: SignalSetter<String> =
        SignalSetter::map(move |pattern| commands.run(Command::SetPattern(pattern)));
    let field = use_controller().with_value(|controller| controller.elements().search_field);
    view! {
        <input
            type="text"
            node_ref=field
            aria-label="Find in the log"
            placeholder="Find  ( / )"
            autocomplete="off"
            autocapitalize="off"
            spellcheck="false"
            aria-invalid=move || aria(state.search().with(|search| search.error.is_some()))
            bind:value=(pattern, set_pattern)
        />
    }
}
