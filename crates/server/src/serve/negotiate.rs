//! `GET /negotiate`: a URL with a signed token, so that clients need no key of their own.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use webpubsub_protocol::{
    connection_string::ConnectionString,
    endpoint::Endpoint,
    name::{GroupName, HubName},
    role::Permission,
    token::{Claims, sign},
};

use super::config::{Backend, ServeConfig};
use crate::publish::unix_time;

/// How long a token lets a client connect (the official SDKs' default). A connection outlives its token.
const TOKEN_LIFETIME_SECONDS: u64 = 3600;
/// Longest user id that is signed, in bytes: it ends up in a URL.
const MAX_USER_ID_BYTES: usize = 1024;

/// Signs tokens for clients.
pub(super) struct Negotiator {
    service: ConnectionString,
    /// Whether clients reach the service by the name they reached us by: it is in this process.
    is_embedded: bool,
    hub: HubName,
    group: GroupName,
    publishing: Publishing,
    /// Hosts of the https origins that were allowed.
    https_hosts: Vec<String>,
}

/// Who gets permission to publish.
enum Publishing {
    Everyone,
    WithKey(String),
    Nobody,
}

#[derive(Deserialize)]
pub(super) struct Parameters {
    id: Option<String>,
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
            group: config.group.clone(),
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

    /// What this client may do; `None` when it shows a key that is not ours.
    fn roles(&self, headers: &HeaderMap) -> Option<Vec<String>> {
        let join = Permission::JoinLeaveGroup.role_for(&self.group);
        let send = Permission::SendToGroup.role_for(&self.group);
        let shown = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap_or_default());
        match (&self.publishing, shown) {
            (Publishing::Everyone, _) => Some(vec![send, join]),
            (Publishing::Nobody, _) | (Publishing::WithKey(_), None) => Some(vec![join]),
            (Publishing::WithKey(key), Some(shown)) => {
                let (scheme, credential) = shown.split_once(' ').unwrap_or_default();
                let is_ours = bool::from(credential.trim().as_bytes().ct_eq(key.as_bytes()));
                (scheme.eq_ignore_ascii_case("bearer") && is_ours).then(|| vec![send, join])
            }
        }
    }
}

/// Answers `{"url": "ws(s)://…/client/hubs/{hub}?access_token=…"}`; `?id=` sets the user id.
pub(super) async fn negotiate(
    State(negotiator): State<Arc<Negotiator>>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    let user_id = parameters.id.filter(|id| !id.is_empty());
    if user_id.as_ref().is_some_and(|id| id.len() > MAX_USER_ID_BYTES) {
        let words = format!("the user id (`id`) is longer than {MAX_USER_ID_BYTES} bytes\n");
        return (StatusCode::BAD_REQUEST, words).into_response();
    }
    let Some(roles) = negotiator.roles(&headers) else {
        return (StatusCode::UNAUTHORIZED, "this is not the publish key of this server\n").into_response();
    };
    let endpoint = negotiator.endpoint(&headers);
    let claims = Claims {
        user_id,
        roles,
        ..Claims::new(endpoint.client_audience(&negotiator.hub), unix_time(), TOKEN_LIFETIME_SECONDS)
    };
    match sign(&claims, &negotiator.service.access_key) {
        Ok(token) => {
            let url = format!("{}?access_token={token}", endpoint.client_url(&negotiator.hub));
            ([(header::CACHE_CONTROL, "no-store")], Json(Answer { url })).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a token could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::connection_string::AccessKey;

    use super::*;

    fn negotiator(publishing: Publishing) -> Negotiator {
        Negotiator {
            service: ConnectionString {
                endpoint: Endpoint::plain("127.0.0.1:8080"),
                access_key: AccessKey::new(&"k".repeat(32)).unwrap(),
            },
            is_embedded: true,
            hub: HubName::new("stream").unwrap(),
            group: GroupName::new("stream").unwrap(),
            publishing,
            https_hosts: vec!["logs.example".into()],
        }
    }

    fn headers(authorization: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "example.test:99".parse().unwrap());
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    const JOIN: &str = "webpubsub.joinLeaveGroup.stream";
    const SEND: &str = "webpubsub.sendToGroup.stream";

    #[test]
    fn permission_to_publish_depends_on_the_key() {
        let with_key = negotiator(Publishing::WithKey("secret".into()));
        assert_eq!(with_key.roles(&headers(None)).unwrap(), [JOIN]);
        assert_eq!(with_key.roles(&headers(Some("Bearer secret"))).unwrap(), [SEND, JOIN]);
        assert_eq!(with_key.roles(&headers(Some("Bearer guess"))), None);
        assert_eq!(with_key.roles(&headers(Some("Basic secret"))), None);
        assert_eq!(negotiator(Publishing::Nobody).roles(&headers(Some("Bearer x"))).unwrap(), [JOIN]);
        assert_eq!(negotiator(Publishing::Everyone).roles(&headers(None)).unwrap(), [SEND, JOIN]);
    }

    #[test]
    fn the_embedded_service_is_where_the_client_found_us_and_azure_is_where_it_is() {
        let mut negotiator = negotiator(Publishing::Everyone);
        assert_eq!(negotiator.endpoint(&headers(None)).to_string(), "http://example.test:99");
        let mut through_proxy = HeaderMap::new();
        through_proxy.insert(header::HOST, "logs.example".parse().unwrap());
        assert_eq!(negotiator.endpoint(&through_proxy).to_string(), "https://logs.example");
        negotiator.is_embedded = false;
        assert_eq!(negotiator.endpoint(&headers(None)).to_string(), "http://127.0.0.1:8080");
    }
}
