//! Builder of clients.

use std::{sync::Arc, time::Duration};

use tokio::sync::{mpsc, oneshot, watch};
use webpubsub_protocol::{name::GroupName, subprotocol::Subprotocol};

use super::{
    Client, Inner,
    control::Control,
    dispatcher::{Dispatcher, EventListener, FirstConnection, Outputs},
    error::ConnectError,
    events::Events,
    queue::{Capacity, QueueSender, queue},
    state::ClientState,
};
use crate::{
    event::ClientEvent,
    limits::{Limits, Timeouts},
    options::ClientOptions,
    platform::{self, MaybeSend, Network, NetworkOptions, Shared},
    service_endpoint::ServiceEndpoint,
};

/// Settings of a client that is not started. From [`Client::builder`].
#[must_use = "a client is started by `connect` or `connect_lazy`"]
pub struct ClientBuilder {
    endpoint: ServiceEndpoint,
    pub(crate) options: ClientOptions,
    pub(crate) network: NetworkOptions,
    control: Arc<Control>,
    events: Vec<QueueSender<ClientEvent>>,
    listener: Option<Box<dyn EventListener>>,
    retries_first_connection: bool,
}

impl ClientBuilder {
    pub(super) fn new(endpoint: ServiceEndpoint) -> Self {
        Self {
            endpoint,
            options: ClientOptions::new(),
            network: NetworkOptions::default(),
            control: Arc::default(),
            events: Vec::new(),
            listener: None,
            retries_first_connection: false,
        }
    }

    /// Replaces all options by `options`.
    pub fn options(mut self, options: ClientOptions) -> Self {
        self.options = options;
        self
    }

    /// Joins `group` on each connection. For those who read all [events](Self::events); [`Client::subscribe`] joins a group when it
    /// is needed.
    pub fn join(mut self, group: GroupName) -> Self {
        self.options = self.options.join(group);
        self
    }

    /// Offers a subprotocol before all others; see [`ClientOptions::prefer`].
    pub fn prefer(mut self, subprotocol: Subprotocol) -> Self {
        self.options = self.options.prefer(subprotocol);
        self
    }

    /// Offers a single subprotocol; see [`ClientOptions::only`].
    pub fn only(mut self, subprotocol: Subprotocol) -> Self {
        self.options = self.options.only(subprotocol);
        self
    }

    /// Stops the client when there was no connection for `limit`; see [`ClientOptions::give_up_after`].
    pub fn give_up_after(mut self, limit: Duration) -> Self {
        self.options = self.options.give_up_after(limit);
        self
    }

    /// Sets the sizes of the queues.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.options = self.options.limits(limits);
        self
    }

    /// Sets the times.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options = self.options.timeouts(timeouts);
        self
    }

    /// Lets [`ClientBuilder::connect`] wait through failures that a retry may resolve, until the client is refused or
    /// [gives up](Self::give_up_after). By default, the first failure ends it.
    pub fn retry_first_connection(mut self) -> Self {
        self.retries_first_connection = true;
        self
    }

    /// Returns all events of the client, from the first one on. They must be read, or dropped.
    pub fn events(&mut self) -> Events {
        let (sender, receiver) = queue(Capacity::of(&self.options.limits), Arc::clone(&self.control));
        self.events.push(sender);
        Events::new(receiver)
    }

    /// Calls `listener` with each event, in order, as it occurs: the fastest way to receive messages, because nothing is queued and
    /// no task is woken. It must return soon, since the client does nothing else meanwhile. It replaces an earlier one.
    pub fn on_event(mut self, listener: impl FnMut(ClientEvent) + MaybeSend + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }

    /// Connects. Returns when the service has accepted the connection.
    ///
    /// On tokio, it must be called in a runtime, which then runs the client.
    ///
    /// # Errors
    /// [`ConnectError`], after which the client makes no further attempt: see [`ClientBuilder::retry_first_connection`].
    pub async fn connect(self) -> Result<Client, ConnectError> {
        let (outcome, connected) = oneshot::channel();
        let waits_for_retries = self.retries_first_connection;
        let client = self.start(Some(FirstConnection { outcome, waits_for_retries }));
        match connected.await {
            Ok(Ok(())) => Ok(client),
            Ok(Err(failure)) => {
                client.inner.control.stop();
                Err(ConnectError::new(failure))
            }
            Err(_) => Err(ConnectError::new(None)),
        }
    }

    /// Returns a client that connects in the background, and retries until it is refused or [gives up](Self::give_up_after).
    /// Messages wait for the connection.
    ///
    /// On tokio, it must be called in a runtime, which then runs the client.
    #[must_use]
    pub fn connect_lazy(self) -> Client {
        self.start(None)
    }

    fn start(self, first: Option<FirstConnection>) -> Client {
        let (state, states) = watch::channel(ClientState::Connecting);
        let (commands, waiting_commands) = mpsc::channel(self.options.limits.queued_requests);
        let control = self.control;
        let network = Shared::new(Network::new(self.network, &self.options));
        let outputs = Outputs {
            state,
            events: self.events,
            listener: self.listener,
            first,
            control: Arc::clone(&control),
        };
        let dispatcher = Dispatcher::new(&self.options, outputs);
        let limits = self.options.limits.clone();
        let endpoint = self.endpoint;
        platform::start(
            self.options,
            endpoint.clone(),
            Shared::clone(&network),
            dispatcher,
            waiting_commands,
        );
        Client { inner: Shared::new(Inner { commands, control, state: states, endpoint, network, limits }) }
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("endpoint", &self.endpoint)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
