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

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::{app::context::ViewerInfo, test_page::ComponentStage};

    fn status(state: ConnectionState) -> StatusLine {
        StatusLine {
            state,
            headline: "Reconnecting in 2 s".into(),
            detail: Some((": ", "the connection was dropped".into())),
            announcement: "Reconnecting".into(),
            ..StatusLine::unusable(String::new())
        }
    }

    #[wasm_bindgen_test]
    async fn a_connected_viewer_shows_the_command_that_publishes() {
        let stage = ComponentStage::showing(|| view! { <EmptyState /> }).await;
        stage.set(stage.state().status(), status(ConnectionState::Connected)).await;
        assert_eq!(stage.text("h2"), "Waiting for lines in group stream");
        assert!(stage.text(".command").contains("tailcast stream"), "{}", stage.text(".command"));
        assert!(stage.find(".reason").is_none());
        assert_eq!(stage.attribute(".empty", "data-state"), "connected");
    }

    #[wasm_bindgen_test]
    async fn a_viewer_that_cannot_receive_shows_the_reason_instead() {
        let stage = ComponentStage::showing(|| view! { <EmptyState /> }).await;
        stage.set(stage.state().status(), status(ConnectionState::Disconnected)).await;
        assert_eq!(stage.text("h2"), "Reconnecting", "the header has the countdown");
        assert_eq!(stage.text(".reason"), "the connection was dropped");
        assert!(stage.find(".command").is_none());
        stage.set(stage.state().status(), status(ConnectionState::Connecting)).await;
        assert!(stage.find(".reason").is_none() && stage.find(".command").is_some());
    }

    #[wasm_bindgen_test]
    async fn a_viewer_without_a_command_shows_none() {
        let mut stage = ComponentStage::new();
        stage.provide(ViewerInfo::default());
        stage.mount(|| view! { <EmptyState /> }).await;
        assert!(stage.find(".how").is_none());
    }
}
