//! Settings of a negotiate endpoint, and signing of client access URLs.

use std::{fmt, sync::Arc};

use webpubsub_protocol::{
    connection_string::ConnectionString,
    endpoint::Endpoint,
    name::{GroupName, HubName},
    pattern::Pattern,
    token::{Claims, UnixTime, sign},
};

use crate::{
    error::{NegotiateError, NegotiateErrorKind, Reason},
    permission::{OpenGroups, PublishPolicy, roles},
    request::{self, NegotiateRequest},
};

/// Default lifetime of a token, in seconds (the default of the vendor's SDKs).
pub const DEFAULT_TOKEN_LIFETIME_SECONDS: u64 = 3_600;

/// Location of the service, as clients reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceLocation {
    /// Endpoint of the connection string.
    ConnectionString,
    /// Public URL of a service behind a proxy, which removes the path of the URL.
    Public(Endpoint),
    /// Host of the request: the service is in the same process.
    RequestHost {
        /// Hosts at which a proxy terminates TLS.
        https_hosts: Vec<String>,
    },
}

/// Sender of a request, as far as it matters for the response.
#[derive(Debug, Clone, Copy, Default)]
pub struct Caller<'a> {
    /// Value of the header `Host`.
    pub host: Option<&'a str>,
    /// Whether the client uses TLS.
    pub is_encrypted: bool,
    /// Value of the header `Authorization`: `Bearer KEY` with the publish key.
    pub authorization: Option<&'a str>,
    /// User that the application knows, in place of the requested id; `Some(None)` for an anonymous one.
    pub verified_user: Option<Option<&'a str>>,
}

/// Access to the service for one client.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "axum", derive(serde::Serialize))]
pub struct ClientAccess {
    /// WebSocket URL with a signed token.
    pub url: String,
    /// URL of the earlier messages of the hub's groups; `None` if the service has none.
    #[cfg_attr(feature = "axum", serde(skip_serializing_if = "Option::is_none"))]
    pub history: Option<String>,
}

/// Function that returns advice for the operator of a server, for errors of a kind.
pub(crate) type Advice = fn(NegotiateErrorKind) -> Option<&'static str>;

/// Settings of a [`Negotiator`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct NegotiatorBuilder {
    settings: Settings,
}

/// Signer of client access URLs. Clones share the settings.
#[derive(Debug, Clone)]
pub struct Negotiator(Arc<Settings>);

struct Settings {
    service: ConnectionString,
    location: ServiceLocation,
    hub: HubName,
    groups: OpenGroups,
    publish_policy: PublishPolicy,
    token_lifetime_seconds: u64,
    has_history: bool,
    advice: Advice,
}

impl fmt::Debug for Settings {
    /// Omits the access key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Negotiator")
            .field("endpoint", &self.service.endpoint)
            .field("location", &self.location)
            .field("hub", &self.hub)
            .field("groups", &self.groups)
            .field("publish_policy", &self.publish_policy)
            .finish_non_exhaustive()
    }
}

impl NegotiatorBuilder {
    /// Sets where clients reach the service. The default is [`ServiceLocation::ConnectionString`].
    pub fn location(mut self, location: ServiceLocation) -> Self {
        self.settings.location = location;
        self
    }

    /// Opens the groups whose names match one of the patterns.
    pub fn open_groups(mut self, patterns: Vec<Pattern>) -> Self {
        self.settings.groups.patterns = patterns;
        self
    }

    /// Opens all groups, or only those of [`Self::open_groups`] and the default group, which is the default.
    pub fn open_every_group(mut self, is_open: bool) -> Self {
        self.settings.groups.is_every_group = is_open;
        self
    }

    /// Sets which clients can publish. The default is [`PublishPolicy::Nobody`].
    pub fn publish_policy(mut self, policy: PublishPolicy) -> Self {
        self.settings.publish_policy = policy;
        self
    }

    /// Sets the lifetime of tokens, in seconds. The default is [`DEFAULT_TOKEN_LIFETIME_SECONDS`].
    pub fn token_lifetime_seconds(mut self, seconds: u64) -> Self {
        self.settings.token_lifetime_seconds = seconds;
        self
    }

