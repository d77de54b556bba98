//! Identity of a connection: what everybody may know of it, and what never changes.

use std::{fmt, sync::Arc};

use crate::event_context::EventContext;

/// Connection id: 32 hexadecimal digits, 128 random bits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ConnectionId(Arc<str>);

impl ConnectionId {
    /// Creates a random id.
    ///
    /// # Errors
    /// If the operating system provides no randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bytes)).into()))
    }

    /// Returns the id as text.
    #[must_use]
    pub(crate) fn as_str(&self) -> &str {
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

/// Identity of a connection.
#[derive(Debug)]
pub struct ConnectionInfo {
    id: ConnectionId,
    user_id: Option<String>,
    subprotocol: Option<String>,
    event_context: EventContext,
}

impl ConnectionInfo {
    /// Creates the identity of a connection. `subprotocol` is the negotiated one, predefined or custom.
    #[must_use]
    pub(crate) fn new(
        id: ConnectionId,
        user_id: Option<String>,
        subprotocol: Option<String>,
        event_context: EventContext,
    ) -> Self {
        Self { id, user_id, subprotocol, event_context }
    }

    /// Returns the connection id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Returns the user id; `None` for an anonymous client.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user_id.as_deref()
    }

    /// Returns the name of the hub.
    #[must_use]
    pub fn hub(&self) -> &str {
        &self.event_context.hub
    }

    /// Returns the negotiated subprotocol, predefined or custom; `None` if there is none.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the state sent to event handlers with every event of the connection.
    #[must_use]
    pub(crate) fn event_context(&self) -> &EventContext {
        &self.event_context
    }
}
