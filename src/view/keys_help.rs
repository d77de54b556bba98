//! Which key does what.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// The id of the list, for buttons that open it.
pub const HELP_ID: &str = "keys";

/// Every key, and what it does.
const KEYS: [(&[&str], &str); 14] = [
    (&["/"], "find"),
    (&["n", "N"], "next and previous line with a hit"),
    (&["&"], "only lines with hits, then only those without, then all"),
    (&["p", "F"], "hold the view, or follow the newest line again"),
    (&["Home", "End"], "oldest and newest line"),
    (&["PageUp", "PageDown"], "a page up and down"),
    (&["↑", "↓"], "a line up and down"),
    (&["o"], "open the JSON line with the current hit, or else the topmost, or close it"),
    (&["z"], "wrap long lines"),
    (&["i"], "times in place of numbers"),
    (&["t"], "colours: the system's, light, dark"),
    (&["s"], "keep the lines shown as a file"),
    (&["Esc"], "clear the search, leave the field, close what is open"),
    (&["?"], "this list"),
];

/// The list, which is there when asked for.
#[component]
pub fn KeysHelp() -> impl IntoView {
    let keys = KEYS.map(|(keys, does)| {
        let keys = keys.iter().map(|key| view! { <kbd>{*key}</kbd> " " }).collect::<Vec<_>>();
        view! {
            <dt>{keys}</dt>
            <dd>{does}</dd>
        }
    });
    view! {
        <div id=HELP_ID popover="auto" role="dialog" aria-label="Keys">
            <h2>"Keys"</h2>
            <dl>{keys.to_vec()}</dl>
        </div>
    }
}

/// Opens the list, or closes it.
pub fn toggle_help() {
    let found = web_sys::window().and_then(|window| window.document()?.get_element_by_id(HELP_ID));
    if let Some(help) = found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        // Fails only for elements that are no popovers.
        help.toggle_popover().map(drop).unwrap_or_default();
    }
}
