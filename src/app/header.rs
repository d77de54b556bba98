//! `<Header>`: groups, connection, timeline and line count.

use leptos::prelude::*;

use super::{
    brand::Brand, connection_status::ConnectionStatus, context::use_state,
    dialogs::connection_details::ConnectionDetails, line_count::LineCount, reconnect_button::ReconnectButton,
    timeline::Timeline,
};
use crate::{controller::state::ViewerStateStoreFields, model::command::Dialog};

/// Shows groups, connection, timeline and line count.
#[component]
pub fn Header() -> impl IntoView {
    let state = use_state();
    let can_retry = move || state.status().with(|status| status.can_retry);
    // Changes of the state only: a screen reader should not read a countdown.
    let announcement = move || state.status().with(|status| status.announcement.clone());
    view! {
        <header part="header">
            <slot name="header">
                <Brand />
            </slot>
            <ConnectionStatus />
            <Show when=can_retry>
                <ReconnectButton />
            </Show>
            <Timeline />
            <LineCount />
            <button type="button" id="details-button" popovertarget=Dialog::ConnectionDetails.id()>
                "Details"
            </button>
            <ConnectionDetails />
            <p class="spoken state" role="status">
                {announcement}
            </p>
        </header>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        model::status::StatusLine,
        test_page::{ComponentStage, is_open, next_event},
    };

    #[wasm_bindgen_test]
    async fn reconnect_is_offered_only_while_a_connection_waits() {
        let stage = ComponentStage::showing(|| view! { <Header /> }).await;
        assert!(stage.find("#retry").is_none());
        let waiting = StatusLine { can_retry: true, ..StatusLine::unusable(String::new()) };
        stage.set(stage.state().status(), waiting).await;
        assert!(stage.find("#retry").is_some());
        stage.set(stage.state().status(), StatusLine::unusable(String::new())).await;
        assert!(stage.find("#retry").is_none());
    }

    #[wasm_bindgen_test]
    async fn a_screen_reader_is_notified_of_states_and_not_of_countdowns() {
        let stage = ComponentStage::showing(|| view! { <Header /> }).await;
        let waiting = StatusLine {
            headline: "Reconnecting in 2 s".into(),
            announcement: "Reconnecting".into(),
            ..StatusLine::unusable(String::new())
        };
        stage.set(stage.state().status(), waiting).await;
        assert_eq!(stage.text("[role=status]"), "Reconnecting");
        assert_eq!(stage.text("#status .headline"), "Reconnecting in 2 s");
    }

    #[wasm_bindgen_test]
    async fn the_button_opens_the_connection_details() {
        let stage = ComponentStage::showing(|| view! { <Header /> }).await;
        let opened = next_event(&stage.get("#details"), "toggle");
        stage.click("#details-button").await;
        opened.await;
        assert!(is_open(&stage.get("#details")));
        assert_eq!(stage.state().dialog().get_untracked(), Some(Dialog::ConnectionDetails));
    }
}
