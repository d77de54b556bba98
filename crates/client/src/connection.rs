//! A connection as the service knows it: it may outlive its WebSocket.

use std::fmt;

use webpubsub_protocol::subprotocol::Subprotocol;

use crate::{liveness::Liveness, moment::Moment, negotiate::ServiceUrl, sequence::SequenceTracker};

/// What is known of a connection that the service has greeted.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The URL it was opened with.
    pub(crate) url: ServiceUrl,
    pub(crate) subprotocol: Subprotocol,
    pub(crate) id: String,
    /// What it can be recovered with. Reliable subprotocols only.
    pub(crate) token: Option<ReconnectionToken>,
    pub(crate) connected_at: Moment,
    pub(crate) liveness: Liveness,
    pub(crate) sequence: SequenceTracker,
    /// The service's words before it closes.
    pub(crate) farewell: Option<String>,
    /// When the last recovery attempt began, so that one that succeeds and fails in turn does not become a storm.
    pub(crate) recovered_at: Option<Moment>,
}

/// A secret, with which the connection can be taken over.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReconnectionToken(pub(crate) String);

impl fmt::Debug for ReconnectionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReconnectionToken(…)")
    }
}

impl Connection {
    /// Where to recover it; `None` when it cannot be.
    pub(crate) fn recovery_url(&self) -> Option<ServiceUrl> {
        let token = self.token.as_ref()?;
        Some(self.url.for_recovery(&self.id, &token.0))
    }
}
