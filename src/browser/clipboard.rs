//! Copying by the browser's own command.

use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, Document, HtmlDocument};

/// Starts a copy, as the browser's menu does: a `copy` event follows at once, unless the browser forbids it.
///
/// The command is deprecated in favour of the asynchronous clipboard, which needs a secure context: a page served over HTTP in a
/// local network has none.
pub fn start_copy(document: &Document) {
    if let Some(document) = document.dyn_ref::<HtmlDocument>()
        && let Err(error) = document.exec_command("copy")
    {
        leptos::logging::error!("the browser cannot copy: {error:?}");
    }
}

/// Puts text on the clipboard in place of what the browser would copy. Returns whether the browser takes it.
#[must_use]
pub fn set_copied_text(event: &ClipboardEvent, text: &str) -> bool {
    event.prevent_default();
    event.clipboard_data().is_some_and(|data| data.set_data("text/plain", text).is_ok())
}
