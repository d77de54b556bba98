//! The whole service: its hubs, its settings, its router.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    http::{HeaderMap, header},
    routing::{any, get},
};
use tokio::{sync::Notify, time::Instant};
use webpubsub_protocol::{close::Close, connection_string::AccessKey, name::HubName, token::UnixTime};

use crate::{
    connection::{ClientConnection, ConnectionId},
    event_handler::EventHandler,
    handshake,
    hub::{Audience, Hub, SIMPLE},
    inspect,
    metrics::Metrics,
    recovery::ResumableSession,
    rest,
    session::Session,
};

/// Most connections at once; one more is answered with 503. About 250 MB of sockets and buffers.
pub const MAX_CONNECTIONS: usize = 20_000;

/// Most hubs at once. When there are as many, those without connections go; if there are none, a further hub is refused.
pub const MAX_HUBS: usize = 1000;

/// How a service behaves.
#[derive(Default)]
pub struct Settings {
    /// Keys that sign tokens; any one of them will do.
    pub access_keys: Vec<AccessKey>,
    /// Whether tokens may name any host in their audience: a service on the loopback interface has many names, and
    /// nobody else can reach it by any of them.
    pub accepts_any_host: bool,
    /// A name that tokens may be for besides the one that a request was sent to: what a proxy in front is called, which may
    /// not pass that on.
    pub public_host: Option<String>,
    /// The application that has a say in who connects, and answers events.
    pub event_handler: Option<Arc<dyn EventHandler>>,
    /// What event handlers know the service by (`WebHook-Request-Origin`); without one, what each client called it.
    pub event_origin: Option<String>,
    /// Whether clients without a token are let in, as nobody in particular and without any permission but those the
    /// application gives.
    pub allows_anonymous: bool,
    /// Whether everyone who can reach the service may open the inspector; see [`crate::inspect`].
    pub is_inspectable: bool,
    /// Path of the log's page on the same server, which the inspector links to; `None` if there is no such page.
    pub log_page: Option<&'static str>,
    /// Where it is counted what happens.
    pub metrics: Arc<Metrics>,
}

impl Settings {
    /// Whether a token may be for this place, by one of the hosts that we are called; `None` is any host.
    pub(crate) fn is_valid_audience(
        &self,
        headers: &HeaderMap,
        is_for: impl Fn(Option<&str>) -> bool,
    ) -> bool {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let asked = if self.accepts_any_host { None } else { Some(host) };
        is_for(asked) || self.public_host.as_deref().is_some_and(|host| is_for(Some(host)))
    }
}

/// A running service.
pub struct Service {
    settings: Settings,
    /// Hubs come into being when first used.
    hubs: RwLock<HashMap<HubName, Arc<Hub>>>,
    connections: AtomicUsize,
    drained: Notify,
    /// Reliable conversations, with or without a socket. At most one for each place.
    resumable_sessions: Mutex<HashMap<ConnectionId, Arc<ResumableSession>>>,
    /// How many live pages are open; see [`inspect::MAX_VIEWERS`].
    viewers: AtomicUsize,
}

/// A connection's place among [`MAX_CONNECTIONS`]. Dropping it frees the place.
pub(crate) struct ConnectionPermit(Arc<Service>);

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        if self.0.connections.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.drained.notify_waiters();
        }
    }
}

