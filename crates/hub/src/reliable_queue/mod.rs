//! What a reliable connection has been sent and has not acknowledged: kept so that it can be sent again.
//!
//! Every message gets the next sequence id and stays here until the client acknowledges it or a later one. The queue
//! outlives its transport: while there is none, messages collect here, and the next transport gets all of them first,
//! in order. So nothing is lost over a cut, and the client drops what it had already.
//!
//! A message may have a time to live. One whose time is up is not sent again, and its sequence id is skipped.
//!
//! Source: client specification, "Reliable"; service documentation, reliable subprotocols.

use std::{
    collections::VecDeque,
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::{sync::Notify, time::Instant};
use webpubsub_protocol::{close::Close, protobuf::DataMessage};

use crate::{
    outbox::{Backpressure, EncodedFrame, FrameParts, Outbox},
    websocket::frame::{EncodedHeader, Opcode},
};

/// Most messages that wait for an acknowledgement (client specification). One more ends the connection for good.
pub const UNACKNOWLEDGED_LIMIT: usize = 1000;
/// Most bytes that wait for an acknowledgement (client specification).
pub const UNACKNOWLEDGED_LIMIT_BYTES: usize = 16 * 1024 * 1024;
/// From here on a publisher waits for the client, as for a full outbox. Clients acknowledge once a second, or sooner.
pub const UNACKNOWLEDGED_HIGH_WATER_MARK: usize = UNACKNOWLEDGED_LIMIT / 2;
/// The same in bytes.
pub const UNACKNOWLEDGED_HIGH_WATER_MARK_BYTES: usize = UNACKNOWLEDGED_LIMIT_BYTES / 2;

/// The queue of one reliable connection.
#[derive(Debug, Default)]
pub struct ReliableQueue {
    /// Guards a queue for a few instructions; no I/O happens inside.
    state: Mutex<State>,
    drained: Notify,
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    retained: VecDeque<Retained>,
    retained_bytes: usize,
    transport: Option<Arc<Outbox>>,
    /// Counts transports, so that a timer can tell whether its own is still the last.
    generation: u64,
    newest_ticket: u64,
    has_ended: bool,
    is_slow: bool,
}

/// A message without its sequence id, which differs from client to client while this does not.
#[derive(Debug, Clone)]
pub enum Unsequenced {
    /// A JSON object without its closing brace.
    Json(Bytes),
    /// The fields of a protobuf data message.
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
    id: u64,
    message: Unsequenced,
    expires_at: Option<Instant>,
}

impl State {
    fn has_backpressure(&self) -> bool {
        let is_heavy = self.retained.len() > UNACKNOWLEDGED_HIGH_WATER_MARK
            || self.retained_bytes > UNACKNOWLEDGED_HIGH_WATER_MARK_BYTES;
        is_heavy && !self.is_slow && !self.has_ended && self.transport.is_some()
    }

    fn is_full_for(&self, message: &Unsequenced) -> bool {
        self.retained.len() >= UNACKNOWLEDGED_LIMIT
            || self.retained_bytes + message.len() > UNACKNOWLEDGED_LIMIT_BYTES
    }

    /// Lets go of what nobody is to get any more.
    fn drop_expired(&mut self) {
        let now = Instant::now();
        self.retained.retain(|retained| retained.expires_at.is_none_or(|expires_at| expires_at > now));
        self.retained_bytes = self.retained.iter().map(|retained| retained.message.len()).sum();
    }
}

impl ReliableQueue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a message, which is not sent, or sent again, when `expires_at` has passed.
    pub fn push(&self, message: Unsequenced, expires_at: Option<Instant>) -> Backpressure {
        let mut state = self.state();
        if state.has_ended {
            return Backpressure::None;
        }
        if state.is_full_for(&message) {
            state.drop_expired();
        }
        if state.is_full_for(&message) {
            self.end(&mut state, Close::UNACKNOWLEDGED_FULL);
            return Backpressure::None;
        }
        state.last_id += 1;
        let retained = Retained { id: state.last_id, message, expires_at };
        let backpressure = match &state.transport {
            Some(outbox) => retained.push_to(outbox),
            None => Backpressure::None,
        };
        state.retained_bytes += retained.message.len();
        state.retained.push_back(retained);
        if state.has_backpressure() { Backpressure::Wait } else { backpressure }
    }

    /// The client has everything up to `id`.
    pub fn acknowledge(&self, id: u64) {
        let mut state = self.state();
        while state.retained.front().is_some_and(|message| message.id <= id) {
            let acknowledged = state.retained.pop_front().map_or(0, |retained| retained.message.len());
            state.retained_bytes -= acknowledged;
        }
        state.is_slow &= !state.retained.is_empty();
        drop(state);
        self.drained.notify_waiters();
    }

    /// Sends a frame that is not sequenced. Without a transport nobody hears it.
    pub fn send_unsequenced(&self, frame: &EncodedFrame) {
        if let Some(outbox) = &self.state().transport {
            // The client's own answers set no slow_receivers for others.
            outbox.push(frame);
        }
    }

    /// Ends the connection for good, after what is queued has been written.
    pub fn close(&self, close: Close) {
        self.end(&mut self.state(), close);
    }

    fn end(&self, state: &mut State, close: Close) {
        state.has_ended = true;
        self.ended.notify_waiters();
        state.retained = VecDeque::new();
        state.retained_bytes = 0;
        if let Some(outbox) = &state.transport {
            outbox.close(close);
        }
        self.drained.notify_waiters();
    }

    /// Waits until the connection has ended for good.
    pub async fn ended(&self) {
        let ended = self.ended.notified();
        tokio::pin!(ended);
        // Registered before looking, so that no notification falls in between.
        ended.as_mut().enable();
        if !self.has_ended() {
            ended.await;
        }
    }

    /// Whether the connection has ended for good.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state().has_ended
    }

    /// Whether there is a socket.
    #[must_use]
    pub fn has_transport(&self) -> bool {
        self.state().transport.is_some()
    }

    /// Gives the connection a transport, which gets all that is unacknowledged first. `None` when it has ended.
    #[must_use]
    pub fn attach(&self) -> Option<Arc<Outbox>> {
        self.attach_after(None)
    }

    /// The same, but the transport gets `greeting` before anything else.
    #[must_use]
    pub fn attach_after(&self, greeting: Option<EncodedFrame>) -> Option<Arc<Outbox>> {
        let mut state = self.state();
        if state.has_ended {
            return None;
        }
        state.drop_expired();
        let outbox = Arc::new(Outbox::default());
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

    /// Cuts the present transport off, if there is one: another client socket takes its place. Gives a ticket for that
    /// place, which counts until somebody else takes one.
    pub fn fence(&self) -> u64 {
        let mut state = self.state();
        if let Some(outbox) = state.transport.take() {
            outbox.abort();
        }
        state.newest_ticket += 1;
        state.newest_ticket
    }

    /// Whether nobody has taken a ticket since.
    #[must_use]
    pub fn is_newest(&self, ticket: u64) -> bool {
        self.state().newest_ticket == ticket
    }

    /// This transport is gone. Gives what [`ReliableQueue::is_detached_since`] wants to know later; `None` when another one
    /// has taken its place already.
    #[must_use]
    pub fn detach(&self, gone: &Arc<Outbox>) -> Option<u64> {
        let mut state = self.state();
        if !state.transport.as_ref().is_some_and(|transport| Arc::ptr_eq(transport, gone)) {
            return None;
        }
        state.transport = None;
        let generation = state.generation;
        drop(state);
        // Publishers need not wait for somebody who is not there.
        self.drained.notify_waiters();
        Some(generation)
    }

    /// Whether there has been no other transport since.
    #[must_use]
    pub fn is_detached_since(&self, generation: u64) -> bool {
        let state = self.state();
        state.transport.is_none() && state.generation == generation
    }

    /// Waits until the client has acknowledged enough, as [`Outbox::wait_until_caught_up`] waits for writing.
    pub async fn wait_until_caught_up(&self, deadline: Instant) {
        let transport = self.state().transport.clone();
        if let Some(outbox) = transport {
            outbox.wait_until_caught_up(deadline).await;
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
        if tokio::time::timeout_at(deadline, caught_up).await.is_err() {
            self.state().is_slow = true;
            self.drained.notify_waiters();
        }
    }
}

/// Room for the longest [`write_sequence_id`].
const SEQUENCE_ID_ROOM: usize = 36;

impl Retained {
    /// Queues the whole WebSocket frame: header, what is shared, and the sequence id.
    fn push_to(&self, outbox: &Outbox) -> Backpressure {
        match &self.message {
            Unsequenced::Json(object) => {
                let mut room = [0; SEQUENCE_ID_ROOM];
                let tail = write_sequence_id(&mut room, self.id);
                let head = EncodedHeader::new(Opcode::Text, object.len() + tail.len());
                outbox.push_parts(FrameParts { head: &head, body: object, tail }, self.expires_at)
            }
            Unsequenced::Protobuf(fields) => {
                let (inner_head, tail) =
                    (DataMessage::head(fields.len(), self.id), DataMessage::tail(self.id));
                let head = EncodedHeader::new(Opcode::Binary, inner_head.len() + fields.len() + tail.len());
                let head = [&head[..], &inner_head].concat();
                outbox.push_parts(FrameParts { head: &head, body: fields, tail: &tail }, self.expires_at)
            }
        }
    }
}

/// What closes a JSON object: its last member, and the brace.
fn write_sequence_id(room: &mut [u8; SEQUENCE_ID_ROOM], id: u64) -> &[u8] {
    let mut rest = &mut room[..];
    // There is room for the longest number.
    write!(rest, ",\"sequenceId\":{id}}}").unwrap_or_default();
    let left = rest.len();
    room.get(..SEQUENCE_ID_ROOM - left).unwrap_or_default()
}

#[cfg(test)]
mod tests;
