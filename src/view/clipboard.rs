//! The selection on the clipboard: its text from the store, never from the rows.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, Document, EventTarget, HtmlDocument};

use super::listener::Listener;
use crate::model::{grouped_number::counted, live_log::LiveLog};

/// Answers the browser's copies until it is dropped.
pub struct Clipboard {
    document: Document,
    has_colours: Rc<Cell<bool>>,
    _copy: Listener,
}

impl Clipboard {
    /// Gives what `log` has selected to whoever copies below `around`, and says so.
    #[must_use]
    pub fn new(
        document: &Document,
        around: &EventTarget,
        log: &Rc<RefCell<LiveLog>>,
        say: impl Fn(String) + 'static,
    ) -> Self {
        let has_colours = Rc::<Cell<bool>>::default();
        let (log, wants_colours) = (Rc::clone(log), Rc::clone(&has_colours));
        let copy = Listener::active(around, "copy", move |event: &ClipboardEvent| {
            let log = log.borrow();
            match log.selected_text(wants_colours.get()) {
                // Somebody else's text.
                Ok(None) => {}
                Ok(Some(text)) => {
                    event.prevent_default();
                    let is_given =
                        event.clipboard_data().is_some_and(|data| data.set_data("text/plain", &text).is_ok());
                    if is_given {
                        say(format!("copied {}", counted(text.len() as u64, "byte", "bytes")));
                    }
                }
                Err(error) => {
                    event.prevent_default();
                    say(error.to_string());
                }
            }
        });
        Self { document: document.clone(), has_colours, _copy: copy }
    }

    /// Copies without the browser's own command.
    pub fn copy(&self, has_colours: bool) {
        self.has_colours.set(has_colours);
        if let Some(document) = self.document.dyn_ref::<HtmlDocument>() {
            // The only way that also works where a page is not served over TLS.
            document.exec_command("copy").map(drop).unwrap_or_default();
        }
        self.has_colours.set(false);
    }
}
