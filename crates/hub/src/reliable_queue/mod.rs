//! Queue of a reliable connection: messages that the client has not acknowledged.
//!
//! The sequence id of a message is its position in the hub. It stays in the queue until the client acknowledges this or a later id. The
//! queue outlives its sockets: without a socket, messages accumulate; the next socket receives all of them first, in
//! order. So a reconnection loses nothing, and the client drops duplicates by their sequence ids.
//!
//! Messages may have a time to live. Expired ones are not sent again, and their sequence ids are skipped.
//!
//! Source: client specification, "Reliable"; service documentation, reliable subprotocols.

use std::{
    collections::VecDeque,
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::{sync::Notify, time::Instant};
use webpubsub_protocol::{close::Close, message::Sequence, protobuf::DataMessage};
use webpubsub_websocket::{encode::EncodedHeader, frame::Opcode};

use crate::{
    memory::{ClientMemory, MemoryCharge},
    outbox::{Backpressure, EncodedFrame, FrameParts, Outbox},
};

/// Maximum number of unacknowledged messages (client specification). A further one ends the connection for good, with
/// close code 1008.
pub(crate) const UNACKNOWLEDGED_LIMIT: usize = 1000;
/// Maximum size of all unacknowledged messages, in bytes (client specification).
pub(crate) const UNACKNOWLEDGED_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// High-water mark: with more unacknowledged messages, publishers wait for the client, as for a full outbox. Clients
/// acknowledge at least once a second.
pub(crate) const UNACKNOWLEDGED_HIGH_WATER_MARK: usize = UNACKNOWLEDGED_LIMIT / 2;
/// High-water mark in bytes.
pub(crate) const UNACKNOWLEDGED_HIGH_WATER_MARK_BYTES: usize = UNACKNOWLEDGED_LIMIT_BYTES / 2;

/// Size by which an acknowledged message counts at least as progress of the client, in bytes: clients acknowledge once
/// a second, and may not have more than [`UNACKNOWLEDGED_LIMIT`] short messages open.
const MIN_PROGRESS_BYTES: usize = UNACKNOWLEDGED_LIMIT_BYTES / UNACKNOWLEDGED_LIMIT;
/// Memory of an unacknowledged message that is not shared with other clients, in bytes.
const ENTRY_BYTES: usize = size_of::<Retained>();

/// Capacity that an empty queue keeps, in messages. A client that was once slow must not hold memory for it.
const RETAINED_CAPACITY: usize = 64;

/// Queue of one reliable connection.
#[derive(Debug)]
pub(crate) struct ReliableQueue {
    /// Held for a few instructions only; no I/O happens under the lock.
    state: Mutex<State>,
    drained: Notify,
    ended: Notify,
}

#[derive(Debug)]
struct State {
    /// Count of messages so far.
    count: u64,
    retained: VecDeque<Retained>,
    retained_bytes: usize,
    /// Size of the messages that the client has acknowledged, in bytes, with [`MIN_PROGRESS_BYTES`] for short ones.
    progress_bytes: u64,
    /// Covers the entries of the queue; the messages are shared.
    charge: MemoryCharge,
    transport: Option<Arc<Outbox>>,
    /// Number of the current socket. The timer of a detached session compares it, to detect a reconnection.
    generation: u64,
    newest_ticket: u64,
    has_ended: bool,
    is_slow: bool,
}

/// Message without a sequence id: the bytes that all clients share.
#[derive(Debug, Clone)]
pub(crate) enum Unsequenced {
    /// JSON object without its closing brace.
    Json(Bytes),
    /// Fields of a protobuf data message.
    Protobuf(Bytes),
}

impl Unsequenced {
    fn len(&self) -> usize {
        match self {
            Self::Json(shared) | Self::Protobuf(shared) => shared.len(),
        }
    }
}

#[derive(Debug)]
struct Retained {
    sequence: Sequence,
    message: Unsequenced,
    expires_at: Option<Instant>,
}

impl State {
    fn has_backpressure(&self) -> bool {
        let is_above_mark = self.retained.len() > UNACKNOWLEDGED_HIGH_WATER_MARK
            || self.retained_bytes > UNACKNOWLEDGED_HIGH_WATER_MARK_BYTES;
        is_above_mark && !self.is_slow && !self.has_ended && self.transport.is_some()
    }

    fn is_full_for(&self, message: &Unsequenced) -> bool {
        self.retained.len() >= UNACKNOWLEDGED_LIMIT
            || self.retained_bytes + message.len() > UNACKNOWLEDGED_LIMIT_BYTES
    }

    /// Charges the entries of the queue. Returns `false` if the budget is used up.
    fn adjust_charge(&mut self) -> bool {
        self.charge.adjust(self.retained.len() * ENTRY_BYTES, self.retained_bytes)
    }

    /// Drops messages whose time to live has passed.
    fn drop_expired(&mut self, now: Instant) {
        self.retained.retain(|retained| retained.expires_at.is_none_or(|expires_at| expires_at > now));
        self.retained_bytes = self.retained.iter().map(|retained| retained.message.len()).sum();
    }
}

impl Default for ReliableQueue {
    /// Creates a queue with a memory budget of its own.
    fn default() -> Self {
        Self::new(&Arc::default())
    }
}

impl ReliableQueue {
    /// Creates the queue of a client.
    #[must_use]
    pub(crate) fn new(client: &Arc<ClientMemory>) -> Self {
        let state = State {
            count: 0,
            retained: VecDeque::new(),
            retained_bytes: 0,
            progress_bytes: 0,
            charge: client.charge(),
            transport: None,
            generation: 0,
            newest_ticket: 0,
            has_ended: false,
            is_slow: false,
        };
        Self { state: Mutex::new(state), drained: Notify::new(), ended: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the message at `position` of the hub, and sends it if there is a socket. Positions ascend. After
    /// `expires_at` it is not sent (again). Dropped if the connection has ended; ends the connection if the queue is full.
    pub(crate) fn push(
        &self,
        position: u64,
        message: Unsequenced,
        expires_at: Option<Instant>,
        now: Instant,
    ) -> Backpressure {
        let mut state = self.state();
        if state.has_ended {
            return Backpressure::Slow;
        }
        if state.is_full_for(&message) {
            state.drop_expired(now);
        }
        if state.is_full_for(&message) {
            self.end(&mut state, Close::UNACKNOWLEDGED_FULL);
            return Backpressure::Slow;
        }
        state.count += 1;
        let sequence = Sequence { id: position, count: Some(state.count) };
        let retained = Retained { sequence, message, expires_at };
        let backpressure = match &state.transport {
            Some(outbox) => retained.push_to(outbox),
            None => Backpressure::None,
        };
        state.retained_bytes += retained.message.len();
        state.retained.push_back(retained);
        if !state.adjust_charge() {
            self.end(&mut state, Close::UNACKNOWLEDGED_FULL);
            return Backpressure::Slow;
        }
        match state.has_backpressure() {
            true => Backpressure::Wait,
            false if state.is_slow => Backpressure::Slow,
            false => backpressure,
        }
    }

    /// Drops the messages up to the sequence id `id`, which the client has received.
    pub(crate) fn acknowledge(&self, id: u64) {
        let mut state = self.state();
        while state.retained.front().is_some_and(|message| message.sequence.id <= id) {
            let acknowledged = state.retained.pop_front().map_or(0, |retained| retained.message.len());
            state.retained_bytes -= acknowledged;
            // A size in memory fits 64 bits.
            state.progress_bytes += acknowledged.max(MIN_PROGRESS_BYTES) as u64;
        }
        if state.retained.is_empty() && state.retained.capacity() > RETAINED_CAPACITY {
            state.retained = VecDeque::new();
        }
        state.adjust_charge();
        state.is_slow &= !state.retained.is_empty();
        drop(state);
        self.drained.notify_waiters();
    }

    /// Sends a frame without a sequence id. Dropped if there is no socket.
    pub(crate) fn send_unsequenced(&self, frame: &EncodedFrame) {
        if let Some(outbox) = &self.state().transport {
            // A client's own responses never delay publishers.
            outbox.push(frame);
        }
    }

    /// Ends the connection for good: sends what is queued, then the close frame.
    pub(crate) fn close(&self, close: Close) {
        self.end(&mut self.state(), close);
    }

    /// Ends the connection for good, without what is queued.
    pub(crate) fn abandon(&self, close: Close) {
        let mut state = self.state();
        if let Some(outbox) = &state.transport {
            outbox.abandon(close.clone());
        }
        self.end(&mut state, close);
    }

    fn end(&self, state: &mut State, close: Close) {
        state.has_ended = true;
        self.ended.notify_waiters();
        state.retained = VecDeque::new();
        state.retained_bytes = 0;
        state.adjust_charge();
        if let Some(outbox) = &state.transport {
            outbox.close(close);
        }
        self.drained.notify_waiters();
    }

    /// Returns a count of bytes that grows as the client acknowledges messages.
    pub(crate) fn progress_bytes(&self) -> u64 {
        self.state().progress_bytes
    }

    /// Waits until the connection has ended for good.
    pub(crate) async fn ended(&self) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        // Registered before the check, so that no notification is missed in between.
        ended.as_mut().enable();
        if !self.has_ended() {
            ended.await;
        }
    }

    /// Returns whether the connection has ended for good.
    #[must_use]
    pub(crate) fn has_ended(&self) -> bool {
        self.state().has_ended
    }

    /// Returns whether the connection has a socket.
    #[must_use]
    pub(crate) fn has_transport(&self) -> bool {
        self.state().transport.is_some()
    }

    /// Attaches a new socket, and returns its outbox, which holds all unacknowledged messages that have not expired at `now`. `None` if the connection
    /// has ended.
    #[must_use]
    pub(crate) fn attach(&self, now: Instant) -> Option<Arc<Outbox>> {
        self.attach_after(None, now)
    }

    /// Attaches a new socket like [`ReliableQueue::attach`], but queues `greeting` first.
    #[must_use]
    pub(crate) fn attach_after(&self, greeting: Option<EncodedFrame>, now: Instant) -> Option<Arc<Outbox>> {
        let mut state = self.state();
        if state.has_ended {
            return None;
        }
        state.drop_expired(now);
        let outbox = Arc::new(Outbox::new(state.charge.client()));
        if let Some(greeting) = greeting {
            outbox.push(&greeting);
        }
        for message in &state.retained {
            message.push_to(&outbox);
        }
        state.generation += 1;
        state.transport = Some(Arc::clone(&outbox));
        Some(outbox)
    }

    /// Aborts the current socket on behalf of a new one. Returns a ticket, valid until the next call.
    pub(crate) fn fence(&self) -> u64 {
        let mut state = self.state();
        if let Some(outbox) = state.transport.take() {
            outbox.abort();
        }
        state.newest_ticket += 1;
        state.newest_ticket
    }

    /// Returns whether `ticket` is the latest that [`ReliableQueue::fence`] has returned.
    #[must_use]
    pub(crate) fn is_newest(&self, ticket: u64) -> bool {
        self.state().newest_ticket == ticket
    }

    /// Detaches a socket that was lost. Returns the generation to pass to [`ReliableQueue::is_detached_since`]; `None`
    /// if another socket has replaced it already.
    #[must_use]
    pub(crate) fn detach(&self, lost: &Arc<Outbox>) -> Option<u64> {
        let mut state = self.state();
        if !state.transport.as_ref().is_some_and(|transport| Arc::ptr_eq(transport, lost)) {
            return None;
        }
        state.transport = None;
        let generation = state.generation;
        drop(state);
        // Publishers do not wait for a client without a socket.
        self.drained.notify_waiters();
        Some(generation)
    }

    /// Returns whether the connection is still without a socket since [`ReliableQueue::detach`] returned `generation`.
    #[must_use]
    pub(crate) fn is_detached_since(&self, generation: u64) -> bool {
        let state = self.state();
        state.transport.is_none() && state.generation == generation
    }

    /// Waits until the client is below the high-water marks of this queue and of its outbox, or without backpressure.
    /// Returns `false` at `deadline`.
    pub(crate) async fn wait_until_caught_up(&self, deadline: Instant) -> bool {
        let transport = self.state().transport.clone();
        if let Some(outbox) = transport
            && !outbox.wait_until_caught_up(deadline).await
        {
            return false;
        }
        let caught_up = async {
            loop {
                let drained = self.drained.notified();
                tokio::pin!(drained);
                drained.as_mut().enable();
                if !self.state().has_backpressure() {
                    return;
                }
                drained.await;
            }
        };
        tokio::time::timeout_at(deadline, caught_up).await.is_ok()
    }

    /// Marks the client as slow: until its queue is empty, publishers do not wait for it.
    pub(crate) fn stop_backpressure(&self) {
        let mut state = self.state();
        state.is_slow = true;
        if let Some(outbox) = &state.transport {
            outbox.stop_backpressure();
        }
        drop(state);
        self.drained.notify_waiters();
    }
}

/// Length of the longest tail that [`write_sequence`] writes, in bytes.
const MAX_TAIL_BYTES: usize = 80;

impl Retained {
    /// Queues the WebSocket frame: header, shared bytes, sequence id.
    fn push_to(&self, outbox: &Outbox) -> Backpressure {
        match &self.message {
            Unsequenced::Json(object) => {
                let mut buffer = [0; MAX_TAIL_BYTES];
                let tail = write_sequence(&mut buffer, self.sequence);
                let head = EncodedHeader::new(Opcode::Text, object.len() + tail.len());
                outbox.push_parts(FrameParts { head: &head, body: object, tail }, self.expires_at)
            }
            Unsequenced::Protobuf(fields) => {
                let (inner_head, tail) =
                    (DataMessage::head(fields.len(), self.sequence), DataMessage::tail(self.sequence));
                let head = EncodedHeader::new(Opcode::Binary, inner_head.len() + fields.len() + tail.len());
                let head = [&head[..], &inner_head].concat();
                outbox.push_parts(FrameParts { head: &head, body: fields, tail: &tail }, self.expires_at)
            }
        }
    }
}

/// Writes the end of a JSON object: the sequence id, the delivery count and the closing brace.
fn write_sequence(buffer: &mut [u8; MAX_TAIL_BYTES], sequence: Sequence) -> &[u8] {
    let mut rest = &mut buffer[..];
    let (id, count) = (sequence.id, sequence.count.unwrap_or_default());
    // The buffer holds the longest 64-bit numbers.
    write!(rest, ",\"sequenceId\":{id},\"deliveryCount\":{count}}}").unwrap_or_default();
    let left = rest.len();
    buffer.get(..MAX_TAIL_BYTES - left).unwrap_or_default()
}

#[cfg(test)]
mod tests;
