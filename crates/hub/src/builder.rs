//! Builder of a service: collects the settings, and validates them.

use std::{sync::Arc, time::Duration};

use webpubsub_protocol::{connection_string::AccessKey, endpoint::Endpoint};

use crate::{
    admission::ClientLimits,
    event_handler::EventHandler,
    history::HistoryRule,
    http_handlers::{HttpEventHandlers, rule::Rule},
    memory::{DEFAULT_MEMORY_LIMIT_BYTES, MIN_MEMORY_LIMIT_BYTES, MemoryBudget},
    settings::ServiceSettings,
};

/// Kind of a [`BuildError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildErrorKind {
    /// Nobody could connect: the service has no access key, and allows no anonymous clients.
    NoAccess,
    /// Nobody could connect: a limit of connections is 0.
    NoConnections,
    /// The memory limit is below [`MIN_MEMORY_LIMIT_BYTES`].
    MemoryLimit,
    /// The public URL is not a URL.
    PublicUrl,
    /// There are two event handlers, or the HTTP client of the handlers cannot be created.
    EventHandler,
}

/// Invalid settings of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot build the service: {reason}")]
pub struct BuildError {
    kind: BuildErrorKind,
    reason: String,
}

impl BuildError {
    fn new(kind: BuildErrorKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> BuildErrorKind {
        self.kind
    }
}

/// Settings of a future service, created with `Service::builder()`.
#[must_use = "settings alone are no service: call `build`"]
pub struct ServiceBuilder {
    settings: ServiceSettings,
    memory_limit: usize,
    http_handlers: Option<(Vec<Rule>, Duration)>,
    public_url: Option<String>,
}

impl ServiceBuilder {
    /// Creates the settings of a service without access.
    pub(crate) fn new() -> Self {
        Self {
            settings: ServiceSettings { history: vec![HistoryRule::default()], ..ServiceSettings::default() },
            memory_limit: DEFAULT_MEMORY_LIMIT_BYTES,
            http_handlers: None,
            public_url: None,
        }
    }

    /// Adds a key that signs access tokens. A token signed with any of the keys is valid.
    pub fn access_key(mut self, key: AccessKey) -> Self {
        self.settings.access_keys.push(key);
        self
    }

    /// Accepts clients without a token: anonymous, and without roles unless the event handler assigns some. The default
    /// is `false`.
    pub fn allow_anonymous(mut self, allow: bool) -> Self {
        self.settings.allows_anonymous = allow;
        self
    }

    /// Accepts tokens for any host in their audience (`aud`). The default is `false`. Meant for a service on the loopback
    /// interface: it has many names, and no other machine can reach it by any of them.
    pub fn accept_any_host(mut self, accept: bool) -> Self {
        self.settings.accepts_any_host = accept;
        self
    }

    /// Accepts tokens of Microsoft Entra ID for the REST data plane: their issuer, audience and times are checked, but not
    /// their signature, so anybody can create one. The default is `false`. Meant for a service on the loopback interface, to
    /// test applications that authenticate without an access key.
    pub fn allow_unverified_entra_tokens(mut self, allow: bool) -> Self {
        self.settings.allows_unverified_entra_tokens = allow;
        self
    }

    /// Sets the URL by which clients reach the service, if it differs from that of their requests: the URL of a reverse proxy
    /// that does not forward the host, or that removes a path prefix. Tokens may be for this URL as well, and links to further
    /// pages have it.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Sets the time by which each ack is delayed. The default is 0. A few milliseconds suit the official Python client
    /// (`azure-messaging-webpubsubclient` 1.1.0), which loses an ack that arrives before it waits for it.
    pub fn ack_delay(mut self, delay: Duration) -> Self {
        self.settings.ack_delay = delay;
        self
    }

    /// Sets the upstream event handler: it accepts or rejects connections, and answers events. Without one, every valid
    /// token is accepted, and every event fails.
    pub fn event_handler(mut self, handler: Arc<dyn EventHandler>) -> Self {
        self.settings.event_handler = Some(handler);
        self
    }

    /// Sets event handlers that are application servers, as those of the cloud service: the first rule that matches an
    /// event counts. A handler that has not answered within `timeout`, retries included, has failed. Events are signed
    /// with the access keys.
    ///
    /// [`build`](Self::build) creates their HTTP client, which requires a default crypto provider of the process
    /// (`rustls::crypto::CryptoProvider::install_default`).
    pub fn http_event_handlers(mut self, rules: Vec<Rule>, timeout: Duration) -> Self {
        self.http_handlers = Some((rules, timeout));
        self
    }

    /// Sets the host by which event handlers over HTTP know the service (`WebHook-Request-Origin`). Without it, they are
    /// sent the host that the client connected to.
    pub fn event_origin(mut self, host: impl Into<String>) -> Self {
        self.settings.event_origin = Some(host.into());
        self
    }

    /// Serves the inspector (`/_hub`) and the metrics (`/metrics`) to everyone who can reach the service. The default is
    /// `false`: the inspector shows messages of clients.
    pub fn inspectable(mut self, is_inspectable: bool) -> Self {
        self.settings.is_inspectable = is_inspectable;
        self
    }

    /// Links the inspector to the page at `path` on the same server.
    pub fn log_page(mut self, path: &'static str) -> Self {
        self.settings.log_page = Some(path);
        self
    }

