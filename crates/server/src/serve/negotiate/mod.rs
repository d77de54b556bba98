//! `GET /negotiate`: returns a URL with a signed token, so that clients do not need an access key.
//!
//! | module | concept |
//! | --- | --- |
//! | [`request`] | parameters of a request |
//! | [`permission`] | permissions of the token |
//! | [`rate_limit`] | requests per client address |
//! | [`error`] | responses without a URL |

mod error;
mod permission;
mod request;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use webpubsub_hub::{LiveGroup, RateLimit, Service};
use webpubsub_protocol::{
    connection_string::ConnectionString,
    endpoint::Endpoint,
    name::{GroupName, HubName},
    token::{Claims, sign},
};

use super::config::{Backend, ServeConfig};
use crate::{publish::unix_time, service::forwarded::ClientInfo};
use error::NegotiateError;
use permission::{OpenGroups, PublishPolicy, roles};
use request::NegotiateRequest;

/// State of the negotiate endpoint.
pub(super) struct Negotiator {
    service: ConnectionString,
    location: ServiceLocation,
    hub: HubName,
    groups: OpenGroups,
    publish_policy: PublishPolicy,
    token_lifetime_seconds: u64,
    /// Whether the service keeps earlier messages. Another service does not.
    has_history: bool,
    /// Header in which a trusted proxy sends the id of the user.
    user_header: Option<HeaderName>,
    /// The lock is never held across an await.
    rate_limit: Option<Mutex<RateLimit>>,
}

/// Location of the service, as clients reach it.
enum ServiceLocation {
    /// Another server.
    External(Endpoint),
    /// This server, at its public URL.
    Public(Endpoint),
    /// This server, at the host of the request.
    RequestHost {
        /// Hosts of the allowed https origins.
        https_hosts: Vec<String>,
    },
}

#[derive(Serialize)]
struct NegotiateResponse {
    url: String,
    /// URL of the history of the hub's groups; `None` where the service has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<String>,
}

impl Negotiator {
    pub(super) fn new(config: &ServeConfig) -> Self {
        let (service, is_embedded) = match &config.backend {
            Backend::Embedded(service) => {
                let endpoint = config.listen.endpoint_at(config.listen.address.to_string());
                let access_key = service.access_keys.primary.clone();
                (ConnectionString { endpoint, access_key }, true)
            }
            Backend::Azure { connection_string } => (connection_string.clone(), false),
        };
        let https = |origin: &String| {
            origin.strip_prefix("https://").map(|host| host.trim_end_matches('/').to_owned())
        };
        let location = match &config.listen.public {
            _ if !is_embedded => ServiceLocation::External(service.endpoint.clone()),
            Some(public) => ServiceLocation::Public(public.clone()),
            None => ServiceLocation::RequestHost {
                https_hosts: config.listen.origins.allowed.iter().filter_map(https).collect(),
            },
        };
        let publish_policy = match &config.publish_key {
            Some(key) => PublishPolicy::WithKey(key.clone()),
            None if config.is_publishing_open() => PublishPolicy::Everyone,
            None => PublishPolicy::Nobody,
        };
        Self {
            service,
            location,
            hub: config.hub.clone(),
            groups: OpenGroups {
                default: config.group.clone(),
                patterns: config.open_groups.clone(),
                is_every_group: config.is_every_group_open(),
            },
            publish_policy,
            token_lifetime_seconds: config.token_lifetime_seconds,
            has_history: match &config.backend {
                Backend::Embedded(service) => service.history.iter().any(|rule| rule.retention.is_some()),
                Backend::Azure { .. } => false,
            },
            user_header: config.listen.proxies.user_header.clone(),
            rate_limit: config.negotiate_limit.map(|limit| Mutex::new(RateLimit::per_minute(limit))),
        }
    }

