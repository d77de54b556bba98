//! Wheel, touch and pointer over the list, told to the viewport, as are keys that scroll.
//!
//! The browser scrolls; here it is only noted who wanted it, and acted upon where the browser has no notion: the end
//! of a list that grows.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use web_sys::{Event, EventTarget, HtmlElement, PointerEvent, TouchEvent, WheelEvent, Window};

use super::{clock::steady_ms, frame_gate::FrameGate, listener::Listener, surroundings::Surroundings};
use crate::model::{
    command::{Stride, Way},
    live_log::LiveLog,
    scroll_intent::ScrollIntent,
};

/// A finger that moved less has not scrolled.
const TOUCH_SLACK_PX: i32 = 4;
/// Width of a scroll bar that lies above the content and takes no room.
const OVERLAY_BAR_PX: i32 = 16;

/// Listens until it is dropped.
pub struct ScrollInput {
    reins: Reins,
    _listeners: Vec<Listener>,
}

/// What every listener needs.
#[derive(Clone)]
struct Reins {
    log: Rc<RefCell<LiveLog>>,
    intent: Rc<RefCell<ScrollIntent>>,
    gate: Rc<FrameGate>,
    scroller: HtmlElement,
    surroundings: Surroundings,
}

impl ScrollInput {
    /// Listens to what the reader does with `scroller`.
    #[must_use]
    pub fn new(
        window: &Window,
        surroundings: &Surroundings,
        scroller: &HtmlElement,
        log: &Rc<RefCell<LiveLog>>,
        gate: &Rc<FrameGate>,
    ) -> Self {
        let reins = Reins {
            log: Rc::clone(log),
            intent: Rc::default(),
            gate: Rc::clone(gate),
            scroller: scroller.clone(),
            surroundings: surroundings.clone(),
        };
        let mut listeners = Vec::from(reins.listen_to_scrolling());
        listeners.extend(reins.listen_to_touch());
        listeners.extend(reins.listen_to_pointer(window));
        Self { reins, _listeners: listeners }
    }

    /// A key asks for another part of the list.
    pub fn wish(&self, stride: Stride, way: Way) {
        self.reins.wish(stride, way);
    }

    /// Whether the reader is selecting with the pointer.
    #[must_use]
    pub fn holds_text(&self) -> bool {
        self.reins.intent.borrow().holds_text()
    }

    /// Whether the reader does not scroll at this moment.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.reins.intent.borrow().is_at_rest(steady_ms())
    }
}

impl Reins {
    fn wish(&self, stride: Stride, way: Way) {
        self.intent.borrow_mut().input(steady_ms());
        let viewport = &mut self.log.borrow_mut().viewport;
        match (stride, way) {
            (Stride::All, Way::Back) => viewport.to_start(),
            (Stride::All, Way::Forward) => viewport.follow(),
            (_, Way::Back) => viewport.leave_end(),
            (_, Way::Forward) => viewport.press_on_down(),
        }
        self.gate.ask();
    }

    fn listen_to_scrolling(&self) -> [Listener; 2] {
        let (wheel, scroll) = (self.clone(), self.clone());
        [
            Listener::passive(&self.scroller, "wheel", move |event: &WheelEvent| {
                // With Ctrl the page is zoomed, with Shift it scrolls sideways.
                if !event.ctrl_key() && !event.shift_key() && event.delta_y() != 0.0 {
                    wheel.wish(Stride::Line, if event.delta_y() < 0.0 { Way::Back } else { Way::Forward });
                }
            }),
            Listener::passive(&self.scroller, "scroll", move |_: &Event| {
                let top_px = f64::from(scroll.scroller.scroll_top());
                let viewport = &mut scroll.log.borrow_mut().viewport;
                if !viewport.is_at(top_px) {
                    let cause = scroll.intent.borrow_mut().cause(steady_ms());
                    viewport.scrolled(top_px, cause);
                    scroll.gate.ask();
                }
            }),
        ]
    }

    fn listen_to_touch(&self) -> [Listener; 2] {
        let reins = self.clone();
        let start_y = Rc::new(RefCell::new(None));
        let started_y = Rc::clone(&start_y);
        let finger_y = |event: &TouchEvent| event.touches().item(0).map(|finger| finger.client_y());
        [
            Listener::passive(&self.scroller, "touchstart", move |event: &TouchEvent| {
                *start_y.borrow_mut() = finger_y(event);
            }),
            Listener::passive(&self.scroller, "touchmove", move |event: &TouchEvent| {
                let moved = finger_y(event).zip(*started_y.borrow()).map_or(0, |(now, start)| now - start);
                if moved.abs() > TOUCH_SLACK_PX {
                    reins.wish(Stride::Line, if moved > 0 { Way::Back } else { Way::Forward });
                }
            }),
        ]
    }

    /// A press on the text holds it still, so that it can be selected while lines fly; a mere click lets it go again.
    fn listen_to_pointer(&self, window: &Window) -> [Listener; 4] {
        let down = self.clone();
        let holds_still = Rc::new(Cell::new(false));
        let release = |name| {
            let (reins, holds_still) = (self.clone(), Rc::clone(&holds_still));
            Listener::passive(window, name, move |event: &PointerEvent| {
                // Browsers do not report the release of a scroll bar; the next movement without a button does.
                if event.buttons() == 0 {
                    reins.intent.borrow_mut().release(steady_ms());
                    if holds_still.take() && !reins.is_selected() {
                        reins.log.borrow_mut().viewport.follow();
                        reins.gate.ask();
                    }
                }
            })
        };
        let (up, cancel, moved) = (release("pointerup"), release("pointercancel"), release("pointermove"));
        [
            Listener::passive(&self.scroller, "pointerdown", move |event: &PointerEvent| {
                if event.button() == 1 || down.is_on_bar(event) {
                    down.intent.borrow_mut().grab_bar();
                    return;
                }
                down.intent.borrow_mut().grab_text();
                let viewport = &mut down.log.borrow_mut().viewport;
                if event.button() == 0 && event.pointer_type() == "mouse" && viewport.is_following() {
                    viewport.leave_end();
                    holds_still.set(true);
                }
            }),
            up,
            cancel,
            moved,
        ]
    }

    /// Whether a pointer is on the scroll bar: browsers report that as being on the element that scrolls.
    fn is_on_bar(&self, event: &PointerEvent) -> bool {
        let scroller: &EventTarget = &self.scroller;
        let bar_from = self.scroller.client_width().min(self.scroller.offset_width() - OVERLAY_BAR_PX);
        event.target().is_some_and(|target| target == *scroller) && event.offset_x() >= bar_from
    }

    /// Whether some text of the list is selected.
    fn is_selected(&self) -> bool {
        let selected = self.surroundings.selection().filter(|range| !range.is_collapsed());
        let begun = selected.and_then(|range| range.anchor_node());
        begun.is_some_and(|node| self.scroller.contains(Some(&node)))
    }
}
