//! Client: one type for tokio and for browsers.

mod builder;
mod command;
mod control;
mod dispatcher;
mod error;
mod events;
mod following;
mod memberships;
mod queue;
mod receipt;
mod state;
mod stream;
mod subscription;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use webpubsub_protocol::{
    name::{EventName, GroupName, NameError},
    payload::Payload,
};

use crate::{
    failure::{InvokeFailure, SendFailure, StreamFailure},
    history::{HistoryAccess, HistoryEnd, HistoryFailure, HistoryRecord, HistoryRequest},
    limits::Limits,
    machine::StreamOptions,
    outgoing::{Outgoing, SendRefused},
    platform::{self, MaybeSend, Network, Shared},
    service_endpoint::ServiceEndpoint,
};

pub use builder::ClientBuilder;
pub use error::{
    ClientStopped, ConnectError, ConnectErrorKind, GroupStreamError, GroupStreamErrorKind, InvokeError,
    InvokeErrorKind, PublishError, PublishErrorKind, StreamWriteError, StreamWriteErrorKind, SubscribeError,
    SubscribeErrorKind,
};
pub use events::Events;
pub use receipt::Receipt;
pub use state::{ClientState, ConnectionDetails, StateWatch};
pub use stream::StreamWriter;
pub use subscription::{GroupMessage, Membership, SubscribeOptions, Subscription, SubscriptionEvent};

pub(crate) use command::Command;
pub(crate) use control::Control;
pub(crate) use dispatcher::Dispatcher;

use command::{Member, Presence};
use error::SubscribeFailure;
use queue::{Capacity, queue};
use subscription::{Live, LiveSubscription};

/// Client of one hub. Clones share the connection, which is closed when the last clone, [`Subscription`], [`Membership`] and
/// [`StreamWriter`] are dropped, or by [`Client::close`].
///
/// Methods that send wait while as many requests are unacknowledged as [`Limits`] allow.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Shared<Inner>,
}

#[derive(Debug)]
struct Inner {
    commands: mpsc::Sender<Command>,
    control: Arc<Control>,
    state: watch::Receiver<ClientState>,
    endpoint: ServiceEndpoint,
    network: Shared<Network>,
    limits: Limits,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.control.client_dropped();
    }
}

impl Client {
    /// Returns the settings of a client. `endpoint` is the URL of a negotiate endpoint, a client access URL, or a
    /// [`ServiceEndpoint`].
    pub fn builder(endpoint: impl Into<ServiceEndpoint>) -> ClientBuilder {
        ClientBuilder::new(endpoint.into())
    }

    /// Subscribes to a group, and joins it if no other subscription or membership has. Returns when the service has accepted; the
    /// subscription has every message from then on.
    ///
    /// # Errors
    /// [`SubscribeError`], if the service refuses, the name is invalid, or the client stops.
    pub async fn subscribe<G>(&self, group: G) -> Result<Subscription, SubscribeError>
    where
        G: TryInto<GroupName, Error: Into<NameError>>,
    {
        self.subscribe_with(group, SubscribeOptions::new()).await
    }

    /// Subscribes to a group; see [`Client::subscribe`].
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn subscribe_with<G>(
        &self,
        group: G,
        options: SubscribeOptions,
    ) -> Result<Subscription, SubscribeError>
    where
        G: TryInto<GroupName, Error: Into<NameError>>,
    {
        let group = group.try_into().map_err(|error| SubscribeFailure::Name(error.into()))?;
        let wants_markers = options.history.is_some();
        let (sender, queue) =
            queue::<Live>(Capacity::of(&self.inner.limits), Arc::clone(&self.inner.control));
        let membership = self.enter(group, Some(sender), wants_markers).await?;
        let live = LiveSubscription { queue, membership };
        Ok(match options.history {
            Some(range) => following::follow(live, range),
            None => Subscription::live(live),
        })
    }

    /// Joins a group without a subscription, for those who read all [events](Client::events).
    ///
    /// # Errors
    /// As [`Client::subscribe`].
    pub async fn join<G>(&self, group: G) -> Result<Membership, SubscribeError>
    where
        G: TryInto<GroupName, Error: Into<NameError>>,
    {
        let group = group.try_into().map_err(|error| SubscribeFailure::Name(error.into()))?;
        Ok(self.enter(group, None, false).await?)
    }

