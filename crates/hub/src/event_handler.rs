//! Upstream event handlers: accept or reject connections, answer events.
//!
//! Before a connection is accepted, the handler receives the claims, the query and the offered subprotocols of the
//! client, and rejects the connection, or accepts it and sets user, groups, roles and subprotocol. Later it answers the
//! client's events, and is notified when a connection starts and ends. Without a handler, the token alone decides, and
//! every event fails.
//!
//! [`crate::http_handlers`] implements the handler of the cloud service, which calls application servers over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use webpubsub_protocol::{
    message::Metadata,
    name::{EventName, GroupName},
    payload::Payload,
    token::Claims,
};

use crate::{event_context::EventContext, identity::ConnectionInfo};

/// Connection request of a client.
#[derive(Debug)]
pub struct ConnectRequest<'a> {
    /// Requested hub.
    pub hub: &'a str,
    /// Id of the future connection.
    pub connection_id: &'a str,
    /// Claims of the access token; empty for an anonymous client.
    pub claims: &'a Claims,
    /// Query parameters without the access token, percent-decoded, in their order.
    pub query: &'a [(String, String)],
    /// Headers of the request without credentials. Their names are spelled as the client has sent them if the request has
    /// [`SentHeaderNames`](crate::SentHeaderNames), else in lower case. A repeated header is repeated.
    pub headers: &'a [(String, String)],
    /// Subprotocols that the client offers, predefined or custom, in its order.
    pub subprotocols: &'a [String],
    /// State sent with every event of the connection.
    pub(crate) event_context: &'a EventContext,
}

/// Acceptance of a connection. Fields that are `None` leave the values of the token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectResponse {
    /// User id.
    pub user_id: Option<String>,
    /// Initial groups.
    pub groups: Option<Vec<GroupName>>,
    /// Roles.
    pub roles: Option<Vec<String>>,
    /// Subprotocol, one of those offered. A custom one makes a simple client.
    pub subprotocol: Option<String>,
}

/// Rejection of a connection: the HTTP response of the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectRejection {
    status: u16,
    body: Option<RejectionBody>,
}

/// Body of a rejection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RejectionBody {
    pub(crate) content_type: Option<String>,
    pub(crate) bytes: Bytes,
}

impl ConnectRejection {
    /// Creates a rejection with a status from 300 on, and a body that says that the event handler rejected the connection.
    /// Any other status becomes 500: it would not end the handshake.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { status: if (300..1000).contains(&status) { status } else { 500 }, body: None }
    }

    /// Sets the body that the client receives.
    #[must_use]
    pub fn with_body(mut self, content_type: Option<String>, bytes: impl Into<Bytes>) -> Self {
        self.body = Some(RejectionBody { content_type, bytes: bytes.into() });
        self
    }

    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the body that the handler has set.
    pub(crate) fn body(&self) -> Option<&RejectionBody> {
        self.body.as_ref()
    }
}

/// Event of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserEvent {
    /// Name of the event; `message` for the messages of a simple client.
    pub name: EventName,
    /// Data of the event.
    pub payload: Payload<'static>,
    /// Metadata, often empty.
    pub metadata: Metadata,
}

/// Answer to an event, sent to the client that raised it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventReply {
    /// Data of the answer.
    pub payload: Payload<'static>,
    /// Metadata, often empty.
    pub metadata: Metadata,
}

impl From<Payload<'static>> for EventReply {
    /// Creates a reply without metadata.
    fn from(payload: Payload<'static>) -> Self {
        Self { payload, metadata: Metadata::new() }
    }
}

/// Failure of an event. The client receives a general error without this cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// No handler is configured for the event.
    #[error("no event handler is configured for this event")]
    NoHandler,
    /// The handler failed, for this reason.
    #[error("the event handler failed: {0}")]
    Failed(String),
}

/// Upstream event handler.
#[async_trait]
pub trait EventHandler: Send + Sync {
    /// Accepts or rejects a connection. The default accepts it.
    async fn connect(&self, request: &ConnectRequest<'_>) -> Result<ConnectResponse, ConnectRejection> {
        let _ = request;
        Ok(ConnectResponse::default())
    }

    /// Whether [`EventHandler::connect`] may reject clients of `hub`, or change their permissions. If so, an access token alone
    /// does not give access to the history of the hub's groups. The default is `true`.
    fn decides_on_connections(&self, hub: &str) -> bool {
        let _ = hub;
        true
    }

    /// Answers an event. The next message of the connection waits for the answer. The default fails.
    async fn event(
        &self,
        connection: &ConnectionInfo,
        event: &UserEvent,
    ) -> Result<Option<EventReply>, EventError> {
        let _ = (connection, event);
        Err(EventError::NoHandler)
    }

    /// Notifies the handler of a new connection. Must not block: work that takes longer belongs into a task.
    fn connected(&self, connection: &Arc<ConnectionInfo>) {
        let _ = connection;
    }

    /// Notifies the handler that a connection has joined a group, by whatever means; groups that it has from the start come
    /// before [`EventHandler::connected`]. Must not block.
    fn group_joined(&self, connection: &Arc<ConnectionInfo>, group: &GroupName) {
        let _ = (connection, group);
    }

    /// Notifies the handler that a connection has left a group. Those of a connection that ends come before
    /// [`EventHandler::disconnected`]. Must not block.
    fn group_left(&self, connection: &Arc<ConnectionInfo>, group: &GroupName) {
        let _ = (connection, group);
    }

    /// Notifies the handler of the end of a connection, after [`EventHandler::connected`]. Must not block.
    fn disconnected(&self, connection: &Arc<ConnectionInfo>, reason: &str) {
        let _ = (connection, reason);
    }
}