    /// Returns the endpoint of the service for this client.
    fn endpoint(&self, client: &ClientInfo, headers: &HeaderMap) -> Endpoint {
        let https_hosts = match &self.location {
            ServiceLocation::External(endpoint) | ServiceLocation::Public(endpoint) => {
                return endpoint.clone();
            }
            ServiceLocation::RequestHost { https_hosts } => https_hosts,
        };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let requested = host.and_then(|host| {
            let endpoint = Endpoint::parse(&format!("http://{host}"))?;
            // The host of an allowed https origin is that of a proxy, which terminates TLS.
            let is_proxied = https_hosts.iter().any(|https| https.eq_ignore_ascii_case(host));
            Some(if is_proxied || client.is_encrypted { endpoint.secured() } else { endpoint })
        });
        requested.unwrap_or_else(|| self.service.endpoint.clone())
    }

    /// Returns the audience of a token for `endpoint`. It excludes a path prefix that the proxy removes.
    fn audience(&self, endpoint: &Endpoint) -> String {
        match &self.location {
            ServiceLocation::External(_) => endpoint.client_audience(&self.hub),
            ServiceLocation::Public(_) | ServiceLocation::RequestHost { .. } => {
                endpoint.clone().without_prefix().client_audience(&self.hub)
            }
        }
    }

    /// Returns the URL of the history behind `endpoint`; `None` without a history.
    fn history_url(&self, endpoint: &Endpoint) -> Option<String> {
        self.has_history.then(|| format!("{endpoint}/history/hubs/{}", self.hub))
    }

    /// Checks the rate limit of the client's address.
    fn check_rate(&self, client: &ClientInfo) -> Result<(), NegotiateError> {
        let Some(limit) = &self.rate_limit else { return Ok(()) };
        let mut limit = limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.check(client.address, Instant::now()).map_err(|wait| NegotiateError::RateLimited { wait })
    }

    /// Returns the user id from the proxy's header if one is configured, otherwise the requested one.
    fn user_id(
        &self,
        requested: Option<String>,
        headers: &HeaderMap,
    ) -> Result<Option<String>, NegotiateError> {
        let Some(name) = &self.user_header else { return Ok(requested) };
        // A client could add its own header before or after that of a proxy that does not replace it.
        if headers.get_all(name).iter().count() > 1 {
            return Err(NegotiateError::SeveralUserHeaders { name: name.clone() });
        }
        let value = headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        request::user_id(value.unwrap_or_default())
    }

    /// Creates the response with the URL.
    fn respond(
        &self,
        query: &str,
        client: &ClientInfo,
        headers: &HeaderMap,
    ) -> Result<Response, NegotiateError> {
        self.check_rate(client)?;
        let request = NegotiateRequest::parse(query)?;
        let is_publisher = self.publish_policy.authorize(headers, request.role)?;
        let groups = self.groups.select(request.groups)?;
        let endpoint = self.endpoint(client, headers);
        let claims = Claims {
            user_id: self.user_id(request.user_id, headers)?,
            roles: roles(&groups, is_publisher),
            ..Claims::new(self.audience(&endpoint), unix_time(), self.token_lifetime_seconds)
        };
        Ok(match sign(&with_id(claims), &self.service.access_key) {
            Ok(token) => {
                let url = format!("{}?access_token={token}", endpoint.client_url(&self.hub));
                let history = self.history_url(&endpoint);
                let response = Json(NegotiateResponse { url, history });
                ([(header::CACHE_CONTROL, "no-store")], response).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "cannot sign a token");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        })
    }
}

/// Responds with `{"url": "ws(s)://…/client/hubs/{hub}?access_token=…"}`. Parameters: `?group=` (repeatable), `?role=`,
/// `?id=` for the user id.
pub(super) async fn negotiate(
    State(negotiator): State<Arc<Negotiator>>,
    Extension(client): Extension<ClientInfo>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let response = negotiator.respond(&query.unwrap_or_default(), &client, &headers);
    response.unwrap_or_else(IntoResponse::into_response)
}

/// State of the list of groups.
#[derive(Clone)]
pub(super) struct GroupLister {
    negotiator: Arc<Negotiator>,
    /// `None` for another service, whose groups are unknown.
    service: Option<Service>,
}

impl GroupLister {
    pub(super) fn new(negotiator: &Arc<Negotiator>, service: Option<&Service>) -> Self {
        Self { negotiator: Arc::clone(negotiator), service: service.cloned() }
    }
}

