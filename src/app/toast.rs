//! `<Toast>`: a message of the viewer that disappears after a while.

use leptos::prelude::*;

use super::context::use_state;
use crate::controller::state::ViewerStateStoreFields;

/// Shows a message of the viewer that disappears after a while.
#[component]
pub fn Toast() -> impl IntoView {
    let toast = use_state().toast();
    view! {
        <p id="said" role="status">
            {move || Some(toast.get()).filter(|message| !message.is_empty())}
        </p>
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
        stage.set(stage.state().toast(), "Copied <b>3</b> bytes".into()).await;
        assert_eq!((stage.text("#said"), stage.count("#said b")), ("Copied <b>3</b> bytes".into(), 0));
        assert_eq!(stage.attribute("#said", "role"), "status");
        stage.set(stage.state().toast(), String::new()).await;
        assert_eq!(stage.text("#said"), "");
        assert!(stage.get("#said").matches(":empty").unwrap(), "the style sheet hides an empty toast");
    }
}
