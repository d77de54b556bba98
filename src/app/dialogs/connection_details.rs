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
                <dt>"Retention"</dt>
                <dd class="kept">{info.retention}</dd>
            </dl>
        </Popover>
    }
}
