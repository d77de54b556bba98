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