    /// Limits the clients of one address, and those with one token. Without it, the total is limited only: suits a
    /// service that no stranger can reach. The address of a client is the [`ClientAddress`](crate::ClientAddress) of its
    /// request.
    pub fn client_limits(mut self, limits: ClientLimits) -> Self {
        self.settings.client_limits = Some(limits);
        self
    }

    /// Sets the memory budget of all clients, in bytes, at least [`MIN_MEMORY_LIMIT_BYTES`]. The default is
    /// [`DEFAULT_MEMORY_LIMIT_BYTES`].
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Sets the retention of group messages, in order of priority: the first rule that matches a group applies. Groups without
    /// a rule have no history. The default is one rule for all groups, [`HistoryRule::default`].
    pub fn history(mut self, rules: Vec<HistoryRule>) -> Self {
        self.settings.history = rules;
        self
    }

    /// Sets the origins (`https://example.com`) of pages on other hosts that may read the history.
    pub fn allowed_origins(mut self, origins: Vec<String>) -> Self {
        self.settings.allowed_origins = origins;
        self
    }

    /// Validates the settings.
    pub(crate) fn into_settings(self) -> Result<ServiceSettings, BuildError> {
        self.check_access()?;
        if self.memory_limit < MIN_MEMORY_LIMIT_BYTES {
            let reason = format!(
                "a memory limit of {} bytes is too small for two full queues; give at least {MIN_MEMORY_LIMIT_BYTES}",
                self.memory_limit
            );
            return Err(BuildError::new(BuildErrorKind::MemoryLimit, reason));
        }
        let Self { mut settings, memory_limit, http_handlers, public_url } = self;
        settings.public_url = public_url.map(|url| parse_public_url(&url)).transpose()?;
        settings.memory = MemoryBudget::new(memory_limit);
        if let Some((rules, timeout)) = http_handlers {
            let failed = |reason: String| BuildError::new(BuildErrorKind::EventHandler, reason);
            if settings.event_handler.is_some() {
                return Err(failed(
                    "it has both an event handler and event handlers over HTTP; set one of them".to_owned(),
                ));
            }
            let (keys, metrics) = (settings.access_keys.clone(), Arc::clone(&settings.metrics));
            let memory = settings.memory.clone();
            let handlers = HttpEventHandlers::new(rules, timeout, keys, metrics, memory).map_err(|error| {
                failed(format!(
                    "the HTTP client of the event handlers cannot be created: {error}; install a crypto provider of rustls first"
                ))
            })?;
            let handlers = Arc::new(handlers);
            settings.http_event_handlers = Some(Arc::clone(&handlers));
            settings.event_handler = Some(handlers);
        }
        Ok(settings)
    }

    fn check_access(&self) -> Result<(), BuildError> {
        let settings = &self.settings;
        if settings.access_keys.is_empty() && !settings.allows_anonymous {
            let reason = "nobody could connect, since it has no access key and allows no anonymous clients; add an access key, \
                          or allow anonymous clients";
            return Err(BuildError::new(BuildErrorKind::NoAccess, reason));
        }
        let is_zero =
            |limits: &ClientLimits| limits.connections_per_address == 0 || limits.connections_per_token == 0;
        if settings.client_limits.as_ref().is_some_and(is_zero) {
            let reason =
                "nobody could connect, since an address or a token may have 0 connections; allow at least 1";
            return Err(BuildError::new(BuildErrorKind::NoConnections, reason));
        }
        Ok(())
    }
}

fn parse_public_url(url: &str) -> Result<Endpoint, BuildError> {
    Endpoint::parse(url).filter(|_| url.contains("://")).ok_or_else(|| {
        let reason = format!(
            "the public URL `{url}` is no URL; give scheme and host, such as https://hub.example.com, and a path if needed"
        );
        BuildError::new(BuildErrorKind::PublicUrl, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(builder: ServiceBuilder) -> Option<BuildErrorKind> {
        builder.into_settings().err().map(|error| error.kind())
    }

    fn with_key() -> ServiceBuilder {
        ServiceBuilder::new().access_key(AccessKey::new(&"k".repeat(32)).unwrap())
    }

    struct NoOpinion;

    impl EventHandler for NoOpinion {}

    #[test]
    fn a_service_that_nobody_could_connect_to_is_rejected() {
        assert_eq!(kind(ServiceBuilder::new()), Some(BuildErrorKind::NoAccess));
        assert_eq!(kind(ServiceBuilder::new().allow_anonymous(true)), None);
        assert_eq!(kind(with_key()), None);
        let limits = ClientLimits { connections_per_token: 0, ..ClientLimits::default() };
        assert_eq!(kind(with_key().client_limits(limits)), Some(BuildErrorKind::NoConnections));
    }

    #[test]
    fn invalid_settings_are_rejected_with_their_kind_and_what_to_do() {
        assert_eq!(kind(with_key().memory_limit(1)), Some(BuildErrorKind::MemoryLimit));
        for url in ["", "hub.example.com", "https://", "ftp://hub.example.com", "https://a b"] {
            assert_eq!(kind(with_key().public_url(url)), Some(BuildErrorKind::PublicUrl), "{url}");
        }
        assert_eq!(kind(with_key().public_url("https://hub.example.com:8443/chat/")), None);
        let twice = with_key().event_handler(Arc::new(NoOpinion));
        let twice = twice.http_event_handlers(Vec::new(), Duration::from_secs(1));
        let error = twice.into_settings().err().unwrap();
        assert_eq!(error.kind(), BuildErrorKind::EventHandler);
        assert!(error.to_string().ends_with("set one of them"), "{error}");
    }
}
