//! `<LogPane>`: the lines, and what lies above them.

use leptos::prelude::*;

use super::{
    context::{use_info, use_state},
    empty_state::EmptyState,
    follow_button::FollowButton,
    live_region::LiveRegion,
    log_list::LogList,
    selection_bar::SelectionBar,
    toast::Toast,
};
use crate::controller::state::ViewerStateStoreFields;

/// Shows the lines, and what lies above them.
#[component]
pub fn LogPane() -> impl IntoView {
    let state = use_state();
    // In a host page, landmarks are the page's own.
    let role = if use_info().is_embedded { "presentation" } else { "main" };
    view! {
        <div class="lines" role=role part="lines">
            <Show when=move || state.is_empty().get()>
                <EmptyState />
            </Show>
            <div id="tray">
                <SelectionBar />
                <Toast />
            </div>
            <LiveRegion />
            <Show when=move || state.new_lines().with(Option::is_some)>
                <FollowButton />
            </Show>
            <LogList />
        </div>
    }
}
