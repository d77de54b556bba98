//! Event handlers over HTTP, compatible with the cloud service: CloudEvents, posted to application servers.
//!
//! | module | contents |
//! | --- | --- |
//! | [`rule`] | routing rules of events |
//! | [`validation`] | abuse protection: consent of a server before its first event |
//! | `cloud_event` | encoding of events as requests |
//! | [`delivery`] | sending of requests: timeouts, retries, cookies |
//! | `exchange` | request bodies and responses |

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use async_trait::async_trait;
use axum::http::HeaderValue;
use reqwest::Url;
use tokio::sync::Semaphore;
use webpubsub_protocol::connection_string::AccessKey;

use self::{
    cloud_event::{CONNECTION_STATE, CloudEvent, EventConnection},
    delivery::{DeliveryClient, HandlerResponse},
    rule::{Rule, SystemEvent},
};
use crate::{
    event_context::EventContext,
    event_handler::{
        ConnectRejection, ConnectRequest, ConnectResponse, EventError, EventHandler, EventReply, UserEvent,
    },
    identity::ConnectionInfo,
    metrics::{EventTimer, Metrics},
};

mod cloud_event;
pub(crate) mod delivery;
mod exchange;
pub(crate) mod rule;
pub(crate) mod validation;

/// Maximum number of `connected` and `disconnected` events that one handler has not answered. Further ones are dropped
/// and logged.
const MAX_NOTIFICATIONS: usize = 1024;

/// Maximum length of a connection state, in bytes: it is sent with every event.
const MAX_STATE_BYTES: usize = 8 * 1024;

/// Event handlers that are application servers, selected by rules.
#[derive(Debug)]
pub(crate) struct HttpEventHandlers {
    rules: Vec<Rule>,
    keys: Vec<AccessKey>,
    delivery_client: DeliveryClient,
    /// Permits for notifications, one semaphore per rule: a handler that does not answer must not block others.
    notifications: Vec<Arc<Semaphore>>,
    metrics: Arc<Metrics>,
}

impl HttpEventHandlers {
    /// Creates handlers that sign their requests with `keys`, and count them in `metrics`.
    ///
    /// # Errors
    /// If the HTTP client cannot be created. It requires a default crypto provider of the process
    /// (`rustls::crypto::CryptoProvider::install_default`).
    pub(crate) fn new(
        rules: Vec<Rule>,
        keys: Vec<AccessKey>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, reqwest::Error> {
        let notifications = rules.iter().map(|_| Arc::new(Semaphore::new(MAX_NOTIFICATIONS))).collect();
        Ok(Self { rules, keys, delivery_client: DeliveryClient::new()?, notifications, metrics })
    }

    /// Sets the timeout of a handler, retries and their delays included. The default is [`delivery::HANDLER_TIMEOUT`].
    #[must_use]
    pub(crate) fn with_timeout(mut self, timeout: Duration) -> Self {
        self.delivery_client.timeout = timeout;
        self
    }

    fn rule_for(&self, hub: &str, is_match: impl Fn(&Rule) -> bool) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.is_for_hub(hub) && is_match(rule))
    }

    fn rule_for_system(&self, hub: &str, event: SystemEvent) -> Option<&Rule> {
        self.rule_for(hub, |rule| rule.system_events.contains(&event))
    }

    /// Returns the URL of an event, and the URL of its validation request.
    fn urls(rule: &Rule, hub: &str, event: &str) -> Result<(Url, Url), EventError> {
        let url = |event| rule.url.url(hub, event).map_err(|error| EventError::Failed(error.to_string()));
        Ok((url(event)?, url("validate")?))
    }

    /// Sends a notification in a task of its own.
    fn notify(&self, event: SystemEvent, connection: &Arc<ConnectionInfo>, body: String) {
        let hub = connection.hub();
        let is_match = |rule: &Rule| rule.is_for_hub(hub) && rule.system_events.contains(&event);
        let found = self.rules.iter().zip(&self.notifications).find(|(rule, _)| is_match(rule));
        let Some((rule, permits)) = found else { return };
        let Ok(permit) = Arc::clone(permits).try_acquire_owned() else {
            tracing::warn!(
                event = event.name(),
                "event dropped: too many events wait for an answer of this handler"
            );
            return;
        };
        let request = match CloudEvent::system(event, event_connection(connection), &self.keys, body) {
            Ok(request) => request,
            Err(error) => return tracing::warn!(event = event.name(), %error, "event not delivered"),
        };
        let urls = Self::urls(rule, hub, event.name());
        let (delivery_client, metrics) = (self.delivery_client.clone(), Arc::clone(&self.metrics));
        let connection = Arc::clone(connection);
        tokio::spawn(async move {
            let timer = EventTimer::start(&metrics, event.name(), Instant::now());
            let outcome =
                async { delivery_client.deliver(&urls?, connection.event_context(), request).await };
            let outcome = outcome.await;
            timer.stop(outcome.as_ref().is_ok_and(|response| response.status.is_success()), Instant::now());
            match outcome {
                Ok(response) if !response.status.is_success() => {
                    tracing::warn!(event = event.name(), status = %response.status, "the event handler failed");
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(event = event.name(), %error, "event not delivered"),
            }
            drop(permit);
        });
    }

    async fn request_connect(
        &self,
        request: &ConnectRequest<'_>,
    ) -> Result<ConnectResponse, ConnectRejection> {
        let hub = request.hub;
        let Some(rule) = self.rule_for_system(hub, SystemEvent::Connect) else {
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
            .deliver(&urls, request.event_context, event)
            .await
            .map_err(|error| failed(&error))?;
        let response_fields = exchange::parse_connect_response(&response)?;
        store_state(request.event_context, &response);
        Ok(response_fields)
    }

    async fn dispatch(
        &self,
        connection: &ConnectionInfo,
        event: &UserEvent,
    ) -> Result<Option<EventReply>, EventError> {
        let hub = connection.hub();
        let rule = self.rule_for(hub, |rule| rule.user_events.is_match(&event.name));
        let rule = rule.ok_or(EventError::NoHandler)?;
        let urls = Self::urls(rule, hub, event.name.as_str())?;
        let request = CloudEvent::user(
            event.name.as_str(),
            &event.payload,
            &event.metadata,
            event_connection(connection),
            &self.keys,
        )?;
        let response = self.delivery_client.deliver(&urls, connection.event_context(), request).await?;
        let reply = exchange::parse_event_response(&response)?;
        store_state(connection.event_context(), &response);
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

fn store_state(event_context: &EventContext, response: &HandlerResponse) {
    let Some(state) = response.headers.get(CONNECTION_STATE) else { return };
    if state.len() > MAX_STATE_BYTES {
        tracing::warn!(bytes = state.len(), "connection state ignored: it exceeds the length limit");
    } else {
        event_context.set_connection_state(HeaderValue::clone(state));
    }
}

#[async_trait]
impl EventHandler for HttpEventHandlers {
    fn decides_on_connections(&self, hub: &str) -> bool {
        self.rule_for_system(hub, SystemEvent::Connect).is_some()
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
        self.notify(SystemEvent::Connected, connection, "{}".to_owned());
    }

    fn disconnected(&self, connection: &Arc<ConnectionInfo>, reason: &str) {
        let body = serde_json::json!({ "reason": reason }).to_string();
        self.notify(SystemEvent::Disconnected, connection, body);
    }
}
