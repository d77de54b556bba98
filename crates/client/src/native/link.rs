//! What is under way towards the service: nothing, a negotiation, a WebSocket opening, or one open.

use std::{future::Future, pin::Pin};

use super::{
    negotiate::{NegotiateEndpoint, negotiate},
    transport::{Transport, TransportEvent},
};
use crate::{failure::ConnectFailure, negotiate::ServiceUrl};

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
    Opened,
    Refused(ConnectFailure),
    Text(String),
    Closed { code: u16, reason: String },
}

impl Link {
    pub(super) fn negotiating(endpoint: &NegotiateEndpoint) -> Self {
        Self::Negotiating(Box::pin(negotiate(endpoint.clone())))
    }

    pub(super) fn opening(url: ServiceUrl) -> Self {
        Self::Opening(Box::pin(Transport::open(url)))
    }

    /// Queues a text message. Only an open link has anything to send: the machine sees to that.
    pub(super) fn send(&mut self, frame: String) {
        if let Self::Open(transport) = self {
            transport.queue(frame);
        }
    }

    /// The next thing to happen. May be dropped and called again without loss.
    pub(super) async fn next(&mut self) -> LinkEvent {
        let event = match self {
            Self::Down => return std::future::pending().await,
            Self::Negotiating(attempt) => LinkEvent::Negotiated(attempt.await),
            Self::Opening(attempt) => match attempt.await {
                Ok(transport) => {
                    *self = Self::Open(Box::new(transport));
                    return LinkEvent::Opened;
                }
                Err(failure) => LinkEvent::Refused(failure),
            },
            Self::Open(transport) => match transport.next().await {
                TransportEvent::Text(text) => return LinkEvent::Text(text),
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
