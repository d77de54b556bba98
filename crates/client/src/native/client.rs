//! What an application holds of a running client.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::sync::{mpsc, oneshot, watch};
use webpubsub_protocol::{
    name::{EventName, GroupName},
    payload::Payload,
    stream::PublisherError,
};

use super::stream::{Stream, StreamState};
use crate::{
    failure::{InvokeFailure, SendFailure, StartRefused, StreamFailure, WriteRefused},
    machine::StreamOptions,
    outgoing::{Outgoing, SendRefused},
};

pub(super) type Settled = oneshot::Sender<Result<(), SendFailure>>;

/// What an application asks of the driver.
pub(super) enum Command {
    Send { outgoing: Outgoing, settled: Settled },
    Forget { outgoing: Outgoing, taken: oneshot::Sender<Result<(), SendRefused>> },
    Join { group: GroupName, settled: Settled },
    Leave { group: GroupName, settled: Settled },
    Invoke { event: EventName, payload: Option<Payload<'static>>, answered: Answered },
    OpenStream { group: GroupName, options: StreamOptions, started: Started },
    WriteStream { stream: u64, payload: Payload<'static>, written: oneshot::Sender<Result<(), WriteRefused>> },
    EndStream { stream: u64, error: Option<PublisherError> },
}

pub(super) type Answered = oneshot::Sender<Result<Option<Payload<'static>>, InvokeFailure>>;
pub(super) type Started = oneshot::Sender<Result<(u64, watch::Receiver<StreamState>), StartRefused>>;

/// Asks. When the last clone and the last stream are dropped, the client stops.
#[derive(Debug, Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    stop: mpsc::Sender<()>,
}

impl Client {
    pub(super) fn new(commands: mpsc::Sender<Command>, stop: mpsc::Sender<()>) -> Self {
        Self { commands, stop }
    }

    /// Sends a message or an event. Waits for room in the window of unacknowledged messages, then returns; the
    /// [`Receipt`] tells when the service has carried it out, however often the connection is lost meanwhile.
    ///
    /// # Errors
    /// [`SendFailure::Stopped`] when the client has stopped.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Receipt, SendFailure> {
        self.request(|settled| Command::Send { outgoing, settled }).await
    }

    /// Publishes to a group; see [`Client::send`].
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_to_group(
        &self,
        group: &GroupName,
        payload: Payload<'static>,
    ) -> Result<Receipt, SendFailure> {
        self.send(Outgoing::to_group(group.clone(), payload)).await
    }

    /// Raises an event at the application's server; see [`Client::send`].
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_event(
        &self,
        event: &EventName,
        payload: Payload<'static>,
    ) -> Result<Receipt, SendFailure> {
        self.send(Outgoing::event(event.clone(), payload)).await
    }

    /// Sends a message or an event once, without asking what became of it. Waits while the socket takes nothing.
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside; [`SendRefused::NotConnected`] while there is no connection.
    pub async fn send_and_forget(&self, outgoing: Outgoing) -> Result<(), SendRefused> {
        let (taken, outcome) = oneshot::channel();
        if let Err(mpsc::error::SendError(command)) =
            self.commands.send(Command::Forget { outgoing: outgoing.clone(), taken }).await
        {
            drop(command);
            return Err(SendRefused::Stopped(outgoing));
        }
        outcome.await.unwrap_or(Err(SendRefused::Stopped(outgoing)))
    }

    /// Joins a group, on this connection and on each one to come. A group that the service refuses is not asked for
    /// again.
    ///
    /// # Errors
    /// [`SendFailure`], when the service refuses or the client stops.
    pub async fn join_group(&self, group: &GroupName) -> Result<(), SendFailure> {
        self.request(|settled| Command::Join { group: group.clone(), settled }).await?.await
    }

    /// Leaves a group, and does not join it on connections to come.
    ///
    /// # Errors
    /// [`SendFailure`], when the service refuses or the client stops.
    pub async fn leave_group(&self, group: &GroupName) -> Result<(), SendFailure> {
        self.request(|settled| Command::Leave { group: group.clone(), settled }).await?.await
    }

    /// Asks the application's server, and waits for its answer. Sent once: what a lost connection leaves unanswered has
    /// failed. Only with the JSON subprotocols. Whoever does not wait for the end of this cancels it.
    ///
    /// # Errors
    /// [`InvokeFailure`].
    pub async fn invoke(
        &self,
        event: &EventName,
        payload: Option<Payload<'static>>,
    ) -> Result<Option<Payload<'static>>, InvokeFailure> {
        let (answered, answer) = oneshot::channel();
        let command = Command::Invoke { event: event.clone(), payload, answered };
        self.commands.send(command).await.map_err(|_| InvokeFailure::Stopped)?;
        answer.await.unwrap_or(Err(InvokeFailure::Stopped))
    }

    /// Opens a stream to a group on the present connection, and waits until the service takes it.
    ///
    /// # Errors
    /// [`StreamFailure`].
    pub async fn open_stream(
        &self,
        group: &GroupName,
        options: StreamOptions,
    ) -> Result<Stream, StreamFailure> {
        let (started, outcome) = oneshot::channel();
        let command = Command::OpenStream { group: group.clone(), options, started };
        self.commands.send(command).await.map_err(|_| StreamFailure::Stopped)?;
        let (number, state) =
            outcome.await.map_err(|_| StreamFailure::Stopped)?.map_err(StreamFailure::NotTaken)?;
        Stream::opened(number, state, self.commands.clone()).await
    }

    /// Closes the connection, and makes no other. Messages without an acknowledgement settle as
    /// [`SendFailure::Stopped`].
    pub fn stop(&self) {
        // Full means that a stop is on its way, closed that it has happened.
        self.stop.try_send(()).unwrap_or_default();
    }

    async fn request(&self, command: impl FnOnce(Settled) -> Command) -> Result<Receipt, SendFailure> {
        let (settled, outcome) = oneshot::channel();
        self.commands.send(command(settled)).await.map_err(|_| SendFailure::Stopped)?;
        Ok(Receipt(outcome))
    }
}

/// Tells whether the service carried out what was sent.
#[derive(Debug)]
pub struct Receipt(oneshot::Receiver<Result<(), SendFailure>>);

impl Future for Receipt {
    type Output = Result<(), SendFailure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|outcome| outcome.unwrap_or(Err(SendFailure::Stopped)))
    }
}
