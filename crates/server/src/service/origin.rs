//! Origin policy: web pages that may use the service.
//!
//! Browsers let any page open a WebSocket to any host, `localhost` included, and send only the origin of the page.
//! Without a policy, every page that a user visits could use a service on the loopback interface with a well-known key.
//! So a request with an `Origin` must come from the service itself, from a loopback page if the service listens on the
//! loopback interface, or from an allowed origin. Programs send no `Origin`, and are not affected.
//!
//! The service itself is the `Host` of the request. A page can use a host name that its owner points to the service (DNS
//! rebinding), so the `Host` must have been checked before.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Origins that may use the service.
#[derive(Debug, Clone, Default)]
pub(crate) struct OriginPolicy {
    /// `true` if the service listens on the loopback interface only.
    pub(crate) is_loopback: bool,
    /// Further origins (`https://example.com`), compared without regard to case.
    pub(crate) allowed: Vec<String>,
}

/// Violation of the origin policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum OriginError {
    /// The `Origin` is not allowed.
    #[error(
        "pages from {origin} are not allowed to use this service; the operator of the server can allow them with `--allow-origin {origin}`"
    )]
    Origin {
        /// `Origin` of the request.
        origin: String,
    },
}

impl OriginPolicy {
    /// Checks the `Origin` of a request.
    ///
    /// # Errors
    /// [`OriginError`] if it is not allowed.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), OriginError> {
        let Some(origin) = header_text(headers, header::ORIGIN) else { return Ok(()) };
        let host = header_text(headers, header::HOST);
        let is_own = host.is_some_and(|host| is_same(authority(origin), host));
        let is_loopback_page =
            self.is_loopback && origin.contains("://") && is_loopback_host(authority(origin));
        if is_own || is_loopback_page || self.is_allowed(origin) {
            Ok(())
        } else {
            Err(OriginError::Origin { origin: origin.to_owned() })
        }
    }

    /// Returns whether `origin` is in the list of allowed origins.
    #[must_use]
    pub(crate) fn is_allowed(&self, origin: &str) -> bool {
        self.allowed.iter().any(|allowed| is_same(allowed.trim_end_matches('/'), origin))
    }
}

/// Rejects requests that violate the policy, with status 403.
pub(crate) async fn guard(State(policy): State<OriginPolicy>, request: Request, next: Next) -> Response {
    match policy.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => (StatusCode::FORBIDDEN, format!("{error}\n")).into_response(),
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("(not ASCII)"))
}

fn is_same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Returns `host[:port]` of `scheme://host[:port]`.
fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, rest)| rest.split('/').next().unwrap_or_default())
}

/// Returns whether `host[:port]` names the loopback interface.
fn is_loopback_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    let is_localhost = is_same(name, "localhost") || name.to_ascii_lowercase().ends_with(".localhost");
    is_localhost || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_accepted(policy: &OriginPolicy, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        policy.check(&headers).is_ok()
    }

    #[test]
    fn on_loopback_only_loopback_origins_are_accepted() {
        let policy = OriginPolicy { is_loopback: true, allowed: vec![] };
        for (host, origin) in [
            ("127.0.0.1:8080", None),
            ("localhost:8080", Some("http://localhost:8080")),
            ("127.0.0.1:8080", Some("http://localhost:3000")),
            ("[::1]:8080", Some("http://[::1]:8080")),
        ] {
            assert!(is_accepted(&policy, host, origin), "{host} {origin:?}");
        }
        for (host, origin) in [
            ("127.0.0.1:8080", Some("https://evil.example")),
            ("127.0.0.1:8080", Some("null")),
            ("127.0.0.1:8080", Some("https://localhost.evil.example")),
            ("127.0.0.1:8080", Some("https://127.0.0.1.evil.example")),
        ] {
            assert!(!is_accepted(&policy, host, origin), "{host} {origin:?}");
        }
    }

    #[test]
    fn an_allowed_origin_is_accepted() {
        let policy = OriginPolicy { is_loopback: true, allowed: vec!["https://logs.example".into()] };
        assert!(is_accepted(&policy, "127.0.0.1:1", Some("https://logs.example")));
        assert!(is_accepted(&policy, "logs.example", Some("https://logs.example")));
        assert!(!is_accepted(&policy, "127.0.0.1:1", Some("https://logs.example.evil")));
    }

    #[test]
    fn off_loopback_only_the_own_origin_is_accepted() {
        let policy = OriginPolicy::default();
        assert!(is_accepted(&policy, "logs.example:8080", Some("http://logs.example:8080")));
        assert!(!is_accepted(&policy, "logs.example:8080", Some("http://other.example")));
        assert!(!is_accepted(&policy, "logs.example:8080", Some("http://localhost:8080")));
    }
}
