//! Session of one client: carries out its requests.
//!
//! A state machine without I/O: [`Session::receive`] takes a message, changes the hub, queues frames in outboxes, and
//! returns a [`SessionAction`] for the driver. Messages of one client are handled one after the other, so the messages
//! of one sender arrive everywhere in the order they were sent.
//!
//! Events of the client need an answer of the upstream event handler: the session returns [`SessionAction::Dispatch`],
//! and the driver passes the answer to [`Session::complete_event`].
//!
//! Source: client specification.

use std::{
    borrow::Cow,
    cell::Cell,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use webpubsub_protocol::{
    close::Close,
    json::decode_request,
    message::{AckError, Metadata, Request, Response},
    name::{EventName, GroupName},
    payload::Payload,
    protobuf,
    role::{GroupStateAccess, Permission},
    stream::fault,
};

use crate::{
    ack_history::AckHistory,
    backpressure::{SlowReceivers, StallAllowance},
    broadcast::{Broadcast, Scratch},
    connection::{ClientConnection, WireFormat},
    event_handler::{EventError, EventReply, UserEvent},
    hub::{Hub, check_json},
    memory::SharedCharge,
};
use delayed_acks::DelayedAcks;
use publishing::Publication;
use streams::PublishedStreams;

mod delayed_acks;
mod publishing;
mod streams;

/// Message from the client.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Incoming<'a> {
    /// Text message.
    Text(&'a str),
    /// Binary message.
    Binary(&'a [u8]),
}

impl Incoming<'_> {
    fn len(self) -> u64 {
        let len = match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        };
        // A length in memory fits 64 bits.
        len as u64
    }
}

/// Action of the driver after a message.
#[derive(Debug)]
pub(crate) enum SessionAction {
    /// Read the next message.
    Continue,
    /// Wait for these receivers, then read the next message.
    Throttle(SlowReceivers),
    /// Dispatch the event, and pass the answer to [`Session::complete_event`].
    Dispatch(PendingEvent),
    /// End the connection for good.
    Close(Close),
}

/// Event that waits for the answer of the upstream event handler.
#[derive(Debug)]
pub(crate) struct PendingEvent {
    /// Event to dispatch.
    pub(crate) event: UserEvent,
    /// Destination of the answer.
    pub(crate) reply_to: ReplyTarget,
}

/// Destination of an event handler's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReplyTarget {
    /// An event, with the ack id if the client wants an ack.
    Event(Option<u64>),
    /// A message of a simple client.
    SimpleMessage,
    /// An invocation, with its id.
    Invocation(String),
}

/// Treatment of the messages of a simple WebSocket client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SimpleMode {
    /// Dispatches each as a user event called `message`.
    SendEvent,
    /// Publishes each to a group.
    SendToGroup {
        /// Name of the group.
        group: GroupName,
        /// Excludes the sender from the receivers.
        no_echo: bool,
    },
}

/// Session of one client.
pub(crate) struct Session {
    hub: Arc<Hub>,
    connection: Arc<ClientConnection>,
    simple_mode: SimpleMode,
    completed: AckHistory,
    delayed_acks: DelayedAcks,
    streams: PublishedStreams,
    /// Memory for the frames that the client publishes.
    scratch: Cell<Scratch>,
    stall_allowance: StallAllowance,
    synchronized_at: Option<Instant>,
    received: UncountedMessages,
}

/// Messages that were received, and are not in the metrics yet: those of a read are counted together.
#[derive(Debug, Default)]
struct UncountedMessages {
    messages: u64,
    bytes: u64,
}

impl Session {
    /// Creates the session of `connection`, which must be in `hub`. `simple_mode` applies to simple clients only.
    #[must_use]
    pub(crate) fn new(hub: Arc<Hub>, connection: Arc<ClientConnection>, simple_mode: SimpleMode) -> Self {
        Self {
            hub,
            connection,
            simple_mode,
            completed: AckHistory::default(),
            delayed_acks: DelayedAcks::default(),
            streams: PublishedStreams::default(),
            scratch: Cell::default(),
            stall_allowance: StallAllowance::default(),
            synchronized_at: None,
            received: UncountedMessages::default(),
        }
    }

    /// Sets the time by which each ack is delayed. The default is 0.
    #[must_use]
    pub(crate) fn with_ack_delay(mut self, delay: Duration) -> Self {
        self.delayed_acks = DelayedAcks::new(delay);
        self
    }

    /// Returns the connection of the session.
    #[must_use]
    pub(crate) fn connection(&self) -> &Arc<ClientConnection> {
        &self.connection
    }

    /// Synchronizes the times of messages with the time of day at `now`, once for all messages of a read.
    pub(crate) fn synchronize_clock(&mut self, now: Instant, time: SystemTime) {
        if self.synchronized_at.replace(now) == Some(now) {
            return;
        }
        if let Some(history) = self.hub.history() {
            history.service().clock().synchronize(now, time);
        }
    }

