//! Running service.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::Router;
use tokio::time::Instant;
use webpubsub_protocol::name::{HubName, NameError};

use crate::{
    builder::{BuildError, ServiceBuilder},
    history::WallClock,
    http_handlers::rule::Rule,
    hub::Hub,
    live_groups::{LiveGroup, live_groups},
    registry::{MAX_HUBS, Registry},
    router,
    settings::ServiceSettings,
};

/// Failure to get a hub.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The name is invalid.
    #[error("cannot open the hub: {0}")]
    Name(#[from] NameError),
    /// The service has its maximum number of hubs, all of them in use.
    #[error("cannot open the hub `{name}`: {MAX_HUBS} hubs are in use, the maximum; use one of them")]
    TooMany {
        /// Name of the hub.
        name: String,
    },
}

/// Running service. Clones are the same service.
#[derive(Clone)]
pub struct Service {
    registry: Arc<Registry>,
    router: Router,
}

impl Service {
    /// Returns the settings of a service without access: add an access key, or allow anonymous clients.
    pub fn builder() -> ServiceBuilder {
        ServiceBuilder::new()
    }

    fn new(settings: ServiceSettings) -> Self {
        let registry = Arc::new(Registry::new(settings, WallClock::new(Instant::now(), SystemTime::now())));
        let router = router::routes(&registry);
        Self { registry, router }
    }

    /// Returns the routes: `/client/…` for clients, `/api/…` for application servers, `/history/…` for earlier messages,
    /// and, if the service is [inspectable](ServiceBuilder::inspectable), `/metrics` and `/_hub`.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Returns the hub called `name`, created on first use.
    ///
    /// # Errors
    /// [`HubError`] if the name is invalid, or too many hubs are in use.
    pub fn hub(&self, name: &str) -> Result<Arc<Hub>, HubError> {
        let name = HubName::new(name)?;
        self.registry.get_or_create_hub(&name).ok_or_else(|| HubError::TooMany { name: name.to_string() })
    }

    /// Replaces the rules and the timeout of the [event handlers over HTTP](ServiceBuilder::http_event_handlers). Connections
    /// stay open, and events in progress finish with the previous rules. Returns `false`, and changes nothing, if the service
    /// was built without such handlers.
    pub fn replace_http_event_handlers(&self, rules: Vec<Rule>, timeout: Duration) -> bool {
        let handlers = self.registry.settings().http_event_handlers.as_ref();
        handlers.map(|handlers| handlers.replace(rules, timeout)).is_some()
    }

    /// Returns the number of open connections, resumable ones without a socket included.
    #[must_use]
    pub fn connection_count(&self) -> usize {
        self.registry.admission().open()
    }

    /// Returns all metrics in the OpenMetrics text format, as `/metrics` does.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.registry.openmetrics(Instant::now())
    }

    /// Returns the groups of the hub called `hub` that have members or earlier messages, and whose names satisfy `is_match`: at most
    /// 500, those with the newest messages first in the choice. None if the event handler decides who may connect: it alone knows
    /// who may read them.
    #[must_use]
    pub fn live_groups(&self, hub: &str, is_match: impl Fn(&str) -> bool) -> Vec<LiveGroup> {
        let now = Instant::now();
        if self.registry.event_handler().is_some_and(|handler| handler.decides_on_connections(hub)) {
            return Vec::new();
        }
        let hub = HubName::new(hub).ok().and_then(|name| self.registry.existing_hub(&name));
        hub.map_or_else(Vec::new, |hub| live_groups(&hub, is_match, now))
    }

    /// Waits until no response of the history is being sent. Further requests are refused meanwhile: call it before
    /// [`Self::shut_down`], so that clients have what they requested.
    pub async fn history_sent(&self) {
        self.registry.history().responses_sent().await;
    }

    /// Disconnects every client with a shutdown message and close code 1001, then waits until all connections have
    /// ended.
    pub async fn shut_down(&self) {
        self.registry.shut_down().await;
    }
}

impl ServiceBuilder {
    /// Builds the service.
    ///
    /// # Errors
    /// [`BuildError`] if a setting is invalid, or nobody could connect.
    pub fn build(self) -> Result<Service, BuildError> {
        self.into_settings().map(Service::new)
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::*;
    use crate::admission::{Applicant, ConnectionPermit, MAX_CONNECTIONS};

    #[tokio::test]
    async fn the_history_is_sent_once_no_response_is_left() {
        let service = Service::builder().allow_anonymous(true).build().unwrap();
        let response = service.registry.history().response_place();
        assert!(response.is_some());
        let sent = service.history_sent();
        tokio::pin!(sent);
        assert!(tokio::time::timeout(Duration::ZERO, &mut sent).await.is_err(), "a response is being sent");
        drop(response);
        sent.await;
    }

    #[tokio::test]
    async fn handshakes_beyond_the_connection_limit_get_503_until_a_permit_is_released() {
        let service = Service::builder().allow_anonymous(true).build().unwrap();
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

    #[test]
    fn a_service_has_hubs_in_use_up_to_the_limit_and_counts_them_in_its_metrics() {
        let service = Service::builder().allow_anonymous(true).build().unwrap();
        assert!(matches!(service.hub("1 bad name"), Err(HubError::Name(_))));
        let hubs: Vec<_> =
            (0..MAX_HUBS).map(|number| service.hub(&format!("hub{number}")).unwrap()).collect();
        let name = "another".to_owned();
        assert_eq!(service.hub(&name).err(), Some(HubError::TooMany { name }));
        assert!(Arc::ptr_eq(&service.hub("hub0").unwrap(), &hubs[0]));
        assert!(service.metrics().contains("webpubsub_groups{hub=\"hub0\"} 0"));
        drop(hubs);
        assert!(service.hub("another").is_ok(), "hubs that nobody uses are replaced");
    }
}
