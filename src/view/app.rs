//! The page: what its address and its surroundings say, made a viewer.
//!
//! For tests from outside these stay as they are:
//!
//! | element | attributes |
//! | --- | --- |
//! | `#status` | `data-state` (`connecting`, `connected`, `disconnected`, `forbidden`, `failed`), `data-connection-id`, `data-user-id`; its text is the state in words |
//! | `#line-count` | `data-received`, `data-held`, `data-dropped` |
//! | `#log` | `role="list"`; the element that scrolls |
//! | `#log .row` | `data-line-id`, `data-from` (`group`, `server`, `notice`), `data-level`, `data-current`, `data-bookmarked`, `data-linked`; the text is in `.text` |
//! | `#find` | the search bar; `data-hits`; its `input`, and `.level` buttons with `data-level` |
//! | `#sources` | there with several sources: a button `.source` each, with `data-state` and `aria-pressed` |
//! | `#composer` | there when asked for (`?publish`): a field to type in, and `.sent`, what became of it |
//! | `#timeline` | bars of lines over time; hidden until there are some. `#range` is shown while lines of some time only are |
//! | `#selected` | `data-lines`; hidden while no text is selected |
//! | `#said` | the page's answer to what the reader did last |
//! | `#resume` | there while the view does not follow the end; `data-new` |
//! | `#retry` | there while the page waits before it tries again, or has given up |
//!
//! `connected` means that lines sent from now on will be seen: connected, and a member of the group. The first time,
//! `performance` gets the mark `tailcast-connected`.

use std::rc::Rc;

use leptos::{html, prelude::*};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::HtmlElement;

use super::{
    client::{StartClient, clients_of},
    page_address::PageAddress,
    settings::Settings,
    surroundings::Surroundings,
    viewer::{MARKUP, Viewer, show_unusable},
};
use crate::model::line_store::StoreLimits;

/// What there is to view, and where.
pub struct Plan {
    /// Which groups, and where they are negotiated; or why that cannot be.
    pub address: Result<PageAddress, String>,
    /// Starts the clients; again when the reader does not want to wait.
    pub start_client: StartClient,
    /// How much is kept.
    pub limits: StoreLimits,
    /// What else is set.
    pub settings: Settings,
    /// What the viewer stands in.
    pub surroundings: Surroundings,
    /// Is given the viewer once it runs.
    pub on_start: Box<dyn FnOnce(Rc<Viewer>)>,
}

impl Plan {
    /// What a page asks for whose settings are these. `None` where there is no window.
    #[must_use]
    pub fn of_page(settings: Result<Settings, String>) -> Option<Self> {
        let (address, settings) = match settings {
            Ok(settings) => (PageAddress::read(&settings), settings),
            Err(words) => (Err(words), Settings::of_query("", String::new()).ok()?),
        };
        let start_client = match &address {
            Ok(address) => clients_of(address),
            Err(_) => Rc::new(|_, _| None),
        };
        let limits = address.as_ref().map(|address| address.limits).unwrap_or_default();
        let surroundings = Surroundings::page()?;
        Some(Self { address, start_client, limits, settings, surroundings, on_start: Box::new(drop) })
    }

    fn carry_out(self, root: HtmlElement) -> Result<Option<Rc<Viewer>>, JsValue> {
        let address = match self.address {
            Ok(address) => address,
            Err(words) => return show_unusable(&root, words).map(|()| None),
        };
        let viewer =
            Viewer::start(root, &address, self.start_client, self.limits, self.settings, self.surroundings)?;
        (self.on_start)(Rc::clone(&viewer));
        Ok(Some(viewer))
    }
}

/// A viewer, which ends with its place in the document.
#[component]
pub fn LiveLogPage(
    /// What there is to view.
    plan: Plan,
) -> impl IntoView {
    let root = NodeRef::<html::Div>::new();
    let running = StoredValue::new_local(None);
    root.on_load(move |root| match plan.carry_out(root.unchecked_into()) {
        Ok(viewer) => running.set_value(viewer),
        Err(error) => leptos::logging::error!("the viewer cannot be shown: {error:?}"),
    });
    view! { <div class="tailcast" node_ref=root inner_html=MARKUP></div> }
}

/// Puts the page into its document, once it knows how it is set.
pub async fn show_page() {
    let Some(window) = web_sys::window() else { return };
    let settings = Settings::of_page_and_file(&window).await;
    if let Some(plan) = Plan::of_page(settings) {
        leptos::mount::mount_to_body(move || view! { <LiveLogPage plan /> });
    }
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
