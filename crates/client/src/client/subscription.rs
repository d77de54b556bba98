//! Subscriptions: the messages of one group.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_util::future::AbortHandle;
use webpubsub_protocol::{
    message::{AckError, Metadata},
    name::GroupName,
    payload::Payload,
    stream::StreamInfo,
};

use super::{
    Client,
    command::Presence,
    queue::{QueueReceiver, Queued},
};
use crate::history::{HistoryAccess, HistoryFailure, HistoryRange};

/// Message of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupMessage {
    /// Group that it was published to.
    pub group: GroupName,
    /// User who published it; `None` for an anonymous client or a server.
    pub from_user_id: Option<String>,
    /// Payload.
    pub payload: Payload<'static>,
    /// Sequence id; `None` with a plain subprotocol.
    pub sequence_id: Option<u64>,
    /// Annotations, often none.
    pub metadata: Metadata,
    /// Place in a stream. The last message of a stream has an empty payload.
    pub stream: Option<StreamInfo>,
    /// Time of publication in milliseconds since 1970. Messages of a history have one.
    pub published_ms: Option<u64>,
}

/// Item of a [`Subscription`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SubscriptionEvent {
    /// A message.
    Message(GroupMessage),
    /// Messages of the service did not arrive, or may not have.
    Gap {
        /// How many; some may have been meant for other groups. `None` if a new connection replaced a lost one, or the service was
        /// restarted.
        messages: Option<u64>,
    },
    /// The subscription was read too slowly, so messages were dropped here.
    Lagged {
        /// How many.
        messages: u64,
    },
    /// Every message that the history had has been returned, and those that follow are new. Only with a history; comes again after
    /// each interruption.
    CaughtUp,
    /// The history could not be loaded, so earlier messages are missing. Only with a history.
    HistoryFailed(HistoryFailure),
    /// The service refused to add a later connection to the group. The last item.
    Refused(AckError),
}

/// Item of the queue of a subscription.
#[derive(Debug)]
pub(crate) enum Live {
    Event(SubscriptionEvent),
    /// There is a new connection, with this access to the history. Only for subscriptions with a history.
    Connected(Option<HistoryAccess>),
    /// The connection is in the group. Only for subscriptions with a history.
    Joined,
}

impl Queued for Live {
    fn bytes(&self) -> usize {
        match self {
            Self::Event(event) => event.bytes(),
            Self::Connected(_) | Self::Joined => 0,
        }
    }
}

impl Queued for SubscriptionEvent {
    fn bytes(&self) -> usize {
        match self {
            Self::Message(GroupMessage { payload, metadata, .. }) => {
                payload.len() + metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
            }
            _ => 0,
        }
    }
}

impl Live {
    /// Merges an item that does not fit into a queue: messages into their number, so that at most two items and the markers of the
    /// last connection remain.
    pub(crate) fn merge(overflow: &mut Vec<Self>, item: Self) {
        match item {
            Self::Event(SubscriptionEvent::Message(_)) => {
                for other in overflow.iter_mut() {
                    if let Self::Event(SubscriptionEvent::Lagged { messages }) = other {
                        *messages = messages.saturating_add(1);
                        return;
                    }
                }
                overflow.push(Self::Event(SubscriptionEvent::Lagged { messages: 1 }));
            }
            Self::Event(SubscriptionEvent::Gap { messages: further }) => {
                for other in overflow.iter_mut() {
                    if let Self::Event(SubscriptionEvent::Gap { messages }) = other {
                        *messages =
                            messages.zip(further).map(|(before, further)| before.saturating_add(further));
                        return;
                    }
                }
                overflow.push(Self::Event(SubscriptionEvent::Gap { messages: further }));
            }
            marker @ (Self::Connected(_) | Self::Joined) => {
                let kind = std::mem::discriminant(&marker);
                overflow.retain(|other| std::mem::discriminant(other) != kind);
                overflow.push(marker);
            }
            // There is one.
            last => overflow.push(last),
        }
    }
}

/// Membership of a client in a group, counted: the client leaves the group when its last membership and subscription are dropped.
#[derive(Debug)]
pub struct Membership {
    group: GroupName,
    presence: Presence,
    client: Client,
}

impl Membership {
    pub(super) fn new(group: GroupName, presence: Presence, client: Client) -> Self {
        Self { group, presence, client }
    }

