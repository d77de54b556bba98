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

use super::site::Site;
use crate::service::forwarded::ClientInfo;

/// Wrong passwords, and wrong keys, per minute and client address. Beyond it, none of that address is accepted, right or wrong: response
/// 429 with the time to wait. The two are counted apart.
pub(super) const MAX_WRONG_ATTEMPTS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// Length from which on a key cannot be guessed, in bytes. The right one is then accepted at any time: nobody can keep the publishers of an
/// address out by wrong ones.
const MIN_UNGUESSABLE_BYTES: usize = 16;

/// Files of the page that are open beside those of its build with a hash in their names.
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
    site: Site,
    wrong_passwords: WrongAttempts,
    wrong_keys: WrongAttempts,
}

/// Wrong attempts by address. The lock is never held across an await.
struct WrongAttempts(Mutex<RateLimit>);

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
    TooManyPasswords { wait: Duration },
    #[error("too many wrong publish keys from this address; wait {} s", whole_seconds(*wait))]
    TooManyKeys { wait: Duration },
}

/// Rounds up, as an earlier request would be refused again.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let text = format!("{self}\n");
        let mut response = match self {
            Self::TooManyPasswords { wait } | Self::TooManyKeys { wait } => {
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
    pub(super) fn new(password: String, publish_key: Option<String>, site: Site) -> Self {
        let (wrong_passwords, wrong_keys) = (WrongAttempts::default(), WrongAttempts::default());
        Self(Arc::new(Shared { password, publish_key, site, wrong_passwords, wrong_keys }))
    }

    fn check(&self, headers: &HeaderMap, client: &ClientInfo, now: Instant) -> Result<Accepted, Refusal> {
        let has_publish_key = self.0.publish_key.is_some();
        let authorization =
            headers.get(header::AUTHORIZATION).ok_or(Refusal::NoCredential { has_publish_key })?.as_bytes();
        let (scheme, credential) = split_once(authorization, b' ').unwrap_or((authorization, b""));
        let credential = credential.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return self.0.check_key(credential, client, now);
        }
        let is_basic = scheme.eq_ignore_ascii_case(b"basic");
        self.0.check_password(if is_basic { credential } else { b"" }, client, now)
    }
}

impl Shared {
    /// Whether a file contains nothing of the user. An encoded path can name another file than its text.
    async fn is_open_file(&self, path: &str) -> bool {
        OPEN_FILES.contains(&path) || (!path.contains('%') && self.site.has_built(path).await)
    }

    fn check_key(&self, key: &[u8], client: &ClientInfo, now: Instant) -> Result<Accepted, Refusal> {
        let is_key = |right: &String| bool::from(key.ct_eq(right.as_bytes()));
        let is_right = self.publish_key.as_ref().is_some_and(is_key);
        if is_right && key.len() >= MIN_UNGUESSABLE_BYTES {
            return Ok(Accepted::PublishKey);
        }
        let counted = self.wrong_keys.count(is_right, client, now);
        counted.map_err(|wait| Refusal::TooManyKeys { wait })?;
        if is_right { Ok(Accepted::PublishKey) } else { Err(Refusal::WrongPublishKey) }
    }

    fn check_password(
        &self,
        credential: &[u8],
        client: &ClientInfo,
        now: Instant,
    ) -> Result<Accepted, Refusal> {
        let decoded = BASE64_STANDARD.decode(credential).unwrap_or_default();
        // The user name is not checked. It contains no colon (RFC 7617, section 2).
        let password = split_once(&decoded, b':').map_or(&b""[..], |(_, password)| password);
        let is_right = bool::from(password.ct_eq(self.password.as_bytes()));
        let counted = self.wrong_passwords.count(is_right, client, now);
        counted.map_err(|wait| Refusal::TooManyPasswords { wait })?;
        if is_right { Ok(Accepted::Password) } else { Err(Refusal::WrongPassword) }
    }
}

impl Default for WrongAttempts {
    fn default() -> Self {
        Self(Mutex::new(RateLimit::per_minute(MAX_WRONG_ATTEMPTS)))
    }
}

impl WrongAttempts {
    /// Counts an attempt, unless it is right. Beyond the limit returns the time to wait, right or wrong.
    fn count(&self, is_right: bool, client: &ClientInfo, now: Instant) -> Result<(), Duration> {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match attempts.wait(client.address, now) {
            Some(wait) => Err(wait),
            None if is_right => Ok(()),
            None => attempts.check(client.address, now),
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
    if guard.0.is_open_file(request.uri().path()).await {
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn guard_with(password: &str, key: Option<&str>) -> ViewerGuard {
        ViewerGuard::new(password.to_owned(), key.map(str::to_owned), Site::Missing)
    }

    fn guard() -> ViewerGuard {
        guard_with("p:\u{e4}ss", Some("key"))
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
        let guard = guard_with("secret", None);
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
        assert_eq!(check(&guard, 1, &right, now), Err(Refusal::TooManyPasswords { wait }));
        assert_eq!(check(&guard, 1, "Bearer key", now), Ok(Accepted::PublishKey));
        assert_eq!(check(&guard, 2, &right, now), Ok(Accepted::Password));
        assert_eq!(check(&guard, 1, &right, now + wait), Ok(Accepted::Password));
    }

    #[test]
    fn a_long_publish_key_is_accepted_whatever_others_have_tried() {
        let (now, wait) = (Instant::now(), Duration::from_secs(6));
        let long = "k".repeat(MIN_UNGUESSABLE_BYTES);
        for (key, expected) in
            [(long.as_str(), Ok(Accepted::PublishKey)), ("short", Err(Refusal::TooManyKeys { wait }))]
        {
            let guard = guard_with("secret", Some(key));
            for _ in 0..MAX_WRONG_ATTEMPTS.get() {
                assert_eq!(check(&guard, 1, "Bearer guess", now), Err(Refusal::WrongPublishKey));
            }
            assert_eq!(check(&guard, 1, "Bearer guess", now), Err(Refusal::TooManyKeys { wait }));
            assert_eq!(check(&guard, 1, &format!("Bearer {key}"), now), expected);
            assert_eq!(check(&guard, 1, &basic("a:secret"), now), Ok(Accepted::Password));
        }
    }

    #[tokio::test]
    async fn only_files_without_content_of_the_user_are_open() {
        let guard = guard();
        for open in ["/favicon.ico", "/manifest.webmanifest", "/icon-192.png", "/service_worker.js"] {
            assert!(guard.0.is_open_file(open).await, "{open}");
        }
        for closed in
            ["/", "/index.html", "/%69ndex.html", "/index.html.br", "/config.json", "/negotiate", "/groups"]
        {
            assert!(!guard.0.is_open_file(closed).await, "{closed}");
        }
    }
}
