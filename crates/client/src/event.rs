//! Events of a client.

use std::time::Duration;

use webpubsub_protocol::{
    message::{AckError, Metadata},
    name::GroupName,
    payload::Payload,
    stream::StreamInfo,
    subprotocol::Subprotocol,
};

use crate::{
    failure::{ConnectFailure, Disconnect},
    history::HistoryAccess,
};

/// Event of a client. They are reported in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A connection is being made: a URL is negotiated, then a WebSocket opened.
    Connecting,
    /// The service accepted the connection. Comes once per new connection, never for a recovery.
    Connected {
        /// Id that the service gave the connection.
        connection_id: String,
        /// Id of the user; `None` for an anonymous client.
        user_id: Option<String>,
        /// Subprotocol that the service chose of those that were offered.
        subprotocol: Subprotocol,
        /// Access to earlier messages. `None` for services without a history.
        history: Option<HistoryAccess>,
    },
    /// The WebSocket was lost, and the connection is being recovered on another one: nothing is lost yet.
    /// [`ClientEvent::Recovered`] or [`ClientEvent::Disconnected`] follows.
    Recovering {
        /// Reason of the loss.
        reason: Disconnect,
    },
    /// The connection was recovered: same id, same groups, no message lost, none repeated.
    Recovered,
    /// Messages may be missing here. Has its place in the order of messages.
    Gap {
        /// Number of sequence ids that were skipped within one connection, some of which may belong to messages that
        /// expired. `None` after a new connection replaced a lost one: the number is unknown.
        messages: Option<u64>,
    },
    /// The connection is now a member of `group`. Comes again after each new connection.
    Joined {
        /// The group joined.
        group: GroupName,
    },
    /// The service refused to let the connection into `group`. It is not asked again on this connection.
    JoinRefused {
        /// The group asked for.
        group: GroupName,
        /// Error of the service.
        error: AckError,
    },
    /// The connection is no member of `group` any more, as the application asked.
    Left {
        /// The group left.
        group: GroupName,
    },
    /// Someone published to a group that this connection is a member of.
    GroupMessage {
        /// The group published to.
        group: String,
        /// Id of the user who published it; `None` for an anonymous client or a server.
        from_user_id: Option<String>,
        /// Payload.
        payload: Payload<'static>,
        /// Sequence id of the message; `None` on plain subprotocols.
        sequence_id: Option<u64>,
        /// Annotations, often none.
        metadata: Metadata,
        /// Place in a stream, if it belongs to one. The last message of a stream has an empty payload.
        stream: Option<StreamInfo>,
    },
    /// An application server sent something to this connection, not through a group.
    ServerMessage {
        /// Payload.
        payload: Payload<'static>,
        /// Annotations, often none.
        metadata: Metadata,
    },
    /// Messages that a lost connection left unacknowledged are sent again on a new one, which knows nothing of what the
    /// old one carried out. Those whose acknowledgement alone was lost reach the group twice. Never after a recovery.
    Resending {
        /// Number of messages.
        messages: usize,
    },
    /// A connection is lost for good.
    Disconnected {
        /// Reason, as far as known.
        reason: Disconnect,
    },
    /// An attempt to connect, or to recover a connection, failed.
    /// [`ClientEvent::RetryScheduled`], [`ClientEvent::Disconnected`] or, after a
    /// [permanent failure](ConnectFailure#temporary-and-permanent-failures), [`ClientEvent::Stopped`] follows.
    ConnectFailed {
        /// Reason.
        failure: ConnectFailure,
    },
    /// The next attempt to connect comes after this pause.
    RetryScheduled {
        /// The pause.
        after: Duration,
    },
    /// No further attempt will be made: the last event of a client.
    Stopped,
}