impl Service {
    /// A service without connections.
    #[must_use]
    pub fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            hubs: RwLock::default(),
            connections: AtomicUsize::new(0),
            drained: Notify::new(),
            resumable_sessions: Mutex::default(),
            viewers: AtomicUsize::new(0),
        })
    }

    /// The routes: `/client/…` for clients, `/api/…` for application servers, and where [`Settings`] allow it, `/metrics`
    /// and `/_hub`.
    pub fn router(self: &Arc<Self>) -> Router {
        let inside = if self.settings.is_inspectable { inspect::routes() } else { Router::new() };
        Router::new()
            .merge(inside)
            .route("/client", get(handshake::connect))
            .route("/client/", get(handshake::connect))
            .route("/client/hubs/{hub}", get(handshake::connect))
            .route("/api/{*operation}", any(rest::handle))
            .with_state(Arc::clone(self))
    }

    /// How many clients are connected.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    /// Tells every client that the service ends, closes all connections, and waits until they are gone.
    pub async fn shut_down(&self) {
        let hubs: Vec<_> =
            self.hubs.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for connection in hubs.iter().flat_map(|hub| hub.select(Audience::Everyone, None)) {
            connection.disconnect(Close::SHUTTING_DOWN.reason.into_owned(), Close::SHUTTING_DOWN);
        }
        // Those without a socket have nobody to end them.
        self.resumable_sessions().clear();
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            drained.as_mut().enable();
            if self.connection_count() == 0 {
                return;
            }
            drained.await;
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The present time. The one place of this crate that reads the wall clock.
    pub(crate) fn unix_time() -> UnixTime {
        // A clock before 1970 makes every token expired or not yet valid, never valid for ever.
        UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
    }

    /// The hub called `name`; `None` when there are too many.
    pub(crate) fn get_or_create_hub(&self, name: &HubName) -> Option<Arc<Hub>> {
        if let Some(hub) = self.hubs.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(Arc::clone(hub));
        }
        let mut hubs = self.hubs.write().unwrap_or_else(PoisonError::into_inner);
        if hubs.len() >= MAX_HUBS {
            // One that somebody holds is about to be used.
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
        let new = || Arc::new(Hub::new(self.settings.metrics.traffic(name.as_str())));
        Some(Arc::clone(hubs.entry(name.clone()).or_insert_with(new)))
    }

    /// The hub called `name`, if somebody has used it.
    #[must_use]
    pub fn hub_named(&self, name: &str) -> Option<Arc<Hub>> {
        let name = HubName::new(name).ok()?;
        self.hubs.read().unwrap_or_else(PoisonError::into_inner).get(&name).map(Arc::clone)
    }

    /// Every hub there is, with its name.
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

    /// The application, if there is one.
    pub(crate) fn event_handler(&self) -> Option<&dyn EventHandler> {
        self.settings.event_handler.as_deref()
    }

    /// A connection has begun.
    pub(crate) fn connection_opened(&self, connection: &Arc<ClientConnection>) {
        self.metrics()
            .record_connection(&connection.event_context.hub, connection.protocol().unwrap_or(SIMPLE));
        tracing::debug!(connection = %connection.id, user = ?connection.user_id, format = ?connection.format, "connected");
        if let Some(handler) = self.event_handler() {
            handler.connected(connection);
        }
    }

    /// A connection has ended, for good.
    pub(crate) fn connection_closed(&self, session: &mut Session) {
        if !session.end(Instant::now()) {
            return;
        }
        let connection = session.connection();
        tracing::debug!(connection = %connection.id, reason = connection.end_reason(), "disconnected");
        if let Some(handler) = self.event_handler() {
            handler.disconnected(connection, connection.end_reason());
        }
    }

    fn resumable_sessions(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<ResumableSession>>> {
        self.resumable_sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a reliable conversation known to those who want to take it up again.
    pub(crate) fn add_resumable(&self, resumable: &Arc<ResumableSession>) {
        self.resumable_sessions().insert(resumable.id().clone(), Arc::clone(resumable));
    }

    /// The reliable conversation called `id`.
    pub(crate) fn resumable_session(&self, id: &str) -> Option<Arc<ResumableSession>> {
        self.resumable_sessions().get(id).cloned()
    }

    /// A reliable conversation has ended for good.
    pub(crate) fn remove_resumable(&self, id: &ConnectionId) {
        self.resumable_sessions().remove(id);
    }

    /// A place for one more connection; `None` when there is none.
    pub(crate) fn acquire_permit(self: &Arc<Self>) -> Option<ConnectionPermit> {
        let taken = self.connections.fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
            (taken < MAX_CONNECTIONS).then_some(taken + 1)
        });
        taken.is_ok().then(|| ConnectionPermit(Arc::clone(self)))
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn one_connection_too_many_is_told_to_come_back_later_and_a_place_that_is_left_is_free() {
        let service = Service::new(Settings { allows_anonymous: true, ..Settings::default() });
        let mut permits: Vec<ConnectionPermit> =
            (0..MAX_CONNECTIONS).filter_map(|_| service.acquire_permit()).collect();
        assert_eq!(permits.len(), MAX_CONNECTIONS);
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
