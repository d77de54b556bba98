//! What opens above the page: a menu, the list of keys, and boxes that ask.
//!
//! All are popovers: the browser closes them with Esc and a press elsewhere, and gives the focus back.

use leptos::{html, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, SubmitEvent};

use super::preferences::Preferences;
use crate::model::{
    command::{BINDINGS, Binding, Command, spoken_key},
    highlight::COLOURS,
    live_log::{ExportFormat, ExportScope},
};

/// The menu.
pub const MENU_ID: &str = "menu";
/// The list of keys.
pub const KEYS_ID: &str = "keys";
/// Choices of what to keep.
pub const SAVE_ID: &str = "save";
/// Where to go.
pub const GO_TO_ID: &str = "goto";
/// What is always marked.
pub const HIGHLIGHTS_ID: &str = "highlights";

/// What the menu offers; each of them has a key as well.
const OFFERED: [Command; 10] = [
    Command::GoTo,
    Command::Highlights,
    Command::Columns,
    Command::OpenFile,
    Command::SaveMenu,
    Command::ToggleBookmark,
    Command::LinkLines,
    Command::ToggleSpeech,
    Command::NextTheme,
    Command::Help,
];

/// What commands are offered, from the table of keys.
#[component]
pub fn Menu(
    /// Has done what is chosen.
    act: Callback<Command>,
) -> impl IntoView {
    let offers =
        OFFERED.into_iter().filter_map(|command| BINDINGS.iter().find(|binding| binding.command == command));
    let items = offers.map(|Binding { keys, command, words, .. }| {
        let choose = move |_| {
            toggle_popover(MENU_ID);
            act.run(*command);
        };
        view! {
            <button type="button" on:click=choose>
                <span>{*words}</span>
                <kbd aria-hidden="true">{keys.first().copied()}</kbd>
            </button>
        }
    });
    view! {
        <div id=MENU_ID class="box" popover="auto" role="dialog" aria-label="Menu">
            {items.collect::<Vec<_>>()}
        </div>
    }
}

/// Every key, and what it does.
#[component]
pub fn KeysHelp() -> impl IntoView {
    let keys = BINDINGS.iter().map(|Binding { keys, words, .. }| {
        let keys = keys.iter().map(|key| view! { <kbd>{spoken_key(key)}</kbd> " " }).collect::<Vec<_>>();
        view! {
            <div>
                <dt>{keys}</dt>
                <dd>{*words}</dd>
            </div>
        }
    });
    view! {
        <div id=KEYS_ID class="box" popover="auto" role="dialog" aria-label="Keys" tabindex="-1" autofocus>
            <h2>"Keys"</h2>
            <dl>{keys.collect::<Vec<_>>()}</dl>
        </div>
    }
}

/// What to keep, and how.
#[component]
pub fn SaveMenu(
    /// The reader chose.
    on_save: Callback<(ExportScope, ExportFormat)>,
) -> impl IntoView {
    use {ExportFormat::*, ExportScope::*};
    let choices = [
        ("Lines shown, as text", (Shown, Text)),
        ("Lines shown, as JSON lines", (Shown, JsonLines)),
        ("All lines held, as text", (Held, Text)),
        ("All lines held, as JSON lines", (Held, JsonLines)),
    ];
    let choices = choices.map(|(words, choice)| {
        let choose = move |_| {
            toggle_popover(SAVE_ID);
            on_save.run(choice);
        };
        view! { <button type="button" on:click=choose>{words}</button> }
    });
    view! {
        <div id=SAVE_ID class="box" popover="auto" role="dialog" aria-label="Save">
            <h2>"Save"</h2>
            {Vec::from(choices)}
        </div>
    }
}

/// Asks for a line or a time.
#[component]
pub fn GoToBox(
    /// Goes there, or says why not.
    on_go: Callback<String, Option<String>>,
) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let (wrong, set_wrong) = signal(String::new());
    let go = move |event: SubmitEvent| {
        event.prevent_default();
        let words = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        match on_go.run(words) {
            Some(words) => set_wrong.set(words),
            None => {
                set_wrong.set(String::new());
                toggle_popover(GO_TO_ID);
            }
        }
    };
    view! {
        <div id=GO_TO_ID class="box" popover="auto" role="dialog" aria-label="Go to">
            <form on:submit=go>
                <label for="goto-field">"Go to a line (57, 57-60), a time (14:03:11) or how long ago (-5m)"</label>
                <input id="goto-field" node_ref=field type="text" autocomplete="off" autofocus />
            </form>
            <p class="wrong" role="status">{wrong}</p>
        </div>
    }
}

/// Asks for what is always marked.
#[component]
pub fn HighlightsBox(
    /// What the reader likes.
    preferences: ReadSignal<Preferences>,
    /// Marks that, and says what cannot be.
    on_change: Callback<String, Option<String>>,
) -> impl IntoView {
    let field = NodeRef::<html::Textarea>::new();
    let (wrong, set_wrong) = signal(None);
    let change = move |_| {
        let words = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        set_wrong.set(on_change.run(words));
    };
    let hint = format!(
        "One a line: words, or /an expression/. Begin with a colour ({}) and a colon to choose one.",
        COLOURS.join(", ")
    );
    view! {
        <div id=HIGHLIGHTS_ID class="box" popover="auto" role="dialog" aria-label="Highlights">
            <label for="highlights-field">"Always mark"</label>
            <textarea
                id="highlights-field"
                node_ref=field
                rows="5"
                spellcheck="false"
                placeholder="timeout\nred: /5\\d\\d/"
                autofocus
                on:input=change
                prop:value=move || preferences.with_untracked(|liked| liked.highlights.clone())
            ></textarea>
            <p class="hint">{hint}</p>
            <p class="wrong" role="status">{wrong}</p>
        </div>
    }
}

/// Opens what has this id, or closes it.
pub fn toggle_popover(id: &str) {
    let found = web_sys::window().and_then(|window| window.document()?.get_element_by_id(id));
    if let Some(popover) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails only for elements that are no popovers.
        popover.toggle_popover().map(drop).unwrap_or_default();
    }
}
