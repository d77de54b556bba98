//! State of an outbox: frames, their memory, and flags.

use std::sync::Arc;

use tokio::time::Instant;
use webpubsub_protocol::close::Close;

use super::{BEHIND_BYTES, Backlog, HIGH_WATER_MARK_BYTES, backlog::BATCH_BYTES};
use crate::memory::{ClientMemory, INCLUDED_BYTES, MemoryCharge};

#[derive(Debug)]
pub(super) struct State {
    pub(super) queued: Backlog,
    /// Size of the frames being written.
    pub(super) in_flight: usize,
    /// Memory of the frames being written that is not shared, in bytes.
    pub(super) in_flight_own: usize,
    /// Memory of the copies of shared frames while they are written, in bytes.
    pub(super) in_flight_copies: usize,
    /// Covers the memory that is not shared.
    pub(super) charge: MemoryCharge,
    /// Size of all frames written so far, in bytes.
    pub(super) written: u64,
    pub(super) writer_waits: bool,
    pub(super) is_slow: bool,
    pub(super) close: Option<Close>,
    pub(super) is_closed: bool,
    pub(super) was_aborted: bool,
}

impl State {
    /// Creates the state of an outbox without frames.
    pub(super) fn new(client: &Arc<ClientMemory>) -> Self {
        Self {
            queued: Backlog::default(),
            in_flight: 0,
            in_flight_own: 0,
            in_flight_copies: 0,
            charge: client.charge(),
            written: 0,
            writer_waits: false,
            is_slow: false,
            close: None,
            is_closed: false,
            was_aborted: false,
        }
    }

    /// Returns the size of the frames that are queued or being written, in bytes.
    pub(super) fn pending_bytes(&self) -> usize {
        self.queued.cost() + self.in_flight
    }

    /// Takes the queued frames that have not expired. Reads `clock` only if a frame can expire.
    pub(super) fn take_queued(&mut self, clock: impl FnOnce() -> Instant) -> Backlog {
        self.queued.drop_expired(clock);
        let frames = self.queued.take();
        self.in_flight += frames.cost();
        self.in_flight_own += frames.own_bytes();
        if frames.has_shared() {
            self.in_flight_copies = BATCH_BYTES;
        }
        frames
    }

    pub(super) fn own_bytes(&self) -> usize {
        self.queued.own_bytes() + self.in_flight_own + self.in_flight_copies
    }

    /// Charges the memory of the queue. Returns `false` if the budget is used up.
    pub(super) fn charge_memory(&mut self) -> bool {
        let (own_bytes, pending_bytes) = (self.own_bytes(), self.pending_bytes());
        if own_bytes <= self.charge.bytes() + INCLUDED_BYTES && pending_bytes <= BEHIND_BYTES {
            return true;
        }
        self.charge.adjust(own_bytes, pending_bytes)
    }

    /// Returns the memory that is no longer needed.
    pub(super) fn return_memory(&mut self) {
        if !self.charge.is_empty() {
            let (own_bytes, pending_bytes) = (self.own_bytes(), self.pending_bytes());
            self.charge.adjust(own_bytes, pending_bytes);
        }
    }

    pub(super) fn is_above_mark(&self) -> bool {
        self.pending_bytes() > HIGH_WATER_MARK_BYTES
    }

    /// Returns whether publishers should wait for this client.
    pub(super) fn has_backpressure(&self) -> bool {
        self.is_above_mark() && !self.is_slow && !self.is_closed
    }
}
