//! `<ConnectionStatus>`: the state of the connection in words.

use leptos::prelude::*;

use super::context::use_state;
use crate::{
    controller::state::ViewerStateStoreFields,
    model::status::{ConnectionIdentity, StatusLine},
};

/// Shows the state of the connection in words.
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
