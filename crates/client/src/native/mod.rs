//! The driver for tokio: carries out the machine's effects with reqwest and tokio-tungstenite.
//!
//! One task owns the machine and the socket. The application holds a [`Publisher`] to send with and the [`Events`] to
//! read. Both are bounded: a publisher waits while the window of unacknowledged messages is full, and the task waits
//! while the application leaves events unread.

mod link;
mod negotiate;
mod transport;

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use tokio::sync::{mpsc, oneshot};
use webpubsub_protocol::{name::GroupName, payload::Payload};

use crate::{
    event::ClientEvent,
    failure::SendFailure,
    machine::{Effect, Input, Machine},
    moment::Moment,
    options::ClientOptions,
};
use link::{Link, LinkEvent};
pub use negotiate::NegotiateEndpoint;

/// Events that may wait to be read. When as many wait, the client reads no further from the service.
pub const EVENT_QUEUE_LIMIT: usize = 1024;

/// Starts a client on the current tokio runtime.
#[must_use]
pub fn start(options: ClientOptions, endpoint: NegotiateEndpoint) -> (Publisher, Events) {
    // A message waits here only until the machine has room, so more than one would be a second window.
    let (messages, waiting_messages) = mpsc::channel(1);
    let (stop, stopping) = mpsc::channel(1);
    let (events, unread_events) = mpsc::channel(EVENT_QUEUE_LIMIT);
    // Another process started in the same instant must not retry in step with this one.
    let seed = getrandom::u64().unwrap_or_else(|_| std::process::id().into());
    let driver = Driver {
        machine: Machine::new(options, seed),
        started_at: Instant::now(),
        endpoint,
        link: Link::Down,
        events,
        receipts: HashMap::new(),
    };
    tokio::spawn(driver.run(waiting_messages, stopping));
    (Publisher { messages, stop }, Events(unread_events))
}

struct Message {
    group: GroupName,
    payload: Payload<'static>,
    receipt: oneshot::Sender<Result<(), SendFailure>>,
}

/// Sends. When the last clone is dropped, the client stops.
#[derive(Debug, Clone)]
pub struct Publisher {
    messages: mpsc::Sender<Message>,
    stop: mpsc::Sender<()>,
}

impl Publisher {
    /// Publishes to a group. Waits for room in the window of unacknowledged messages, then returns; the [`Receipt`]
    /// tells when the service has the message.
    ///
    /// # Errors
    /// [`SendFailure::Stopped`] when the client has stopped.
    pub async fn send_to_group(
        &self,
        group: &GroupName,
        payload: Payload<'static>,
    ) -> Result<Receipt, SendFailure> {
        let (receipt, outcome) = oneshot::channel();
        let message = Message { group: group.clone(), payload, receipt };
        self.messages.send(message).await.map_err(|_| SendFailure::Stopped)?;
        Ok(Receipt(outcome))
    }

    /// Closes the connection, and makes no other. Messages without an acknowledgement settle as
    /// [`SendFailure::Stopped`].
    pub fn stop(&self) {
        // Full means that a stop is on its way, closed that it has happened.
        self.stop.try_send(()).unwrap_or_default();
    }
}

/// Tells whether the service took a message.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<(), SendFailure>>);

impl Future for Receipt {
    type Output = Result<(), SendFailure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|outcome| outcome.unwrap_or(Err(SendFailure::Stopped)))
    }
}

/// What happens, in order. Must be read: see [`EVENT_QUEUE_LIMIT`].
#[derive(Debug)]
pub struct Events(mpsc::Receiver<ClientEvent>);

impl Events {
    /// The next event; `None` after [`ClientEvent::Stopped`].
    pub async fn next(&mut self) -> Option<ClientEvent> {
        self.0.recv().await
    }
}

struct Driver {
    machine: Machine,
    started_at: Instant,
    endpoint: NegotiateEndpoint,
    link: Link,
    events: mpsc::Sender<ClientEvent>,
    receipts: HashMap<u64, oneshot::Sender<Result<(), SendFailure>>>,
}

impl Driver {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>, mut stopping: mpsc::Receiver<()>) {
        self.handle(Input::Start);
        while self.carry_out().await {
            let deadline = self.machine.next_deadline().map(|deadline| deadline.since(self.now()));
            tokio::select! {
                event = self.link.next() => self.link_event(event),
                message = messages.recv(), if self.machine.has_room() => match message {
                    Some(message) => self.take(message),
                    None => self.handle(Input::Stop),
                },
                _ = stopping.recv() => self.handle(Input::Stop),
                () = tokio::time::sleep(deadline.unwrap_or_default()), if deadline.is_some() => {
                    self.handle(Input::DeadlineReached);
                }
            }
        }
    }

    fn now(&self) -> Moment {
        Moment::after_start(self.started_at.elapsed())
    }

    fn handle(&mut self, input: Input<'_>) {
        let now = self.now();
        self.machine.handle(input, now);
    }

    fn link_event(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Negotiated(outcome) => self.handle(Input::Negotiated(outcome)),
            LinkEvent::Opened => self.handle(Input::TransportOpened),
            LinkEvent::Refused(failure) => self.handle(Input::TransportRefused(failure)),
            LinkEvent::Text(text) => self.handle(Input::FrameReceived(&text)),
            LinkEvent::Closed { code, reason } => self.handle(Input::TransportClosed { code, reason }),
        }
    }

    fn take(&mut self, Message { group, payload, receipt }: Message) {
        // A refusal drops the receipt, which then says that the client has stopped: the only refusal there can be,
        // because messages are taken only while there is room.
        if let Ok(ack_id) = self.machine.send_to_group(&group, payload) {
            self.receipts.insert(ack_id, receipt);
        }
    }

    /// Carries out every effect; false once the client has stopped.
    async fn carry_out(&mut self) -> bool {
        let mut goes_on = true;
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Negotiate => self.link = Link::negotiating(&self.endpoint),
                Effect::OpenTransport(url) => self.link = Link::opening(url),
                Effect::SendFrame(frame) => self.link.send(frame),
                Effect::CloseTransport => std::mem::take(&mut self.link).close().await,
                Effect::Settle { ack_id, outcome } => {
                    if let Some(receipt) = self.receipts.remove(&ack_id) {
                        // An application that dropped the receipt does not want to know.
                        drop(receipt.send(outcome));
                    }
                }
                Effect::Report(event) => {
                    goes_on &= event != ClientEvent::Stopped;
                    // An application that reads no events only publishes.
                    drop(self.events.send(event).await);
                }
            }
        }
        goes_on
    }
}
