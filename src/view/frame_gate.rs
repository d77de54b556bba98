//! At most one painting per animation frame, however often one is asked for; fewer while lines pour in
//! ([`crate::model::painting_share`]).
//!
//! A page that cannot be seen gets no frames, but its title is still read: there, a timer takes the frame's place.

use std::{
    cell::Cell,
    rc::{Rc, Weak},
};

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Document, Event, MessageChannel, Window};

use super::{clock::steady_ms, listener::Listener};
use crate::model::painting_share::PaintingShare;

/// Pause between paintings of a page that cannot be seen.
const HIDDEN_PAUSE_MS: i32 = 1_000;

/// What a painting asks for at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until somebody asks.
    Nothing,
    /// Another painting in the next frame, and work until then.
    Frame {
        /// Whether in the next frame whatever share of the time is left for painting.
        is_urgent: bool,
    },
    /// Another painting after a pause.
    In {
        /// The pause, in milliseconds.
        ms: i32,
    },
}

#[derive(Clone, Copy)]
enum Pending {
    Frame(i32),
    Timer(i32),
}

/// See the [module](self). Dropping it cancels what was asked for.
pub struct FrameGate {
    inner: Rc<Inner>,
    _visibility: Listener,
}

struct Inner {
    window: Window,
    document: Document,
    paint: Box<dyn Fn() -> Next>,
    /// Does a few milliseconds of what there is to do between one frame and the next. Whether there is more.
    work: Box<dyn Fn() -> bool>,
    pending: Cell<Option<Pending>>,
    /// Whether the next frame is to be painted, whatever share of the time is left for painting.
    is_urgent: Cell<bool>,
    share: Cell<PaintingShare>,
    alarm: Cell<Option<i32>>,
    /// Its messages come once the browser has done what is more urgent: without the pause that timers make.
    gaps: MessageChannel,
    awaits_gap: Cell<bool>,
    on_turn: Closure<dyn FnMut()>,
    on_gap: Closure<dyn FnMut()>,
    on_alarm: Closure<dyn FnMut()>,
}

#[cfg(test)]
thread_local! {
    /// How many gates wait for their turn.
    pub static WAITING: Cell<i32> = const { Cell::new(0) };
}

impl FrameGate {
    /// A gate before `paint`, which has `work` done after a painting that wants another at once: a few milliseconds of it,
    /// and whether there is more. `None` where there is no window.
    pub fn new(paint: impl Fn() -> Next + 'static, work: impl Fn() -> bool + 'static) -> Option<Self> {
        let window = web_sys::window()?;
        let gaps = MessageChannel::new().ok()?;
        let document = window.document()?;
        let inner = Rc::new_cyclic(|inner: &Weak<Inner>| {
            let (turn, alarm, gap) = (inner.clone(), inner.clone(), inner.clone());
            Inner {
                window,
                document,
                paint: Box::new(paint),
                work: Box::new(work),
                pending: Cell::new(None),
                is_urgent: Cell::new(false),
                share: Cell::default(),
                alarm: Cell::new(None),
                gaps,
                awaits_gap: Cell::new(false),
                on_turn: Closure::new(move || {
                    if let Some(inner) = turn.upgrade() {
                        inner.set_pending(None);
                        inner.take_turn();
                    }
                }),
                on_gap: Closure::new(move || {
                    if let Some(inner) = gap.upgrade() {
                        inner.awaits_gap.set(false);
                        if (inner.work)() {
                            inner.ask_for_gap();
                        }
                    }
                }),
                on_alarm: Closure::new(move || {
                    if let Some(inner) = alarm.upgrade() {
                        inner.alarm.set(None);
                        inner.ask();
                    }
                }),
            }
        });
        inner.gaps.port1().set_onmessage(Some(inner.on_gap.as_ref().unchecked_ref()));
        let seen = Rc::downgrade(&inner);
        let visibility = Listener::passive(&inner.document, "visibilitychange", move |_: &Event| {
            if let Some(inner) = seen.upgrade() {
                inner.cancel_pending();
                inner.ask();
            }
        });
        Some(Self { inner, _visibility: visibility })
    }

    /// Asks for a painting in the next frame: the reader has done something.
    pub fn ask(&self) {
        self.inner.ask();
    }

    /// Asks for a painting in the next frame, and for work until then.
    pub fn ask_with_work(&self) {
        self.inner.ask();
        self.inner.ask_for_gap();
    }

    /// Asks for a painting in the next frame for which there is time: something has arrived.
    pub fn ask_at_leisure(&self) {
        self.inner.ask_for_turn();
    }
}

impl Inner {
    fn take_turn(&self) {
        let (mut share, began) = (self.share.get(), steady_ms());
        if !self.is_urgent.get() && !share.is_left(began) {
            return self.ask_for_turn();
        }
        self.is_urgent.set(false);
        let next = (self.paint)();
        share.used(began, steady_ms());
        self.share.set(share);
        match next {
            Next::Nothing => {}
            Next::Frame { is_urgent } => {
                self.is_urgent.set(is_urgent);
                self.ask_for_turn();
                self.ask_for_gap();
            }
            Next::In { ms } => self.ask_in(ms),
        }
    }

    fn ask(&self) {
        self.is_urgent.set(true);
        self.ask_for_turn();
    }

    fn ask_for_turn(&self) {
        if self.pending.get().is_some() {
            return;
        }
        self.set_pending(if self.document.hidden() {
            self.after(&self.on_turn, HIDDEN_PAUSE_MS).map(Pending::Timer)
        } else {
            self.window
                .request_animation_frame(self.on_turn.as_ref().unchecked_ref())
                .ok()
                .map(Pending::Frame)
        });
    }

