//! `<EmptyState>`: a log without lines: how to publish some, or the reason why none can be received.

use leptos::prelude::*;

use super::context::{use_commands, use_info, use_state};
use crate::{
    controller::state::ViewerStateStoreFields,
    model::{
        command::Command,
        status::{ConnectionState, StatusLine},
        stream_command::StreamCommands,
    },
};

/// Shows how to publish lines, or the reason why none can be received, while there are no lines.
#[component]
pub fn EmptyState() -> impl IntoView {
    let (status, info) = (use_state().status(), use_info());
    let (groups, stream_commands) = (info.groups, info.stream_commands);
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
                {stream_commands.map(|stream_commands| {
                    view! {
                        <Show when=move || may_receive.get()>
                            <Publishing stream_commands=stream_commands.clone() />
                        </Show>
                    }
                })}
            </slot>
        </section>
    }
}

/// Shows the shell commands that publish to the group, each with a button that copies it.
#[component]
fn Publishing(
    /// The commands.
    stream_commands: StreamCommands,
) -> impl IntoView {
    let commands = use_commands();
    let StreamCommands { stream, run, tail } = stream_commands;
    let row = move |(label, command): (&'static str, String)| {
        let copied = command.clone();
        view! {
            <dt>{label}</dt>
            <dd class="command">
                <code>{command.clone()}</code>
                <button
                    type="button"
                    aria-label=format!("Copy: {command}")
                    on:click=move |_| commands.run(Command::CopyText(copied.clone()))
                >
                    "Copy"
                </button>
            </dd>
        }
    };
    let rows = [("Pipe a command", stream), ("Run a command", run), ("Follow a file", tail)].map(row);
    view! {
        <div class="how">
            <p>"Publish from any terminal; lines appear here as they are written:"</p>
            <dl class="commands">{rows}</dl>
            <p class="hint">
                "Or drop a file here, or "
                <button type="button" class="link" on:click=move |_| commands.run(Command::OpenFiles)>
                    "open one"
                </button>
                "."
            </p>
        </div>
    }
}

fn may_receive(state: ConnectionState) -> bool {
    matches!(state, ConnectionState::Connected | ConnectionState::Connecting)
}

fn headline(status: &StatusLine, groups: &str) -> String {
    match status.state {
        ConnectionState::Connected => {
            let noun = if groups.contains(", ") { "groups" } else { "group" };
            format!("Waiting for lines in {noun} {groups}")
        }
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
        assert_eq!(stage.count(".command"), 3);
        assert!(stage.text(".command code").contains("tailcast stream"), "{}", stage.text(".command"));
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
    async fn commands_are_copied_and_files_are_opened() {
        let stage = ComponentStage::showing(|| view! { <EmptyState /> }).await;
        stage.set(stage.state().status(), status(ConnectionState::Connected)).await;
        for button in stage.all("button") {
            button.click();
        }
        let copied = stage.texts_of(".command code").into_iter().map(Command::CopyText);
        assert_eq!(stage.commands(), copied.chain([Command::OpenFiles]).collect::<Vec<_>>());
    }

    #[wasm_bindgen_test]
    async fn control_characters_of_a_group_are_escaped() {
        let mut stage = ComponentStage::at("http://h/?group=a%1B%5B31mb");
        stage.mount(|| view! { <EmptyState /> }).await;
        stage.set(stage.state().status(), status(ConnectionState::Connected)).await;
        let command = stage.text(".command code");
        assert!(command.ends_with(r"--group $'a\033[31mb'"), "{command}");
    }

    #[wasm_bindgen_test]
    async fn a_viewer_without_a_command_shows_none() {
        let mut stage = ComponentStage::new();
        stage.provide(ViewerInfo::default());
        stage.mount(|| view! { <EmptyState /> }).await;
        assert!(stage.find(".how").is_none());
    }
}
