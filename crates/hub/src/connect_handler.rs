//! The place of an application that has a say in who connects.
//!
//! Before a connection is accepted, its handler sees what the client brings (claims, query, offered subprotocols)
//! and answers: refuse, or accept as this user, in these groups, with these roles, speaking this subprotocol. Without
//! a handler, the token alone decides.

use std::{future::Future, pin::Pin};

use axum::http::{HeaderMap, StatusCode};
use webpubsub_protocol::{
    name::{GroupName, HubName},
    token::Claims,
};

use crate::connection::ConnectionId;

/// What a client brings.
#[derive(Debug)]
pub struct ConnectRequest<'a> {
    /// The hub it wants to connect to.
    pub hub: &'a HubName,
    /// The id that the connection will have.
    pub connection_id: &'a ConnectionId,
    /// What its token says.
    pub claims: &'a Claims,
    /// The query of its request, without the token: names and values as they stand, percent-decoded.
    pub query: &'a [(String, String)],
    /// The headers of its request, without credentials.
    pub headers: &'a HeaderMap,
    /// The subprotocols it offers, predefined or not, in its order.
    pub subprotocols: &'a [String],
}

/// What an accepted connection is to be. `None` leaves what the token says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConnectAnswer {
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
pub struct ConnectRefusal(pub StatusCode);

/// The answer, when it is there.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<ConnectAnswer, ConnectRefusal>> + Send + 'a>>;

/// An application that has a say.
pub trait ConnectHandler: Send + Sync {
    /// Decides on a connection before it is accepted.
    fn connect<'a>(&'a self, request: ConnectRequest<'a>) -> Answering<'a>;
}
