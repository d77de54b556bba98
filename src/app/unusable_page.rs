//! `<UnusablePage>`: the reason why the settings are unusable.

use leptos::prelude::*;
use reactive_stores::Store;

use super::{
    brand::Brand, connection_status::ConnectionStatus, context::ViewerInfo, empty_state::EmptyState,
};
use crate::{browser::host::Host, controller::state::ViewerState};

/// Shows the reason why the settings are unusable.
#[component]
pub fn UnusablePage(
    /// A sentence for the user.
    reason: String,
    /// The page around the viewer.
    host: Host,
) -> impl IntoView {
    provide_context(Store::new(ViewerState::unusable(reason)));
    provide_context(ViewerInfo { is_embedded: host.is_embedded(), ..ViewerInfo::default() });
    let role = if host.is_embedded() { "presentation" } else { "main" };
    view! {
        <div class="tailcast unusable">
            <header part="header">
                <slot name="header">
                    <Brand />
                </slot>
                <ConnectionStatus />
            </header>
            <div class="lines" role=role part="lines">
                <EmptyState />
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::{Mounted, Stage};

    /// Returns a page without any context: the component provides its own.
    fn page(stage: &Stage, host: Host) -> Mounted {
        Mounted::new(stage.root(), || view! { <UnusablePage reason="no <b>group</b>".into() host /> })
    }

    #[wasm_bindgen_test]
    fn the_reason_is_shown_as_text_in_place_of_a_log() {
        let stage = Stage::new();
        let _page = page(&stage, Host::standalone().unwrap());
        assert_eq!(stage.attribute("#status", "data-state"), "failed");
        assert_eq!(stage.text("#status"), "The log cannot be shown: no <b>group</b>");
        assert_eq!(stage.text(".empty .reason"), "no <b>group</b>");
        assert_eq!((stage.count("b"), stage.count("#log"), stage.count("button")), (0, 0, 0));
        assert_eq!(stage.attribute(".lines", "role"), "main");
    }

    #[wasm_bindgen_test]
    fn an_embedded_page_adds_no_landmark_to_the_host_page() {
        let stage = Stage::new();
        let host = Host::embedded(stage.root(), Rc::new(|_, _| {})).unwrap();
        let _page = page(&stage, host);
        assert_eq!(stage.attribute(".lines", "role"), "presentation");
        assert_eq!(stage.attribute("h1", "role"), "presentation");
    }
}
