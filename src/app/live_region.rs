//! `<LiveRegion>`: new lines for a screen reader.

use leptos::prelude::*;

use super::context::use_state;
use crate::controller::state::ViewerStateStoreFields;

/// Announces new lines to a screen reader. The list itself is no live region: it would never stop.
#[component]
pub fn LiveRegion() -> impl IntoView {
    let announcement = use_state().announcement();
    view! {
        <p class="spoken new" role="log" aria-label="New lines">
            {move || announcement.get()}
        </p>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::ComponentStage;

    #[wasm_bindgen_test]
    async fn an_announcement_replaces_the_one_before() {
        let stage = ComponentStage::showing(|| view! { <LiveRegion /> }).await;
        assert_eq!(
            (stage.text("[role=log]"), stage.attribute("[role=log]", "aria-label")),
            (String::new(), "New lines".into())
        );
        for announcement in ["first line", "second <b>line</b>"] {
            stage.set(stage.state().announcement(), announcement.to_owned()).await;
            assert_eq!(stage.text("[role=log]"), announcement);
        }
    }
}
