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