    /// Waits for receivers of the client's messages, within its allowance.
    pub(crate) async fn wait_for(&mut self, receivers: SlowReceivers) {
        self.stall_allowance.wait_for(receivers).await;
    }

    /// Counts the received messages in the metrics. Called when no further one has been read.
    pub(crate) fn count_received(&mut self) {
        let UncountedMessages { messages, bytes } = std::mem::take(&mut self.received);
        self.hub.traffic().received.inc_by(messages);
        self.hub.traffic().received_bytes.inc_by(bytes);
    }

    /// Ends the connection for good: ends its streams, and removes it from the hub. Returns `false` if it had ended
    /// before.
    pub(crate) fn end(&mut self, now: Instant) -> bool {
        self.count_received();
        self.cancel_streams(now);
        self.hub.remove(&self.connection)
    }

    /// Handles one message, read at `now`.
    pub(crate) fn receive(&mut self, message: Incoming<'_>, now: Instant) -> SessionAction {
        self.received.messages += 1;
        self.received.bytes += message.len();
        match (self.connection.format, message) {
            (WireFormat::Json | WireFormat::ReliableJson, Incoming::Text(text)) => match decode_request(text)
            {
                Ok(request) => self.handle_request(request, now),
                Err(error) => self.malformed(&error, Close::INVALID_JSON_MESSAGE),
            },
            (WireFormat::Json | WireFormat::ReliableJson, Incoming::Binary(_)) => {
                SessionAction::Close(Close::JSON_WANTS_TEXT)
            }
            (WireFormat::Protobuf | WireFormat::ReliableProtobuf, Incoming::Binary(bytes)) => {
                match protobuf::decode_request(bytes) {
                    Ok(request) => self.handle_request(request, now),
                    Err(error) => self.malformed(&error, Close::invalid_protobuf(self.protocol_name())),
                }
            }
            (WireFormat::Protobuf | WireFormat::ReliableProtobuf, Incoming::Text(_)) => {
                SessionAction::Close(Close::wants_binary(self.protocol_name()))
            }
            (WireFormat::Simple, message) => self.receive_simple(message, now),
        }
    }

    fn malformed(&self, error: &dyn std::error::Error, close: Close) -> SessionAction {
        tracing::debug!(connection = %self.connection.id, error = ?error.to_string(), "malformed frame");
        SessionAction::Close(close)
    }

