//! Scroll events. The browser scrolls; the controller only records who caused it, and acts where the browser has no notion: the end of
//! a list that grows.

use web_sys::{EventTarget, PointerEvent};

use super::LogController;
use crate::{
    browser::clock::monotonic_ms,
    model::navigation::{Direction, Distance},
};

/// Width of a scroll bar that lies above the content.
const OVERLAY_BAR_PX: i32 = 16;
/// The middle button of a mouse: it scrolls as the scroll bar does.
const MIDDLE_BUTTON: i16 = 1;

impl LogController {
    /// The user wants to scroll, by wheel, touch or key.
    pub fn scroll_requested(&self, distance: Distance, direction: Direction) {
        self.scroll.borrow_mut().input(monotonic_ms());
        let log = &mut *self.log.borrow_mut();
        match (distance, direction) {
            (Distance::All, Direction::Backward) => log.seek_start(),
            (Distance::All, Direction::Forward) => log.follow(),
            (_, Direction::Backward) => log.viewport_mut().leave_end(),
            (_, Direction::Forward) => log.viewport_mut().press_on_down(),
        }
        self.request_render();
    }

    /// The list has scrolled.
    pub fn scrolled(&self) {
        let Some(scroller) = self.scroller() else { return };
        let top_px = f64::from(scroller.scroll_top());
        let log = &mut *self.log.borrow_mut();
        if !log.viewport().is_at(top_px) {
            let cause = self.scroll.borrow_mut().cause(monotonic_ms());
            log.viewport_mut().scrolled(top_px, cause);
            self.request_render();
        }
    }

    /// The list has moved to another part of the document: browsers forget its scroll position.
    pub fn moved(&self) {
        if let Some(scroller) = self.scroller() {
            self.log.borrow_mut().viewport_mut().placed(f64::from(scroller.scroll_top()));
        }
        self.request_render();
    }

    /// A pointer is pressed on the list: a press on the text holds the view, so that text can be selected while lines arrive.
    pub fn pointer_pressed(&self, event: &PointerEvent) {
        self.log.borrow_mut().viewport_mut().stop_seeking();
        if event.button() == MIDDLE_BUTTON || self.is_on_scroll_bar(event) {
            self.scroll.borrow_mut().grab_bar();
            return;
        }
        self.scroll.borrow_mut().grab_text();
        let log = &mut *self.log.borrow_mut();
        if event.button() == 0 && event.pointer_type() == "mouse" && log.viewport().is_following() {
            log.viewport_mut().leave_end();
            self.is_held_by_pointer.set(true);
        }
    }

    /// A pointer moved or was released anywhere. Browsers do not report the release of a scroll bar; the next movement without a
    /// button does. A mere click does not hold the view any longer.
    pub fn pointer_changed(&self, event: &PointerEvent) {
        if event.buttons() != 0 {
            return;
        }
        self.scroll.borrow_mut().release(monotonic_ms());
        if self.is_held_by_pointer.take() {
            let is_selected = self.with_selection(|_, scope, _| scope.has_native_selection());
            if is_selected != Some(true) {
                self.follow();
            }
        }
    }

    /// Whether a pointer is on the scroll bar: browsers report that as being on the element that scrolls.
    fn is_on_scroll_bar(&self, event: &PointerEvent) -> bool {
        let Some(scroller) = self.scroller() else { return false };
        let bar_from_px = scroller.client_width().min(scroller.offset_width() - OVERLAY_BAR_PX);
        let target: &EventTarget = &scroller;
        event.target().is_some_and(|other| other == *target) && event.offset_x() >= bar_from_px
    }
}