    fn set_pending(&self, pending: Option<Pending>) -> Option<Pending> {
        #[cfg(test)]
        if self.pending.get().is_some() != pending.is_some() {
            WAITING.set(if pending.is_some() { WAITING.get() + 1 } else { WAITING.get() - 1 });
        }
        self.pending.replace(pending)
    }

    fn ask_for_gap(&self) {
        if !self.awaits_gap.replace(true) {
            // Fails only for what cannot be cloned.
            self.gaps.port2().post_message(&JsValue::NULL).unwrap_or_default();
        }
    }

    fn ask_in(&self, pause_ms: i32) {
        if self.alarm.get().is_none() {
            self.alarm.set(self.after(&self.on_alarm, pause_ms));
        }
    }

    fn after(&self, react: &Closure<dyn FnMut()>, pause_ms: i32) -> Option<i32> {
        self.window
            .set_timeout_with_callback_and_timeout_and_arguments_0(react.as_ref().unchecked_ref(), pause_ms)
            .ok()
    }

    fn cancel_pending(&self) {
        match self.set_pending(None) {
            // Fails only where frames are not known at all.
            Some(Pending::Frame(id)) => self.window.cancel_animation_frame(id).unwrap_or_default(),
            Some(Pending::Timer(id)) => self.window.clear_timeout_with_handle(id),
            None => {}
        }
    }
}

impl Drop for FrameGate {
    fn drop(&mut self) {
        self.inner.cancel_pending();
        // What was sent before may still arrive after the port is closed.
        self.inner.gaps.port1().set_onmessage(None);
        self.inner.gaps.port1().close();
        if let Some(id) = self.inner.alarm.take() {
            self.inner.window.clear_timeout_with_handle(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::{super::test_page::next_frame, *};

    fn counting(next: Next) -> (FrameGate, Rc<Cell<u32>>) {
        let paintings = Rc::new(Cell::new(0));
        let counted = Rc::clone(&paintings);
        let paint = move || {
            counted.set(counted.get() + 1);
            if counted.get() < 3 { next } else { Next::Nothing }
        };
        (FrameGate::new(paint, || false).unwrap(), paintings)
    }

    #[wasm_bindgen_test]
    async fn a_thousand_wishes_are_one_painting() {
        let (gate, paintings) = counting(Next::Nothing);
        for _ in 0..1_000 {
            gate.ask();
        }
        assert_eq!(paintings.get(), 0);
        next_frame().await;
        next_frame().await;
        assert_eq!(paintings.get(), 1);
    }

    #[wasm_bindgen_test]
    async fn a_painting_may_ask_for_the_next_one() {
        let (gate, paintings) = counting(Next::Frame { is_urgent: true });
        gate.ask();
        for _ in 0..6 {
            next_frame().await;
        }
        assert_eq!(paintings.get(), 3);
    }

    #[wasm_bindgen_test]
    async fn there_is_work_between_paintings_until_all_is_done() {
        let (done, paintings) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let paint = {
            let (done, paintings) = (Rc::clone(&done), Rc::clone(&paintings));
            move || {
                paintings.set(paintings.get() + 1);
                if done.get() < 100 { Next::Frame { is_urgent: true } } else { Next::Nothing }
            }
        };
        let work = {
            let done = Rc::clone(&done);
            move || {
                done.set(done.get() + 1);
                done.get() < 100
            }
        };
        let gate = FrameGate::new(paint, work).unwrap();
        gate.ask();
        while done.get() < 100 {
            next_frame().await;
        }
        for _ in 0..4 {
            next_frame().await;
        }
        assert_eq!(done.get(), 100, "no work is done that nobody asked for");
        // A hundred timers would take half a second.
        assert!((2..=20).contains(&paintings.get()), "{}", paintings.get());
    }

    #[wasm_bindgen_test]
    async fn nothing_is_painted_after_the_gate_is_gone() {
        let (gate, paintings) = counting(Next::Nothing);
        gate.ask();
        drop(gate);
        next_frame().await;
        next_frame().await;
        assert_eq!(paintings.get(), 0);
    }

    #[wasm_bindgen_test]
    async fn no_work_is_done_after_the_gate_is_gone() {
        let done = Rc::new(Cell::new(0));
        let work = {
            let done = Rc::clone(&done);
            move || {
                done.set(done.get() + 1);
                true
            }
        };
        let gate = FrameGate::new(|| Next::Nothing, work).unwrap();
        gate.ask_with_work();
        while done.get() < 3 {
            next_frame().await;
        }
        drop(gate);
        let then = done.get();
        next_frame().await;
        next_frame().await;
        assert_eq!(done.get(), then);
    }

    #[wasm_bindgen_test]
    async fn a_page_that_cannot_be_seen_waits_and_is_painted_once_on_return() {
        let (gate, paintings) = counting(Next::Nothing);
        set_hidden(true);
        gate.ask();
        for _ in 0..3 {
            next_frame().await;
        }
        assert_eq!(paintings.get(), 0);
        set_hidden(false);
        next_frame().await;
        next_frame().await;
        assert_eq!(paintings.get(), 1);
    }

    /// Makes the document say so, as it does when its tab is left or returned to.
    fn set_hidden(hidden: bool) {
        let document = web_sys::window().unwrap().document().unwrap();
        let said = js_sys::Object::new();
        js_sys::Reflect::set(&said, &"value".into(), &hidden.into()).unwrap();
        js_sys::Reflect::set(&said, &"configurable".into(), &true.into()).unwrap();
        js_sys::Object::define_property(document.as_ref(), &"hidden".into(), &said);
        document.dispatch_event(&Event::new("visibilitychange").unwrap()).unwrap();
    }
}
