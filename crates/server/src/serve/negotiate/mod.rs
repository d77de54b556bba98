//! `GET /negotiate`: a URL with a signed token, so that clients need no key of their own.
//!
//! What is asked for is read in [`request`], who may have it is decided in [`permission`], and [`refusal`] says no.

mod permission;
mod rate_limit;
mod refusal;
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
use webpubsub_protocol::{
    connection_string::ConnectionString,
    endpoint::Endpoint,
    name::HubName,
    token::{Claims, sign},
};

use super::config::{Backend, ServeConfig};
use crate::{publish::unix_time, service::forwarded::Asker};
use permission::{OpenGroups, Publishing, roles};
use rate_limit::RateLimit;
use refusal::Refusal;
use request::Asked;

/// Signs tokens for clients.
pub(super) struct Negotiator {
    service: ConnectionString,
    place: Place,
    hub: HubName,
    groups: OpenGroups,
    publishing: Publishing,
    token_lifetime_seconds: u64,
    /// The header in which a trusted proxy names the user.
    user_header: Option<HeaderName>,
    /// Held for a look into a table, never across a wait.
    limit: Option<Mutex<RateLimit>>,
}

/// Where clients reach the service.
enum Place {
    /// Somewhere else.
    Elsewhere(Endpoint),
    /// In this process, by its public name.
    Public(Endpoint),
    /// In this process, by the name that they asked us by.
    AsAsked {
        /// Hosts of the https origins that were allowed.
        https_hosts: Vec<String>,
    },
}

#[derive(Serialize)]
struct Answer {
    url: String,
}

impl Negotiator {
    pub(super) fn new(config: &ServeConfig) -> Self {
        let (service, is_embedded) = match &config.backend {
            Backend::Embedded(service) => {
                let endpoint = config.listen.endpoint_at(config.listen.address.to_string());
                let access_key = service.access_keys.first.clone();
                (ConnectionString { endpoint, access_key }, true)
            }
            Backend::Azure { connection_string } => (connection_string.clone(), false),
        };
        let https = |origin: &String| {
            origin.strip_prefix("https://").map(|host| host.trim_end_matches('/').to_owned())
        };
        let place = match &config.listen.public {
            _ if !is_embedded => Place::Elsewhere(service.endpoint.clone()),
            Some(public) => Place::Public(public.clone()),
            None => Place::AsAsked {
                https_hosts: config.listen.origins.allowed.iter().filter_map(https).collect(),
            },
        };
        let publishing = match &config.publish_key {
            Some(key) => Publishing::WithKey(key.clone()),
            None if config.may_publish_without_key() => Publishing::Everyone,
            None => Publishing::Nobody,
        };
        Self {
            service,
            place,
            hub: config.hub.clone(),
            groups: OpenGroups {
                own: config.group.clone(),
                patterns: config.open_groups.clone(),
                is_every_group: config.gives_every_group(),
            },
            publishing,
            token_lifetime_seconds: config.token_lifetime_seconds,
            user_header: config.listen.proxies.user_header.clone(),
            limit: config.negotiate_limit.map(|limit| Mutex::new(RateLimit::per_minute(limit))),
        }
    }

    /// Where the service is, as this client can reach it.
    fn endpoint(&self, asker: &Asker, headers: &HeaderMap) -> Endpoint {
        let https_hosts = match &self.place {
            Place::Elsewhere(endpoint) | Place::Public(endpoint) => return endpoint.clone(),
            Place::AsAsked { https_hosts } => https_hosts,
        };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let as_asked = host.and_then(|host| {
            let endpoint = Endpoint::parse(&format!("http://{host}"))?;
            // A name that was given as an https origin is that of a proxy in front of us, which ends TLS.
            let is_proxied = https_hosts.iter().any(|https| https.eq_ignore_ascii_case(host));
            Some(if is_proxied || asker.is_encrypted { endpoint.secured() } else { endpoint })
        });
        as_asked.unwrap_or_else(|| self.service.endpoint.clone())
    }

    /// What a token for `endpoint` is good for. The path that a proxy takes away never reaches the service.
    fn audience(&self, endpoint: &Endpoint) -> String {
        match &self.place {
            Place::Elsewhere(_) => endpoint.client_audience(&self.hub),
            Place::Public(_) | Place::AsAsked { .. } => {
                endpoint.clone().without_prefix().client_audience(&self.hub)
            }
        }
    }

