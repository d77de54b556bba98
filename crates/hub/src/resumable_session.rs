//! Session of a reliable connection, which outlives its sockets.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use subtle::ConstantTimeEq;
use tokio::time::Instant;
use webpubsub_protocol::{message::Response as Message, name::HubName};

use crate::{
    admission::ConnectionPermit,
    connection::{ClientConnection, ConnectionId},
    session::Session,
};

/// Token that recovers a reliable connection on a further socket.
#[derive(Debug)]
pub(crate) struct ReconnectionToken {
    text: String,
    lifetime: Duration,
    /// `None` if it never expires.
    expires_at: Mutex<Option<Instant>>,
}

impl ReconnectionToken {
    /// Lifetime of a token unless the access token of the client has another (client specification: about a week).
    pub(crate) const DEFAULT_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// Creates a token of 256 random bits.
    pub(crate) fn random(lifetime: Duration, now: Instant) -> Result<Self, getrandom::Error> {
        let (first, second) = (ConnectionId::random()?, ConnectionId::random()?);
        let expires_at = Mutex::new(now.checked_add(lifetime));
        Ok(Self { text: format!("{first}{second}"), lifetime, expires_at })
    }

    /// Returns the token as text.
    pub(crate) fn text(&self) -> String {
        self.text.clone()
    }

    /// Returns whether `text` is this token, and has not expired. Compares in constant time.
    fn is_valid(&self, text: &str, now: Instant) -> bool {
        let expires_at = *self.expires_at.lock().unwrap_or_else(PoisonError::into_inner);
        bool::from(self.text.as_bytes().ct_eq(text.as_bytes())) && expires_at.is_none_or(|at| now < at)
    }

    /// Starts the lifetime again, as the token is sent again.
    fn renew(&self, now: Instant) {
        *self.expires_at.lock().unwrap_or_else(PoisonError::into_inner) = now.checked_add(self.lifetime);
    }
}

/// Session of a reliable connection, with or without a socket.
pub(crate) struct ResumableSession {
    hub: HubName,
    pub(crate) connection: Arc<ClientConnection>,
    token: ReconnectionToken,
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
        token: ReconnectionToken,
        run_id: Arc<str>,
        permit: ConnectionPermit,
    ) -> Arc<Self> {
        let connection = Arc::clone(session.connection());
        let session = tokio::sync::Mutex::new(session);
        Arc::new(Self { hub, connection, token, run_id, session, _permit: permit })
    }

    pub(crate) fn id(&self) -> &ConnectionId {
        &self.connection.id
    }

    /// Returns the subprotocol, which stays the same on every socket.
    pub(crate) fn protocol(&self) -> Option<&'static str> {
        self.connection.protocol()
    }

    /// Returns whether `token` recovers this session, in this hub, at `now`.
    pub(crate) fn is_valid_recovery(&self, hub: &HubName, token: &str, now: Instant) -> bool {
        self.token.is_valid(token, now) && self.hub == *hub && !self.connection.has_ended()
    }

    /// Returns the first message of a socket. The documentation promises it on the first socket only, but the official
    /// JavaScript client resumes its streams only if it arrives on further sockets, too. Its token is valid for
    /// its whole lifetime again.
    pub(crate) fn connected_message(&self, now: Instant) -> Message<'static> {
        self.token.renew(now);
        Message::Connected {
            connection_id: self.connection.id.as_str().to_owned(),
            user_id: self.connection.user_id().map(str::to_owned),
            reconnection_token: Some(self.token.text()),
            run_id: Some(self.run_id.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_expires_and_its_lifetime_starts_again_when_it_is_sent_again() {
        let (start, lifetime) = (Instant::now(), Duration::from_secs(60));
        let token = ReconnectionToken::random(lifetime, start).unwrap();
        let last_moment = start + lifetime - Duration::from_millis(1);
        assert!(
            token.is_valid(&token.text(), last_moment) && !token.is_valid(&token.text(), start + lifetime)
        );
        assert!(!token.is_valid("", start) && !token.is_valid(&"0".repeat(64), start));
        token.renew(last_moment);
        assert!(token.is_valid(&token.text(), start + lifetime));
        let endless = ReconnectionToken::random(Duration::MAX, start).unwrap();
        assert!(endless.is_valid(&endless.text(), start + ReconnectionToken::DEFAULT_LIFETIME));
    }
}
