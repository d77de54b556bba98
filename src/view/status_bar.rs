//! The header: whose lines these are, how the connection is, how many lines there are.

use leptos::prelude::*;

use crate::model::{
    grouped_number::{counted, grouped},
    line_store::LineCounts,
    status::StatusLine,
};

/// More about the connection.
pub const DETAILS_ID: &str = "details";

/// What the details area says beside the connection.
#[derive(Debug, Clone)]
pub struct Source {
    /// The group.
    pub group: String,
    /// Where the page negotiates.
    pub negotiate_endpoint: String,
    /// How much is kept, in words.
    pub kept: String,
}

/// The page's header.
#[component]
pub fn StatusBar(
    /// The connection, in words.
    status: ReadSignal<StatusLine>,
    /// How many lines.
    counts: ReadSignal<LineCounts>,
    /// What does not change.
    source: Source,
    /// The reader does not want to wait for the next attempt.
    on_retry: impl Fn() + 'static,
    /// What stands between the connection and the number of lines.
    children: Children,
) -> impl IntoView {
    let on_retry = StoredValue::new_local(on_retry);
    let connection = move || status.with(|line| line.connection.clone());
    let connection_id = move || connection().map(|connection| connection.id);
    let user_id = move || connection().and_then(|connection| connection.user_id);
    let user = move || match connection() {
        Some(connection) => connection.user_id.unwrap_or_else(|| "anonymous".to_owned()),
        None => "none".to_owned(),
    };
    let lines = move || {
        let LineCounts { received, dropped, .. } = counts.get();
        let lines = counted(received, "line", "lines");
        if dropped > 0 { format!("{lines}, {} dropped", grouped(dropped)) } else { lines }
    };
    view! {
        <header>
            <div class="brand">
                <span class="mark" aria-hidden="true"></span>
                <h1>"Tailcast"</h1>
                <span class="group" title="group">{source.group.clone()}</span>
            </div>
            <div
                id="status"
                data-state=move || status.with(|line| line.state.as_str())
                data-connection-id=connection_id
                data-user-id=user_id
                title=move || status.with(StatusLine::text)
            >
                <span class="dot" aria-hidden="true"></span>
                <span class="words">
                    <span class="headline">{move || status.with(|line| line.headline.clone())}</span>
                    <span class="detail">
                        {move || status.with(|line| line.detail.as_ref().map(|(between, detail)| format!("{between}{detail}")))}
                    </span>
                </span>
            </div>
            <Show when=move || status.with(|line| line.can_retry)>
                <button id="retry" type="button" on:click=move |_| on_retry.with_value(|retry| retry())>
                    "Try now"
                </button>
            </Show>
            {children()}
            <div
                id="line-count"
                data-received=move || counts.with(|counts| counts.received.to_string())
                data-held=move || counts.with(|counts| counts.held.to_string())
                data-dropped=move || counts.with(|counts| counts.dropped.to_string())
            >
                {lines}
            </div>
            <button type="button" popovertarget=DETAILS_ID>
                "Details"
            </button>
            <div id=DETAILS_ID popover="auto" role="dialog" aria-label="Details">
                <dl>
                    <dt>"Connection"</dt>
                    <dd>{move || connection_id().unwrap_or_else(|| "none".to_owned())}</dd>
                    <dt>"User"</dt>
                    <dd>{user}</dd>
                    <dt>"Group"</dt>
                    <dd>{source.group.clone()}</dd>
                    <dt>"Negotiated at"</dt>
                    <dd>{source.negotiate_endpoint.clone()}</dd>
                    <dt>"Kept"</dt>
                    <dd>{source.kept.clone()}</dd>
                </dl>
            </div>
            // What a screen reader is told: changes of state, not each second of a countdown.
            <p class="spoken" role="status">{move || status.with(|line| line.spoken.clone())}</p>
        </header>
    }
}
