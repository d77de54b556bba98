//! What waits to be written to one client.
//!
//! Frames pile up here while a write is under way; the writer then takes all of them at once and writes them with one
//! system call. So an idle socket is written to at once, and a busy one in batches, without a timer.
//!
//! # When a client reads too slowly
//! Above [`PACE_MARK_BYTES`] a publisher is asked to wait for the client, like a writer to a full pipe, but only when
//! more than half of the receivers are that far behind (a minority must not slow the others), and only as long as the
//! client makes headway: one that does not fall below the mark within [`PACE_PATIENCE`] is *slow*, and
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
pub use frame::{COPIED_BYTES, Frame, Parts};

/// Most bytes that wait for one client (the cloud service allows as much).
pub const OUTBOX_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// From here on a publisher waits for the client. Far above what a socket takes in one write, so that waiting costs no
/// throughput.
pub const PACE_MARK_BYTES: usize = 1024 * 1024;
/// How long a publisher waits for its slowest clients, all of them together.
pub const PACE_PATIENCE: Duration = Duration::from_secs(2);

/// Whether a publisher may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// Go on.
    Light,
    /// Wait until the client has caught up a little; see [`Outbox::lightened`].
    Heavy,
}

/// What the writer is to do next.
#[derive(Debug)]
pub enum Departure {
    /// Write these frames, then report [`Outbox::written`].
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
    departure: Notify,
    lightened: Notify,
    closed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Backlog,
    /// What the frames being written count for.
    leaving: usize,
    writer_waits: bool,
    is_slow: bool,
    close: Option<Close>,
    is_closed: bool,
    was_aborted: bool,
}

impl State {
    fn held_bytes(&self) -> usize {
        self.waiting.cost() + self.leaving
    }

    /// Takes all that waits and is worth writing.
    fn take_waiting(&mut self) -> Backlog {
        self.waiting.forget_expired(Instant::now);
        let frames = std::mem::take(&mut self.waiting);
        self.leaving += frames.cost();
        frames
    }

    fn is_heavy(&self) -> bool {
        self.held_bytes() > PACE_MARK_BYTES
    }

    /// Whether publishers wait for this client.
    fn holds_up(&self) -> bool {
        self.is_heavy() && !self.is_slow && !self.is_closed
    }
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves a queue that is still a queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a frame. After [`Outbox::close`] it goes nowhere.
    pub fn push(&self, frame: &Frame) -> Load {
        self.push_until(frame, None)
    }

    /// The same. It is not written when `expires_at` has passed.
    pub fn push_until(&self, frame: &Frame, expires_at: Option<Instant>) -> Load {
        self.queue(frame.as_slice().len(), |waiting| waiting.push(frame, expires_at))
    }

    /// Queues a frame that comes in parts. They stay together.
    pub fn push_parts(&self, parts: Parts<'_>, expires_at: Option<Instant>) -> Load {
        self.queue(parts.len(), |waiting| waiting.push_parts(parts, expires_at))
    }

    fn queue(&self, bytes: usize, push: impl FnOnce(&mut Backlog)) -> Load {
        let mut state = self.state();
        if state.is_closed {
            return Load::Light;
        }
        if state.held_bytes() + bytes > OUTBOX_LIMIT_BYTES {
            state.waiting = Backlog::default();
            self.end(state, Close::SLOW_RECEIVER);
            return Load::Light;
        }
        push(&mut state.waiting);
        if state.is_heavy() {
            self.is_behind.store(true, Ordering::Relaxed);
        }
        let load = if state.holds_up() { Load::Heavy } else { Load::Light };
        self.wake_writer(state);
        load
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
        state.waiting = Backlog::default();
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
        self.lightened.notify_waiters();
        self.closed.notify_one();
    }

    fn wake_writer(&self, mut state: MutexGuard<'_, State>) {
        let writer_waits = std::mem::take(&mut state.writer_waits);
        drop(state);
        if writer_waits {
            self.departure.notify_one();
        }
    }

    /// Waits for something to write: every frame that is queued, or, when there is none, the close frame.
    pub async fn next_departure(&self) -> Departure {
        loop {
            {
                let mut state = self.state();
                let was_heavy = state.is_heavy();
                let frames = state.take_waiting();
                // What has expired weighs nothing any more.
                self.tell_if_lighter(was_heavy, &state);
                if !frames.is_empty() {
                    return Departure::Frames(frames);
                }
                if let Some(close) = state.close.take() {
                    return Departure::Close(close);
                }
                state.writer_waits = true;
            }
            self.departure.notified().await;
        }
    }

    /// The writer has handed frames that count for `cost` to the socket.
    pub fn written(&self, cost: usize) {
        let mut state = self.state();
        let was_heavy = state.is_heavy();
        state.leaving = state.leaving.saturating_sub(cost);
        state.is_slow &= state.held_bytes() > 0;
        self.tell_if_lighter(was_heavy, &state);
    }

    /// Lets those go on who wait for a client that has just caught up.
    fn tell_if_lighter(&self, was_heavy: bool, state: &State) {
        if was_heavy && !state.is_heavy() {
            self.is_behind.store(false, Ordering::Relaxed);
            self.lightened.notify_waiters();
        }
    }

    /// Waits until the client has caught up to below the pace mark, however long it takes. For its own reader: a client
    /// that does not read its answers is asked nothing more.
    pub async fn relieved(&self) {
        // Nearly always.
        if !self.is_behind.load(Ordering::Relaxed) {
            return;
        }
        loop {
            let lightened = self.lightened.notified();
            tokio::pin!(lightened);
            lightened.as_mut().enable();
            let is_heavy = {
                let state = self.state();
                state.is_heavy() && !state.is_closed
            };
            if !is_heavy {
                return;
            }
            lightened.await;
        }
    }

    /// Waits until the client has caught up to below the pace mark. One that has not by `deadline` is slow from then
    /// on, until its outbox is empty: nobody waits for it again.
    pub async fn lightened(&self, deadline: Instant) {
        let caught_up = async {
            loop {
                let lightened = self.lightened.notified();
                tokio::pin!(lightened);
                // Registered before looking, so that no notification falls in between.
                lightened.as_mut().enable();
                if !self.state().holds_up() {
                    return;
                }
                lightened.await;
            }
        };
        if tokio::time::timeout_at(deadline, caught_up).await.is_err() {
            self.state().is_slow = true;
            // Others who wait need not.
            self.lightened.notify_waiters();
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
