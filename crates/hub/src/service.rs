//! Running service: hubs, settings, limits and routes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, atomic::AtomicUsize},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    http::{HeaderMap, header},
    routing::{any, get},
};
use tokio::time::Instant;
use webpubsub_protocol::{close::Close, connection_string::AccessKey, name::HubName, token::UnixTime};

use crate::{
    admission::{Admission, ClientLimits},
    connection::{ClientConnection, ConnectionId},
    event_handler::EventHandler,
    handshake,
    hub::{Audience, Hub},
    inspect,
    memory::MemoryBudget,
    metrics::{Metrics, SIMPLE},
    recovery::ResumableSession,
    rest,
    session::Session,
};

/// Maximum number of hubs. At this limit, hubs without connections are removed to admit a new one; if there are none,
/// its request is answered with 503.
pub const MAX_HUBS: usize = 1000;

/// Settings of a [`Service`].
#[derive(Default)]
pub struct ServiceSettings {
    /// Keys that sign access tokens. A token signed with any of them is valid.
    pub access_keys: Vec<AccessKey>,
    /// Accepts tokens for any host in their audience (`aud`). Meant for a service on the loopback interface: it has
    /// many names, and no other machine can reach it by any of them.
    pub accepts_any_host: bool,
    /// Host that tokens may name besides the `Host` header of the request: the public name of a reverse proxy that does
    /// not forward it.
    pub public_host: Option<String>,
    /// Upstream event handler: accepts or rejects connections, and answers events. `None` accepts every valid token and
    /// fails every event.
    pub event_handler: Option<Arc<dyn EventHandler>>,
    /// Host by which event handlers know the service (`WebHook-Request-Origin`). `None` sends the host that the client
    /// connected to.
    pub event_origin: Option<String>,
    /// Accepts clients without a token: anonymous, and without roles unless the event handler assigns some.
    pub allows_anonymous: bool,
    /// Serves the inspector and the metrics to everyone who can reach the service; see [`crate::inspect`].
    pub is_inspectable: bool,
    /// Path of the log page on the same server, linked from the inspector. `None` if there is no such page.
    pub log_page: Option<&'static str>,
    /// Limits on the clients of one address, or with one token; `None` for a service that no stranger can reach. The
    /// address of a client is its [`handshake::ClientAddress`].
    pub client_limits: Option<ClientLimits>,
    /// Memory budget of all clients; see [`crate::memory`].
    pub memory: MemoryBudget,
    /// Metrics of the service, shared with its event handlers.
    pub metrics: Arc<Metrics>,
}

impl ServiceSettings {
    /// Returns whether the audience of a token is this service. `is_for` compares it with one host, or with any host if
    /// that is `None`.
    pub(crate) fn is_valid_audience(
        &self,
        headers: &HeaderMap,
        is_for: impl Fn(Option<&str>) -> bool,
    ) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let accepted_host = if self.accepts_any_host { None } else { Some(host) };
        is_for(accepted_host) || self.public_host.as_deref().is_some_and(|host| is_for(Some(host)))
    }
}

/// Running service.
pub struct Service {
    settings: ServiceSettings,
    /// Hubs by name, created on first use.
    hubs: RwLock<HashMap<HubName, Arc<Hub>>>,
    admission: Arc<Admission>,
    /// Sessions that can resume, with or without a socket. Each holds a connection's permit, which bounds their
    /// number.
    resumable_sessions: Mutex<HashMap<ConnectionId, Arc<ResumableSession>>>,
    /// Number of inspector pages that receive updates, at most [`inspect::MAX_VIEWERS`].
    viewers: AtomicUsize,
}

impl Service {
    /// Creates a service without connections.
    #[must_use]
    pub fn new(settings: ServiceSettings) -> Arc<Self> {
        let admission = Admission::new(settings.client_limits, settings.memory.clone());
        Arc::new(Self {
            settings,
            hubs: RwLock::default(),
            admission,
            resumable_sessions: Mutex::default(),
            viewers: AtomicUsize::new(0),
        })
    }

    /// Returns the routes: `/client/…` for clients, `/api/…` for application servers, and, if
    /// [`ServiceSettings::is_inspectable`], `/metrics` and `/_hub`.
    pub fn router(self: &Arc<Self>) -> Router {
        let inspector = if self.settings.is_inspectable { inspect::routes() } else { Router::new() };
        Router::new()
            .merge(inspector)
            .route("/client", get(handshake::connect))
            .route("/client/", get(handshake::connect))
            .route("/client/hubs/{hub}", get(handshake::connect))
            .route("/api/{*operation}", any(rest::handle))
            .with_state(Arc::clone(self))
    }

