//! Requests and responses, whatever their wire format.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    name::{EventName, GroupName, GroupRef},
    payload::Payload,
    stream::{PublisherError, StreamInfo},
};

/// Longest time a message may wait for a receiver, in seconds (REST data plane, `messageTtlSeconds`).
pub const MAX_TTL_SECONDS: u32 = 300;

/// Annotations of a message: name to value, ASCII both (2026 addition to the protocol).
pub type Metadata = BTreeMap<String, String>;

/// State of a connection in a group, by name (2026 addition to the protocol, a preview).
pub type GroupState = BTreeMap<String, String>;

/// State of one connection in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStateItem {
    /// Connection that has the state.
    pub connection_id: String,
    /// Its user; `None` for an anonymous client.
    pub user_id: Option<String>,
    /// The state; `None` if it has been cleared.
    pub state: Option<GroupState>,
    /// Time of the last change, in milliseconds since 1970.
    pub updated_at: u64,
}

/// What a client asks of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request<'a> {
    /// Become a member of a group.
    JoinGroup {
        /// The group to join.
        group: GroupName,
        /// Ask for an acknowledgement under this id.
        ack_id: Option<u64>,
    },
    /// Leave a group.
    LeaveGroup {
        /// The group to leave.
        group: GroupName,
        /// Ask for an acknowledgement under this id.
        ack_id: Option<u64>,
    },
    /// Publish to the members of a group.
    SendToGroup {
        /// The group to publish to.
        group: GroupRef<'a>,
        /// Ask for an acknowledgement under this id.
        ack_id: Option<u64>,
        /// Whether the sender, if a member, is left out.
        no_echo: bool,
        /// Seconds until a receiver that has not got it no longer gets it; 0 for never.
        ttl_seconds: u32,
        /// What to publish.
        payload: Payload<'a>,
        /// Annotations, often none.
        metadata: Metadata,
    },
    /// Raise a user event at the application's server.
    Event {
        /// The event's name.
        event: EventName,
        /// Ask for an acknowledgement under this id.
        ack_id: Option<u64>,
        /// The event's data.
        payload: Payload<'a>,
        /// Annotations, often none.
        metadata: Metadata,
    },
    /// Start a stream to a group; see [`crate::stream`].
    StreamStart {
        /// The group to publish to.
        group: GroupName,
        /// The stream's name, unlike those of this connection's other open streams.
        stream_id: String,
        /// Milliseconds of silence after which the service ends it; `None` for the default.
        idle_timeout_ms: Option<u32>,
        /// Whether the sender, if a member, is left out.
        no_echo: bool,
    },
    /// A fragment of a stream.
    StreamData {
        /// The stream's name.
        stream_id: String,
        /// The fragment; without one, the publisher says only that it is still there.
        fragment: Option<Fragment<'a>>,
    },
    /// The end of a stream.
    StreamEnd {
        /// The stream's name.
        stream_id: String,
        /// Why it ends before its time, if it does.
        error: Option<PublisherError>,
    },
    /// Ask the application's server, and wait for its answer: [`Response::InvokeResponse`].
    Invoke {
        /// The client's name for the invocation.
        invocation_id: String,
        /// The event's name.
        event: EventName,
        /// The event's data, if any.
        payload: Option<Payload<'a>>,
        /// Annotations, often none.
        metadata: Metadata,
    },
    /// The client no longer wants the answer of an invocation.
    CancelInvocation {
        /// The client's name for the invocation.
        invocation_id: String,
    },
    /// Set the state of the connection in a group.
    SetGroupState {
        /// Group of the state.
        group: GroupName,
        /// Ask for an acknowledgement under this id.
        ack_id: Option<u64>,
        /// The state; `None` clears it.
        state: Option<GroupState>,
    },
    /// Receive the states of the group's members: a snapshot now, then each change.
    SubscribeGroupState {
        /// Group of the states.
        group: GroupName,
        /// Ask for an acknowledgement under this id.
        ack_id: Option<u64>,
    },
    /// End the subscription to the states of a group.
    UnsubscribeGroupState {
        /// Group of the states.
        group: GroupName,
        /// Ask for an acknowledgement under this id.
        ack_id: Option<u64>,
    },
    /// Ask for a [`Response::Pong`].
    Ping,
    /// Everything up to this sequence id has arrived (reliable subprotocols; ignored on others).
    SequenceAck {
        /// The largest id that arrived.
        sequence_id: u64,
    },
}

/// A piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// Its number, from 1 on.
    pub stream_sequence_id: u64,
    /// What it holds.
    pub payload: Payload<'a>,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct AckError {
    /// One of [`AckError::FORBIDDEN`], [`AckError::DUPLICATE`], [`AckError::INTERNAL_SERVER_ERROR`], or a name
    /// that a later service invents.
    pub name: String,
    /// The service's words, for people.
    pub message: String,
}

impl AckError {
    /// The connection lacks the permission. Asking again does not help.
    pub const FORBIDDEN: &'static str = "Forbidden";
    /// A request with this ack id was carried out before: for the sender, success.
    pub const DUPLICATE: &'static str = "Duplicate";
    /// The request failed inside the service or the application's server.
    pub const INTERNAL_SERVER_ERROR: &'static str = "InternalServerError";

