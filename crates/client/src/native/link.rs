//! What is under way towards the service: nothing, a negotiation, a WebSocket opening, or one open.

use std::{future::Future, pin::Pin};

use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};
use webpubsub_protocol::subprotocol::Subprotocol;

use super::{
    negotiate::{NegotiateEndpoint, negotiate},
    transport::{Transport, TransportEvent},
};
use crate::{codec::Frame, failure::ConnectFailure, negotiate::ServiceUrl};

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
    pub(super) fn negotiating(endpoint: &NegotiateEndpoint) -> Self {
        Self::Negotiating(Box::pin(negotiate(endpoint.clone())))
    }

    pub(super) fn opening(url: ServiceUrl, subprotocols: Vec<Subprotocol>) -> Self {
        Self::Opening(Box::pin(Transport::open(url, subprotocols)))
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
    pub(super) async fn close(self) {
        if let Self::Open(transport) = self {
            transport.close().await;
        }
    }
}
