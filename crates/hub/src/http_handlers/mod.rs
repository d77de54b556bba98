//! Event handlers over HTTP, compatible with the cloud service: CloudEvents, posted to application servers.
//!
//! | module | contents |
//! | --- | --- |
//! | [`rule`] | routing rules of events |
//! | [`group_presence`] | selection of group presence events |
//! | [`validation`] | abuse protection: consent of a server before its first event |
//! | `cloud_event` | encoding of events as requests |
//! | [`delivery`] | sending of requests: timeouts, retries, cookies |
//! | `exchange` | request bodies and responses |

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use axum::http::HeaderValue;
use reqwest::Url;
use tokio::sync::Semaphore;
use webpubsub_protocol::{connection_string::AccessKey, name::GroupName};

use self::{
    cloud_event::{CONNECTION_STATE, CloudEvent, EventConnection},
    delivery::DeliveryClient,
    group_presence::GroupPresenceEvent,
    rule::{Rule, SystemEvent},
};
use crate::{
    event_context::EventContext,
    event_handler::{
        ConnectRejection, ConnectRequest, ConnectResponse, EventError, EventHandler, EventReply, UserEvent,
    },
    identity::ConnectionInfo,
    log_limit::LogLimit,
    memory::MemoryBudget,
    metrics::{EventTimer, Metrics},
};

mod cloud_event;
pub(crate) mod delivery;
mod exchange;
pub(crate) mod group_presence;
pub(crate) mod rule;
pub(crate) mod validation;

/// Maximum number of `connected` and `disconnected` events that one handler has not answered, and of group presence events.
/// Further ones are dropped and logged.
const MAX_NOTIFICATIONS: usize = 1024;

/// Maximum length of a connection state, in bytes: it is sent with every event.
const MAX_STATE_BYTES: usize = 8 * 1024;

/// Event handlers that are application servers, selected by rules.
#[derive(Debug)]
pub(crate) struct HttpEventHandlers {
    /// Replaced as a whole; events in progress finish with the previous one.
    routing: RwLock<Arc<Routing>>,
    keys: Vec<AccessKey>,
    delivery_client: DeliveryClient,
    metrics: Arc<Metrics>,
}

/// Rules in their order, and the timeout of their handlers.
#[derive(Debug)]
struct Routing {
    handlers: Vec<RoutedHandler>,
    /// Timeout of a handler, retries and their delays included.
    timeout: Duration,
}

/// Handler of one rule.
#[derive(Debug)]
struct RoutedHandler {
    rule: Rule,
    lifecycle: Arc<Notifications>,
    /// Apart from the others: a client that joins and leaves groups must not crowd out the ends of connections.
    presence: Arc<Notifications>,
}

/// Notifications of one rule: events that the service does not wait for. A handler that does not answer must not block others.
#[derive(Debug)]
struct Notifications {
    permits: Arc<Semaphore>,
    /// Clients can cause warnings at will.
    warnings: LogLimit,
}

impl Notifications {
    fn new() -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(MAX_NOTIFICATIONS));
        Arc::new(Self { permits, warnings: LogLimit::default() })
    }

    /// Logs the failure of an event, at most one a second.
    fn warn(&self, event: &'static str, reason: &dyn std::fmt::Display) {
        if self.warnings.count(Instant::now().into()) {
            tracing::warn!(event, %reason, "event not delivered");
        }
    }
}

impl Routing {
    fn new(rules: Vec<Rule>, timeout: Duration) -> Arc<Self> {
        let handler =
            |rule| RoutedHandler { rule, lifecycle: Notifications::new(), presence: Notifications::new() };
        Arc::new(Self { handlers: rules.into_iter().map(handler).collect(), timeout })
    }

    fn find(&self, hub: &str, is_match: impl Fn(&Rule) -> bool) -> Option<&RoutedHandler> {
        self.handlers.iter().find(|handler| handler.rule.is_for_hub(hub) && is_match(&handler.rule))
    }

    fn for_system(&self, hub: &str, event: SystemEvent) -> Option<&RoutedHandler> {
        self.find(hub, |rule| rule.system_events.contains(&event))
    }
}

