//! What waits to be written to one client.
//!
//! Frames pile up here while a write is under way; the writer then takes all of them at once and writes them with one
//! system call. So an idle socket is written to at once, and a busy one in batches, without a timer.
//!
//! # When a client reads too slowly
//! Above [`HIGH_WATER_MARK_BYTES`] a publisher is asked to wait for the client, like a writer to a full pipe, but only when
//! more than half of the receivers are that far behind (a minority must not slow the others), and only as long as the
//! client makes headway: one that does not fall below the mark within [`BACKPRESSURE_TIMEOUT`] is *slow*, and
//! nobody waits for it until it has caught up. A client whose outbox reaches [`OUTBOX_LIMIT_BYTES`] is closed with code
//! 1008: it missed something, and must not be left to think otherwise.
//!
//! # Expiry
//! A message may have a time to live. One whose time is up before the writer takes it is not written.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};
use webpubsub_protocol::close::Close;

mod backlog;
mod frame;

pub use backlog::Backlog;
pub use frame::{COPIED_BYTES, EncodedFrame, FrameParts};

/// Most bytes that wait for one client (the cloud service allows as much).
pub const OUTBOX_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// From here on a publisher waits for the client. Far above what a socket takes in one write, so that waiting costs no
/// throughput.
pub const HIGH_WATER_MARK_BYTES: usize = 1024 * 1024;
/// How long a publisher waits for its slowest clients, all of them together.
pub const BACKPRESSURE_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether a publisher may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backpressure {
    /// Continue at once.
    None,
    /// Wait until the client has caught up a little; see [`Outbox::wait_until_caught_up`].
    Wait,
}

/// What the writer is to do next.
#[derive(Debug)]
pub enum NextWrite {
    /// Write these frames, then report [`Outbox::complete_write`].
    Frames(Backlog),
    /// Write the close frame and end.
    Close(Close),
}

/// The queue between the hub and one client's writer.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Guards a queue for a few instructions; no I/O happens inside.
    state: Mutex<State>,
    /// Whether the client is behind, for its own reader, which looks after each message.
    is_behind: AtomicBool,
    writer: Notify,
    drained: Notify,
    closed: Notify,
}

#[derive(Debug, Default)]
struct State {
    queued: Backlog,
    /// What the frames being written count for.
    in_flight: usize,
    writer_waits: bool,
    is_slow: bool,
    close: Option<Close>,
    is_closed: bool,
    was_aborted: bool,
}

impl State {
    fn pending_bytes(&self) -> usize {
        self.queued.cost() + self.in_flight
    }

    /// Takes all that waits and is worth writing.
    fn take_queued(&mut self) -> Backlog {
        self.queued.drop_expired(Instant::now);
        let frames = std::mem::take(&mut self.queued);
        self.in_flight += frames.cost();
        frames
    }

    fn is_above_mark(&self) -> bool {
        self.pending_bytes() > HIGH_WATER_MARK_BYTES
    }

    /// Whether publishers wait for this client.
    fn has_backpressure(&self) -> bool {
        self.is_above_mark() && !self.is_slow && !self.is_closed
    }
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves a queue that is still a queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame. After [`Outbox::close`] it goes nowhere.
    pub fn push(&self, frame: &EncodedFrame) -> Backpressure {
        self.push_until(frame, None)
    }

    /// The same. It is not written when `expires_at` has passed.
    pub fn push_until(&self, frame: &EncodedFrame, expires_at: Option<Instant>) -> Backpressure {
        self.queue(frame.as_slice().len(), |backlog| backlog.push(frame, expires_at))
    }

    /// Queues a frame that comes in parts. They stay together.
    pub fn push_parts(&self, parts: FrameParts<'_>, expires_at: Option<Instant>) -> Backpressure {
        self.queue(parts.len(), |backlog| backlog.push_parts(parts, expires_at))
    }

