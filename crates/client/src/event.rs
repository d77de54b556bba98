//! What a client tells its application.

use std::time::Duration;

use webpubsub_protocol::{message::AckError, name::GroupName, payload::Payload};

use crate::failure::{ConnectFailure, Disconnect};

/// One thing that happened, in order. A driver hands these to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A connection is being made: a URL is negotiated, then a WebSocket opened.
    Connecting,
    /// The service accepted the connection. Comes once per new connection.
    Connected {
        /// The service's name for this connection.
        connection_id: String,
        /// Who the service thinks we are; `None` for an anonymous client.
        user_id: Option<String>,
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
        /// The service's words.
        error: AckError,
    },
    /// Someone published to a group that this connection is a member of.
    GroupMessage {
        /// The group published to.
        group: String,
        /// Who published; `None` when anonymous or a server.
        from_user_id: Option<String>,
        /// What was published.
        payload: Payload<'static>,
    },
    /// An application server sent something to this connection, not through a group.
    ServerMessage {
        /// What was sent.
        payload: Payload<'static>,
    },
    /// Messages that an earlier connection left unacknowledged are sent again. Those whose acknowledgement alone was
    /// lost reach the group twice.
    Resending {
        /// How many messages.
        messages: usize,
    },
    /// A connection that had been made is gone.
    Disconnected {
        /// Why, as far as known.
        reason: Disconnect,
    },
    /// No connection could be made.
    ConnectFailed {
        /// Why not.
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