    async fn enter(
        &self,
        group: GroupName,
        queue: Option<queue::QueueSender<Live>>,
        wants_markers: bool,
    ) -> Result<Membership, SubscribeFailure> {
        let presence = Presence::default();
        // From here on, dropping this future leaves the group.
        let membership = Membership::new(group.clone(), presence.clone(), self.clone());
        let (joined, outcome) = oneshot::channel();
        let member = Member { queue, wants_markers, presence };
        if self.request(Command::Join { group, member, joined }).await.is_err() {
            return Err(SubscribeFailure::Stopped);
        }
        outcome.await.unwrap_or(Err(SubscribeFailure::Stopped))?;
        Ok(membership)
    }

    /// Publishes to a group. Returns when the message has a place among the unacknowledged ones; the [`Receipt`] resolves when the
    /// service has acknowledged it.
    ///
    /// ```no_run
    /// # async fn example(client: webpubsub_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// // Waits for the acknowledgement.
    /// client.publish("chat", "hello").await?.await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`PublishError`], if the client has stopped or the name is invalid.
    pub async fn publish<G>(
        &self,
        group: G,
        payload: impl Into<Payload<'static>>,
    ) -> Result<Receipt, PublishError>
    where
        G: TryInto<GroupName, Error: Into<NameError>>,
    {
        let group = group.try_into().map_err(|error| PublishError::name(error.into()))?;
        self.send(Outgoing::to_group(group, payload.into())).await
    }

    /// Sends an event to the application's server; see [`Client::publish`].
    ///
    /// # Errors
    /// As [`Client::publish`].
    pub async fn send_event<E>(
        &self,
        event: E,
        payload: impl Into<Payload<'static>>,
    ) -> Result<Receipt, PublishError>
    where
        E: TryInto<EventName, Error: Into<NameError>>,
    {
        let event = event.try_into().map_err(|error| PublishError::name(error.into()))?;
        self.send(Outgoing::event(event, payload.into())).await
    }

    /// Sends a message or an event with options; see [`Client::publish`].
    ///
    /// # Errors
    /// As [`Client::publish`].
    pub async fn send(&self, outgoing: Outgoing) -> Result<Receipt, PublishError> {
        let (settled, outcome) = oneshot::channel();
        match self.request(Command::Send { outgoing, settled }).await {
            Ok(()) => Ok(Receipt(outcome)),
            Err(_) => Err(SendFailure::Stopped.into()),
        }
    }

    /// Sends a message or an event, unless it would have to wait.
    ///
    /// # Errors
    /// [`PublishError`]; of the kind [`QueueFull`](PublishErrorKind::QueueFull), with the message inside, while too many requests
    /// wait.
    pub fn try_send(&self, outgoing: Outgoing) -> Result<Receipt, PublishError> {
        let (settled, outcome) = oneshot::channel();
        match self.inner.commands.try_send(Command::Send { outgoing, settled }) {
            Ok(()) => Ok(Receipt(outcome)),
            Err(mpsc::error::TrySendError::Full(Command::Send { outgoing, .. })) => {
                Err(PublishError::queue_full(outgoing))
            }
            Err(_) => Err(SendFailure::Stopped.into()),
        }
    }

    /// Sends a message or an event once, without an acknowledgement. Waits while the socket accepts nothing.
    ///
    /// # Errors
    /// [`PublishError`], with the message inside; of the kind [`NotConnected`](PublishErrorKind::NotConnected) while there is no
    /// connection.
    pub async fn send_and_forget(&self, outgoing: Outgoing) -> Result<(), PublishError> {
        let (taken, outcome) = oneshot::channel();
        match self.request(Command::Forget { outgoing, taken }).await {
            Ok(()) => Ok(outcome.await.map_err(|_| SendFailure::Stopped)??),
            Err(Command::Forget { outgoing, .. }) => Err(SendRefused::Stopped(outgoing).into()),
            Err(_) => Err(SendFailure::Stopped.into()),
        }
    }

