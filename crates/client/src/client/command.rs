//! Requests of the application to the driver.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{oneshot, watch};
use webpubsub_protocol::{
    name::{EventName, GroupName},
    payload::Payload,
    stream::PublisherError,
};

use super::{
    error::SubscribeFailure, queue::QueueSender, receipt::Settled, stream::StreamState, subscription::Live,
};
use crate::{
    event::ClientEvent,
    failure::{InvokeFailure, StartRefused, WriteRefused},
    machine::StreamOptions,
    outgoing::{Outgoing, SendRefused},
};

pub(crate) type Answered = oneshot::Sender<Result<Option<Payload<'static>>, InvokeFailure>>;
pub(crate) type Joined = oneshot::Sender<Result<(), SubscribeFailure>>;
pub(crate) type Started = oneshot::Sender<Result<(u64, watch::Receiver<StreamState>), StartRefused>>;
pub(crate) type Written = oneshot::Sender<Result<(), WriteRefused>>;

pub(crate) enum Command {
    Send { outgoing: Outgoing, settled: Settled },
    Forget { outgoing: Outgoing, taken: oneshot::Sender<Result<(), SendRefused>> },
    Join { group: GroupName, member: Member, joined: Joined },
    Invoke { event: EventName, payload: Option<Payload<'static>>, answered: Answered },
    OpenStream { group: GroupName, options: StreamOptions, started: Started },
    WriteStream { stream: u64, payload: Payload<'static>, written: Written },
    EndStream { stream: u64, error: Option<PublisherError> },
    Drain { drained: oneshot::Sender<()> },
    Observe { events: QueueSender<ClientEvent> },
}

/// One of those that need a client to be in a group.
pub(crate) struct Member {
    /// Queue of the messages; `None` if they are not wanted.
    pub(crate) queue: Option<QueueSender<Live>>,
    /// Whether the queue receives [`Live::Connected`] and [`Live::Joined`].
    pub(crate) wants_markers: bool,
    pub(crate) presence: Presence,
}

/// Whether a member is still there. Shared by the application and the driver.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence(Arc<AtomicBool>);

impl Presence {
    pub(crate) fn leave(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn has_left(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
