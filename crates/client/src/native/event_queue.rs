//! Queue of the events that the application has not read, bounded by number and size.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use webpubsub_protocol::{message::Metadata, payload::Payload};

use crate::event::ClientEvent;

/// Maximum number of events that wait to be read. Beyond it, the client reads nothing further from the service.
pub const EVENT_QUEUE_LIMIT: usize = 1024;
/// Maximum size of the messages that wait to be read, in bytes. Beyond it, the client reads nothing further from the service: a
/// reliable connection loses nothing by that unless the service gives up, which [`ClientEvent::Gap`] reports. A single longer
/// message is delivered nevertheless.
pub const EVENT_QUEUE_BYTES: usize = 16 * 1024 * 1024;
/// Size up to which a message is covered by [`EVENT_QUEUE_LIMIT`], in bytes. Spares short messages the second counter.
const SHORT_BYTES: usize = 1024;

/// Creates an empty queue.
pub(super) fn event_queue() -> (EventSender, Events) {
    let (sender, receiver) = mpsc::channel(EVENT_QUEUE_LIMIT);
    (EventSender { sender, bytes: Arc::new(Semaphore::new(EVENT_QUEUE_BYTES)) }, Events(receiver))
}

/// Event with its share of [`EVENT_QUEUE_BYTES`].
#[derive(Debug)]
struct QueuedEvent {
    event: ClientEvent,
    _bytes: Option<OwnedSemaphorePermit>,
}

/// Writing end of the queue. There is one.
#[derive(Debug)]
pub(super) struct EventSender {
    sender: mpsc::Sender<QueuedEvent>,
    /// Bytes that are left.
    bytes: Arc<Semaphore>,
}

impl EventSender {
    /// Queues an event. Returns it if the queue is full. Dropped if the application has dropped [`Events`].
    pub(super) fn try_send(&self, event: ClientEvent) -> Option<ClientEvent> {
        let bytes = match counted_bytes(&event) {
            0 => None,
            count => match Arc::clone(&self.bytes).try_acquire_many_owned(count) {
                Ok(bytes) => Some(bytes),
                Err(_) => return Some(event),
            },
        };
        match self.sender.try_send(QueuedEvent { event, _bytes: bytes }) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => None,
            Err(mpsc::error::TrySendError::Full(queued)) => Some(queued.event),
        }
    }

    /// Waits until the queue has capacity for `event`, or the application has dropped [`Events`].
    pub(super) async fn wait_for_capacity(&self, event: &ClientEvent) {
        // Neither fails before the application has dropped the queue, which frees it.
        drop(self.bytes.acquire_many(counted_bytes(event)).await);
        drop(self.sender.reserve().await);
    }
}

/// Returns the size of an event that counts toward [`EVENT_QUEUE_BYTES`].
fn counted_bytes(event: &ClientEvent) -> u32 {
    let message_bytes = |payload: &Payload<'_>, metadata: &Metadata| {
        payload.len() + metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    };
    let bytes = match event {
        ClientEvent::GroupMessage { payload, metadata, .. }
        | ClientEvent::ServerMessage { payload, metadata } => message_bytes(payload, metadata),
        ClientEvent::JoinRefused { error, .. } => error.message.len(),
        _ => 0,
    };
    if bytes <= SHORT_BYTES { 0 } else { u32::try_from(bytes.min(EVENT_QUEUE_BYTES)).unwrap_or(u32::MAX) }
}

/// Events in order. Must be read, or dropped: see [`EVENT_QUEUE_LIMIT`] and [`EVENT_QUEUE_BYTES`].
#[derive(Debug)]
pub struct Events(mpsc::Receiver<QueuedEvent>);

impl Events {
    /// Returns the next event; `None` after [`ClientEvent::Stopped`].
    pub async fn next(&mut self) -> Option<ClientEvent> {
        self.0.recv().await.map(|queued| queued.event)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const MIB: usize = 1024 * 1024;

    fn message(bytes: usize) -> ClientEvent {
        ClientEvent::ServerMessage {
            payload: Payload::Text("x".repeat(bytes).into()),
            metadata: Metadata::new(),
        }
    }

    #[tokio::test]
    async fn unread_messages_have_a_limit_in_bytes() {
        let (sender, mut events) = event_queue();
        let fitting = (0..).take_while(|_| sender.try_send(message(MIB)).is_none()).count();
        assert_eq!(fitting, EVENT_QUEUE_BYTES / MIB);
        assert_eq!(sender.try_send(message(SHORT_BYTES)), None, "short messages count by number");
        let next = message(MIB);
        assert!(sender.wait_for_capacity(&next).now_or_never().is_none());
        events.next().await;
        sender.wait_for_capacity(&next).await;
        assert_eq!(sender.try_send(next), None);
        assert_eq!(sender.try_send(message(2 * MIB)), Some(message(2 * MIB)));
    }

    #[tokio::test]
    async fn a_message_beyond_the_limit_is_delivered_once_the_queue_is_empty() {
        let (sender, mut events) = event_queue();
        assert_eq!(sender.try_send(message(SHORT_BYTES + 1)), None);
        let long = message(EVENT_QUEUE_BYTES + 1);
        let long = sender.try_send(long).unwrap();
        events.next().await;
        sender.wait_for_capacity(&long).await;
        assert_eq!(sender.try_send(long.clone()), None);
        assert_eq!(events.next().await, Some(long));
    }

    #[tokio::test]
    async fn unread_events_have_a_limit_in_number_and_are_dropped_if_nobody_reads() {
        let (sender, events) = event_queue();
        let fitting = (0..).take_while(|_| sender.try_send(ClientEvent::Recovered).is_none()).count();
        assert_eq!(fitting, EVENT_QUEUE_LIMIT);
        let long = message(EVENT_QUEUE_BYTES);
        assert!(sender.wait_for_capacity(&long).now_or_never().is_none());
        drop(events);
        sender.wait_for_capacity(&long).await;
        assert_eq!(sender.try_send(long), None);
    }
}
