//! `<EmptyState>`: what a log without lines shows: what to do, or what is wrong.

use leptos::prelude::*;

use super::context::{use_info, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::status::{ConnectionState, StatusLine},
};

/// Shows what to do, or what is wrong, while there are no lines.
#[component]
pub fn EmptyState() -> impl IntoView {
    let (status, info) = (use_state().status(), use_info());
    let (groups, command) = (info.groups, info.stream_command);
    let has_command = !command.is_empty();
    let may_receive = Memo::new(move |_| status.with(|status| may_receive(status.state)));
    let headline = move || status.with(|status| headline(status, &groups));
    let reason = move || {
        let detail = |status: &StatusLine| status.detail.as_ref().map(|(_, detail)| detail.clone());
        status.with(detail).filter(|_| !may_receive.get())
    };
    view! {
        <section class="empty" tabindex="0" data-state=move || status.with(|status| status.state.as_str())>
            <slot name="empty">
                <div class="ghost" aria-hidden="true"></div>
                <h2>{headline}</h2>
                {move || reason().map(|reason| view! { <p class="reason">{reason}</p> })}
                <Show when=move || may_receive.get() && has_command>
                    <div class="how">
                        <p>"Send a command’s output here, from any terminal:"</p>
                        <pre class="command">
                            <code>{command.clone()}</code>
                        </pre>
                        <p class="hint">"Lines appear as they are written, in every open page."</p>
                    </div>
                </Show>
            </slot>
        </section>
    }
}

fn may_receive(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::Connected | ConnectionState::Connecting)
}

fn headline(status: &StatusLine, groups: &str) -> String {
    match status.state {
        ConnectionState::Connected => format!("Waiting for lines in group {groups}"),
        ConnectionState::Forbidden | ConnectionState::Connecting => status.headline.clone(),
        // The header shows the countdown.
        ConnectionState::Disconnected | ConnectionState::Failed => status.announcement.clone(),
    }
}