    /// Invokes an event of the application's server, and waits for its answer. It is sent once: if the connection is lost before the
    /// answer, the invocation has failed. Only with the JSON subprotocols. Dropping the future cancels the invocation.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke<E>(
        &self,
        event: E,
        payload: Option<Payload<'static>>,
    ) -> Result<Option<Payload<'static>>, InvokeError>
    where
        E: TryInto<EventName, Error: Into<NameError>>,
    {
        let event = event.try_into().map_err(|error| InvokeError::name(error.into()))?;
        let (answered, answer) = oneshot::channel();
        if self.request(Command::Invoke { event, payload, answered }).await.is_err() {
            return Err(InvokeFailure::Stopped.into());
        }
        Ok(answer.await.unwrap_or(Err(InvokeFailure::Stopped))?)
    }

    /// Opens a stream to a group on the current connection. Returns when the service has accepted it.
    ///
    /// # Errors
    /// [`GroupStreamError`].
    pub async fn open_stream<G>(
        &self,
        group: G,
        options: StreamOptions,
    ) -> Result<StreamWriter, GroupStreamError>
    where
        G: TryInto<GroupName, Error: Into<NameError>>,
    {
        let group = group.try_into().map_err(|error| GroupStreamError::name(error.into()))?;
        let (started, outcome) = oneshot::channel();
        if self.request(Command::OpenStream { group, options, started }).await.is_err() {
            return Err(StreamFailure::Stopped.into());
        }
        let started = outcome.await.map_err(|_| StreamFailure::Stopped)?;
        let (number, state) = started.map_err(StreamFailure::NotTaken)?;
        Ok(StreamWriter::opened(number, state, self.clone()).await?)
    }

    /// Returns a watch of the client's state.
    #[must_use]
    pub fn state(&self) -> StateWatch {
        StateWatch::new(self.inner.state.clone())
    }

    /// Returns the current connection, also while it is being recovered. `None` if there is none.
    #[must_use]
    pub fn connection(&self) -> Option<ConnectionDetails> {
        self.inner.state.borrow().connection().cloned()
    }

    /// Returns all events of the client from now on, after those that lead to its present state. See [`ClientBuilder::events`] for
    /// all from the beginning.
    ///
    /// # Errors
    /// [`ClientStopped`].
    pub async fn events(&self) -> Result<Events, ClientStopped> {
        let (events, receiver) = queue(Capacity::of(&self.inner.limits), Arc::clone(&self.inner.control));
        match self.request(Command::Observe { events }).await {
            Ok(()) => Ok(Events::new(receiver)),
            Err(_) => Err(ClientStopped),
        }
    }

    /// Waits until every message that was sent before is acknowledged or refused.
    ///
    /// # Errors
    /// [`ClientStopped`], if the client stops before.
    pub async fn drain(&self) -> Result<(), ClientStopped> {
        let (drained, outcome) = oneshot::channel();
        if self.request(Command::Drain { drained }).await.is_err() {
            return Err(ClientStopped);
        }
        outcome.await.map_err(|_| ClientStopped)
    }

    /// Closes the connection, and opens no other. Returns when the close frame is sent. Messages without an acknowledgement fail
    /// with the kind [`Stopped`](PublishErrorKind::Stopped); call [`Client::drain`] before to wait for them.
    pub async fn close(&self) {
        self.inner.control.stop();
        self.state().wait_for(ClientState::is_stopped).await;
    }

    /// Reads a range of the history of a group, and passes its records to `on_record` as they arrive. The request is from
    /// [`HistoryAccess::request`]. Dropping the future aborts it. For a group that is also subscribed to, see
    /// [`SubscribeOptions::history`].
    ///
    /// # Errors
    /// [`HistoryFailure`]. The records received before it are complete.
    pub async fn read_history(
        &self,
        request: HistoryRequest,
        on_record: impl FnMut(HistoryRecord<'_>) + MaybeSend,
    ) -> Result<HistoryEnd, HistoryFailure> {
        platform::read_history(&self.inner.network, request, on_record).await
    }

    /// Negotiates again for a history whose token has expired. The connection is not affected.
    ///
    /// # Errors
    /// [`ConnectError`], if the negotiation fails. `None` if the service has no history any more.
    pub async fn renew_history(&self, access: &HistoryAccess) -> Result<Option<HistoryAccess>, ConnectError> {
        let url = platform::negotiate(&self.inner.endpoint, &self.inner.network).await;
        let url = url.map_err(|failure| ConnectError::new(Some(failure)))?;
        Ok(url.history_access(access.run_id().to_owned()))
    }

    fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    fn wake(&self) {
        self.inner.control.wake();
    }

    /// Waits until the request is queued. Returns it if the client has stopped.
    async fn request(&self, command: Command) -> Result<(), Command> {
        self.inner.commands.send(command).await.map_err(|mpsc::error::SendError(command)| command)
    }

    /// Queues a request, unless that would have to wait.
    fn try_request(&self, command: Command) -> Result<(), Command> {
        self.inner.commands.try_send(command).map_err(mpsc::error::TrySendError::into_inner)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
