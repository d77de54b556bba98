//! `<HighlightsDialog>`: patterns that are always highlighted.

use leptos::prelude::*;

use super::popover::Popover;
use crate::{
    app::context::{use_commands, use_state},
    controller::state::ViewerStateStoreFields,
    model::command::{Command, Dialog},
};

/// Edits the patterns that are always highlighted.
#[component]
pub fn HighlightsDialog() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let rules =
        Signal::derive(move || state.preferences().with(|preferences| preferences.highlights.clone()));
    let set_rules: SignalSetter<String> =
        SignalSetter::map(move |rules| commands.run(Command::SetHighlights(rules)));
    view! {
        <Popover dialog=Dialog::Highlights label="Highlights">
            <label for="highlights-field">"Always highlight"</label>
            <textarea
                id="highlights-field"
                rows="5"
                autocomplete="off"
                spellcheck="false"
                autofocus
                placeholder="timeout\nred: /5\\d\\d/"
                bind:value=(rules, set_rules)
            ></textarea>
            <p class="hint">
                "One rule a line: text, or /a regular expression/. Begin with yellow, blue, green, red, orange or purple and a colon to choose a colour."
            </p>
            <p class="wrong" role="status">
                {move || state.highlights_error().get()}
            </p>
        </Popover>
    }
}
