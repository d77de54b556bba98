//! `<ConnectionDetails>`: connection, user, groups and limits.

use leptos::prelude::*;

use super::popover::Popover;
use crate::{
    app::context::{use_info, use_state},
    controller::state::ViewerStateStoreFields,
    model::command::Dialog,
};

/// Shows connection, user, groups and limits.
#[component]
pub fn ConnectionDetails() -> impl IntoView {
    let (status, info) = (use_state().status(), use_info());
    let connection = move || {
        let id = status.with(|status| status.connection.as_ref().map(|connection| connection.id.clone()));
        id.unwrap_or_else(|| "none".to_owned())
    };
    let user = move || {
        status.with(|status| match &status.connection {
            Some(connection) => connection.user_id.clone().unwrap_or_else(|| "anonymous".to_owned()),
            None => "none".to_owned(),
        })
    };
    let last_error =
        move || status.with(|status| status.last_failure.clone().unwrap_or_else(|| "none".to_owned()));
    view! {
        <Popover dialog=Dialog::ConnectionDetails label="Connection details" class="">
            <dl>
                <dt>"Connection"</dt>
                <dd class="connection">{connection}</dd>
                <dt>"User"</dt>
                <dd class="user">{user}</dd>
                <dt>"Group"</dt>
                <dd class="groups">{info.groups}</dd>
                <dt>"Negotiate endpoint"</dt>
                <dd class="negotiated">{info.endpoints}</dd>
                <dt>"Last error"</dt>
                <dd class="last-error">{last_error}</dd>
                <dt>"Retention"</dt>
                <dd class="kept">{info.retention}</dd>
            </dl>
        </Popover>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{
        model::status::{ConnectionIdentity, StatusLine},
        test_page::ComponentStage,
    };

    #[wasm_bindgen_test]
    async fn the_connection_is_named_while_there_is_one() {
        let stage = ComponentStage::showing(|| view! { <ConnectionDetails /> }).await;
        let shown = || (stage.text(".connection"), stage.text(".user"));
        assert_eq!(shown(), ("none".into(), "none".into()));
        for (user_id, user) in [(None, "anonymous"), (Some("ada".to_owned()), "ada")] {
            let connection = Some(ConnectionIdentity { id: "c1".into(), user_id });
            let status = StatusLine { connection, ..StatusLine::unusable(String::new()) };
            stage.set(stage.state().status(), status).await;
            assert_eq!(shown(), ("c1".into(), user.into()));
        }
    }

    #[wasm_bindgen_test]
    async fn the_last_error_is_shown_once_there_is_one() {
        let stage = ComponentStage::showing(|| view! { <ConnectionDetails /> }).await;
        assert_eq!(stage.text(".last-error"), "none");
        let last_failure = Some("the connection was dropped (close code 1006)".to_owned());
        let status = StatusLine { last_failure, ..StatusLine::unusable(String::new()) };
        stage.set(stage.state().status(), status).await;
        assert_eq!(stage.text(".last-error"), "the connection was dropped (close code 1006)");
    }

    #[wasm_bindgen_test]
    async fn groups_endpoints_and_limits_are_listed_without_the_query_of_an_endpoint() {
        let mut stage =
            ComponentStage::at("http://h/?group=web,db&negotiate=http%3A%2F%2Fh%2Fone%3Ftoken%3Dsecret");
        stage.mount(|| view! { <ConnectionDetails /> }).await;
        assert_eq!(stage.text(".groups"), "web, db");
        assert_eq!(stage.text(".negotiated"), "http://h/one");
        assert!(stage.text(".kept").starts_with("the newest "), "{}", stage.text(".kept"));
    }
}
