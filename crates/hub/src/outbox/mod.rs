//! Outbox: queue of the outgoing frames of one socket.
//!
//! Frames accumulate during a write; then the writer takes all of them, and writes them with one system call. So an
//! idle socket is written to at once, and a busy one in batches, without a timer.
//!
//! # Backpressure
//! Above [`HIGH_WATER_MARK_BYTES`] a publisher waits for the client, as a writer waits for a full pipe, but only if
//! more than half of the receivers are above the mark: a minority must not slow down the others. A client that has used
//! up the time of its publisher ([`crate::backpressure`]) is *slow*: until its outbox is empty, publishers do not wait for
//! it. At [`OUTBOX_LIMIT_BYTES`], or when the memory budget is used up ([`crate::memory`]), the connection is closed with
//! code 1008, so that the client learns of the missing messages.
//!
//! # Expiry
//! Messages may have a time to live. Those that have expired when the writer takes the queue are not written.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::{sync::Notify, time::Instant};
use webpubsub_protocol::close::Close;

use crate::memory::ClientMemory;

mod backlog;
mod frame;
mod shared;
mod state;

pub(crate) use backlog::{Backlog, WriteBatch};
pub(crate) use frame::ShareableFrame;
pub(crate) use frame::{EncodedFrame, FrameParts};
pub(crate) use shared::{BlockSource, CurrentBlock};
use state::State;

/// Maximum size of the frames queued for one client, in bytes (limit of the cloud service).
pub(crate) const OUTBOX_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// High-water mark, in bytes: above it, publishers wait for the client. Far more than a socket takes in one write, so
/// that waiting does not reduce the throughput.
pub(crate) const HIGH_WATER_MARK_BYTES: usize = 1024 * 1024;
/// Size of a queue up to which it is that of a client that keeps up, in bytes. Of a larger one, the memory budget learns the
/// size message by message.
const BEHIND_BYTES: usize = 64 * 1024;

/// Request to a publisher, returned by the queue of a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backpressure {
    /// Publish on.
    None,
    /// Wait until the client has caught up; see [`Outbox::wait_until_caught_up`].
    Wait,
    /// Publish on, and do not count the client: it is slow, or has ended.
    Slow,
}

/// Next step of the writer.
#[derive(Debug)]
pub(crate) enum NextWrite {
    /// Write these frames, and call [`Outbox::complete_write`] after each batch.
    Frames(Backlog),
    /// Write the close frame, then shut the socket down.
    Close(Close),
}

/// Queue between the hub and the writer of one socket.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Held for a few instructions only; no I/O happens under the lock.
    state: Mutex<State>,
    /// `true` while the outbox is above its high-water mark. Spares the reader of the same client the lock after each
    /// message.
    is_behind: AtomicBool,
    writer: Notify,
    drained: Notify,
    closed: Notify,
}

impl Default for Outbox {
    /// Creates an outbox with a budget of its own.
    fn default() -> Self {
        Self::new(&Arc::default())
    }
}

