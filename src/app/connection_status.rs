//! `<ConnectionStatus>`: state of the connection.

use leptos::prelude::*;

use super::context::use_state;
use crate::{
    controller::state::ViewerStateStoreFields,
    model::status::{ConnectionIdentity, StatusLine},
};

/// Shows the state of the connection as text.
#[component]
pub fn ConnectionStatus() -> impl IntoView {
    let status = use_state().status();
    let identity = move |read: fn(&ConnectionIdentity) -> Option<String>| {
        move || status.with(|status| status.connection.as_ref().and_then(read))
    };
    let detail = move || {
        status.with(|status| status.detail.as_ref().map(|(separator, detail)| format!("{separator}{detail}")))
    };
    view! {
        <div
            id="status"
            part="status"
            data-state=move || status.with(|status| status.state.as_str())
            data-connection-id=identity(|connection| Some(connection.id.clone()))
            data-user-id=identity(|connection| connection.user_id.clone())
            title=move || status.with(StatusLine::text)
        >
            <span class="dot" aria-hidden="true"></span>
            <span class="words">
                <span class="headline">{move || status.with(|status| status.headline.clone())}</span>
                <span class="detail">{detail}</span>
            </span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{model::status::ConnectionState, test_page::ComponentStage};

    #[wasm_bindgen_test]
    async fn a_connection_is_shown_with_its_identity_until_it_is_lost() {
        let stage = ComponentStage::showing(|| view! { <ConnectionStatus /> }).await;
        let connected = StatusLine {
            state: ConnectionState::Connected,
            headline: "Connected as ada".into(),
            detail: Some((" · ", "connection c1".into())),
            connection: Some(ConnectionIdentity { id: "c1".into(), user_id: Some("ada".into()) }),
            ..StatusLine::unusable(String::new())
        };
        stage.set(stage.state().status(), connected.clone()).await;
        assert_eq!(stage.text("#status"), "Connected as ada · connection c1");
        for (name, value) in [
            ("data-state", "connected"),
            ("data-connection-id", "c1"),
            ("data-user-id", "ada"),
            ("title", "Connected as ada · connection c1"),
        ] {
            assert_eq!(stage.attribute("#status", name), value, "{name}");
        }
        let lost = StatusLine {
            state: ConnectionState::Disconnected,
            headline: "Reconnecting now".into(),
            detail: None,
            connection: None,
            ..connected
        };
        stage.set(stage.state().status(), lost).await;
        assert_eq!(stage.text("#status"), "Reconnecting now");
        assert_eq!(stage.attribute("#status", "data-state"), "disconnected");
        let status = stage.get("#status");
        assert!(!status.has_attribute("data-connection-id") && !status.has_attribute("data-user-id"));
    }

    #[wasm_bindgen_test]
    async fn markup_in_a_reason_is_shown_as_text() {
        let stage = ComponentStage::showing(|| view! { <ConnectionStatus /> }).await;
        stage.set(stage.state().status(), StatusLine::unusable("<b>&amp;</b>".into())).await;
        assert_eq!(stage.text("#status .detail"), ": <b>&amp;</b>");
        assert_eq!(stage.count("#status b"), 0);
    }
}
