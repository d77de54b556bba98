//! The place of an application that has a say: who connects, and what comes of events.
//!
//! Before a connection is accepted, the handler sees what the client brings (claims, query, offered subprotocols) and
//! answers: refuse, or accept as this user, in these groups, with these roles, speaking this subprotocol. Later it
//! answers the client's events, and hears that connections began and ended. Without a handler, the token alone
//! decides, and every event fails.
//!
//! [`http`] is the handler of the cloud service: it asks application servers over HTTP.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::http::{HeaderMap, StatusCode};
use webpubsub_protocol::{
    message::Metadata,
    name::{EventName, GroupName, HubName},
    payload::Payload,
    token::Claims,
};

use crate::connection::{ClientConnection, ConnectionId};

pub mod http;
mod trail;

pub use trail::EventContext;

/// What a client brings.
#[derive(Debug)]
pub struct ConnectRequest<'a> {
    /// The hub it wants to connect to.
    pub hub: &'a HubName,
    /// The id that the connection will have.
    pub connection_id: &'a ConnectionId,
    /// What its token says; empty for a client without one, where such are let in.
    pub claims: &'a Claims,
    /// The query of its request, without the token: names and values as they stand, percent-decoded.
    pub query: &'a [(String, String)],
    /// The headers of its request, without credentials.
    pub headers: &'a HeaderMap,
    /// The subprotocols it offers, predefined or not, in its order.
    pub subprotocols: &'a [String],
    /// What goes along with every event of the connection.
    pub event_context: &'a EventContext,
}

/// What an accepted connection is to be. `None` leaves what the token says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectResponse {
    /// Who the client is.
    pub user_id: Option<String>,
    /// The groups it is put into.
    pub groups: Option<Vec<GroupName>>,
    /// What it may do.
    pub roles: Option<Vec<String>>,
    /// The subprotocol to speak, one of those offered. A name that is not predefined makes a simple client.
    pub subprotocol: Option<String>,
}

/// The application wants no such connection: the HTTP status that tells the client so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectRejection(pub StatusCode);

/// An event that a client raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserEvent {
    /// Its name; `message` for what a simple client sends.
    pub name: EventName,
    /// Its data.
    pub payload: Payload<'static>,
    /// Annotations, often none.
    pub metadata: Metadata,
}

/// What the application answers an event with, for the client that raised it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventReply {
    /// The data.
    pub payload: Payload<'static>,
    /// Annotations, often none.
    pub metadata: Metadata,
}

/// Why an event came to nothing. The client learns only that it did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Nobody handles such events.
    #[error("no event handler takes this event")]
    NoHandler,
    /// The handler failed.
    #[error("the event handler failed: {0}")]
    Failed(String),
}

/// An answer, when it is there.
pub type HandlerFuture<'a, A> = Pin<Box<dyn Future<Output = A> + Send + 'a>>;

/// An application that has a say.
pub trait EventHandler: Send + Sync {
    /// Decides on a connection before it is accepted.
    fn connect<'a>(
        &'a self,
        request: ConnectRequest<'a>,
    ) -> HandlerFuture<'a, Result<ConnectResponse, ConnectRejection>> {
        let _ = request;
        Box::pin(async { Ok(ConnectResponse::default()) })
    }

    /// Answers an event of a connection. Its next event waits for the answer.
    fn event<'a>(
        &'a self,
        connection: &'a ClientConnection,
        event: &'a UserEvent,
    ) -> HandlerFuture<'a, Result<Option<EventReply>, EventError>> {
        let _ = (connection, event);
        Box::pin(async { Err(EventError::NoHandler) })
    }

    /// A connection has begun. Must not block.
    fn connected(&self, connection: &Arc<ClientConnection>) {
        let _ = connection;
    }

    /// A connection that had begun has ended for good. Must not block.
    fn disconnected(&self, connection: &Arc<ClientConnection>, reason: &str) {
        let _ = (connection, reason);
    }
}
