//! Subscriptions with a history: earlier messages, missed ones, and live ones, each once and in order.

use std::sync::Arc;

use futures_util::future::abortable;
use webpubsub_protocol::{message::Response, name::GroupName, payload::Payload};

use super::{
    Client,
    control::Control,
    queue::{Capacity, QueueSender, queue},
    subscription::{AbortOnDrop, GroupMessage, Live, LiveSubscription, Subscription, SubscriptionEvent},
};
use crate::{
    history::{
        Disposition, GroupHistory, HeldMessage, HistoryEnd, HistoryFailure, HistoryMessage, HistoryRange,
        HistoryRecord, Missing,
    },
    limits::MAX_HISTORY_BYTES,
    platform,
};

/// Starts the task of a subscription with a history.
pub(super) fn follow(live: LiveSubscription, first: HistoryRange) -> Subscription {
    let client = live.membership.client().clone();
    let group = live.membership.group().clone();
    let control = Arc::new(Control::default());
    let (output, queue) = queue(Capacity::of(client.limits()), Arc::clone(&control));
    let follower =
        Follower { client, group: group.clone(), first, history: GroupHistory::default(), output, control };
    let (task, handle) = abortable(follower.run(live));
    // Aborted with the subscription.
    platform::spawn(async move { task.await.unwrap_or_default() });
    Subscription::with_history(group, queue, AbortOnDrop(handle))
}

struct Follower {
    client: Client,
    group: GroupName,
    first: HistoryRange,
    history: GroupHistory<GroupMessage>,
    output: QueueSender<SubscriptionEvent>,
    control: Arc<Control>,
}

impl Follower {
    async fn run(mut self, mut live: LiveSubscription) {
        while let Some(item) = live.next().await {
            match item {
                Live::Connected(access) => self.history.connected(access.as_ref()),
                Live::Joined => self.catch_up().await,
                Live::Event(SubscriptionEvent::Message(message)) => self.message(message).await,
                // A new connection loads what was missed once it is in the group.
                Live::Event(SubscriptionEvent::Gap { messages: None }) if self.history.access().is_some() => {
                }
                Live::Event(SubscriptionEvent::Gap { .. } | SubscriptionEvent::Lagged { .. })
                    if self.history.access().is_some() =>
                {
                    self.catch_up().await;
                }
                Live::Event(other) => self.emit(other).await,
            }
        }
    }

    /// Waits until there is capacity.
    async fn emit(&self, event: SubscriptionEvent) {
        while self.output.is_full() {
            self.control.woken().await;
        }
        self.output.push(event);
    }

    async fn message(&mut self, mut message: GroupMessage) {
        match self.history.disposition(message.sequence_id) {
            Disposition::Skip => {}
            Disposition::Append => {
                self.history.appended(message.sequence_id);
                self.emit(SubscriptionEvent::Message(message)).await;
            }
            Disposition::Hold => {
                let payload = std::mem::replace(&mut message.payload, Payload::Text("".into()));
                let sequence_id = message.sequence_id;
                self.history.hold(HeldMessage { sequence_id, payload, arrived: message });
            }
        }
    }

    async fn held_messages(&mut self, held: Vec<HeldMessage<GroupMessage>>) {
        for HeldMessage { payload, arrived, .. } in held {
            self.message(GroupMessage { payload, ..arrived }).await;
        }
    }

    /// Loads what came before the next message.
    async fn catch_up(&mut self) {
        let mut range = self.history.begin(self.first.clone());
        while let Some(wanted) = range.take() {
            let mut loaded = Vec::new();
            let outcome = self.load(&wanted, &mut loaded).await;
            for event in loaded {
                self.emit(event).await;
            }
            match outcome {
                Ok(end) => {
                    let (held, further) = self.history.caught_up(end.sequence_id);
                    if let Some(gap) = gap(self.history.take_missing()) {
                        self.emit(gap).await;
                    }
                    if further.is_none() {
                        self.emit(SubscriptionEvent::CaughtUp).await;
                    }
                    self.held_messages(held).await;
                    range = further;
                }
                Err(failure) => {
                    let held = self.history.failed(failure.to_string());
                    self.emit(SubscriptionEvent::HistoryFailed(failure)).await;
                    self.held_messages(held).await;
                }
            }
        }
    }

    /// Loads a range, with a new token if the present one has expired.
    async fn load(
        &mut self,
        range: &HistoryRange,
        loaded: &mut Vec<SubscriptionEvent>,
    ) -> Result<HistoryEnd, HistoryFailure> {
        let outcome = self.read(range, loaded).await;
        let Err(HistoryFailure::Refused { status: 401, .. }) = &outcome else { return outcome };
        let Some(access) = self.history.access().cloned() else { return outcome };
        match self.client.renew_history(&access).await {
            Ok(Some(access)) => {
                self.history.renew(access);
                self.read(range, loaded).await
            }
            _ => outcome,
        }
    }

    async fn read(
        &mut self,
        range: &HistoryRange,
        loaded: &mut Vec<SubscriptionEvent>,
    ) -> Result<HistoryEnd, HistoryFailure> {
        let Some(access) = self.history.access().cloned() else { return Err(HistoryFailure::Cut) };
        let limit = self.client.limits().history_bytes;
        let mut range = range.clone();
        if limit < MAX_HISTORY_BYTES {
            let limit = limit as u64;
            range.max_bytes = Some(range.max_bytes.map_or(limit, |given| given.min(limit)));
        }
        let request = access.request(&self.group, &range);
        let (history, group) = (&mut self.history, &self.group);
        self.client
            .read_history(request, |record| match record {
                HistoryRecord::Head(head) => {
                    history.head_loaded(&head);
                    loaded.extend(gap(history.take_missing()));
                }
                HistoryRecord::Message(HistoryMessage { message, published_ms, number }) => {
                    let Response::GroupMessage { from_user_id, payload, sequence, metadata, stream, .. } =
                        message
                    else {
                        return;
                    };
                    let Some(sequence) = sequence else { return };
                    if history.message_loaded(sequence.id, number) {
                        loaded.extend(gap(history.take_missing()));
                        loaded.push(SubscriptionEvent::Message(GroupMessage {
                            group: group.clone(),
                            from_user_id: from_user_id.map(std::borrow::Cow::into_owned),
                            payload: payload.into_owned(),
                            sequence_id: Some(sequence.id),
                            metadata,
                            stream,
                            published_ms: Some(published_ms),
                        }));
                    }
                }
                HistoryRecord::End(_) => {}
            })
            .await
    }
}

fn gap(missing: Option<Missing>) -> Option<SubscriptionEvent> {
    missing.map(|missing| SubscriptionEvent::Gap {
        messages: match missing {
            Missing::Count(count) => Some(count),
            Missing::Restart => None,
        },
    })
}
