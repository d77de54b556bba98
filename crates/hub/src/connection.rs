//! One client's standing with the service.

use std::{fmt, sync::Arc};

use webpubsub_protocol::role::Permissions;

use crate::outbox::Outbox;

/// The service's name for a connection: 32 hexadecimal digits that nobody can guess.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(Arc<str>);

impl ConnectionId {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bytes)).into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for ConnectionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// How messages look to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireFormat {
    /// Payloads alone, without envelopes: a simple WebSocket client.
    Simple,
    /// `json.webpubsub.azure.v1`.
    Json,
}

/// A connected client, as hub and session see it.
#[derive(Debug)]
pub struct Connection {
    /// The service's name for it.
    pub id: ConnectionId,
    /// Who it is; `None` for an anonymous client.
    pub user_id: Option<String>,
    /// How messages look to it.
    pub format: WireFormat,
    /// What it may do.
    pub permissions: Permissions,
    /// What waits to be written to it.
    pub outbox: Outbox,
}
