//! Upstream event handlers: accept or reject connections, answer events.
//!
//! Before a connection is accepted, the handler receives the claims, the query and the offered subprotocols of the
//! client, and rejects the connection, or accepts it and sets user, groups, roles and subprotocol. Later it answers the
//! client's events, and is notified when a connection starts and ends. Without a handler, the token alone decides, and
//! every event fails.
//!
//! [`http`] implements the handler of the cloud service, which calls application servers over HTTP.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::http::{HeaderMap, StatusCode};
use webpubsub_protocol::{
    message::Metadata,
    name::{EventName, GroupName, HubName},
    payload::Payload,
    token::Claims,
};

use crate::{
    event_context::EventContext,
    identity::{ConnectionId, ConnectionInfo},
};

pub mod http;

/// Connection request of a client.
#[derive(Debug)]
pub struct ConnectRequest<'a> {
    /// Requested hub.
    pub hub: &'a HubName,
    /// Id of the future connection.
    pub connection_id: &'a ConnectionId,
    /// Claims of the access token; empty for an anonymous client.
    pub claims: &'a Claims,
    /// Query parameters without the access token, percent-decoded, in their order.
    pub query: &'a [(String, String)],
    /// Headers of the request without credentials.
    pub headers: &'a HeaderMap,
    /// Subprotocols that the client offers, predefined or custom, in its order.
    pub subprotocols: &'a [String],
    /// State sent with every event of the connection.
    pub event_context: &'a EventContext,
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

/// Rejection of a connection, with the HTTP status of the handshake response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectRejection(pub StatusCode);

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

/// Future of a handler's answer.
pub type HandlerFuture<'a, A> = Pin<Box<dyn Future<Output = A> + Send + 'a>>;

/// Upstream event handler.
pub trait EventHandler: Send + Sync {
    /// Accepts or rejects a connection. The default accepts it.
    fn connect<'a>(
        &'a self,
        request: ConnectRequest<'a>,
    ) -> HandlerFuture<'a, Result<ConnectResponse, ConnectRejection>> {
        let _ = request;
        Box::pin(async { Ok(ConnectResponse::default()) })
    }

    /// Answers an event. The next message of the connection waits for the answer. The default fails.
    fn event<'a>(
        &'a self,
        connection: &'a ConnectionInfo,
        event: &'a UserEvent,
    ) -> HandlerFuture<'a, Result<Option<EventReply>, EventError>> {
        let _ = (connection, event);
        Box::pin(async { Err(EventError::NoHandler) })
    }

    /// Notifies the handler of a new connection. Must not block.
    fn connected(&self, connection: &Arc<ConnectionInfo>) {
        let _ = connection;
    }

    /// Notifies the handler of the end of a connection, after [`EventHandler::connected`]. Must not block.
    fn disconnected(&self, connection: &Arc<ConnectionInfo>, reason: &str) {
        let _ = (connection, reason);
    }
}
