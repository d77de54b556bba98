//! `<Brand>`: the product's name and the groups.

use leptos::prelude::*;

use super::context::use_info;

/// Shows the product's name and the groups.
#[component]
pub fn Brand() -> impl IntoView {
    let info = use_info();
    view! {
        <div class="brand">
            <span class="mark" aria-hidden="true"></span>
            // In a host page, headings are the page's own.
            <h1 role=info.is_embedded.then_some("presentation")>"Tailcast"</h1>
            <span class="group" title="group">
                {info.groups}
            </span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{app::context::ViewerInfo, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn the_brand_is_a_heading_with_the_groups() {
        let mut stage = ComponentStage::at("http://h/?group=web,db");
        stage.mount(|| view! { <Brand /> }).await;
        assert_eq!((stage.text("h1"), stage.text(".group")), ("Tailcast".into(), "web, db".into()));
        assert!(!stage.get("h1").has_attribute("role"));
    }

    #[wasm_bindgen_test]
    async fn an_embedded_viewer_adds_no_heading_to_the_host_page() {
        let mut stage = ComponentStage::new();
        stage.provide(ViewerInfo { is_embedded: true, ..ViewerInfo::default() });
        stage.mount(|| view! { <Brand /> }).await;
        assert_eq!(stage.attribute("h1", "role"), "presentation");
    }
}
