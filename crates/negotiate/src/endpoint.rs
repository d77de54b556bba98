//! The endpoint as a router.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    Extension, Json, Router,
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use webpubsub_protocol::token::UnixTime;

use crate::{
    error::{NegotiateError, NegotiateErrorKind},
    negotiator::{Caller, ClientAccess, Negotiator},
    request::NegotiateRequest,
};

/// Scheme by which the client reaches the server. Add it to requests as an [`Extension`] where TLS ends, so that the URL of a
/// service in the same process has the scheme that the client uses. Without it, the connection counts as plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestScheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// User that the application has verified; `None` for an anonymous one. Add it to requests as an [`Extension`]: it replaces the
/// user id that the client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedUser(pub Option<String>);

/// Returns a router with `GET /negotiate`. Errors have the reason as plain text, and status 400, 401, 403 or 500.
pub fn router(negotiator: Negotiator) -> Router {
    Router::new().route("/negotiate", get(negotiate)).with_state(negotiator)
}

async fn negotiate(
    State(negotiator): State<Negotiator>,
    scheme: Option<Extension<RequestScheme>>,
    user: Option<Extension<VerifiedUser>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
    let user = user.map(|Extension(VerifiedUser(user))| user);
    let caller = Caller {
        host: text(header::HOST),
        is_encrypted: scheme.is_some_and(|Extension(scheme)| scheme == RequestScheme::Https),
        authorization: text(header::AUTHORIZATION),
        verified_user: user.as_ref().map(Option::as_deref),
    };
    let access = NegotiateRequest::parse(query.as_deref().unwrap_or_default())
        .and_then(|request| negotiator.negotiate(&request, &caller, unix_time()));
    match access {
        Ok(access) => granted(access),
        Err(error) => refused(&negotiator, &error),
    }
}

fn granted(access: ClientAccess) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(access)).into_response()
}

fn refused(negotiator: &Negotiator, error: &NegotiateError) -> Response {
    let status = match error.kind() {
        NegotiateErrorKind::InvalidRequest => StatusCode::BAD_REQUEST,
        NegotiateErrorKind::WrongPublishKey | NegotiateErrorKind::PublishKeyRequired => {
            StatusCode::UNAUTHORIZED
        }
        NegotiateErrorKind::GroupNotOpen | NegotiateErrorKind::PublishingDisabled => StatusCode::FORBIDDEN,
        NegotiateErrorKind::Signing => {
            tracing::error!(%error, "negotiation failed");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let mut response = (status, negotiator.text_with_advice(error)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn unix_time() -> UnixTime {
    UnixTime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs()))
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;
    use webpubsub_protocol::{
        connection_string::{AccessKey, ConnectionString},
        endpoint::Endpoint,
        name::{GroupName, HubName},
    };

    use super::*;
    use crate::{PublishPolicy, ServiceLocation};

    fn app() -> Router {
        let access_key = AccessKey::new(&"k".repeat(32)).unwrap();
        let service = ConnectionString { endpoint: Endpoint::plain("127.0.0.1:8080"), access_key };
        let negotiator =
            Negotiator::builder(service, HubName::new("stream").unwrap(), GroupName::new("stream").unwrap())
                .location(ServiceLocation::RequestHost { https_hosts: vec![] })
                .publish_policy(PublishPolicy::WithKey("secret".into()))
                .advice(|kind| (kind == NegotiateErrorKind::GroupNotOpen).then_some("open it"))
                .build();
        router(negotiator)
    }

    async fn get(app: Router, target: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::get(target).header(header::HOST, "logs.example").body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (parts.status, parts.headers, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn the_response_has_a_url_and_is_never_stored() {
        let (status, headers, body) = get(app(), "/negotiate").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[header::CACHE_CONTROL], "no-store");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let url = body["url"].as_str().unwrap();
        assert!(url.starts_with("ws://logs.example/client/hubs/stream?access_token="), "{url}");
        let behind_tls = app().layer(Extension(RequestScheme::Https));
        let (_, _, body) = get(behind_tls, "/negotiate").await;
        assert!(body.contains("wss://logs.example/"), "{body}");
    }

    #[tokio::test]
    async fn errors_have_a_status_a_reason_and_advice() {
        let (status, _, body) = get(app(), "/negotiate?group=payroll").await;
        assert_eq!(
            (status, body.as_str()),
            (StatusCode::FORBIDDEN, "the group `payroll` is not open on this server; open it\n")
        );
        let (status, headers, _) = get(app(), "/negotiate?role=publisher").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(headers[header::WWW_AUTHENTICATE], "Bearer");
        let (status, ..) = get(app(), "/negotiate?role=admin").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
}