    /// Sets whether the service has earlier messages, as that of `webpubsub-hub` does. The default is `false`.
    pub fn history(mut self, has_history: bool) -> Self {
        self.settings.has_history = has_history;
        self
    }

    /// Sets the advice that follows the reason in a response, such as the option that opens a group.
    pub fn advice(mut self, advice: fn(NegotiateErrorKind) -> Option<&'static str>) -> Self {
        self.settings.advice = advice;
        self
    }

    /// Creates the negotiator.
    #[must_use]
    pub fn build(self) -> Negotiator {
        Negotiator(Arc::new(self.settings))
    }
}

impl Negotiator {
    /// Begins the settings for the hub of a service. `group` is that of clients that request none, and always open.
    pub fn builder(service: ConnectionString, hub: HubName, group: GroupName) -> NegotiatorBuilder {
        NegotiatorBuilder {
            settings: Settings {
                service,
                location: ServiceLocation::ConnectionString,
                hub,
                groups: OpenGroups { default: group, patterns: Vec::new(), is_every_group: false },
                publish_policy: PublishPolicy::Nobody,
                token_lifetime_seconds: DEFAULT_TOKEN_LIFETIME_SECONDS,
                has_history: false,
                advice: |_| None,
            },
        }
    }

    /// Returns whether every client may join a group.
    #[must_use]
    pub fn is_open(&self, group: &GroupName) -> bool {
        self.0.groups.is_open(group)
    }

    /// Returns a URL with a token that is valid from `now` on.
    ///
    /// # Errors
    /// If the request is invalid, asks for a group that is not open or for a permission that the caller does not get, or if the
    /// token cannot be signed.
    pub fn negotiate(
        &self,
        request: &NegotiateRequest,
        caller: &Caller<'_>,
        now: UnixTime,
    ) -> Result<ClientAccess, NegotiateError> {
        let settings = &*self.0;
        request.check_groups()?;
        let is_publisher = settings.publish_policy.authorize(caller.authorization, request.role)?;
        let groups = settings.groups.select(&request.groups)?;
        let user_id = match caller.verified_user {
            Some(user) => user,
            None => request.user_id.as_deref(),
        };
        let endpoint = settings.endpoint(caller);
        let claims = Claims {
            user_id: request::user_id(user_id.unwrap_or_default())?,
            roles: roles(&groups, is_publisher),
            ..Claims::new(settings.audience(&endpoint), now, settings.token_lifetime_seconds)
        };
        let token = sign(&with_id(claims), &settings.service.access_key)
            .map_err(|error| Reason::Signing(error.to_string()))?;
        let history = settings.has_history.then(|| format!("{endpoint}/history/hubs/{}", settings.hub));
        let url = format!("{}?access_token={token}", endpoint.client_url(&settings.hub));
        Ok(ClientAccess { url, history })
    }

    /// Returns the text of an error with the advice for it.
    #[cfg(feature = "axum")]
    pub(crate) fn text_with_advice(&self, error: &NegotiateError) -> String {
        match (self.0.advice)(error.kind()) {
            Some(advice) => format!("{error}; {advice}\n"),
            None => format!("{error}\n"),
        }
    }
}

impl Settings {
    /// Returns the endpoint of the service for this client.
    fn endpoint(&self, caller: &Caller<'_>) -> Endpoint {
        let https_hosts = match &self.location {
            ServiceLocation::ConnectionString => return self.service.endpoint.clone(),
            ServiceLocation::Public(endpoint) => return endpoint.clone(),
            ServiceLocation::RequestHost { https_hosts } => https_hosts,
        };
        let requested = caller.host.and_then(|host| {
            let endpoint = Endpoint::parse(&format!("http://{host}"))?;
            // The host of an allowed https origin is that of a proxy, which terminates TLS.
            let is_proxied = https_hosts.iter().any(|https| https.eq_ignore_ascii_case(host));
            Some(if is_proxied || caller.is_encrypted { endpoint.secured() } else { endpoint })
        });
        requested.unwrap_or_else(|| self.service.endpoint.clone())
    }

    /// Returns the audience of a token for `endpoint`. It excludes a path prefix that the proxy removes.
    fn audience(&self, endpoint: &Endpoint) -> String {
        match &self.location {
            ServiceLocation::ConnectionString => endpoint.client_audience(&self.hub),
            ServiceLocation::Public(_) | ServiceLocation::RequestHost { .. } => {
                endpoint.clone().without_prefix().client_audience(&self.hub)
            }
        }
    }
}

