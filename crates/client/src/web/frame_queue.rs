//! Batches incoming frames.
//!
//! A browser delivers each frame in a task of its own. Between two of them so much else runs that nothing of ours is left in the
//! caches of the processor, and a frame costs several times of what it costs right behind another. So a frame that arrives alone is
//! handled at once. Those that arrive soon after it are queued until the page receives a message of its own, which the browser
//! delivers behind the frames that it holds already: however many those are, they are handled in one go.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use wasm_bindgen::{JsCast, JsValue, prelude::Closure, prelude::wasm_bindgen};
use web_sys::{MessageChannel, MessageEvent};

/// Most queued frames. One more, and all are handled at once: 64 share the cost of the first, and neither 32 nor 256 were measured to
/// be better.
pub(super) const MAX_QUEUED_FRAMES: usize = 64;
/// Length of the queued frames, in characters or bytes, from which on all are handled at once: a page that handled many large frames in
/// one go would not render meanwhile. A frame of that length gains nothing by waiting.
pub(super) const MAX_QUEUED_LENGTH: u32 = 16 * 1024;

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

    /// Whether frames that follow are worth a batch.
    pub(super) fn is_small(&self) -> bool {
        self.extent() < MAX_QUEUED_LENGTH
    }
}

/// See the [module](self).
pub(super) struct FrameQueue {
    frames: RefCell<VecDeque<IncomingFrame>>,
    /// Length of all queued frames.
    length: Cell<u32>,
    /// `None` where there are no such channels: then nothing is queued.
    channel: Option<MessageChannel>,
    /// Whether the message that ends the batch is in flight.
    is_scheduled: Cell<bool>,
    _on_batch: Closure<dyn FnMut(MessageEvent)>,
}

impl FrameQueue {
    /// Creates an empty queue. `handle_batch` is called when the queued frames are to be handled.
    pub(super) fn new(mut handle_batch: impl FnMut() + 'static) -> Self {
        let on_batch = Closure::<dyn FnMut(MessageEvent)>::new(move |_| handle_batch());
        let channel = MessageChannel::new().ok();
        if let Some(channel) = &channel {
            channel.port1().set_onmessage(Some(on_batch.as_ref().unchecked_ref()));
        }
        Self {
            frames: RefCell::default(),
            length: Cell::new(0),
            channel,
            is_scheduled: Cell::new(false),
            _on_batch: on_batch,
        }
    }

    /// Whether a frame that arrives now must be queued.
    pub(super) fn is_batching(&self) -> bool {
        self.is_scheduled.get()
    }

    /// Queues a frame. Returns `false` if the queue is full: the frames are to be handled now.
    pub(super) fn push(&self, frame: IncomingFrame) -> bool {
        self.length.set(self.length.get().saturating_add(frame.extent()));
        let mut frames = self.frames.borrow_mut();
        frames.push_back(frame);
        frames.len() < MAX_QUEUED_FRAMES && self.length.get() < MAX_QUEUED_LENGTH
    }

    /// Removes the first frame.
    pub(super) fn pop(&self) -> Option<IncomingFrame> {
        let next = self.frames.borrow_mut().pop_front();
        if next.is_none() {
            self.length.set(0);
        }
        next
    }

    /// Schedules `handle_batch` behind the frames that the browser holds already.
    pub(super) fn schedule(&self) {
        if let Some(channel) = &self.channel {
            // Fails only for what cannot be copied.
            self.is_scheduled.set(channel.port2().post_message(&JsValue::UNDEFINED).is_ok());
        }
    }

    /// Ends the batch. Returns whether any frame is queued. If none is, the next one is handled at once again.
    pub(super) fn end_batch(&self) -> bool {
        self.is_scheduled.set(false);
        !self.frames.borrow().is_empty()
    }

    /// Drops all frames: their socket was replaced.
    pub(super) fn clear(&self) {
        self.frames.borrow_mut().clear();
        self.length.set(0);
    }
}

impl Drop for FrameQueue {
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

    fn texts(queue: &FrameQueue) -> Vec<String> {
        std::iter::from_fn(|| queue.pop()).filter_map(|frame| frame.as_string()).collect()
    }

    #[wasm_bindgen_test]
    async fn a_frame_behind_another_is_queued_until_the_end_of_the_batch() {
        let batches = Rc::new(Cell::new(0));
        let queue = FrameQueue::new({
            let batches = Rc::clone(&batches);
            move || batches.set(batches.get() + 1)
        });
        assert!(!queue.is_batching(), "the first is handled at once");
        queue.schedule();
        assert!(queue.is_batching() && queue.push(frame("a")) && queue.push(frame("b")));
        while batches.get() == 0 {
            gloo_timers::future::TimeoutFuture::new(0).await;
        }
        assert!(queue.end_batch() && !queue.is_batching());
        assert_eq!(texts(&queue), ["a", "b"]);
        assert!(!queue.end_batch(), "nothing is queued");
    }

    #[wasm_bindgen_test]
    fn a_full_queue_is_handled_at_once() {
        let queue = FrameQueue::new(|| ());
        let many = (0..MAX_QUEUED_FRAMES).filter(|_| queue.push(frame("short"))).count();
        assert_eq!(many, MAX_QUEUED_FRAMES - 1);
        assert_eq!(texts(&queue).len(), MAX_QUEUED_FRAMES);
        let half = MAX_QUEUED_LENGTH / 2;
        assert!(queue.push(js_sys::ArrayBuffer::new(half).unchecked_into()), "half of the length fits");
        assert!(!queue.push(frame(&"x".repeat(half as usize))), "bytes and characters count alike");
        queue.clear();
        assert!(queue.pop().is_none() && queue.push(frame("short")), "dropped frames do not count");
    }
}
