//! Password of viewers: HTTP Basic authentication in front of the page, `/negotiate` and `/groups`.
//!
//! A token of `/negotiate` is what opens the WebSocket and the history, so these need no password. Files that contain nothing of
//! the user stay open: browsers load some of them without credentials.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use subtle::ConstantTimeEq;
use webpubsub_hub::RateLimit;

use super::site::has_hash;
use crate::service::forwarded::ClientInfo;

/// Wrong passwords and keys per minute and client address. Beyond it, no password of that address is checked, right or wrong:
/// response 429 with the time to wait.
pub(super) const MAX_WRONG_ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

/// Files of the page that are open beside those with a hash in their names.
const OPEN_FILES: [&str; 6] = [
    "/favicon.ico",
    "/icon-192.png",
    "/icon-512.png",
    "/icon-maskable-512.png",
    "/manifest.webmanifest",
    "/service_worker.js",
];

/// Challenge of a response with status 401.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Tailcast\", charset=\"UTF-8\"");

/// Check of requests. Clones share the counts.
#[derive(Clone)]
pub(super) struct ViewerGuard(Arc<Shared>);

struct Shared {
    password: String,
    /// Key of publishers, which is accepted in place of the password.
    publish_key: Option<String>,
    /// The lock is never held across an await.
    wrong_attempts: Mutex<RateLimit>,
}

/// Credential that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accepted {
    Password,
    PublishKey,
}

/// Refusal of a request, with the reason as plain text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error(
        "this server requires {}",
        if *has_publish_key { "the password of its viewers, or its publish key" } else { "the password of its viewers" }
    )]
    NoCredential { has_publish_key: bool },
    #[error("wrong viewer password; use the one that the server was started with")]
    WrongPassword,
    #[error("wrong publish key; use the key that the server was started with")]
    WrongPublishKey,
    #[error("too many wrong passwords from this address; wait {} s", whole_seconds(*wait))]
    TooManyAttempts { wait: Duration },
}

/// Rounds up, as an earlier request would be refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        let mut response = match self {
            Self::TooManyAttempts { wait } => {
                let retry_after = HeaderValue::from(whole_seconds(wait));
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, retry_after)], text).into_response()
            }
            _ => (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, CHALLENGE)], text).into_response(),
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl ViewerGuard {
    pub(super) fn new(password: String, publish_key: Option<String>) -> Self {
        let wrong_attempts = Mutex::new(RateLimit::per_minute(MAX_WRONG_ATTEMPTS));
        Self(Arc::new(Shared { password, publish_key, wrong_attempts }))
    }

    fn check(&self, headers: &HeaderMap, client: &ClientInfo, now: Instant) -> Result<Accepted, Refusal> {
        let has_publish_key = self.0.publish_key.is_some();
        let authorization =
            headers.get(header::AUTHORIZATION).ok_or(Refusal::NoCredential { has_publish_key })?;
        let mut wrong_attempts = self.0.wrong_attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = wrong_attempts.wait(client.address, now) {
            return Err(Refusal::TooManyAttempts { wait });
        }
        let checked = self.0.check(authorization.as_bytes());
        if checked.is_err() {
            // It was not exceeded before.
            let _counted = wrong_attempts.check(client.address, now);
        }
        checked
    }
}

impl Shared {
    fn check(&self, authorization: &[u8]) -> Result<Accepted, Refusal> {
        let (scheme, credential) = split_once(authorization, b' ').unwrap_or((authorization, b""));
        let credential = credential.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            let is_key = |key: &String| bool::from(credential.ct_eq(key.as_bytes()));
            return match self.publish_key.as_ref().is_some_and(is_key) {
                true => Ok(Accepted::PublishKey),
                false => Err(Refusal::WrongPublishKey),
            };
        }
        let decoded = match scheme.eq_ignore_ascii_case(b"basic") {
            true => BASE64_STANDARD.decode(credential).unwrap_or_default(),
            false => Vec::new(),
        };
        // The user name is not checked. It contains no colon (RFC 7617, section 2).
        let password = split_once(&decoded, b':').map_or(&b""[..], |(_, password)| password);
        match bool::from(password.ct_eq(self.password.as_bytes())) {
            true => Ok(Accepted::Password),
            false => Err(Refusal::WrongPassword),
        }
    }
}

fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == separator)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

