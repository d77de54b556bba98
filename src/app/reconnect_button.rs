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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn a_click_reconnects() {
        let stage = ComponentStage::showing(|| view! { <ReconnectButton /> }).await;
        stage.click("#retry").await;
        assert_eq!(stage.commands(), [Command::Reconnect]);
    }
}