    fn protocol_name(&self) -> &'static str {
        self.connection.protocol().unwrap_or_default()
    }

    fn receive_simple(&self, message: Incoming<'_>, now: Instant) -> SessionAction {
        let payload = match message {
            Incoming::Text(text) => Payload::Text(Cow::Borrowed(text)),
            Incoming::Binary(bytes) => Payload::Binary(Cow::Borrowed(bytes)),
        };
        let SimpleMode::SendToGroup { group, no_echo } = &self.simple_mode else {
            let event = UserEvent {
                name: EventName::message(),
                payload: payload.into_owned(),
                metadata: Metadata::new(),
            };
            return SessionAction::Dispatch(PendingEvent { event, reply_to: ReplyTarget::SimpleMessage });
        };
        if !self.connection.is_allowed(Permission::SendToGroup, group.as_str()) {
            return SessionAction::Close(Close::RAW_SEND_FORBIDDEN);
        }
        let (no_echo, metadata) = (*no_echo, Metadata::new());
        let group = group.as_str();
        self.publish(Publication { group, no_echo, payload, metadata, ttl_seconds: 0, stream: None }, now)
    }

    /// Logs an event without a handler, at most one a second in a hub: a client can send any number of them.
    pub(crate) fn log_unhandled(&self, event: &EventName, now: Instant) {
        if self.hub.unhandled_events().count(now) {
            let (connection, hub) = (&self.connection.id, self.connection.info().hub());
            tracing::warn!(%connection, hub, %event, "event failed: no event handler is configured for it");
        }
    }

    /// Sends the answer of the upstream event handler to the client.
    pub(crate) fn complete_event(
        &mut self,
        reply_to: ReplyTarget,
        answer: Result<Option<EventReply>, EventError>,
        now: Instant,
    ) -> SessionAction {
        // Held until the frame is queued.
        let mut memory = self.hub.memory().charge(0);
        let answer = answer.and_then(valid_reply).and_then(|reply| charge_reply(reply, &mut memory));
        if let Err(error) = &answer {
            tracing::debug!(connection = %self.connection.id, %error, "event failed");
        }
        match (reply_to, answer) {
            (ReplyTarget::Invocation(invocation_id), answer) => {
                let outcome = answer.map(|reply| reply.map(|reply| reply.payload));
                let outcome = outcome.map_err(|_| event_failed());
                self.connection.send(&Response::InvokeResponse { invocation_id, outcome });
            }
            // A simple client has no acks: closing the connection is the only way to report the failure.
            (ReplyTarget::SimpleMessage, Err(_)) => return SessionAction::Close(Close::RAW_EVENT_FAILED),
            (ReplyTarget::SimpleMessage, Ok(reply)) => self.reply(reply, now),
            (ReplyTarget::Event(ack_id), answer) => {
                let outcome = answer.map_err(|_| event_failed());
                return self.acknowledge(ack_id, now, |session| {
                    session.reply(outcome?, now);
                    Ok(SessionAction::Continue)
                });
            }
        }
        SessionAction::Continue
    }

    /// Sends an event handler's reply to this client alone.
    fn reply(&self, reply: Option<EventReply>, now: Instant) {
        let Some(EventReply { payload, metadata }) = reply else { return };
        let message = Response::ServerMessage { payload, sequence: None, metadata };
        self.hub.reply(&self.connection, &mut Broadcast::new(&message, now));
    }

    /// Dispatches an event, unless a request with its ack id has succeeded before.
    fn dispatch_event(&mut self, ack_id: Option<u64>, event: UserEvent, now: Instant) -> SessionAction {
        if ack_id.is_some_and(|ack_id| self.completed.contains(ack_id)) {
            return self.acknowledge(ack_id, now, |_| Ok(SessionAction::Continue));
        }
        SessionAction::Dispatch(PendingEvent { event, reply_to: ReplyTarget::Event(ack_id) })
    }

    fn handle_request(&mut self, request: Request<'_>, now: Instant) -> SessionAction {
        match request {
            Request::JoinGroup { group, ack_id } => self.acknowledge(ack_id, now, |session| {
                session.check(Permission::JoinLeaveGroup, group.as_str(), "join")?;
                session
                    .hub
                    .join(&session.connection.id, &group)
                    .map_err(|error| internal(error.to_string()))?;
                Ok(SessionAction::Continue)
            }),
            Request::LeaveGroup { group, ack_id } => self.acknowledge(ack_id, now, |session| {
                session.check(Permission::JoinLeaveGroup, group.as_str(), "leave")?;
                session.hub.leave(&session.connection.id, &group);
                Ok(SessionAction::Continue)
            }),
            Request::SendToGroup { group, ack_id, no_echo, ttl_seconds, payload, metadata } => self
                .acknowledge(ack_id, now, |session| {
                    session.check(Permission::SendToGroup, group.as_str(), "send to")?;
                    let stream = None;
                    let publication = Publication {
                        group: group.as_str(),
                        no_echo,
                        payload,
                        metadata,
                        ttl_seconds,
                        stream,
                    };
                    Ok(session.publish(publication, now))
                }),
            Request::Event { event, ack_id, payload, metadata } => {
                let payload = payload.into_owned();
                self.dispatch_event(ack_id, UserEvent { name: event, payload, metadata }, now)
            }
            Request::Invoke { invocation_id, event, payload, metadata } => {
                let payload = payload.map_or(Payload::Text(Cow::Borrowed("")), Payload::into_owned);
                let event = UserEvent { name: event, payload, metadata };
                SessionAction::Dispatch(PendingEvent {
                    event,
                    reply_to: ReplyTarget::Invocation(invocation_id),
                })
            }
            // Events are answered one after the other: by the time a cancellation is read, its invocation is complete.
            Request::CancelInvocation { .. } => SessionAction::Continue,
            Request::StreamStart { group, stream_id, idle_timeout_ms, no_echo } => {
                self.start_stream(stream_id, group, no_echo, idle_timeout_ms, now)
            }
            Request::StreamData { stream_id, fragment } => self.stream_data(stream_id, fragment, now),
            Request::StreamEnd { stream_id, error } => self.end_stream(stream_id, error, now),
            Request::SetGroupState { group, ack_id, state } => self.acknowledge(ack_id, now, |session| {
                session.check_group_states(&group, GroupStateAccess::Set)?;
                let clock = session.hub.history().map(|history| history.service().clock());
                let now = clock.map_or(0, |clock| clock.unix_ms(now));
                let set = session.hub.set_group_state(&session.connection, &group, state, now);
                set.map(|()| SessionAction::Continue).map_err(|error| bad_request(&error))
            }),
            Request::SubscribeGroupState { group, ack_id } => {
                let is_subscribed = Cell::new(false);
                let action = self.acknowledge(ack_id, now, |session| {
                    session.check_group_states(&group, GroupStateAccess::Get)?;
                    let subscribed = session.hub.subscribe_group_states(&session.connection, &group);
                    subscribed.map_err(|error| bad_request(&error))?;
                    is_subscribed.set(true);
                    Ok(SessionAction::Continue)
                });
                // After the ack: the official client expects no states before it.
                if is_subscribed.get() {
                    self.hub.send_group_states(&self.connection, Some(&group));
                }
                action
            }
            Request::UnsubscribeGroupState { group, ack_id } => self.acknowledge(ack_id, now, |session| {
                session.hub.unsubscribe_group_states(&session.connection.id, &group);
                Ok(SessionAction::Continue)
            }),
            Request::Ping => {
                self.connection.send(&Response::Pong);
                SessionAction::Continue
            }
            Request::SequenceAck { sequence_id } => {
                // Without sequence ids there is nothing to acknowledge.
                if let Some(queue) = self.connection.reliable_queue() {
                    queue.acknowledge(sequence_id);
                }
                SessionAction::Continue
            }
            // The enum is non-exhaustive: requests of later protocol versions are never decoded.
            _ => SessionAction::Continue,
        }
    }

    /// Runs `operation`, unless a request with its ack id has succeeded before. Sends an ack if there is an ack id.
    fn acknowledge(
        &mut self,
        ack_id: Option<u64>,
        now: Instant,
        operation: impl FnOnce(&Self) -> Result<SessionAction, AckError>,
    ) -> SessionAction {
        let is_repeated = ack_id.is_some_and(|ack_id| self.completed.contains(ack_id));
        let outcome = if is_repeated { Err(duplicate(ack_id)) } else { operation(self) };
        let (action, outcome) = match outcome {
            Ok(action) => (action, Ok(())),
            Err(error) => (SessionAction::Continue, Err(error)),
        };
        if let Some(ack_id) = ack_id {
            if outcome.is_ok() {
                self.completed.insert(ack_id);
            }
            if let Some(ack) = self.delayed_acks.add(Response::Ack { ack_id, outcome }, now) {
                self.connection.send(&ack);
            }
        } else if let Err(error) = outcome {
            tracing::debug!(connection = %self.connection.id, ?error, "request without ack id failed");
        }
        action
    }

    /// Checks that the client may use the states of a group: by a role, as a member, or because it may join.
    fn check_group_states(&self, group: &GroupName, access: GroupStateAccess) -> Result<(), AckError> {
        let is_member = || self.hub.is_member(&self.connection.id, group);
        match self.connection.is_allowed_group_states(access) || is_member() {
            true => Ok(()),
            false => self.check(Permission::JoinLeaveGroup, group.as_str(), "use the states of"),
        }
    }

    /// Sends the states of all groups that the client has subscribed to: changes that it has missed are not sent again.
    pub(crate) fn resend_group_states(&self) {
        self.hub.send_group_states(&self.connection, None);
    }

    fn check(&self, permission: Permission, group: &str, verb: &str) -> Result<(), AckError> {
        if self.connection.is_allowed(permission, group) {
            return Ok(());
        }
        Err(AckError {
            name: AckError::FORBIDDEN.to_owned(),
            message: format!("The client does not have permission to {verb} group '{group}'."),
        })
    }
}