    /// Returns the number of open connections, resumable ones without a socket included.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.admission.open()
    }

    /// Disconnects every client with a shutdown message and close code 1001, then waits until all connections have
    /// ended.
    pub async fn shut_down(&self) {
        let hubs: Vec<_> =
            self.hubs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for connection in hubs.iter().flat_map(|hub| hub.select(Audience::Everyone, None)) {
            connection.disconnect(Close::SHUTTING_DOWN.reason.into_owned(), Close::SHUTTING_DOWN);
        }
        // Detached sessions have no socket task that would remove them.
        self.resumable_sessions().clear();
        self.admission.drained().await;
    }

    pub(crate) fn settings(&self) -> &ServiceSettings {
        &self.settings
    }

    /// Returns the current time. The only access to the wall clock in token validation.
    pub(crate) fn unix_time() -> UnixTime {
        // With a clock before 1970 every token is expired or not yet valid, never valid for ever.
        UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
    }

    /// Returns the hub called `name`, created if need be; `None` at [`MAX_HUBS`].
    pub(crate) fn get_or_create_hub(&self, name: &HubName) -> Option<Arc<Hub>> {
        if let Some(hub) = self.hubs.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(Arc::clone(hub));
        }
        let mut hubs = self.hubs.write().unwrap_or_else(PoisonError::into_inner);
        if hubs.len() >= MAX_HUBS {
            // A further reference means that a request is about to use the hub.
            hubs.retain(|name, hub| {
                let stays = Arc::strong_count(hub) > 1 || !hub.is_empty();
                if !stays {
                    self.metrics().remove_hub(name.as_str());
                }
                stays
            });
            if hubs.len() >= MAX_HUBS && !hubs.contains_key(name) {
                return None;
            }
        }
        let new = || {
            let traffic = self.settings.metrics.traffic(name.as_str());
            Arc::new(Hub::new(traffic, self.settings.memory.clone()))
        };
        Some(Arc::clone(hubs.entry(name.clone()).or_insert_with(new)))
    }

    /// Returns the hub called `name`; `None` if no request has used it yet, or the name is invalid.
    #[must_use]
    pub fn hub_named(&self, name: &str) -> Option<Arc<Hub>> {
        let name = HubName::new(name).ok()?;
        self.hubs.read().unwrap_or_else(PoisonError::into_inner).get(&name).map(Arc::clone)
    }

    /// Returns all hubs with their names.
    pub(crate) fn all_hubs(&self) -> Vec<(HubName, Arc<Hub>)> {
        let hubs = self.hubs.read().unwrap_or_else(PoisonError::into_inner);
        hubs.iter().map(|(name, hub)| (name.clone(), Arc::clone(hub))).collect()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.settings.metrics
    }

    pub(crate) fn viewers(&self) -> &AtomicUsize {
        &self.viewers
    }

    /// Returns the upstream event handler.
    pub(crate) fn event_handler(&self) -> Option<&dyn EventHandler> {
        self.settings.event_handler.as_deref()
    }

    /// Counts and logs a new connection, and reports it to the event handler.
    pub(crate) fn connection_opened(&self, connection: &Arc<ClientConnection>) {
        self.metrics().record_connection(connection.info().hub(), connection.protocol().unwrap_or(SIMPLE));
        tracing::debug!(connection = %connection.id, user = ?connection.user_id(), format = ?connection.format, "connected");
        if let Some(handler) = self.event_handler() {
            handler.connected(connection.info());
        }
    }

    /// Removes a connection that has ended for good, and reports it to the event handler. Does nothing the second time.
    pub(crate) fn connection_closed(&self, session: &mut Session) {
        if !session.end(Instant::now()) {
            return;
        }
        let connection = session.connection();
        tracing::debug!(connection = %connection.id, reason = connection.end_reason(), "disconnected");
        if let Some(handler) = self.event_handler() {
            handler.disconnected(connection.info(), connection.end_reason());
        }
    }

    fn resumable_sessions(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<ResumableSession>>> {
        self.resumable_sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a reliable session for recovery.
    pub(crate) fn add_resumable(&self, resumable: &Arc<ResumableSession>) {
        self.resumable_sessions().insert(resumable.id().clone(), Arc::clone(resumable));
    }

    /// Returns the reliable session of the connection `id`.
    pub(crate) fn resumable_session(&self, id: &str) -> Option<Arc<ResumableSession>> {
        self.resumable_sessions().get(id).cloned()
    }

    /// Removes a reliable session that has ended for good.
    pub(crate) fn remove_resumable(&self, id: &ConnectionId) {
        self.resumable_sessions().remove(id);
    }

    /// Returns the admission of connections.
    pub(crate) fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::*;
    use crate::admission::{Applicant, ConnectionPermit, MAX_CONNECTIONS};

    #[tokio::test]
    async fn handshakes_beyond_the_connection_limit_get_503_until_a_permit_is_released() {
        let service = Service::new(ServiceSettings { allows_anonymous: true, ..ServiceSettings::default() });
        let mut permits: Vec<ConnectionPermit> = (0..MAX_CONNECTIONS)
            .map_while(|_| service.admission().admit(&Applicant::default()).ok())
            .collect();
        let connect = || {
            Request::get("/client/hubs/h")
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
                .body(Body::empty())
                .unwrap()
        };
        let status = async || service.router().oneshot(connect()).await.unwrap().status().as_u16();
        assert_eq!(status().await, 503);
        permits.pop();
        assert_eq!(status().await, 101);
        drop(permits);
        assert!(service.connection_count() <= 1);
    }
}
