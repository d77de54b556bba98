//! `<Toast>`: a message of the viewer that disappears after a while.

use leptos::prelude::*;

use super::context::{use_commands, use_state};
use crate::{controller::state::ViewerStateStoreFields, model::command::Command};

/// Shows a message of the viewer that disappears after a while. After the log was cleared, offers to undo that.
#[component]
pub fn Toast() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    view! {
        <div id="said" class:shown=move || state.can_undo_clear().get() || state.toast().with(|message| !message.is_empty())>
            <span role="status">{move || state.toast().get()}</span>
            <Show when=move || state.can_undo_clear().get()>
                <button type="button" title="Undo clear (Ctrl+Z)" on:click=move |_| commands.run(Command::UndoClear)>
                    "Undo clear"
                </button>
            </Show>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn a_message_is_shown_as_text_until_it_is_removed() {
        let stage = ComponentStage::showing(|| view! { <Toast /> }).await;
        assert!(stage.find("#said.shown").is_none());
        stage.set(stage.state().toast(), "Copied <b>3</b> bytes".into()).await;
        assert_eq!((stage.text("#said.shown"), stage.count("#said b")), ("Copied <b>3</b> bytes".into(), 0));
        assert_eq!(stage.attribute("#said span", "role"), "status");
        stage.set(stage.state().toast(), String::new()).await;
        assert!(stage.find("#said.shown").is_none());
    }

    #[wasm_bindgen_test]
    async fn clearing_can_be_undone() {
        let stage = ComponentStage::showing(|| view! { <Toast /> }).await;
        stage.set(stage.state().toast(), "Cleared 3 lines".into()).await;
        assert!(stage.find("button").is_none());
        stage.set(stage.state().can_undo_clear(), true).await;
        stage.click("button").await;
        assert_eq!(stage.commands(), [Command::UndoClear]);
    }
}
