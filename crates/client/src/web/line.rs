//! Frames that wait in line, to be handled many at a time.
//!
//! A browser hands each frame over in a task of its own. Between two of them so much else runs that nothing of ours is left in
//! the processor's caches, and a frame costs several times of what it costs right behind another. So a frame that comes alone
//! is handled at once. Those that come soon after it wait for a message to oneself, which the browser delivers behind the
//! frames that it holds already: however many those are, they are handled in one go.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use wasm_bindgen::{JsCast, JsValue, prelude::Closure, prelude::wasm_bindgen};
use web_sys::{MessageChannel, MessageEvent};

/// Most frames that wait. One more, and all are handled without waiting further: 64 share what the first costs, and neither
/// 32 nor 256 were measured to be better.
pub(super) const MAX_WAITING_FRAMES: usize = 64;
/// As much waits, in characters or bytes, and all are handled likewise: a page that handled many large frames in one go would
/// not paint meanwhile. A frame as large as that has nothing to gain from waiting.
pub(super) const MAX_WAITING_LENGTH: u32 = 16 * 1024;

#[wasm_bindgen]
extern "C" {
    /// A frame as the browser gives it: a string, which has a `length`, or an `ArrayBuffer`, which has a `byteLength`.
    pub(super) type IncomingFrame;

    #[wasm_bindgen(method, getter, structural)]
    fn length(this: &IncomingFrame) -> Option<u32>;
    #[wasm_bindgen(method, getter, structural, js_name = byteLength)]
    fn byte_length(this: &IncomingFrame) -> Option<u32>;
}

impl IncomingFrame {
    fn extent(&self) -> u32 {
        self.length().or_else(|| self.byte_length()).unwrap_or(0)
    }

    /// Whether those that follow had better wait for one another.
    pub(super) fn is_small(&self) -> bool {
        self.extent() < MAX_WAITING_LENGTH
    }
}

/// See the [module](self).
pub(super) struct Line {
    frames: RefCell<VecDeque<IncomingFrame>>,
    /// Of those that wait, together.
    length: Cell<u32>,
    /// `None` where there are no such channels: then nothing waits.
    channel: Option<MessageChannel>,
    /// Whether a message to oneself is on its way.
    is_turn_asked: Cell<bool>,
    _on_turn: Closure<dyn FnMut(MessageEvent)>,
}

impl Line {
    /// An empty line. `take_turn` is called when those that wait are to be handled.
    pub(super) fn new(mut take_turn: impl FnMut() + 'static) -> Self {
        let on_turn = Closure::<dyn FnMut(MessageEvent)>::new(move |_| take_turn());
        let channel = MessageChannel::new().ok();
        if let Some(channel) = &channel {
            channel.port1().set_onmessage(Some(on_turn.as_ref().unchecked_ref()));
        }
        Self {
            frames: RefCell::default(),
            length: Cell::new(0),
            channel,
            is_turn_asked: Cell::new(false),
            _on_turn: on_turn,
        }
    }

    /// Whether a frame that comes now has to wait behind others.
    pub(super) fn must_wait(&self) -> bool {
        self.is_turn_asked.get()
    }

    /// Lets a frame wait. False when there is as much as may be: they are to be handled now.
    pub(super) fn wait(&self, frame: IncomingFrame) -> bool {
        self.length.set(self.length.get().saturating_add(frame.extent()));
        let mut frames = self.frames.borrow_mut();
        frames.push_back(frame);
        frames.len() < MAX_WAITING_FRAMES && self.length.get() < MAX_WAITING_LENGTH
    }

    /// The next one.
    pub(super) fn next(&self) -> Option<IncomingFrame> {
        let next = self.frames.borrow_mut().pop_front();
        if next.is_none() {
            self.length.set(0);
        }
        next
    }

    /// Has `take_turn` called behind what the browser holds already.
    pub(super) fn ask_for_turn(&self) {
        if let Some(channel) = &self.channel {
            // Fails only for what cannot be copied.
            self.is_turn_asked.set(channel.port2().post_message(&JsValue::UNDEFINED).is_ok());
        }
    }

    /// To be called by `take_turn`: whether any frame waits. If none does, the next one is handled at once again.
    pub(super) fn turn_has_come(&self) -> bool {
        self.is_turn_asked.set(false);
        !self.frames.borrow().is_empty()
    }

    /// Forgets those that wait: their socket is no longer ours.
    pub(super) fn clear(&self) {
        self.frames.borrow_mut().clear();
        self.length.set(0);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.port1().set_onmessage(None);
            channel.port1().close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn frame(text: &str) -> IncomingFrame {
        JsValue::from_str(text).unchecked_into()
    }

    fn words(line: &Line) -> Vec<String> {
        std::iter::from_fn(|| line.next()).filter_map(|frame| frame.as_string()).collect()
    }

    #[wasm_bindgen_test]
    async fn who_comes_behind_another_waits_for_the_turn_and_no_longer() {
        let turns = Rc::new(Cell::new(0));
        let line = Line::new({
            let turns = Rc::clone(&turns);
            move || turns.set(turns.get() + 1)
        });
        assert!(!line.must_wait(), "nothing goes before the first");
        line.ask_for_turn();
        assert!(line.must_wait() && line.wait(frame("a")) && line.wait(frame("b")));
        while turns.get() == 0 {
            gloo_timers::future::TimeoutFuture::new(0).await;
        }
        assert!(line.turn_has_come() && !line.must_wait());
        assert_eq!(words(&line), ["a", "b"]);
        assert!(!line.turn_has_come(), "nobody waits any more");
    }

    #[wasm_bindgen_test]
    fn as_much_as_may_wait_is_to_be_handled_at_once() {
        let line = Line::new(|| ());
        let many = (0..MAX_WAITING_FRAMES).filter(|_| line.wait(frame("short"))).count();
        assert_eq!(many, MAX_WAITING_FRAMES - 1);
        assert_eq!(words(&line).len(), MAX_WAITING_FRAMES);
        let half = MAX_WAITING_LENGTH / 2;
        assert!(line.wait(js_sys::ArrayBuffer::new(half).unchecked_into()), "half as much may wait");
        assert!(!line.wait(frame(&"x".repeat(half as usize))), "bytes and characters count alike");
        line.clear();
        assert!(line.next().is_none() && line.wait(frame("short")), "what was forgotten counts no more");
    }
}
