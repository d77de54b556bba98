//! Whether a server wants events from us, asked before it gets any: the protection of webhooks against abuse.
//!
//! Source: "HTTP 1.1 Web Hooks for Event Delivery", section 4; service documentation, "upstream validation".

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Client, Url};
use tokio::time::{Instant, timeout};

/// How long a server may take to answer (what the vendor's emulator allows).
pub const VALIDATION_TIMEOUT: Duration = Duration::from_secs(10);
/// After this time a consent is asked for again, while it still counts.
pub const VALIDATION_LIFETIME: Duration = Duration::from_secs(60);
/// The first retry_delay after a refusal; it doubles up to [`VALIDATION_LIFETIME`].
pub const FIRST_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Most answers of servers that are remembered. One more is asked for only when an old one can go.
const MAX_ENTRIES: usize = 1024;
/// An answer that nobody wanted for this long can go.
const ENTRY_LIFETIME: Duration = Duration::from_secs(600);

const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const AWPS_VERSION: HeaderName = HeaderName::from_static("ce-awpsversion");

/// Why a server gets no events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ValidationError {
    #[error("it did not answer the validation request: {0}")]
    Unreachable(String),
    #[error("it answered the validation request with {0}")]
    Status(StatusCode),
    #[error("its `WebHook-Allowed-Origin` does not name `{0}`, nor `*`")]
    Origin(String),
    #[error("too many servers are being asked whether they want events")]
    TooMany,
}

/// What is known of one server.
#[derive(Debug, Default)]
struct ValidationState {
    /// When it was asked last, and what it said.
    last_response: Option<(Instant, Result<(), ValidationError>)>,
    /// How long its refusal counts.
    retry_delay: Duration,
    is_revalidating: bool,
}

type Key = (Url, String);

/// What is known of all servers.
#[derive(Debug, Default)]
pub(super) struct Validations {
    states: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<ValidationState>>>>,
}

impl Validations {
    /// Whether the server at `url` wants events of the service called `origin`. The first time, and after a refusal, it
    /// is asked; several who want to know at once ask once.
    pub(super) async fn check(
        self: &Arc<Self>,
        client: &Client,
        url: &Url,
        origin: &str,
    ) -> Result<(), ValidationError> {
        let state = self.state(url, origin).ok_or(ValidationError::TooMany)?;
        let mut known = state.lock().await;
        let now = Instant::now();
        match &known.last_response {
            Some((received_at, Ok(()))) => {
                if now >= *received_at + VALIDATION_LIFETIME && !known.is_revalidating {
                    known.is_revalidating = true;
                    let (client, url, origin) = (client.clone(), url.clone(), origin.to_owned());
                    let state = Arc::clone(&state);
                    tokio::spawn(async move {
                        let answer = send_validation(&client, &url, &origin).await;
                        state.lock().await.record(answer);
                    });
                }
                Ok(())
            }
            Some((received_at, Err(refusal))) if now < *received_at + known.retry_delay => {
                Err(refusal.clone())
            }
            _ => {
                let answer = send_validation(client, url, origin).await;
                known.record(answer.clone());
                answer
            }
        }
    }

    /// What is known of a server; `None` when there is no room to know more.
    fn state(&self, url: &Url, origin: &str) -> Option<Arc<tokio::sync::Mutex<ValidationState>>> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (url.clone(), origin.to_ascii_lowercase());
        if states.len() >= MAX_ENTRIES && !states.contains_key(&key) {
            let now = Instant::now();
            states.retain(|_, state| state.try_lock().map_or(true, |known| !known.is_expired(now)));
            if states.len() >= MAX_ENTRIES {
                return None;
            }
        }
        Some(Arc::clone(states.entry(key).or_default()))
    }
}

impl ValidationState {
    /// Whether nobody would miss it.
    fn is_expired(&self, now: Instant) -> bool {
        self.last_response.as_ref().is_some_and(|(received_at, _)| now >= *received_at + ENTRY_LIFETIME)
    }

    fn record(&mut self, answer: Result<(), ValidationError>) {
        self.retry_delay = match &answer {
            Ok(()) => Duration::ZERO,
            Err(_) => (self.retry_delay * 2).clamp(FIRST_RETRY_DELAY, VALIDATION_LIFETIME),
        };
        self.is_revalidating = false;
        self.last_response = Some((Instant::now(), answer));
    }
}

/// Asks by OPTIONS, and by GET where OPTIONS is not known.
async fn send_validation(client: &Client, url: &Url, origin: &str) -> Result<(), ValidationError> {
    let answer = match request(client, Method::OPTIONS, url, origin).await? {
        (StatusCode::NOT_FOUND, _) => request(client, Method::GET, url, origin).await?,
        answer => answer,
    };
    let (status, headers) = answer;
    if !status.is_success() {
        return Err(ValidationError::Status(status));
    }
    let allows = |value: &HeaderValue| {
        let names = value.to_str().unwrap_or_default().split(',').map(str::trim);
        // The vendor's middleware names its endpoints with their ports, which an origin here is without.
        let without_port = |name: &str| match name.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host.to_owned(),
            _ => name.to_owned(),
        };
        names.into_iter().any(|name| name == "*" || without_port(name).eq_ignore_ascii_case(origin))
    };
    if headers.get_all(ALLOWED_ORIGIN).iter().any(allows) {
        Ok(())
    } else {
        Err(ValidationError::Origin(origin.to_owned()))
    }
}

async fn request(
    client: &Client,
    method: Method,
    url: &Url,
    origin: &str,
) -> Result<(StatusCode, HeaderMap), ValidationError> {
    let request =
        client.request(method, url.clone()).header(REQUEST_ORIGIN, origin).header(AWPS_VERSION, "1.0");
    match timeout(VALIDATION_TIMEOUT, request.send()).await {
        Ok(Ok(response)) => Ok((response.status(), response.headers().clone())),
        Ok(Err(error)) => Err(ValidationError::Unreachable(error.without_url().to_string())),
        Err(_) => Err(ValidationError::Unreachable(format!("{} s passed", VALIDATION_TIMEOUT.as_secs()))),
    }
}