#[derive(Serialize)]
struct GroupsResponse {
    groups: Vec<LiveGroup>,
}

/// Responds with the groups that have members or earlier messages, and that every viewer may join.
pub(super) async fn list_groups(
    State(lister): State<GroupLister>,
    Extension(client): Extension<ClientInfo>,
) -> Response {
    let negotiator = &lister.negotiator;
    if let Err(error) = negotiator.check_rate(&client) {
        return error.into_response();
    }
    let Some(service) = &lister.service else {
        return (StatusCode::NOT_FOUND, "the groups of another service are unknown to this server\n")
            .into_response();
    };
    let is_open = |name: &str| GroupName::new(name).is_ok_and(|group| negotiator.groups.is_open(&group));
    let groups = service.live_groups(negotiator.hub.as_str(), is_open);
    ([(header::CACHE_CONTROL, "no-store")], Json(GroupsResponse { groups })).into_response()
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
    use axum::http::HeaderValue;
    use webpubsub_protocol::connection_string::AccessKey;

    use super::*;

    fn negotiator(location: ServiceLocation) -> Negotiator {
        Negotiator {
            service: ConnectionString {
                endpoint: Endpoint::plain("127.0.0.1:8080"),
                access_key: AccessKey::new(&"k".repeat(32)).unwrap(),
            },
            location,
            hub: HubName::new("stream").unwrap(),
            groups: OpenGroups {
                default: GroupName::new("stream").unwrap(),
                patterns: vec![],
                is_every_group: false,
            },
            publish_policy: PublishPolicy::Everyone,
            token_lifetime_seconds: 60,
            has_history: true,
            user_header: None,
            rate_limit: None,
        }
    }

    fn endpoint(location: ServiceLocation, host: &str, is_encrypted: bool) -> String {
        let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        let client = ClientInfo { address: [127, 0, 0, 1].into(), is_encrypted };
        negotiator(location).endpoint(&client, &headers).to_string()
    }

    #[test]
    fn a_request_with_two_user_headers_is_refused() {
        let name = HeaderName::from_static("x-user");
        let user_id = |values: &[&'static str]| {
            let headers =
                values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect();
            let location = ServiceLocation::RequestHost { https_hosts: vec![] };
            let negotiator = Negotiator { user_header: Some(name.clone()), ..negotiator(location) };
            negotiator.user_id(Some("requested".into()), &headers)
        };
        assert_eq!(user_id(&["ada"]), Ok(Some("ada".into())));
        assert_eq!(user_id(&["CN=Ada, O=Example"]), Ok(Some("CN=Ada, O=Example".into())));
        assert_eq!(user_id(&[]), Ok(None));
        let refused = Err(NegotiateError::SeveralUserHeaders { name: name.clone() });
        assert_eq!(user_id(&["mallory", "ada"]), refused);
        assert_eq!(user_id(&["ada", "ada"]), refused);
    }

    #[test]
    fn the_embedded_service_has_the_host_of_the_request() {
        let location = || ServiceLocation::RequestHost { https_hosts: vec!["logs.example".into()] };
        assert_eq!(endpoint(location(), "example.test:99", false), "http://example.test:99");
        assert_eq!(endpoint(location(), "example.test:99", true), "https://example.test:99");
        assert_eq!(endpoint(location(), "logs.example", false), "https://logs.example");
    }

    #[test]
    fn external_and_public_endpoints_ignore_the_host_of_the_request() {
        let azure = Endpoint::parse("https://me.webpubsub.azure.com").unwrap();
        assert_eq!(
            endpoint(ServiceLocation::External(azure), "h:1", false),
            "https://me.webpubsub.azure.com"
        );
        let public = Endpoint::parse("https://logs.example/tail").unwrap();
        assert_eq!(
            endpoint(ServiceLocation::Public(public.clone()), "h:1", false),
            "https://logs.example/tail"
        );
        let audience = negotiator(ServiceLocation::Public(public.clone())).audience(&public);
        assert_eq!(audience, "https://logs.example/client/hubs/stream");
    }
}
