//! What opens above the page: a menu, the list of keys, and boxes that ask.
//!
//! All are popovers: the browser closes them with Esc and a press elsewhere, and gives the focus back. Menu and list are made
//! from the table of keys.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element, HtmlElement};

use super::log_row::element;
use crate::model::{
    command::{BINDINGS, Command, spoken_key},
    live_log::{ExportFormat, ExportScope},
};

/// The list of keys.
pub const KEYS_ID: &str = "keys";
/// Choices of what to keep.
pub const SAVE_ID: &str = "save";
/// Where to go.
pub const GO_TO_ID: &str = "goto";
/// What is always marked.
pub const HIGHLIGHTS_ID: &str = "highlights";
/// Which fields of JSON lines are columns.
pub const COLUMNS_ID: &str = "columns";

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

/// What can be kept, as the box lists it.
pub const SAVES: [(ExportScope, ExportFormat); 4] = [
    (ExportScope::Shown, ExportFormat::Text),
    (ExportScope::Shown, ExportFormat::JsonLines),
    (ExportScope::Held, ExportFormat::Text),
    (ExportScope::Held, ExportFormat::JsonLines),
];

/// Fills the menu and the list of keys.
///
/// # Errors
/// What the browser says when it makes no elements.
pub fn fill(document: &Document, root: &Element) -> Result<(), JsValue> {
    let add = |parent: &Element, name: &str, text: &str| {
        let element = element(document, name, "")?;
        element.set_text_content(Some(text));
        parent.append_child(&element)?;
        Ok::<_, JsValue>(element)
    };
    if let Some(menu) = root.query_selector("#menu")? {
        for command in OFFERED {
            let Some(binding) = BINDINGS.iter().find(|binding| binding.command == command) else { continue };
            let key = binding.keys.first().copied().unwrap_or_default();
            let button = add(&menu, "button", "")?;
            button.set_attribute("type", "button")?;
            button.set_attribute("data-key", key)?;
            add(&button, "span", binding.words)?;
            add(&button, "kbd", key)?.set_attribute("aria-hidden", "true")?;
        }
    }
    if let Some(list) = root.query_selector("#keys dl")? {
        for binding in BINDINGS {
            let pair = add(&list, "div", "")?;
            let names = add(&pair, "dt", "")?;
            for key in binding.keys {
                add(&names, "kbd", &spoken_key(key))?;
            }
            add(&pair, "dd", binding.words)?;
        }
    }
    Ok(())
}

/// Opens what has this id, or closes it.
pub fn toggle(root: &Element, id: &str) {
    if let Some(popover) = root.query_selector(&format!("#{id}")).ok().flatten() {
        // Fails only for elements that are no popovers.
        popover.unchecked_into::<HtmlElement>().toggle_popover().map(drop).unwrap_or_default();
    }
}

/// Closes what this element is in.
pub fn close_around(element: &Element) {
    if let Some(popover) = element.closest("[popover]").ok().flatten() {
        popover.unchecked_into::<HtmlElement>().hide_popover().unwrap_or_default();
    }
}
