//! A line to type in, for those who may publish.

use leptos::{html, prelude::*};
use web_sys::{KeyboardEvent, SubmitEvent};

use crate::model::source::SourceLine;

/// Longest line that is sent, in characters: the service takes messages up to 1 MiB.
const MAX_LINE_CHARS: &str = "100000";

/// What the bar asks of the page.
#[derive(Clone, Copy)]
pub struct ComposerActions {
    /// Publish a text to the source with this number. Whether it was taken.
    pub send: Callback<(usize, String), bool>,
    /// The text sent before the one shown (`true`), or after it.
    pub recall: Callback<bool, Option<String>>,
}

/// The bar.
#[component]
pub fn ComposerBar(
    /// The sources, which are the groups that can be published to.
    sources: ReadSignal<Vec<SourceLine>>,
    /// What became of what was sent, in words.
    sent: ReadSignal<String>,
    /// What the bar asks for.
    actions: ComposerActions,
) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let (target, set_target) = signal(0_usize);
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(field) = field.get_untracked() else { return };
        let text = field.value();
        // What was not taken stays, to be sent again.
        if !text.is_empty() && actions.send.run((target.get_untracked(), text)) {
            field.set_value("");
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let is_older = match event.key().as_str() {
            "ArrowUp" => true,
            "ArrowDown" => false,
            _ => return,
        };
        event.prevent_default();
        if let (Some(field), Some(text)) = (field.get_untracked(), actions.recall.run(is_older)) {
            field.set_value(&text);
        }
    };
    let names = sources
        .with_untracked(|sources| sources.iter().map(|source| source.name.clone()).collect::<Vec<_>>());
    let choice = (names.len() > 1).then(|| {
        let options = names.into_iter().enumerate().map(|(at, name)| view! { <option value=at.to_string()>{name}</option> });
        view! {
            <select aria-label="Send to" on:change=move |event| set_target.set(event_target_value(&event).parse().unwrap_or(0))>
                {options.collect::<Vec<_>>()}
            </select>
        }
    });
    view! {
        <form id="composer" on:submit=on_submit>
            {choice}
            <input
                node_ref=field
                type="text"
                aria-label="Line to send"
                placeholder="Send a line to everyone who watches"
                autocomplete="off"
                maxlength=MAX_LINE_CHARS
                on:keydown=on_key
            />
            <button type="submit">"Send"</button>
            <span class="sent" role="status">{sent}</span>
        </form>
    }
}

#[cfg(test)]
#[path = "composer_tests.rs"]
mod tests;
