//! `<ReconnectButton>`: connects without waiting for the next attempt.

use leptos::prelude::*;

use super::context::use_commands;
use crate::model::command::Command;

/// Connects at once. Shown while a connection waits for its next attempt, or has given up.
#[component]
pub fn ReconnectButton() -> impl IntoView {
    let commands = use_commands();
    view! {
        <button id="retry" type="button" on:click=move |_| commands.run(Command::Reconnect)>
            "Reconnect"
        </button>
    }
}
