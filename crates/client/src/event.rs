//! What a client tells its application.

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

/// One thing that happened, in order. A driver hands these to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A connection is being made: a URL is negotiated, then a WebSocket opened.
    Connecting,
    /// The service accepted the connection. Comes once per new connection, never for a recovery.
    Connected {
        /// The service's name for this connection.
        connection_id: String,
        /// Who the service thinks we are; `None` for an anonymous client.
        user_id: Option<String>,
        /// What the service chose of what was offered.
        subprotocol: Subprotocol,
        /// Access to earlier messages. `None` for services without a history.
        history: Option<HistoryAccess>,
    },
    /// The connection's WebSocket is gone, and the connection is being taken up again on another: nothing is lost yet.
    /// [`ClientEvent::Recovered`] or [`ClientEvent::Disconnected`] follows.
    Recovering {
        /// What happened to the WebSocket.
        reason: Disconnect,
    },
    /// The connection goes on as if nothing had been: same id, same groups, no message lost, none repeated.
    Recovered,
    /// Messages may be missing here: the application had better say so than pretend. Comes in its place in the order
    /// of messages.
    Gap {
        /// How many numbers were skipped within one connection, some of which may belong to messages that expired on
        /// their way. `None` after a new connection took the place of a lost one: nobody knows how many.
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
        /// The service's words.
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
        /// Who published; `None` when anonymous or a server.
        from_user_id: Option<String>,
        /// What was published.
        payload: Payload<'static>,
        /// Sequence id of the message; `None` on plain subprotocols.
        sequence_id: Option<u64>,
        /// Annotations, often none.
        metadata: Metadata,
        /// Where in a stream it belongs, if it does. The terminal message of a stream has an empty payload.
        stream: Option<StreamInfo>,
    },
    /// An application server sent something to this connection, not through a group.
    ServerMessage {
        /// What was sent.
        payload: Payload<'static>,
        /// Annotations, often none.
        metadata: Metadata,
    },
    /// Messages that a lost connection left unacknowledged are sent again on a new one, which knows nothing of what the
    /// old one carried out. Those whose acknowledgement alone was lost reach the group twice. Never after a recovery.
    Resending {
        /// How many messages.
        messages: usize,
    },
    /// A connection that had been made is gone for good.
    Disconnected {
        /// Why, as far as known.
        reason: Disconnect,
    },
    /// No connection could be made, or a lost one not be taken up again at this attempt.
    /// [`ClientEvent::RetryScheduled`], [`ClientEvent::Disconnected`] or, after a
    /// [permanent failure](ConnectFailure#temporary-and-permanent-failures), [`ClientEvent::Stopped`] follows.
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
