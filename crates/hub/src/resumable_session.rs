//! Session of a reliable connection, which outlives its sockets.

use std::sync::Arc;

use subtle::ConstantTimeEq;
use webpubsub_protocol::{message::Response as Message, name::HubName};

use crate::{
    admission::ConnectionPermit,
    connection::{ClientConnection, ConnectionId},
    session::Session,
};

/// Session of a reliable connection, with or without a socket.
pub(crate) struct ResumableSession {
    hub: HubName,
    pub(crate) connection: Arc<ClientConnection>,
    token: String,
    run_id: Arc<str>,
    /// Held by the task of the current socket.
    pub(crate) session: tokio::sync::Mutex<Session>,
    _permit: ConnectionPermit,
}

impl ResumableSession {
    /// Creates the session of a connection in the run `run_id` of the service.
    pub(crate) fn new(
        hub: HubName,
        session: Session,
        token: String,
        run_id: Arc<str>,
        permit: ConnectionPermit,
    ) -> Arc<Self> {
        let connection = Arc::clone(session.connection());
        let session = tokio::sync::Mutex::new(session);
        Arc::new(Self { hub, connection, token, run_id, session, _permit: permit })
    }

    /// Creates a reconnection token: 256 random bits.
    pub(crate) fn new_token() -> Result<String, getrandom::Error> {
        let (first, second) = (ConnectionId::random()?, ConnectionId::random()?);
        Ok(format!("{first}{second}"))
    }

    pub(crate) fn id(&self) -> &ConnectionId {
        &self.connection.id
    }

    /// Returns the subprotocol, which stays the same on every socket.
    pub(crate) fn protocol(&self) -> Option<&'static str> {
        self.connection.protocol()
    }

    /// Returns whether `token` is the reconnection token of this session, in this hub. Compares in constant time.
    pub(crate) fn is_valid_recovery(&self, hub: &HubName, token: &str) -> bool {
        let is_right = bool::from(self.token.as_bytes().ct_eq(token.as_bytes()));
        is_right && self.hub == *hub && !self.connection.has_ended()
    }

    /// Returns the first message of a socket. The documentation promises it on the first socket only, but the official
    /// JavaScript client resumes its streams only if it arrives on further sockets, too.
    pub(crate) fn connected_message(&self) -> Message<'static> {
        Message::Connected {
            connection_id: self.connection.id.as_str().to_owned(),
            user_id: self.connection.user_id().map(str::to_owned),
            reconnection_token: Some(self.token.clone()),
            run_id: Some(self.run_id.to_string()),
        }
    }
}