impl HttpEventHandlers {
    /// Creates handlers that sign their requests with `keys`, count them in `metrics`, and charge responses to `memory`. A
    /// handler that has not answered within `timeout` has failed.
    ///
    /// # Errors
    /// If the HTTP client cannot be created. It requires a default crypto provider of the process
    /// (`rustls::crypto::CryptoProvider::install_default`).
    pub(crate) fn new(
        rules: Vec<Rule>,
        timeout: Duration,
        keys: Vec<AccessKey>,
        metrics: Arc<Metrics>,
        memory: MemoryBudget,
    ) -> Result<Self, reqwest::Error> {
        let routing = RwLock::new(Routing::new(rules, timeout));
        Ok(Self { routing, keys, delivery_client: DeliveryClient::new(memory)?, metrics })
    }

    /// Replaces the rules and the timeout for further events.
    pub(crate) fn replace(&self, rules: Vec<Rule>, timeout: Duration) {
        *self.routing.write().unwrap_or_else(PoisonError::into_inner) = Routing::new(rules, timeout);
    }

    fn routing(&self) -> Arc<Routing> {
        Arc::clone(&self.routing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the URL of an event, and the URL of its validation request.
    fn urls(rule: &Rule, hub: &str, event: &str) -> Result<(Url, Url), EventError> {
        let url = |event| rule.url.url(hub, event).map_err(|error| EventError::Failed(error.to_string()));
        Ok((url(event)?, url("validate")?))
    }

    /// Reports the start or the end of a connection.
    fn notify_lifecycle(&self, event: SystemEvent, connection: &Arc<ConnectionInfo>, body: String) {
        let routing = self.routing();
        let Some(handler) = routing.for_system(connection.hub(), event) else { return };
        let target = (&handler.rule, &handler.lifecycle, routing.timeout);
        self.notify(target, event.name(), connection, |from| {
            CloudEvent::system(event, from, &self.keys, body)
        });
    }

    /// Reports that a connection has joined or left a group.
    fn notify_presence(
        &self,
        event: GroupPresenceEvent,
        connection: &Arc<ConnectionInfo>,
        group: &GroupName,
    ) {
        let routing = self.routing();
        let is_match = |rule: &Rule| rule.group_presence.is_match(event, group);
        let Some(handler) = routing.find(connection.hub(), is_match) else { return };
        let target = (&handler.rule, &handler.presence, routing.timeout);
        self.notify(target, event.name(), connection, |from| {
            CloudEvent::group_presence(event, group, from, &self.keys)
        });
    }

    /// Sends a notification in a task of its own.
    fn notify(
        &self,
        (rule, notifications, limit): (&Rule, &Arc<Notifications>, Duration),
        event: &'static str,
        connection: &Arc<ConnectionInfo>,
        request: impl FnOnce(EventConnection<'_>) -> Result<CloudEvent, EventError>,
    ) {
        let Ok(permit) = Arc::clone(&notifications.permits).try_acquire_owned() else {
            return notifications.warn(event, &"too many events wait for an answer of this handler");
        };
        let request = match request(event_connection(connection)) {
            Ok(request) => request,
            Err(error) => return notifications.warn(event, &error),
        };
        let urls = Self::urls(rule, connection.hub(), event);
        let (delivery_client, metrics) = (self.delivery_client.clone(), Arc::clone(&self.metrics));
        let (connection, notifications) = (Arc::clone(connection), Arc::clone(notifications));
        tokio::spawn(async move {
            let timer = EventTimer::start(&metrics, event, Instant::now());
            let outcome =
                async { delivery_client.deliver(&urls?, limit, connection.event_context(), request).await };
            let outcome = outcome.await;
            timer.stop(outcome.as_ref().is_ok_and(|response| response.status.is_success()), Instant::now());
            match outcome {
                Ok(response) if !response.status.is_success() => {
                    let status = response.status;
                    notifications.warn(event, &format_args!("the event handler answered with {status}"));
                }
                Ok(_) => {}
                Err(error) => notifications.warn(event, &error),
            }
            drop(permit);
        });
    }

    async fn request_connect(
        &self,
        request: &ConnectRequest<'_>,
    ) -> Result<ConnectResponse, ConnectRejection> {
        let (hub, routing) = (request.hub, self.routing());
        let Some(RoutedHandler { rule, .. }) = routing.for_system(hub, SystemEvent::Connect) else {
            return Ok(ConnectResponse::default());
        };
        let failed = |error: &dyn std::error::Error| {
            tracing::warn!(%error, "connect event failed");
            ConnectRejection::new(500)
        };
        let body = exchange::connect_request_body(request).map_err(|error| failed(&error))?;
        let event_connection = EventConnection {
            connection_id: request.connection_id,
            user_id: request.claims.user_id.as_deref(),
            subprotocol: None,
            event_context: request.event_context,
            at: SystemTime::now(),
        };
        let event = CloudEvent::system(SystemEvent::Connect, event_connection, &self.keys, body);
        let event = event.map_err(|error| failed(&error))?;
        let urls = Self::urls(rule, hub, SystemEvent::Connect.name()).map_err(|error| failed(&error))?;
        let response = self
            .delivery_client
            .deliver(&urls, routing.timeout, request.event_context, event)
            .await
            .map_err(|error| failed(&error))?;
        let state = response.headers.get(CONNECTION_STATE).cloned();
        let response_fields = exchange::parse_connect_response(response)?;
        store_state(request.event_context, state);
        Ok(response_fields)
    }

    async fn dispatch(
        &self,
        connection: &ConnectionInfo,
        event: &UserEvent,
    ) -> Result<Option<EventReply>, EventError> {
        let (hub, routing) = (connection.hub(), self.routing());
        let handler = routing.find(hub, |rule| rule.user_events.is_match(&event.name));
        let RoutedHandler { rule, .. } = handler.ok_or(EventError::NoHandler)?;
        let urls = Self::urls(rule, hub, event.name.as_str())?;
        let request = CloudEvent::user(
            event.name.as_str(),
            &event.payload,
            &event.metadata,
            event_connection(connection),
            &self.keys,
        )?;
        let context = connection.event_context();
        let response = self.delivery_client.deliver(&urls, routing.timeout, context, request).await?;
        let state = response.headers.get(CONNECTION_STATE).cloned();
        let reply = exchange::parse_event_response(response)?;
        store_state(connection.event_context(), state);
        Ok(reply)
    }
}

/// Returns the connection of an event that happens now.
fn event_connection(connection: &ConnectionInfo) -> EventConnection<'_> {
    EventConnection {
        connection_id: connection.id(),
        user_id: connection.user_id(),
        subprotocol: connection.subprotocol(),
        event_context: connection.event_context(),
        at: SystemTime::now(),
    }
}

fn store_state(event_context: &EventContext, state: Option<HeaderValue>) {
    let Some(state) = state else { return };
    if state.len() > MAX_STATE_BYTES {
        tracing::warn!(bytes = state.len(), "connection state ignored: it exceeds the length limit");
    } else {
        event_context.set_connection_state(state);
    }
}

#[async_trait]
impl EventHandler for HttpEventHandlers {
    fn decides_on_connections(&self, hub: &str) -> bool {
        self.routing().for_system(hub, SystemEvent::Connect).is_some()
    }

    async fn connect(&self, request: &ConnectRequest<'_>) -> Result<ConnectResponse, ConnectRejection> {
        let timer = EventTimer::start(&self.metrics, SystemEvent::Connect.name(), Instant::now());
        let response = self.request_connect(request).await;
        // A rejection by the handler is a success; a failed handler results in 500.
        timer.stop(!response.as_ref().is_err_and(|rejection| rejection.status() >= 500), Instant::now());
        response
    }

    async fn event(
        &self,
        connection: &ConnectionInfo,
        event: &UserEvent,
    ) -> Result<Option<EventReply>, EventError> {
        let timer = EventTimer::start(&self.metrics, "user", Instant::now());
        let response = self.dispatch(connection, event).await;
        timer.stop(response.is_ok(), Instant::now());
        response
    }

    fn connected(&self, connection: &Arc<ConnectionInfo>) {
        self.notify_lifecycle(SystemEvent::Connected, connection, "{}".to_owned());
    }

    fn disconnected(&self, connection: &Arc<ConnectionInfo>, reason: &str) {
        let body = serde_json::json!({ "reason": reason }).to_string();
        self.notify_lifecycle(SystemEvent::Disconnected, connection, body);
    }

    fn group_joined(&self, connection: &Arc<ConnectionInfo>, group: &GroupName) {
        self.notify_presence(GroupPresenceEvent::Joined, connection, group);
    }

    fn group_left(&self, connection: &Arc<ConnectionInfo>, group: &GroupName) {
        self.notify_presence(GroupPresenceEvent::Left, connection, group);
    }
}
