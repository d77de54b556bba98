//! Shared state of a running service: hubs, permits of connections, and sessions that can resume.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use tokio::time::Instant;
use webpubsub_protocol::{close::Close, name::HubName};

use crate::{
    admission::Admission,
    connection::{ClientConnection, ConnectionId},
    event_handler::EventHandler,
    history::{History, WallClock},
    hub::{Audience, Hub},
    log_limit::LogLimit,
    metrics::{Metrics, SIMPLE},
    resumable_session::ResumableSession,
    session::Session,
    settings::ServiceSettings,
};

/// Maximum number of hubs. At this limit, hubs without connections are removed to admit a new one; if there are none,
/// its request is answered with 503.
pub(crate) const MAX_HUBS: usize = 1000;

/// Shared state of a running service.
pub(crate) struct Registry {
    settings: ServiceSettings,
    /// Hubs by name, created on first use.
    hubs: RwLock<HashMap<HubName, Arc<Hub>>>,
    history: Arc<History>,
    admission: Arc<Admission>,
    /// Sessions that can resume, with or without a socket. Each holds a connection's permit, which bounds their
    /// number.
    resumable_sessions: Mutex<HashMap<ConnectionId, Arc<ResumableSession>>>,
    features_not_offered: LogLimit,
}

impl Registry {
    /// Creates a registry without connections.
    pub(crate) fn new(settings: ServiceSettings, clock: WallClock) -> Self {
        let admission = Admission::new(settings.client_limits, settings.memory.clone());
        let history = History::new(settings.history.clone(), settings.memory.clone(), clock);
        let (hubs, resumable_sessions) = (RwLock::default(), Mutex::default());
        let features_not_offered = LogLimit::default();
        Self { settings, hubs, history, admission, resumable_sessions, features_not_offered }
    }

    /// Disconnects every client with a shutdown message and close code 1001, then waits until all connections have
    /// ended.
    pub(crate) async fn shut_down(&self) {
        let hubs: Vec<_> =
            self.hubs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for connection in hubs.iter().flat_map(|hub| hub.select(Audience::Everyone, None)) {
            connection.disconnect(Close::SHUTTING_DOWN.reason.into_owned(), Close::SHUTTING_DOWN);
        }
        // Detached sessions have no socket task that would remove them.
        self.resumable_sessions().clear();
        self.admission.drained().await;
    }

    /// Returns the history of all hubs.
    pub(crate) fn history(&self) -> &Arc<History> {
        &self.history
    }

    pub(crate) fn settings(&self) -> &ServiceSettings {
        &self.settings
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
                    hub.history().iter().for_each(|history| history.forget());
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
            let hub = Hub::new(traffic, self.settings.memory.clone(), self.history.hub());
            Arc::new(hub.with_observer(self.settings.event_handler.clone()))
        };
        Some(Arc::clone(hubs.entry(name.clone()).or_insert_with(new)))
    }

    /// Returns the hub called `name`; `None` if no request has used it yet.
    pub(crate) fn existing_hub(&self, name: &HubName) -> Option<Arc<Hub>> {
        self.hubs.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    /// Returns all hubs with their names.
    pub(crate) fn all_hubs(&self) -> Vec<(HubName, Arc<Hub>)> {
        let hubs = self.hubs.read().unwrap_or_else(PoisonError::into_inner);
        hubs.iter().map(|(name, hub)| (name.clone(), Arc::clone(hub))).collect()
    }

    /// Sets the gauges, and encodes all metrics in the OpenMetrics text format.
    pub(crate) fn openmetrics(&self, now: Instant) -> String {
        for (name, hub) in self.all_hubs() {
            let (groups, connections) = hub.counts();
            self.metrics().set_gauges(name.as_str(), groups, &connections);
        }
        self.metrics().set_memory(&self.settings.memory);
        self.metrics().set_history(&self.history.counts(now));
        self.metrics().to_openmetrics()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.settings.metrics
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
    pub(crate) fn connection_closed(&self, session: &mut Session, now: Instant) {
        if !session.end(now) {
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

    /// Returns the limit on log lines about features that are not offered.
    pub(crate) fn features_not_offered(&self) -> &LogLimit {
        &self.features_not_offered
    }

    /// Returns the admission of connections.
    pub(crate) fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }
}
