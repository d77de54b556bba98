//! `<Brand>`: the product's name, the groups, and the hosts that they come from.

use leptos::prelude::*;

use super::context::use_info;
use crate::model::command::Dialog;

/// Shows the product's name and the groups, which open the list of others where there is one; hosts, if the page's address names others than the page's own.
#[component]
pub fn Brand() -> impl IntoView {
    let info = use_info();
    let mut hosts: Vec<String> = info.foreign_hosts.into_iter().flatten().collect();
    hosts.dedup();
    let hosts = (!hosts.is_empty()).then(|| {
        let title = "This page's address chose another host: the lines come from there";
        view! { <span class="host" title=title>{format!("from {}", hosts.join(", "))}</span> }
    });
    let groups = if info.groups_url.is_some() && !info.is_embedded {
        let title = "Show another group (G)";
        view! {
            <button type="button" class="group" title=title popovertarget=Dialog::Groups.id()>
                {info.groups}
            </button>
        }
        .into_any()
    } else {
        view! { <span class="group" title="group">{info.groups}</span> }.into_any()
    };
    view! {
        <div class="brand">
            <span class="mark" aria-hidden="true"></span>
            // In a host page, headings are the page's own.
            <h1 role=info.is_embedded.then_some("presentation")>"Tailcast"</h1>
            {groups}
            {hosts}
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
    async fn the_groups_open_the_list_of_others_where_there_is_one() {
        let mut stage = ComponentStage::at("http://h/");
        stage.mount(|| view! { <Brand /> }).await;
        assert_eq!(stage.attribute("button.group", "popovertarget"), "groups");
        for info in [
            ViewerInfo::default(),
            ViewerInfo {
                is_embedded: true,
                groups_url: Some("http://h/groups".into()),
                ..ViewerInfo::default()
            },
        ] {
            let mut stage = ComponentStage::new();
            stage.provide(info);
            stage.mount(|| view! { <Brand /> }).await;
            assert!(stage.find("button").is_none() && stage.find("span.group").is_some());
        }
    }

    #[wasm_bindgen_test]
    async fn a_host_that_the_address_chose_is_named() {
        let mut stage = ComponentStage::at("http://h/?group=web&negotiate=https%3A%2F%2Fn.example%2Fneg");
        stage.mount(|| view! { <Brand /> }).await;
        assert_eq!(stage.text(".host"), "from n.example");
        let stage = ComponentStage::showing(|| view! { <Brand /> }).await;
        assert!(stage.find(".host").is_none());
    }

    #[wasm_bindgen_test]
    async fn an_embedded_viewer_adds_no_heading_to_the_host_page() {
        let mut stage = ComponentStage::new();
        stage.provide(ViewerInfo { is_embedded: true, ..ViewerInfo::default() });
        stage.mount(|| view! { <Brand /> }).await;
        assert_eq!(stage.attribute("h1", "role"), "presentation");
    }
}
