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
