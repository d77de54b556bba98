//! Settings of a service.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, header};
use webpubsub_protocol::{connection_string::AccessKey, endpoint::Endpoint};

use crate::{
    admission::ClientLimits, event_handler::EventHandler, history::HistoryRule,
    http_handlers::HttpEventHandlers, memory::MemoryBudget, metrics::Metrics,
};

/// Settings of a service.
#[derive(Default)]
pub(crate) struct ServiceSettings {
    /// Keys that sign access tokens. A token signed with any of them is valid.
    pub(crate) access_keys: Vec<AccessKey>,
    /// Accepts tokens for any host in their audience (`aud`). Meant for a service on the loopback interface: it has
    /// many names, and no other machine can reach it by any of them.
    pub(crate) accepts_any_host: bool,
    /// URL by which clients reach the service if it differs from that of their requests: behind a reverse proxy that does not
    /// forward the host, or that removes a path prefix.
    pub(crate) public_url: Option<Endpoint>,
    /// Accepts REST tokens of Microsoft Entra ID without verifying their signature.
    pub(crate) allows_unverified_entra_tokens: bool,
    /// Upstream event handler: accepts or rejects connections, and answers events. `None` accepts every valid token and
    /// fails every event.
    pub(crate) event_handler: Option<Arc<dyn EventHandler>>,
    /// The same handler if it calls application servers, to replace its rules.
    pub(crate) http_event_handlers: Option<Arc<HttpEventHandlers>>,
    /// Host by which event handlers know the service (`WebHook-Request-Origin`). `None` sends the host that the client
    /// connected to.
    pub(crate) event_origin: Option<String>,
    /// Time by which each ack is delayed.
    pub(crate) ack_delay: Duration,
    /// Accepts clients without a token: anonymous, and without roles unless the event handler assigns some.
    pub(crate) allows_anonymous: bool,
    /// Serves the inspector and the metrics to everyone who can reach the service; see [`crate::inspect`].
    pub(crate) is_inspectable: bool,
    /// Path of the log page on the same server, linked from the inspector. `None` if there is no such page.
    pub(crate) log_page: Option<&'static str>,
    /// Limits on the clients of one address, or with one token; `None` for a service that no stranger can reach. The
    /// address of a client is its `ClientAddress`.
    pub(crate) client_limits: Option<ClientLimits>,
    /// Memory budget of all clients; see [`crate::memory`].
    pub(crate) memory: MemoryBudget,
    /// Retention of group messages, in order of priority: the first rule that matches a group applies. Groups without a rule
    /// have no history.
    pub(crate) history: Vec<HistoryRule>,
    /// Origins of pages on other hosts that may read the history.
    pub(crate) allowed_origins: Vec<String>,
    /// Metrics of the service, shared with its event handlers.
    pub(crate) metrics: Arc<Metrics>,
}

impl ServiceSettings {
    /// Returns whether the audience of a token is this service at `path`. `is_for` compares it with a host, or with any host if
    /// that is `None`, and a path.
    pub(crate) fn is_valid_audience(
        &self,
        headers: &HeaderMap,
        path: &str,
        is_for: impl Fn(Option<&str>, &str) -> bool,
    ) -> bool {
        let accepted_host = if self.accepts_any_host { None } else { Some(host(headers)) };
        is_for(accepted_host, path)
            || self.public_url.as_ref().is_some_and(|public| {
                let public_path = format!("{}{path}", public.prefix());
                is_for(accepted_host, &public_path)
                    || [path, &public_path].into_iter().any(|path| is_for(Some(public.authority()), path))
            })
    }
}

/// Returns the host that a request names, with its port; empty if it names none.
pub(crate) fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}