/// Refuses requests without the password or the publish key, except those for open files.
pub(super) async fn check(
    State(guard): State<ViewerGuard>,
    Extension(client): Extension<ClientInfo>,
    mut request: Request,
    next: Next,
) -> Response {
    if is_open_file(request.uri().path()) {
        return next.run(request).await;
    }
    match guard.check(request.headers(), &client, Instant::now()) {
        Ok(Accepted::Password) => {
            // The negotiate endpoint would take it for a publish key.
            request.headers_mut().remove(header::AUTHORIZATION);
            next.run(request).await
        }
        Ok(Accepted::PublishKey) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// Whether a file contains nothing of the user. An encoded path can name another file than its text.
fn is_open_file(path: &str) -> bool {
    OPEN_FILES.contains(&path) || (has_hash(path) && !path.contains('%'))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn guard() -> ViewerGuard {
        ViewerGuard::new("p:\u{e4}ss".to_owned(), Some("key".to_owned()))
    }

    fn check(
        guard: &ViewerGuard,
        address: u8,
        authorization: &str,
        now: Instant,
    ) -> Result<Accepted, Refusal> {
        let address = IpAddr::from([127, 0, 0, address]);
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, authorization.parse().unwrap());
        guard.check(&headers, &ClientInfo { address, is_encrypted: false }, now)
    }

    fn basic(user_and_password: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(user_and_password))
    }

    #[test]
    fn any_user_name_with_the_password_and_the_publish_key_are_accepted() {
        let (guard, now) = (guard(), Instant::now());
        let check = |authorization: &str| check(&guard, 1, authorization, now);
        for user in ["ada", "", "anyone"] {
            assert_eq!(check(&basic(&format!("{user}:p:\u{e4}ss"))), Ok(Accepted::Password));
        }
        assert_eq!(check("Bearer key"), Ok(Accepted::PublishKey));
        assert_eq!(check("bEARER  key"), Ok(Accepted::PublishKey));
        assert_eq!(
            check(&basic("p:\u{e4}ss")),
            Err(Refusal::WrongPassword),
            "the user name ends at the first colon"
        );
        for wrong in [&basic("ada:"), &basic("ada"), "Basic", "Basic !", "Digest x", "", &basic("ada:key")] {
            assert_eq!(check(wrong), Err(Refusal::WrongPassword), "{wrong}");
        }
        assert_eq!(check("Bearer p:\u{e4}ss"), Err(Refusal::WrongPublishKey));
    }

    #[test]
    fn without_a_publish_key_no_bearer_token_is_accepted() {
        let guard = ViewerGuard::new("secret".to_owned(), None);
        for token in ["Bearer ", "Bearer", "Bearer secret"] {
            assert_eq!(check(&guard, 1, token, Instant::now()), Err(Refusal::WrongPublishKey), "{token}");
        }
    }

    #[test]
    fn beyond_the_limit_of_wrong_attempts_the_right_password_is_refused_too() {
        let (guard, now) = (guard(), Instant::now());
        let (wrong, right) = (basic("a:b"), basic("a:p:\u{e4}ss"));
        for _ in 0..MAX_WRONG_ATTEMPTS.get() {
            assert_eq!(check(&guard, 1, &right, now), Ok(Accepted::Password), "right ones do not count");
            assert_eq!(check(&guard, 1, &wrong, now), Err(Refusal::WrongPassword));
        }
        let wait = Duration::from_secs(6);
        assert_eq!(check(&guard, 1, &right, now), Err(Refusal::TooManyAttempts { wait }));
        assert_eq!(check(&guard, 2, &right, now), Ok(Accepted::Password));
        assert_eq!(check(&guard, 1, &right, now + wait), Ok(Accepted::Password));
    }

    #[test]
    fn only_files_without_content_of_the_user_are_open() {
        for open in
            ["/style-979af3e668ada859.css", "/manifest.webmanifest", "/icon-192.png", "/service_worker.js"]
        {
            assert!(is_open_file(open), "{open}");
        }
        for closed in [
            "/",
            "/index.html",
            "/%69ndex.html",
            "/index.html.br",
            "/config.json",
            "/negotiate",
            "/groups",
            "/app-979af3e6.d%2findex.html",
        ] {
            assert!(!is_open_file(closed), "{closed}");
        }
    }
}