/// Adds a random id (`jti`): tokens of the same second would otherwise be the same token, with one limit of connections.
fn with_id(mut claims: Claims) -> Claims {
    let mut id = [0; 16];
    // Without randomness, the limit is shared.
    if getrandom::fill(&mut id).is_ok() {
        claims.other.insert("jti".to_owned(), format!("{:032x}", u128::from_be_bytes(id)).into());
    }
    claims
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::{connection_string::AccessKey, token::verify};

    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn key() -> AccessKey {
        AccessKey::new(&"k".repeat(32)).unwrap()
    }

    fn builder(endpoint: Endpoint) -> NegotiatorBuilder {
        let service = ConnectionString { endpoint, access_key: key() };
        Negotiator::builder(service, HubName::new("stream").unwrap(), GroupName::new("stream").unwrap())
    }

    fn url(location: ServiceLocation, host: &str, is_encrypted: bool) -> String {
        let negotiator = builder(Endpoint::plain("127.0.0.1:8080")).location(location).build();
        let caller = Caller { host: Some(host), is_encrypted, ..Caller::default() };
        let access = negotiator.negotiate(&NegotiateRequest::default(), &caller, NOW).unwrap();
        access.url.split_once("?access_token=").unwrap().0.to_owned()
    }

    fn claims(negotiator: &Negotiator, query: &str, caller: &Caller<'_>) -> Claims {
        let request = NegotiateRequest::parse(query).unwrap();
        let access = negotiator.negotiate(&request, caller, NOW).unwrap();
        let (_, token) = access.url.split_once("?access_token=").unwrap();
        verify(token, &[key()], NOW).unwrap()
    }

    #[test]
    fn the_service_of_this_process_has_the_host_of_the_request() {
        let location = || ServiceLocation::RequestHost { https_hosts: vec!["logs.example".into()] };
        assert_eq!(url(location(), "example.test:99", false), "ws://example.test:99/client/hubs/stream");
        assert_eq!(url(location(), "example.test:99", true), "wss://example.test:99/client/hubs/stream");
        assert_eq!(url(location(), "logs.example", false), "wss://logs.example/client/hubs/stream");
    }

    #[test]
    fn other_services_ignore_the_host_of_the_request() {
        let at = |location| url(location, "h:1", false);
        assert_eq!(at(ServiceLocation::ConnectionString), "ws://127.0.0.1:8080/client/hubs/stream");
        let public = Endpoint::parse("https://logs.example/tail").unwrap();
        assert_eq!(at(ServiceLocation::Public(public.clone())), "wss://logs.example/tail/client/hubs/stream");
        let negotiator =
            builder(Endpoint::plain("h")).location(ServiceLocation::Public(public)).history(true).build();
        let access = negotiator.negotiate(&NegotiateRequest::default(), &Caller::default(), NOW).unwrap();
        assert_eq!(access.history.as_deref(), Some("https://logs.example/tail/history/hubs/stream"));
        let audience = claims(&negotiator, "", &Caller::default()).audiences;
        assert_eq!(audience, ["https://logs.example/client/hubs/stream"]);
    }

    #[test]
    fn a_user_that_the_application_knows_replaces_the_requested_one() {
        let negotiator = builder(Endpoint::plain("h")).build();
        let user = |verified_user| {
            claims(&negotiator, "id=mallory", &Caller { verified_user, ..Caller::default() }).user_id
        };
        assert_eq!(user(None).as_deref(), Some("mallory"));
        assert_eq!(user(Some(Some("ada"))).as_deref(), Some("ada"));
        assert_eq!(user(Some(None)), None);
    }

    #[test]
    fn tokens_of_one_second_differ() {
        let negotiator = builder(Endpoint::plain("h")).build();
        let access = || negotiator.negotiate(&NegotiateRequest::default(), &Caller::default(), NOW).unwrap();
        assert_ne!(access(), access());
    }

    #[test]
    fn the_access_key_is_not_printed() {
        let negotiator = builder(Endpoint::plain("h")).build();
        assert!(!format!("{negotiator:?}").contains(&"k".repeat(32)));
    }
}
