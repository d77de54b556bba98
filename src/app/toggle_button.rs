//! `<ToggleButton>`: a button that is pressed or not.

use leptos::prelude::*;

use super::{aria, context::use_commands};
use crate::model::command::Command;

/// Toggles a setting by a command.
#[component]
pub fn ToggleButton(
    /// Id of the button.
    id: &'static str,
    /// Its name for screen readers, and in its tooltip with the key of the command.
    label: &'static str,
    /// Its text.
    text: &'static str,
    /// Whether it is pressed.
    is_pressed: Signal<bool>,
    /// The command.
    command: Command,
) -> impl IntoView {
    let commands = use_commands();
    let title = format!("{label} ({})", command.key());
    view! {
        <button
            type="button"
            id=id
            title=title
            aria-label=label
            aria-pressed=move || aria(is_pressed.get())
            on:click=move |_| commands.run(command.clone())
        >
            {text}
        </button>
    }
}
