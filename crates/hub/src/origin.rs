//! Which web pages may talk to the service.
//!
//! A browser lets any page open a WebSocket to any host, `localhost` included, and tells only the page's origin. A
//! service on the loopback interface with a well-known key would be open to every page that its user visits. So a
//! request that says which page it comes from (`Origin`) must come from the service itself, from a loopback page when
//! the service is on loopback, or from an origin that was allowed by name. Programs send no `Origin` and are not
//! concerned.
//!
//! A page may also come in by a host name that its owner points to 127.0.0.1 (DNS rebinding); then the browser takes
//! it for the service itself. So on loopback the `Host` must be a loopback name too, or the host of an allowed origin.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Whom to talk to.
#[derive(Debug, Clone, Default)]
pub struct OriginPolicy {
    /// Whether the service listens on the loopback interface only.
    pub is_loopback: bool,
    /// Further origins (`https://example.com`), compared without regard to case.
    pub allowed: Vec<String>,
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// It comes from another page.
    #[error("pages from {origin} may not use this service; allow them with `--allow-origin {origin}`")]
    Origin {
        /// The page's origin.
        origin: String,
    },
    /// It was sent to another host.
    #[error(
        "this service listens on the loopback interface and is not called `{host}`; allow it with `--allow-origin http://{host}`"
    )]
    Host {
        /// The host as sent.
        host: String,
    },
}

impl OriginPolicy {
    /// Judges a request by its headers.
    ///
    /// # Errors
    /// [`OriginError`].
    pub fn check(&self, headers: &HeaderMap) -> Result<(), OriginError> {
        let host = header_text(headers, header::HOST);
        if let Some(host) = host
            && self.is_loopback
            && !is_loopback_host(host)
            && !self.allowed.iter().any(|origin| is_same(authority(origin), host))
        {
            return Err(OriginError::Host { host: host.to_owned() });
        }
        let Some(origin) = header_text(headers, header::ORIGIN) else { return Ok(()) };
        let is_own = host.is_some_and(|host| is_same(authority(origin), host));
        let is_loopback_page =
            self.is_loopback && origin.contains("://") && is_loopback_host(authority(origin));
        if is_own || is_loopback_page || self.is_allowed(origin) {
            Ok(())
        } else {
            Err(OriginError::Origin { origin: origin.to_owned() })
        }
    }

    /// Whether `origin` was allowed by name.
    #[must_use]
    pub fn is_allowed(&self, origin: &str) -> bool {
        self.allowed.iter().any(|allowed| is_same(allowed.trim_end_matches('/'), origin))
    }
}

/// Middleware that answers 403 to requests that [`OriginPolicy::check`] refuses.
pub async fn guard(State(policy): State<OriginPolicy>, request: Request, next: Next) -> Response {
    match policy.check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => (StatusCode::FORBIDDEN, format!("{refusal}\n")).into_response(),
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("an unreadable name"))
}

fn is_same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// `host[:port]` of `scheme://host[:port]`.
fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, rest)| rest.split('/').next().unwrap_or_default())
}

/// Whether `host[:port]` names this machine and nothing else.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
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

    fn admits(policy: &OriginPolicy, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        policy.check(&headers).is_ok()
    }

    #[test]
    fn on_loopback_only_loopback_pages_and_names_come_in() {
        let policy = OriginPolicy { is_loopback: true, allowed: vec![] };
        for (host, origin) in [
            ("127.0.0.1:8080", None),
            ("localhost:8080", Some("http://localhost:8080")),
            ("127.0.0.1:8080", Some("http://localhost:3000")),
            ("[::1]:8080", Some("http://[::1]:8080")),
        ] {
            assert!(admits(&policy, host, origin), "{host} {origin:?}");
        }
        for (host, origin) in [
            ("127.0.0.1:8080", Some("https://evil.example")),
            ("127.0.0.1:8080", Some("null")),
            ("127.0.0.1:8080", Some("https://localhost.evil.example")),
            ("127.0.0.1:8080", Some("https://127.0.0.1.evil.example")),
            ("evil.example:8080", Some("http://evil.example:8080")),
            ("evil.example", None),
        ] {
            assert!(!admits(&policy, host, origin), "{host} {origin:?}");
        }
    }

    #[test]
    fn an_allowed_origin_comes_in_and_so_does_its_host() {
        let policy = OriginPolicy { is_loopback: true, allowed: vec!["https://logs.example".into()] };
        assert!(admits(&policy, "127.0.0.1:1", Some("https://logs.example")));
        assert!(admits(&policy, "logs.example", Some("https://logs.example")));
        assert!(!admits(&policy, "127.0.0.1:1", Some("https://logs.example.evil")));
    }

    #[test]
    fn off_loopback_any_host_name_will_do_but_other_pages_will_not() {
        let policy = OriginPolicy::default();
        assert!(admits(&policy, "logs.example:8080", Some("http://logs.example:8080")));
        assert!(!admits(&policy, "logs.example:8080", Some("http://other.example")));
        assert!(!admits(&policy, "logs.example:8080", Some("http://localhost:8080")));
    }
}