/// Rejects a reply with invalid JSON: it becomes part of a frame as it is.
fn valid_reply(reply: Option<EventReply>) -> Result<Option<EventReply>, EventError> {
    if let Some(reply) = &reply {
        check_json(&reply.payload).map_err(|error| EventError::Failed(error.to_string()))?;
    }
    Ok(reply)
}

/// Charges an answer and its frame to `memory`. An answer that does not fit fails the event.
fn charge_reply(
    reply: Option<EventReply>,
    memory: &mut SharedCharge,
) -> Result<Option<EventReply>, EventError> {
    let bytes = reply.as_ref().map_or(0, |reply| reply.payload.len());
    match memory.try_grow(2 * bytes) {
        true => Ok(reply),
        false => {
            Err(EventError::Failed("its answer does not fit the memory limit of the service".to_owned()))
        }
    }
}

fn bad_request(error: &dyn std::error::Error) -> AckError {
    AckError { name: fault::BAD_REQUEST.to_owned(), message: format!("The request failed: {error}.") }
}

/// Returns the error of a failed event. The cause is logged only: it may hold details of the handler.
fn event_failed() -> AckError {
    internal("Internal server error".to_owned())
}

fn internal(message: String) -> AckError {
    AckError { name: AckError::INTERNAL_SERVER_ERROR.to_owned(), message }
}

fn duplicate(ack_id: Option<u64>) -> AckError {
    let ack_id = ack_id.unwrap_or_default();
    AckError {
        name: AckError::DUPLICATE.to_owned(),
        message: format!("Message with ack-id: {ack_id} has been processed"),
    }
}

#[cfg(test)]
mod tests;
