//! `GET /negotiate`: a URL with a signed token, so that clients need no key of their own.
//!
//! What is asked for is read in [`request`], who may have it is decided in [`permission`], and [`refusal`] says no.

mod permission;
mod refusal;
mod request;

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
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
use crate::publish::unix_time;
use permission::{OpenGroups, Publishing, roles};
use refusal::Refusal;
use request::Asked;

/// How long a token lets a client connect (the official SDKs' default). A connection outlives its token.
const TOKEN_LIFETIME_SECONDS: u64 = 3600;

/// Signs tokens for clients.
pub(super) struct Negotiator {
    service: ConnectionString,
    /// Whether clients reach the service by the name they reached us by: it is in this process.
    is_embedded: bool,
    hub: HubName,
    groups: OpenGroups,
    publishing: Publishing,
    /// Hosts of the https origins that were allowed.
    https_hosts: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    url: String,
}

impl Negotiator {
    pub(super) fn new(config: &ServeConfig) -> Self {
        let (service, is_embedded) = match &config.backend {
            Backend::Embedded(service) => {
                let endpoint = Endpoint::plain(config.listen.address.to_string());
                let access_key = service.access_keys.first.clone();
                (ConnectionString { endpoint, access_key }, true)
            }
            Backend::Azure { connection_string } => (connection_string.clone(), false),
        };
        let publishing = match &config.publish_key {
            Some(key) => Publishing::WithKey(key.clone()),
            None if config.may_publish_without_key() => Publishing::Everyone,
            None => Publishing::Nobody,
        };
        let https = |origin: &String| {
            origin.strip_prefix("https://").map(|host| host.trim_end_matches('/').to_owned())
        };
        let https_hosts = config.listen.origins.allowed.iter().filter_map(https).collect();
        Self {
            service,
            is_embedded,
            hub: config.hub.clone(),
            groups: OpenGroups {
                own: config.group.clone(),
                patterns: config.open_groups.clone(),
                is_every_group: config.gives_every_group(),
            },
            publishing,
            https_hosts,
        }
    }

    /// Where the service is, as this client can reach it.
    fn endpoint(&self, headers: &HeaderMap) -> Endpoint {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let as_reached = host.and_then(|host| {
            let endpoint = Endpoint::parse(&format!("http://{host}"))?;
            // A name that was given as an https origin is that of a proxy in front of us, which ends TLS.
            let is_proxied = self.https_hosts.iter().any(|https| https.eq_ignore_ascii_case(host));
            Some(if is_proxied { endpoint.secured() } else { endpoint })
        });
        as_reached.filter(|_| self.is_embedded).unwrap_or_else(|| self.service.endpoint.clone())
    }

    /// The URL for what was asked.
    fn answer(&self, asked: Asked, headers: &HeaderMap) -> Result<Response, Refusal> {
        let publishes = self.publishing.admits(headers, asked.role)?;
        let groups = self.groups.choose(asked.groups)?;
        let endpoint = self.endpoint(headers);
        let claims = Claims {
            user_id: asked.user_id,
            roles: roles(&groups, publishes),
            ..Claims::new(endpoint.client_audience(&self.hub), unix_time(), TOKEN_LIFETIME_SECONDS)
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
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    Asked::read(&query.unwrap_or_default())
        .and_then(|asked| negotiator.answer(asked, &headers))
        .unwrap_or_else(IntoResponse::into_response)
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::{connection_string::AccessKey, name::GroupName};

    use super::*;

    #[test]
    fn the_embedded_service_is_where_the_client_found_us_and_azure_is_where_it_is() {
        let mut negotiator = Negotiator {
            service: ConnectionString {
                endpoint: Endpoint::plain("127.0.0.1:8080"),
                access_key: AccessKey::new(&"k".repeat(32)).unwrap(),
            },
            is_embedded: true,
            hub: HubName::new("stream").unwrap(),
            groups: OpenGroups {
                own: GroupName::new("stream").unwrap(),
                patterns: vec![],
                is_every_group: false,
            },
            publishing: Publishing::Everyone,
            https_hosts: vec!["logs.example".into()],
        };
        let headers = |host: &str| HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        assert_eq!(negotiator.endpoint(&headers("example.test:99")).to_string(), "http://example.test:99");
        assert_eq!(negotiator.endpoint(&headers("logs.example")).to_string(), "https://logs.example");
        negotiator.is_embedded = false;
        assert_eq!(negotiator.endpoint(&headers("example.test:99")).to_string(), "http://127.0.0.1:8080");
    }
}
