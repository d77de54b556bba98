//! All events of a client, in order.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use super::queue::{QueueReceiver, Queued};
use crate::event::ClientEvent;

/// All events of a client, in order, from the first attempt to connect on.
///
/// Must be read or dropped. While as many events are unread as [`Limits::queued_messages`](crate::Limits::queued_messages) allows, a
/// native client reads nothing further from the service: a reliable connection loses nothing by that, unless the service gives up,
/// which [`ClientEvent::Gap`] reports. A browser cannot be kept from reading: there, messages beyond the limit are dropped, and the
/// same event takes their place.
#[derive(Debug)]
pub struct Events(QueueReceiver<ClientEvent>);

impl Events {
    pub(super) fn new(queue: QueueReceiver<ClientEvent>) -> Self {
        Self(queue)
    }

    /// Returns the next event; `None` after [`ClientEvent::Stopped`].
    pub async fn next(&mut self) -> Option<ClientEvent> {
        std::future::poll_fn(|context| self.0.poll_next(context)).await
    }
}

impl Stream for Events {
    type Item = ClientEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<ClientEvent>> {
        self.0.poll_next(context)
    }
}

impl Queued for ClientEvent {
    fn bytes(&self) -> usize {
        match self {
            Self::GroupMessage { payload, metadata, .. } | Self::ServerMessage { payload, metadata } => {
                payload.len() + metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
            }
            Self::JoinRefused { error, .. } => error.message.len(),
            _ => 0,
        }
    }
}

/// Largest number of events besides messages that follow a full queue. The oldest of more are dropped.
const MAX_OVERFLOW: usize = 64;

/// Merges an event that does not fit into a queue: messages into a gap with their number.
pub(super) fn merge(overflow: &mut Vec<ClientEvent>, event: ClientEvent) {
    let further = match &event {
        ClientEvent::GroupMessage { .. } | ClientEvent::ServerMessage { .. } => Some(1),
        ClientEvent::Gap { messages } => *messages,
        _ => {
            if overflow.len() >= MAX_OVERFLOW {
                overflow.remove(0);
            }
            return overflow.push(event);
        }
    };
    match overflow.last_mut() {
        Some(ClientEvent::Gap { messages }) => {
            *messages = messages.zip(further).map(|(before, further)| before.saturating_add(further));
        }
        _ => {
            if overflow.len() >= MAX_OVERFLOW {
                overflow.remove(0);
            }
            overflow.push(ClientEvent::Gap { messages: further });
        }
    }
}