    /// Returns the group.
    #[must_use]
    pub fn group(&self) -> &GroupName {
        &self.group
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.presence.leave();
        self.client.wake();
    }
}

/// Options of [`Client::subscribe_with`].
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SubscribeOptions {
    pub(super) history: Option<HistoryRange>,
}

impl SubscribeOptions {
    /// The default: messages that are published from now on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins with earlier messages, and loads those that an interruption or a slow reader missed. Every message is returned once,
    /// in order. Without effect if the service has no history, such as Azure Web PubSub, or the subprotocol has no sequence ids.
    #[must_use]
    pub fn history(mut self, range: impl Into<HistoryRange>) -> Self {
        self.history = Some(range.into());
        self
    }
}

/// Messages of a group, from [`Client::subscribe`] on.
///
/// A [`Stream`], and [`Subscription::next`] for those who use no other stream. It ends when the client stops or the service refuses
/// the group.
///
/// # Slow readers
/// Beyond [`Limits::queued_messages`](crate::Limits::queued_messages) or [`Limits::queued_bytes`](crate::Limits::queued_bytes),
/// messages are dropped, and [`SubscriptionEvent::Lagged`] takes their place; other subscriptions are not affected. A subscription
/// with a [history](SubscribeOptions::history) loads them again instead.
#[derive(Debug)]
pub struct Subscription {
    group: GroupName,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Live(LiveSubscription),
    History { queue: QueueReceiver<SubscriptionEvent>, _task: AbortOnDrop },
}

/// Messages of a group that are published from now on.
#[derive(Debug)]
pub(super) struct LiveSubscription {
    pub(super) queue: QueueReceiver<Live>,
    pub(super) membership: Membership,
}

impl LiveSubscription {
    pub(super) async fn next(&mut self) -> Option<Live> {
        std::future::poll_fn(|context| self.queue.poll_next(context)).await
    }
}

#[derive(Debug)]
pub(super) struct AbortOnDrop(pub(super) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Subscription {
    pub(super) fn live(live: LiveSubscription) -> Self {
        Self { group: live.membership.group().clone(), source: Source::Live(live) }
    }

    pub(super) fn with_history(
        group: GroupName,
        queue: QueueReceiver<SubscriptionEvent>,
        task: AbortOnDrop,
    ) -> Self {
        Self { group, source: Source::History { queue, _task: task } }
    }

    /// Returns the group.
    #[must_use]
    pub fn group(&self) -> &GroupName {
        &self.group
    }

    /// Returns the next item; `None` at the end. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<SubscriptionEvent> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<SubscriptionEvent>> {
        match &mut self.source {
            Source::History { queue, .. } => queue.poll_next(context),
            Source::Live(live) => loop {
                match std::task::ready!(live.queue.poll_next(context)) {
                    Some(Live::Event(event)) => return Poll::Ready(Some(event)),
                    Some(Live::Connected(_) | Live::Joined) => {}
                    None => return Poll::Ready(None),
                }
            },
        }
    }
}

impl Stream for Subscription {
    type Item = SubscriptionEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SubscriptionEvent>> {
        self.poll(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_slow_reader_missed_stays_bounded() {
        let message = || {
            Live::Event(SubscriptionEvent::Message(GroupMessage {
                group: GroupName::new("g").unwrap(),
                from_user_id: None,
                payload: "x".into(),
                sequence_id: None,
                metadata: Metadata::new(),
                stream: None,
                published_ms: None,
            }))
        };
        let gap = |messages| Live::Event(SubscriptionEvent::Gap { messages });
        let mut overflow = Vec::new();
        for _ in 0..100 {
            Live::merge(&mut overflow, message());
            Live::merge(&mut overflow, gap(Some(2)));
            Live::merge(&mut overflow, Live::Connected(None));
            Live::merge(&mut overflow, Live::Joined);
        }
        assert!(
            matches!(
                &overflow[..],
                [
                    Live::Event(SubscriptionEvent::Lagged { messages: 100 }),
                    Live::Event(SubscriptionEvent::Gap { messages: Some(200) }),
                    Live::Connected(None),
                    Live::Joined
                ]
            ),
            "{overflow:?}"
        );
        Live::merge(&mut overflow, gap(None));
        assert!(matches!(&overflow[1], Live::Event(SubscriptionEvent::Gap { messages: None })));
    }
}