impl Outbox {
    /// Creates an outbox of a client.
    #[must_use]
    pub(crate) fn new(client: &Arc<ClientMemory>) -> Self {
        let state = State::new(client);
        Self {
            state: Mutex::new(state),
            is_behind: AtomicBool::new(false),
            writer: Notify::new(),
            drained: Notify::new(),
            closed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No update leaves the queue inconsistent, so a poisoned lock is safe to use.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame. Dropped after [`Outbox::close`].
    pub(crate) fn push(&self, frame: &EncodedFrame) -> Backpressure {
        self.push_until(frame, None)
    }

    /// Queues a frame that is dropped if it is not written by `expires_at`.
    pub(crate) fn push_until(&self, frame: &EncodedFrame, expires_at: Option<Instant>) -> Backpressure {
        self.queue(frame.as_slice().len(), |backlog| backlog.push(frame, expires_at))
    }

    /// Queues a frame that consists of parts, one after the other.
    pub(crate) fn push_parts(&self, parts: FrameParts<'_>, expires_at: Option<Instant>) -> Backpressure {
        self.queue(parts.len(), |backlog| backlog.push_parts(parts, expires_at))
    }

    /// Queues a frame for many clients, or, without `blocks`, for this one only.
    pub(crate) fn push_shareable(
        &self,
        frame: &mut ShareableFrame,
        blocks: Option<BlockSource<'_>>,
        expires_at: Option<Instant>,
    ) -> Backpressure {
        let bytes = frame.encoded().as_slice().len();
        self.queue(bytes, |backlog| backlog.push_shareable(frame, blocks, expires_at))
    }

    fn queue(&self, bytes: usize, push: impl FnOnce(&mut Backlog)) -> Backpressure {
        let mut state = self.state();
        if state.is_closed {
            return Backpressure::Slow;
        }
        if state.pending_bytes() + bytes > OUTBOX_LIMIT_BYTES {
            self.discard(state, Close::SLOW_RECEIVER);
            return Backpressure::Slow;
        }
        push(&mut state.queued);
        if !state.charge_memory() {
            self.discard(state, Close::SLOW_RECEIVER);
            return Backpressure::Slow;
        }
        if state.is_above_mark() {
            self.is_behind.store(true, Ordering::Relaxed);
        }
        let backpressure = if state.has_backpressure() {
            Backpressure::Wait
        } else if state.is_slow {
            Backpressure::Slow
        } else {
            Backpressure::None
        };
        self.wake_writer(state);
        backpressure
    }

    /// Drops the queued frames of a socket that has ended: others may still refer to the connection.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.queued = Backlog::default();
        (state.in_flight, state.in_flight_own, state.in_flight_copies) = (0, 0, 0);
        state.is_closed = true;
        state.return_memory();
    }

    /// Drops the queued frames, and closes the connection.
    pub(crate) fn abandon(&self, close: Close) {
        let state = self.state();
        if !state.is_closed {
            self.discard(state, close);
        }
    }

    fn discard(&self, mut state: MutexGuard<'_, State>, close: Close) {
        state.queued = Backlog::default();
        state.return_memory();
        self.end(state, close);
    }

    /// Closes the connection after the queued frames have been written. Does nothing if it is closed already.
    pub(crate) fn close(&self, close: Close) {
        let state = self.state();
        if !state.is_closed {
            self.end(state, close);
        }
    }

    /// Drops the queued frames, and closes the socket without a close frame.
    pub(crate) fn abort(&self) {
        let mut state = self.state();
        state.queued = Backlog::default();
        state.was_aborted = true;
        self.end(state, Close::NORMAL);
    }

    /// Returns whether [`Outbox::abort`] closed the socket.
    #[must_use]
    pub(crate) fn was_aborted(&self) -> bool {
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

    /// Waits for the queued frames, or, once the outbox is closed and empty, for the close frame. Frames that have expired by
    /// `clock` at the end of the wait are dropped.
    pub(crate) async fn next_write(&self, clock: impl Fn() -> Instant) -> NextWrite {
        loop {
            {
                let mut state = self.state();
                let was_above_mark = state.is_above_mark();
                let frames = state.take_queued(&clock);
                // Expired frames may have been the ones above the mark.
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

    /// Records that a batch has been written to the socket.
    pub(crate) fn complete_write(&self, batch: &WriteBatch) {
        let mut state = self.state();
        let was_above_mark = state.is_above_mark();
        state.in_flight = state.in_flight.saturating_sub(batch.cost);
        state.in_flight_own = state.in_flight_own.saturating_sub(batch.own_bytes);
        if state.in_flight == 0 {
            state.in_flight_copies = 0;
        }
        // A size in memory fits 64 bits.
        state.written += batch.cost as u64;
        state.is_slow &= state.pending_bytes() > 0;
        state.return_memory();
        self.notify_if_drained(was_above_mark, &state);
    }

    /// Returns the size of all frames written so far, in bytes.
    pub(crate) fn written_bytes(&self) -> u64 {
        self.state().written
    }

    /// Wakes waiting publishers if the outbox has dropped below its high-water mark.
    fn notify_if_drained(&self, was_above_mark: bool, state: &State) {
        if was_above_mark && !state.is_above_mark() {
            self.is_behind.store(false, Ordering::Relaxed);
            self.drained.notify_waiters();
        }
    }

    /// Waits until the outbox is below its high-water mark, or closed. Called by the reader of the same client:
    /// requests of a client that does not read its responses are not read.
    pub(crate) async fn wait_for_capacity(&self) {
        // Fast path: below the mark.
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

    /// Waits until the outbox is below its high-water mark, closed, or without backpressure. Returns `false` at
    /// `deadline`.
    pub(crate) async fn wait_until_caught_up(&self, deadline: Instant) -> bool {
        let caught_up = async {
            loop {
                let drained = self.drained.notified();
                tokio::pin!(drained);
                // Registered before the check, so that no notification is missed in between.
                drained.as_mut().enable();
                if !self.state().has_backpressure() {
                    return;
                }
                drained.await;
            }
        };
        tokio::time::timeout_at(deadline, caught_up).await.is_ok()
    }

    /// Marks the client as slow: until its outbox is empty, publishers do not wait for it.
    pub(crate) fn stop_backpressure(&self) {
        self.state().is_slow = true;
        // Other publishers that wait for this client continue, too.
        self.drained.notify_waiters();
    }

    /// Waits until the outbox is closed, by [`Outbox::close`], [`Outbox::abort`] or at its limit. Supports one waiter.
    pub(crate) async fn closed(&self) {
        if !self.state().is_closed {
            self.closed.notified().await;
        }
    }
}

#[cfg(test)]
impl Outbox {
    /// Takes the queued frames.
    pub(crate) async fn take(&self) -> Backlog {
        match self.next_write(Instant::now).await {
            NextWrite::Frames(frames) => frames,
            NextWrite::Close(close) => panic!("closed: {close:?}"),
        }
    }

    /// Takes the queued frames, joined, without completing their write.
    pub(crate) async fn take_all(&self) -> Vec<u8> {
        self.take().await.concat()
    }

    /// Takes and completes the write of the queued frames.
    pub(crate) async fn write_all(&self) {
        let mut frames = self.take().await;
        while let Some(batch) = frames.take_batch() {
            self.complete_write(&batch);
        }
    }
}

#[cfg(test)]
mod tests;
