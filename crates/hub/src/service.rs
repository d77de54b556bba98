//! Running service.

use std::sync::Arc;

use axum::Router;

use crate::{
    hub::Hub,
    live_groups::{LiveGroup, live_groups},
    registry::Registry,
    router,
    settings::ServiceSettings,
};

/// Running service.
pub struct Service {
    registry: Arc<Registry>,
    router: Router,
}

impl Service {
    /// Creates a service without connections.
    #[must_use]
    pub fn new(settings: ServiceSettings) -> Arc<Self> {
        let registry = Arc::new(Registry::new(settings));
        let router = router::routes(&registry);
        Arc::new(Self { registry, router })
    }

    /// Returns the routes: `/client/…` for clients, `/api/…` for application servers, `/history/…` for earlier messages, and, if
    /// [`ServiceSettings::is_inspectable`], `/metrics` and `/_hub`.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Returns the number of open connections, resumable ones without a socket included.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.registry.admission().open()
    }

    /// Returns the hub called `name`; `None` if no request has used it yet, or the name is invalid.
    #[must_use]
    pub fn hub_named(&self, name: &str) -> Option<Arc<Hub>> {
        self.registry.hub_named(name)
    }

    /// Returns the groups of the hub called `hub` that have members or earlier messages, and whose names satisfy `is_match`.
    #[must_use]
    pub fn live_groups(&self, hub: &str, is_match: impl Fn(&str) -> bool) -> Vec<LiveGroup> {
        let now = tokio::time::Instant::now();
        self.registry.hub_named(hub).map_or_else(Vec::new, |hub| live_groups(&hub, is_match, now))
    }

    /// Disconnects every client with a shutdown message and close code 1001, then waits until all connections have
    /// ended.
    pub async fn shut_down(&self) {
        self.registry.shut_down().await;
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
            .map_while(|_| service.registry.admission().admit(&Applicant::default()).ok())
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
