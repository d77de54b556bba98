//! The selection, and copying it: its text comes from the line store, never from the rows.

use web_sys::ClipboardEvent;

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

    /// Copies the selection by the browser's own command, which leads to [`LogController::copied`].
    pub(super) fn copy(&self, with_colours: bool) {
        if !self.log.borrow().has_selected_text() {
            return self.show_toast("Nothing is selected".to_owned());
        }
        self.select_something();
        self.copies_colours.set(with_colours);
        self.has_copied.set(false);
        start_copy(self.host.document());
        self.copies_colours.set(false);
        if !self.has_copied.get() {
            self.show_toast("The browser refused to copy".to_owned());
        }
        self.with_selection(|selection, scope, log| selection.show(scope, log));
    }

    /// Browsers copy nothing when nothing seems to be selected, but the selection may be out of view.
    fn select_something(&self) {
        if let (Some(native), Some(scroller)) = (self.host.selection(), self.scroller())
            && native.is_collapsed()
            && let Err(error) = native.select_all_children(&scroller)
        {
            leptos::logging::error!("the log cannot be selected: {error:?}");
        }
    }

    /// Handles a `copy` event. Returns without doing anything when no text of the log is selected: the copy is the host page's.
    pub fn copied(&self, event: &ClipboardEvent) {
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
