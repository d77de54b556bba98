//! What is there before the first line: what to do, or what is wrong.

use leptos::prelude::*;

use crate::model::status::{ConnectionState, StatusLine};

/// Stands in the list's place until there is a line.
#[component]
pub fn EmptyLog(
    /// The connection, in words.
    status: ReadSignal<StatusLine>,
    /// The group whose lines are awaited.
    group: String,
    /// The command that sends lines to it.
    command: String,
) -> impl IntoView {
    let state = move || status.with(|line| line.state);
    let heading = move || match state() {
        ConnectionState::Connected => format!("Waiting for lines in group {group}"),
        ConnectionState::Forbidden | ConnectionState::Connecting => status.with(|line| line.headline.clone()),
        // The header counts down already.
        ConnectionState::Disconnected | ConnectionState::Failed => status.with(|line| line.spoken.clone()),
    };
    let detail = move || match state() {
        ConnectionState::Connected | ConnectionState::Connecting => None,
        _ => status.with(|line| line.detail.as_ref().map(|(_, detail)| detail.clone())),
    };
    let can_receive = move || matches!(state(), ConnectionState::Connected | ConnectionState::Connecting);
    view! {
        <section class="empty" data-state=move || state().as_str()>
            <div class="ghost" aria-hidden="true"></div>
            <h2>{heading}</h2>
            {move || detail().map(|detail| view! { <p class="reason">{detail}</p> })}
            <Show when=can_receive>
                <p>"Send a command’s output here, from any terminal:"</p>
                <pre class="command"><code>{command.clone()}</code></pre>
                <p class="hint">"Lines appear as they are written, in every open page."</p>
            </Show>
        </section>
    }
}