    /// Whether this address has asked too often.
    fn admit(&self, asker: &Asker) -> Result<(), Refusal> {
        let Some(limit) = &self.limit else { return Ok(()) };
        let mut limit = limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.admit(asker.address, Instant::now()).map_err(|wait| Refusal::TooOften { wait })
    }

    /// The user whom the proxy names, where one does; otherwise the one that the client names.
    fn user_id(&self, asked: Option<String>, headers: &HeaderMap) -> Result<Option<String>, Refusal> {
        let Some(name) = &self.user_header else { return Ok(asked) };
        let named = headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok());
        request::user_id(named.unwrap_or_default())
    }

    /// The URL for what was asked.
    fn answer(&self, query: &str, asker: &Asker, headers: &HeaderMap) -> Result<Response, Refusal> {
        self.admit(asker)?;
        let asked = Asked::read(query)?;
        let publishes = self.publishing.admits(headers, asked.role)?;
        let groups = self.groups.choose(asked.groups)?;
        let endpoint = self.endpoint(asker, headers);
        let claims = Claims {
            user_id: self.user_id(asked.user_id, headers)?,
            roles: roles(&groups, publishes),
            ..Claims::new(self.audience(&endpoint), unix_time(), self.token_lifetime_seconds)
        };
        Ok(match sign(&claims, &self.service.access_key) {
            Ok(token) => {
                let url = format!("{}?access_token={token}", endpoint.client_url(&self.hub));
                ([(header::CACHE_CONTROL, "no-store")], Json(Answer { url })).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "a token could not be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        })
    }
}

/// Answers `{"url": "ws(s)://…/client/hubs/{hub}?access_token=…"}`. `?group=` (repeated) names the groups, `?role=` what
/// the client wants to be, `?id=` the user.
pub(super) async fn negotiate(
    State(negotiator): State<Arc<Negotiator>>,
    Extension(asker): Extension<Asker>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let answer = negotiator.answer(&query.unwrap_or_default(), &asker, &headers);
    answer.unwrap_or_else(IntoResponse::into_response)
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::{connection_string::AccessKey, name::GroupName};

    use super::*;

    fn negotiator(place: Place) -> Negotiator {
        Negotiator {
            service: ConnectionString {
                endpoint: Endpoint::plain("127.0.0.1:8080"),
                access_key: AccessKey::new(&"k".repeat(32)).unwrap(),
            },
            place,
            hub: HubName::new("stream").unwrap(),
            groups: OpenGroups {
                own: GroupName::new("stream").unwrap(),
                patterns: vec![],
                is_every_group: false,
            },
            publishing: Publishing::Everyone,
            token_lifetime_seconds: 60,
            user_header: None,
            limit: None,
        }
    }

    fn endpoint(place: Place, host: &str, is_encrypted: bool) -> String {
        let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        let asker = Asker { address: [127, 0, 0, 1].into(), is_encrypted };
        negotiator(place).endpoint(&asker, &headers).to_string()
    }

    #[test]
    fn the_embedded_service_is_where_the_client_found_us() {
        let as_asked = || Place::AsAsked { https_hosts: vec!["logs.example".into()] };
        assert_eq!(endpoint(as_asked(), "example.test:99", false), "http://example.test:99");
        assert_eq!(endpoint(as_asked(), "example.test:99", true), "https://example.test:99");
        assert_eq!(endpoint(as_asked(), "logs.example", false), "https://logs.example");
    }

    #[test]
    fn a_service_elsewhere_and_a_public_name_are_what_they_are() {
        let azure = Endpoint::parse("https://me.webpubsub.azure.com").unwrap();
        assert_eq!(endpoint(Place::Elsewhere(azure), "h:1", false), "https://me.webpubsub.azure.com");
        let public = Endpoint::parse("https://logs.example/tail").unwrap();
        assert_eq!(endpoint(Place::Public(public.clone()), "h:1", false), "https://logs.example/tail");
        let audience = negotiator(Place::Public(public.clone())).audience(&public);
        assert_eq!(audience, "https://logs.example/client/hubs/stream");
    }
}
