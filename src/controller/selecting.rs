//! The selection, and copying it: its text comes from the line store, never from the rows.

use leptos::prelude::*;
use web_sys::{ClipboardEvent, Selection};

use super::LogController;
use crate::{
    browser::clipboard::{set_copied_text, start_copy},
    model::grouped_number::counted,
};

impl LogController {
    /// The browser's selection has changed.
    pub fn selection_changed(&self) {
        let is_dragging = self.scroll.borrow().is_selecting();
        let has_changed =
            self.with_selection(|selection, scope, log| selection.read(scope, log, is_dragging));
        if has_changed == Some(true) {
            self.request_render();
        }
    }

    pub(super) fn clear_selection(&self) {
        self.selection.clear(&self.host, &mut self.log.borrow_mut());
    }

    /// Copies the selection.
    pub(super) fn copy(&self, with_colours: bool) {
        if !self.log.borrow().has_selected_text() {
            return self.show_toast("Nothing is selected".to_owned());
        }
        self.copies_colours.set(with_colours);
        if !self.start_copy() {
            self.show_toast("The browser refused to copy".to_owned());
        }
        self.copies_colours.set(false);
    }

    /// Copies a text that is not the selection, and reports it. Returns whether the browser allowed it.
    pub(super) fn copy_text(&self, text: &str, message: &str) -> bool {
        self.text_to_copy.replace(Some(text.to_owned()));
        let has_copied = self.start_copy();
        self.text_to_copy.replace(None);
        self.show_toast(if has_copied { message } else { "The browser refused to copy" }.to_owned());
        has_copied
    }

    /// Copies by the browser's own command, which leads to [`LogController::copied`]. It works in pages that are not served over
    /// HTTPS, too, where browsers have no other clipboard. Returns whether the copy has reached the clipboard.
    fn start_copy(&self) -> bool {
        // Browsers copy nothing when nothing seems to be selected, but the selection may be out of view.
        let native = self.host.selection().filter(Selection::is_collapsed);
        if let (Some(native), Some(root)) = (&native, self.elements.root.try_get_untracked().flatten())
            && let Err(error) = native.select_all_children(&root)
        {
            leptos::logging::error!("the viewer cannot be selected: {error:?}");
        }
        self.has_copied.set(false);
        start_copy(self.host.document());
        if let Some(native) = native
            && let Err(error) = native.remove_all_ranges()
        {
            leptos::logging::error!("the selection cannot be cleared: {error:?}");
        }
        self.with_selection(|selection, scope, log| selection.show(scope, log));
        self.has_copied.get()
    }

    /// Handles a `copy` event. Returns without doing anything when no text of the log is selected: the copy is the host page's.
    pub fn copied(&self, event: &ClipboardEvent) {
        if let Some(text) = self.text_to_copy.borrow().as_ref() {
            self.has_copied.set(set_copied_text(event, text));
            return;
        }
        let text = self.log.borrow().selected_text(self.copies_colours.get());
        match text {
            Ok(None) => {}
            Ok(Some(text)) => {
                if set_copied_text(event, &text) {
                    self.has_copied.set(true);
                    self.show_toast(format!("Copied {}", counted(text.len() as u64, "byte", "bytes")));
                }
            }
            Err(error) => {
                event.prevent_default();
                self.show_toast(error.to_string());
            }
        }
    }
}
