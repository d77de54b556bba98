//! `<GoToDialog>`: a line or a time to go to.

use leptos::{ev, prelude::*};

use super::popover::Popover;
use crate::{
    app::context::{use_commands, use_state},
    controller::state::ViewerStateStoreFields,
    model::command::{Command, Dialog},
};

/// Goes to the line or the time that the user types.
#[component]
pub fn GoToDialog() -> impl IntoView {
    let (state, commands) = (use_state(), use_commands());
    let destination = RwSignal::new(String::new());
    // Each time it opens, it is empty.
    Effect::new(move |_| {
        if state.dialog().get() == Some(Dialog::GoTo) {
            destination.set(String::new());
        }
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        commands.run(Command::GoTo(destination.get_untracked()));
    };
    view! {
        <Popover dialog=Dialog::GoTo label="Go to line">
            <form on:submit=submit>
                <label for="goto-field">"Go to a line (57, 57-60), a time (14:03:11) or how long ago (-5m)"</label>
                <input id="goto-field" bind:value=destination autocomplete="off" spellcheck="false" autofocus />
            </form>
            <p class="wrong" role="status">
                {move || state.go_to_error().get()}
            </p>
        </Popover>
    }
}

#[cfg(test)]
mod tests {
    use leptos::task::tick;
    use wasm_bindgen::JsCast;
    use wasm_bindgen_test::wasm_bindgen_test;
    use web_sys::HtmlFormElement;

    use super::*;
    use crate::test_page::{ComponentStage, value};

    #[wasm_bindgen_test]
    async fn the_destination_is_read_when_it_is_submitted() {
        let stage = ComponentStage::showing(|| view! { <GoToDialog /> }).await;
        stage.type_into("#goto-field", "57-60").await;
        assert_eq!(stage.commands(), []);
        // The page would be left if the default were not prevented.
        stage.get("form").unchecked_into::<HtmlFormElement>().request_submit().unwrap();
        assert_eq!(stage.commands(), [Command::GoTo("57-60".into())]);
    }

    #[wasm_bindgen_test]
    async fn the_field_is_empty_each_time_it_opens() {
        let stage = ComponentStage::showing(|| view! { <GoToDialog /> }).await;
        stage.set(stage.state().dialog(), Some(Dialog::GoTo)).await;
        stage.type_into("#goto-field", "-5m").await;
        stage.set(stage.state().dialog(), None).await;
        stage.set(stage.state().dialog(), Some(Dialog::GoTo)).await;
        tick().await;
        assert_eq!(value(&stage.get("#goto-field")), "");
    }

    #[wasm_bindgen_test]
    async fn an_invalid_destination_is_reported() {
        let stage = ComponentStage::showing(|| view! { <GoToDialog /> }).await;
        assert_eq!(stage.text(".wrong"), "");
        stage.set(stage.state().go_to_error(), "Enter a line (57)".into()).await;
        assert_eq!(stage.text(".wrong"), "Enter a line (57)");
        assert_eq!(stage.attribute(".wrong", "role"), "status");
    }
}
