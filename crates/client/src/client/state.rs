//! State of the connection.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use tokio::sync::watch;
use webpubsub_protocol::subprotocol::Subprotocol;

use crate::{
    event::ClientEvent,
    failure::{ConnectFailure, Disconnect},
    history::HistoryAccess,
    platform::BoxFuture,
};

/// Connection that the service has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionDetails {
    /// Id that the service gave the connection.
    pub connection_id: String,
    /// Id of the user; `None` for an anonymous client.
    pub user_id: Option<String>,
    /// Subprotocol that the service chose.
    pub subprotocol: Subprotocol,
    /// Access to the history of groups. `None` if the service has none.
    pub history: Option<HistoryAccess>,
}

/// State of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientState {
    /// A connection is being opened.
    Connecting,
    /// There is a connection.
    Connected(ConnectionDetails),
    /// The WebSocket was lost, and the connection is being recovered. Nothing is lost so far.
    Recovering {
        /// The connection.
        connection: ConnectionDetails,
        /// Reason of the loss.
        reason: Disconnect,
    },
    /// There is no connection, and the next attempt follows after a pause.
    Waiting {
        /// Reason why the last attempt failed, or why the connection was lost. `None` until it is known.
        failure: Option<ConnectFailure>,
    },
    /// The client has stopped: it was closed or refused, or gave up.
    Stopped {
        /// Last failure to connect; `None` for a client that was closed while it was connected.
        failure: Option<ConnectFailure>,
    },
}

impl ClientState {
    /// Returns the connection, also while it is being recovered.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionDetails> {
        match self {
            Self::Connected(connection) | Self::Recovering { connection, .. } => Some(connection),
            _ => None,
        }
    }

    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected(_))
    }

    /// Whether the client has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped { .. })
    }

    /// Returns the events that lead to this state, for an observer that comes later.
    #[must_use]
    pub fn events(&self) -> Vec<ClientEvent> {
        let connected = |connection: &ConnectionDetails| {
            let ConnectionDetails { connection_id, user_id, subprotocol, history } = connection.clone();
            ClientEvent::Connected { connection_id, user_id, subprotocol, history }
        };
        let failed = |failure: &ConnectFailure| ClientEvent::ConnectFailed { failure: failure.clone() };
        match self {
            Self::Connecting => vec![ClientEvent::Connecting],
            Self::Connected(connection) => vec![connected(connection)],
            Self::Recovering { connection, reason } => {
                vec![connected(connection), ClientEvent::Recovering { reason: reason.clone() }]
            }
            Self::Waiting { failure } => {
                let mut events = vec![ClientEvent::Connecting];
                events.extend(failure.as_ref().map(failed));
                events
            }
            Self::Stopped { failure } => {
                let mut events: Vec<_> = failure.as_ref().map(failed).into_iter().collect();
                events.push(ClientEvent::Stopped);
                events
            }
        }
    }

    /// Returns the state after an event; `None` if it stays the same.
    pub(super) fn after(&self, event: &ClientEvent) -> Option<Self> {
        Some(match event {
            ClientEvent::Connecting => Self::Connecting,
            ClientEvent::Connected { connection_id, user_id, subprotocol, history } => {
                Self::Connected(ConnectionDetails {
                    connection_id: connection_id.clone(),
                    user_id: user_id.clone(),
                    subprotocol: *subprotocol,
                    history: history.clone(),
                })
            }
            ClientEvent::Recovering { reason } => {
                Self::Recovering { connection: self.connection()?.clone(), reason: reason.clone() }
            }
            ClientEvent::Recovered => Self::Connected(self.connection()?.clone()),
            ClientEvent::Disconnected { .. } => Self::Waiting { failure: None },
            ClientEvent::ConnectFailed { failure } if !matches!(self, Self::Recovering { .. }) => {
                Self::Waiting { failure: Some(failure.clone()) }
            }
            ClientEvent::Stopped => Self::Stopped {
                failure: match self {
                    Self::Waiting { failure } => failure.clone(),
                    _ => None,
                },
            },
            _ => return None,
        })
    }
}

/// Watch of a client's state. It always has the newest state; states in between may be skipped.
///
/// As a [`Stream`] it returns the present state first, then each newer one.
pub struct StateWatch {
    state: watch::Receiver<ClientState>,
    next: Option<BoxFuture<(watch::Receiver<ClientState>, bool)>>,
    is_first: bool,
}

impl StateWatch {
    pub(super) fn new(state: watch::Receiver<ClientState>) -> Self {
        Self { state, next: None, is_first: true }
    }

    /// Returns the present state.
    #[must_use]
    pub fn get(&self) -> ClientState {
        self.state.borrow().clone()
    }

    /// Waits for the first state that matches, which may be the present one. Returns the last state if none can follow.
    pub async fn wait_for(&mut self, is_match: impl FnMut(&ClientState) -> bool) -> ClientState {
        match self.state.wait_for(is_match).await {
            Ok(state) => return state.clone(),
            Err(_has_stopped) => {}
        }
        self.get()
    }

    /// Waits for a state that this watch has not returned yet. Returns `None` once the client has stopped.
    pub async fn changed(&mut self) -> Option<ClientState> {
        self.state.changed().await.ok()?;
        Some(self.state.borrow_and_update().clone())
    }
}

impl Stream for StateWatch {
    type Item = ClientState;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ClientState>> {
        let watch = self.get_mut();
        if std::mem::take(&mut watch.is_first) {
            return Poll::Ready(Some(watch.state.borrow_and_update().clone()));
        }
        let next = watch.next.get_or_insert_with(|| {
            let mut state = watch.state.clone();
            Box::pin(async move {
                let is_open = state.changed().await.is_ok();
                (state, is_open)
            })
        });
        let (state, is_open) = std::task::ready!(next.as_mut().poll(context));
        watch.next = None;
        watch.state = state;
        Poll::Ready(is_open.then(|| watch.state.borrow_and_update().clone()))
    }
}

impl std::fmt::Debug for StateWatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("StateWatch").field(&self.get()).finish()
    }
}