    fn queue(&self, bytes: usize, push: impl FnOnce(&mut Backlog)) -> Backpressure {
        let mut state = self.state();
        if state.is_closed {
            return Backpressure::None;
        }
        if state.pending_bytes() + bytes > OUTBOX_LIMIT_BYTES {
            state.queued = Backlog::default();
            self.end(state, Close::SLOW_RECEIVER);
            return Backpressure::None;
        }
        push(&mut state.queued);
        if state.is_above_mark() {
            self.is_behind.store(true, Ordering::Relaxed);
        }
        let backpressure = if state.has_backpressure() { Backpressure::Wait } else { Backpressure::None };
        self.wake_writer(state);
        backpressure
    }

    /// Ends the connection once what is queued has been written. The first reason given stands.
    pub fn close(&self, close: Close) {
        let state = self.state();
        if !state.is_closed {
            self.end(state, close);
        }
    }

    /// Cuts the socket off, without a close frame and without what is queued.
    pub fn abort(&self) {
        let mut state = self.state();
        state.queued = Backlog::default();
        state.was_aborted = true;
        self.end(state, Close::NORMAL);
    }

    /// Whether [`Outbox::abort`] ended it.
    #[must_use]
    pub fn was_aborted(&self) -> bool {
        self.state().was_aborted
    }

    fn end(&self, mut state: MutexGuard<'_, State>, close: Close) {
        state.is_closed = true;
        state.close = Some(close);
        self.wake_writer(state);
        self.drained.notify_waiters();
        self.closed.notify_one();
    }

    fn wake_writer(&self, mut state: MutexGuard<'_, State>) {
        let writer_waits = std::mem::take(&mut state.writer_waits);
        drop(state);
        if writer_waits {
            self.writer.notify_one();
        }
    }

    /// Waits for something to write: every frame that is queued, or, when there is none, the close frame.
    pub async fn next_write(&self) -> NextWrite {
        loop {
            {
                let mut state = self.state();
                let was_above_mark = state.is_above_mark();
                let frames = state.take_queued();
                // What has expired weighs nothing any more.
                self.notify_if_drained(was_above_mark, &state);
                if !frames.is_empty() {
                    return NextWrite::Frames(frames);
                }
                if let Some(close) = state.close.take() {
                    return NextWrite::Close(close);
                }
                state.writer_waits = true;
            }
            self.writer.notified().await;
        }
    }

    /// The writer has handed frames that count for `cost` to the socket.
    pub fn complete_write(&self, cost: usize) {
        let mut state = self.state();
        let was_above_mark = state.is_above_mark();
        state.in_flight = state.in_flight.saturating_sub(cost);
        state.is_slow &= state.pending_bytes() > 0;
        self.notify_if_drained(was_above_mark, &state);
    }

    /// Lets those go on who wait for a client that has just caught up.
    fn notify_if_drained(&self, was_above_mark: bool, state: &State) {
        if was_above_mark && !state.is_above_mark() {
            self.is_behind.store(false, Ordering::Relaxed);
            self.drained.notify_waiters();
        }
    }

    /// Waits until the client has caught up to below the slow_receivers mark, however long it takes. For its own reader: a client
    /// that does not read its answers is asked nothing more.
    pub async fn wait_for_capacity(&self) {
        // Nearly always.
        if !self.is_behind.load(Ordering::Relaxed) {
            return;
        }
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            let is_above_mark = {
                let state = self.state();
                state.is_above_mark() && !state.is_closed
            };
            if !is_above_mark {
                return;
            }
            drained.await;
        }
    }

    /// Waits until the client has caught up to below the slow_receivers mark. One that has not by `deadline` is slow from then
    /// on, until its outbox is empty: nobody waits for it again.
    pub async fn wait_until_caught_up(&self, deadline: Instant) {
        let caught_up = async {
            loop {
                let drained = self.drained.notified();
                tokio::pin!(drained);
                // Registered before looking, so that no notification falls in between.
                drained.as_mut().enable();
                if !self.state().has_backpressure() {
                    return;
                }
                drained.await;
            }
        };
        if tokio::time::timeout_at(deadline, caught_up).await.is_err() {
            self.state().is_slow = true;
            // Others who wait need not.
            self.drained.notify_waiters();
        }
    }

    /// Waits until [`Outbox::close`] was called or the outbox overflowed. For one waiter.
    pub async fn closed(&self) {
        if !self.state().is_closed {
            self.closed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests;