    /// Whether the request had already been carried out.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.name == Self::DUPLICATE
    }

    /// Whether the permission is missing.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.name == Self::FORBIDDEN
    }
}

/// Numbers of a message on a connection of a reliable subprotocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// Sequence id, to acknowledge. Its scope is the connection, unless [`Response::Connected`] has a run id: then it is the
    /// message's position in the hub, and others may lie between those of a connection.
    pub id: u64,
    /// Count of messages for the connection, this one included: a jump means that a message was lost on the way. `None` from
    /// services whose ids have no gaps.
    pub count: Option<u64>,
}

impl From<u64> for Sequence {
    /// Creates the numbers of a service whose sequence ids have no gaps.
    fn from(id: u64) -> Self {
        Self { id, count: None }
    }
}

/// What the service tells a client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Response<'a> {
    /// The first frame of a connection.
    Connected {
        /// The service's name for the connection.
        connection_id: String,
        /// `None` for an anonymous client.
        user_id: Option<String>,
        /// What a reliable client presents to recover the connection.
        reconnection_token: Option<String>,
        /// Run of the service in which sequence ids are positions in the hub; see [`Sequence::id`]. `None` for services
        /// that number the messages of each connection.
        run_id: Option<String>,
    },
    /// The last frame of a connection that the service ends.
    Disconnected {
        /// Why.
        message: String,
    },
    /// The outcome of a request that carried an ack id.
    Ack {
        /// The request's id.
        ack_id: u64,
        /// The outcome.
        outcome: Result<(), AckError>,
    },
    /// A message published to a group.
    GroupMessage {
        /// The group.
        group: Cow<'a, str>,
        /// `None` when the publisher is anonymous or a server.
        from_user_id: Option<Cow<'a, str>>,
        /// What was published.
        payload: Payload<'a>,
        /// Its numbers (reliable subprotocols).
        sequence: Option<Sequence>,
        /// Annotations, often none.
        metadata: Metadata,
        /// The stream that it belongs to, if it does.
        stream: Option<StreamInfo>,
    },
    /// A message from an application's server, not through a group.
    ServerMessage {
        /// What was sent.
        payload: Payload<'a>,
        /// Its numbers (reliable subprotocols).
        sequence: Option<Sequence>,
        /// Annotations, often none.
        metadata: Metadata,
    },
    /// How far a stream has got.
    StreamAck {
        /// The stream's name.
        stream_id: String,
        /// The number of the fragment expected next: everything before has been taken.
        expected_sequence_id: u64,
    },
    /// A fragment was not taken; the stream stays open.
    StreamNack {
        /// The stream's name.
        stream_id: String,
        /// The number to send again from.
        expected_sequence_id: u64,
        /// What was wrong; see [`crate::stream::fault`].
        error: AckError,
    },
    /// A stream has ended, or never began.
    StreamClosed {
        /// The stream's name.
        stream_id: String,
        /// `None` when its publisher ended it.
        error: Option<AckError>,
    },
    /// The answer to [`Request::Invoke`].
    InvokeResponse {
        /// The client's name for the invocation.
        invocation_id: String,
        /// What the application's server answered.
        outcome: Result<Option<Payload<'a>>, AckError>,
    },
    /// States of connections in a group.
    GroupStates {
        /// Name of the group.
        group: String,
        /// Whether these are all states, not only those that have changed.
        is_snapshot: bool,
        /// The states.
        items: Vec<GroupStateItem>,
    },
    /// The answer to [`Request::Ping`].
    Pong,
}

impl Response<'_> {
    /// The same response, owning what it holds. Copies only what was borrowed.
    #[must_use]
    pub fn into_owned(self) -> Response<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::GroupMessage { group, from_user_id, payload, sequence, metadata, stream } => {
                let (group, from_user_id) = (owned(group), from_user_id.map(owned));
                let payload = payload.into_owned();
                Response::GroupMessage { group, from_user_id, payload, sequence, metadata, stream }
            }
            Self::ServerMessage { payload, sequence, metadata } => {
                Response::ServerMessage { payload: payload.into_owned(), sequence, metadata }
            }
            Self::InvokeResponse { invocation_id, outcome } => {
                let outcome = outcome.map(|payload| payload.map(Payload::into_owned));
                Response::InvokeResponse { invocation_id, outcome }
            }
            Self::Connected { connection_id, user_id, reconnection_token, run_id } => {
                Response::Connected { connection_id, user_id, reconnection_token, run_id }
            }
            Self::Disconnected { message } => Response::Disconnected { message },
            Self::Ack { ack_id, outcome } => Response::Ack { ack_id, outcome },
            Self::StreamAck { stream_id, expected_sequence_id } => {
                Response::StreamAck { stream_id, expected_sequence_id }
            }
            Self::StreamNack { stream_id, expected_sequence_id, error } => {
                Response::StreamNack { stream_id, expected_sequence_id, error }
            }
            Self::StreamClosed { stream_id, error } => Response::StreamClosed { stream_id, error },
            Self::GroupStates { group, is_snapshot, items } => {
                Response::GroupStates { group, is_snapshot, items }
            }
            Self::Pong => Response::Pong,
        }
    }
}
