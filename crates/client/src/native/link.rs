//! What is under way towards the service: nothing, a negotiation, a WebSocket opening, or one open.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};
use webpubsub_protocol::subprotocol::Subprotocol;

use super::{
    negotiate::negotiate,
    network::Network,
    transport::{Transport, TransportEvent},
};
use crate::{
    codec::Frame, failure::ConnectFailure, negotiate::ServiceUrl, service_endpoint::ServiceEndpoint,
};

type Attempt<T> = Pin<Box<dyn Future<Output = Result<T, ConnectFailure>> + Send>>;

#[derive(Default)]
pub(super) enum Link {
    #[default]
    Down,
    Negotiating(Attempt<ServiceUrl>),
    Opening(Attempt<Transport>),
    Open(Box<Transport>),
}

pub(super) enum LinkEvent {
    Negotiated(Result<ServiceUrl, ConnectFailure>),
    Opened { subprotocol: Option<Subprotocol> },
    Refused(ConnectFailure),
    Text(Utf8Bytes),
    Binary(Bytes),
    Closed { code: u16, reason: String },
}

impl Link {
    pub(super) fn negotiating(endpoint: &ServiceEndpoint, network: &Arc<Network>) -> Self {
        let (endpoint, network) = (endpoint.clone(), Arc::clone(network));
        Self::Negotiating(Box::pin(async move { negotiate(&endpoint, &network).await }))
    }

    pub(super) fn opening(url: ServiceUrl, subprotocols: Vec<Subprotocol>, network: &Arc<Network>) -> Self {
        let network = Arc::clone(network);
        Self::Opening(Box::pin(async move { Transport::open(url, subprotocols, &network).await }))
    }

    /// Whether the socket keeps up with what is queued. What is not open has nothing queued.
    pub(super) fn has_room(&self) -> bool {
        match self {
            Self::Open(transport) => transport.has_room(),
            _ => true,
        }
    }

    /// Queues a message. Only an open link has anything to send: the machine sees to that.
    pub(super) fn send(&mut self, frame: Frame) {
        if let Self::Open(transport) = self {
            transport.queue(frame);
        }
    }

    /// The next thing to happen. An open link is written to meanwhile, and read only if `may_read`. May be dropped and
    /// called again without loss.
    pub(super) async fn next(&mut self, may_read: bool) -> LinkEvent {
        let event = match self {
            Self::Down => return std::future::pending().await,
            Self::Negotiating(attempt) => LinkEvent::Negotiated(attempt.await),
            Self::Opening(attempt) => match attempt.await {
                Ok(transport) => {
                    let subprotocol = transport.subprotocol();
                    *self = Self::Open(Box::new(transport));
                    return LinkEvent::Opened { subprotocol };
                }
                Err(failure) => LinkEvent::Refused(failure),
            },
            Self::Open(transport) => match transport.next(may_read).await {
                TransportEvent::Text(text) => return LinkEvent::Text(text),
                TransportEvent::Binary(bytes) => return LinkEvent::Binary(bytes),
                TransportEvent::Closed { code, reason } => LinkEvent::Closed { code, reason },
            },
        };
        *self = Self::Down;
        event
    }

    /// Ends whatever was under way.
    pub(super) async fn close(self, timeout: Duration) {
        if let Self::Open(transport) = self {
            transport.close(timeout).await;
        }
    }
}
