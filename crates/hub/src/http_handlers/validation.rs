//! Validation of event handlers before their first event: the abuse protection of webhooks.
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

/// Delays before the retries of an event or a validation, after 408, 5xx and network failures.
pub(crate) const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];
/// Timeout of a validation request (limit of the vendor's emulator).
pub(crate) const VALIDATION_TIMEOUT: Duration = Duration::from_secs(10);
/// Age at which a consent is renewed. The renewal runs in the background, while the old consent counts.
pub(crate) const VALIDATION_LIFETIME: Duration = Duration::from_secs(60);
/// Delay before the first retry after a rejection; doubled each time, up to [`VALIDATION_LIFETIME`].
pub(crate) const FIRST_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Maximum number of servers whose state is stored. A further one needs an expired entry to replace.
const MAX_ENTRIES: usize = 1024;
/// Age at which an unused entry may be replaced.
const ENTRY_LIFETIME: Duration = Duration::from_secs(600);

const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const AWPS_VERSION: HeaderName = HeaderName::from_static("ce-awpsversion");

/// Failed validation of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ValidationError {
    #[error("the validation request failed: {0}")]
    Unreachable(String),
    #[error("no response to the validation request within {} s", VALIDATION_TIMEOUT.as_secs())]
    TimedOut,
    #[error("the response to the validation request has status {0}")]
    Status(StatusCode),
    #[error("its `WebHook-Allowed-Origin` allows neither `{0}` nor `*`")]
    Origin(String),
    #[error("too many event handlers are being validated")]
    TooMany,
}

impl ValidationError {
    /// Returns whether a further request may succeed soon.
    fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Status(status) => *status == StatusCode::REQUEST_TIMEOUT || status.is_server_error(),
            Self::TimedOut | Self::Origin(_) | Self::TooMany => false,
        }
    }
}

/// Validation state of one server.
#[derive(Debug, Default)]
struct ValidationState {
    /// Time and result of the last validation.
    last_result: Option<(Instant, Result<(), ValidationError>)>,
    /// Time that a rejection counts.
    retry_delay: Duration,
    is_revalidating: bool,
}

type Key = (Url, String);

/// Validation states of all servers.
#[derive(Debug, Default)]
pub(super) struct Validations {
    states: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<ValidationState>>>>,
}

impl Validations {
    /// Checks that the server at `url` consents to events of `origin`. Sends a validation request the first time and
    /// after a rejection; concurrent callers share it.
    pub(super) async fn check(
        self: &Arc<Self>,
        client: &Client,
        url: &Url,
        origin: &str,
    ) -> Result<(), ValidationError> {
        let state = self.state(url, origin, Instant::now()).ok_or(ValidationError::TooMany)?;
        let mut known = state.lock().await;
        let now = Instant::now();
        match &known.last_result {
            Some((validated_at, Ok(()))) => {
                if now >= *validated_at + VALIDATION_LIFETIME && !known.is_revalidating {
                    known.is_revalidating = true;
                    let (client, url, origin) = (client.clone(), url.clone(), origin.to_owned());
                    let state = Arc::clone(&state);
                    tokio::spawn(async move {
                        let result = send_validation(&client, &url, &origin).await;
                        state.lock().await.record(result, Instant::now());
                    });
                }
                Ok(())
            }
            Some((validated_at, Err(error))) if now < *validated_at + known.retry_delay => Err(error.clone()),
            _ => {
                let result = send_validation(client, url, origin).await;
                known.record(result.clone(), Instant::now());
                result
            }
        }
    }

    /// Returns the state of a server; `None` at [`MAX_ENTRIES`].
    fn state(
        &self,
        url: &Url,
        origin: &str,
        now: Instant,
    ) -> Option<Arc<tokio::sync::Mutex<ValidationState>>> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (url.clone(), origin.to_ascii_lowercase());
        if states.len() >= MAX_ENTRIES && !states.contains_key(&key) {
            states.retain(|_, state| state.try_lock().map_or(true, |known| !known.is_expired(now)));
            if states.len() >= MAX_ENTRIES {
                return None;
            }
        }
        Some(Arc::clone(states.entry(key).or_default()))
    }
}

impl ValidationState {
    /// Returns whether the entry may be replaced.
    fn is_expired(&self, now: Instant) -> bool {
        self.last_result.as_ref().is_some_and(|(validated_at, _)| now >= *validated_at + ENTRY_LIFETIME)
    }

    fn record(&mut self, result: Result<(), ValidationError>, now: Instant) {
        self.retry_delay = match &result {
            Ok(()) => Duration::ZERO,
            Err(_) => (self.retry_delay * 2).clamp(FIRST_RETRY_DELAY, VALIDATION_LIFETIME),
        };
        self.is_revalidating = false;
        self.last_result = Some((now, result));
    }
}

/// Validates a server, with the retries of an event: the first connections arrive while an application starts.
async fn send_validation(client: &Client, url: &Url, origin: &str) -> Result<(), ValidationError> {
    let mut delays = RETRY_DELAYS.into_iter();
    loop {
        let result = attempt(client, url, origin).await;
        match delays.next() {
            Some(delay) if result.as_ref().is_err_and(ValidationError::is_retryable) => {
                tokio::time::sleep(delay).await;
            }
            _ => return result,
        }
    }
}

/// Sends an OPTIONS request, or a GET request if the server does not know OPTIONS.
async fn attempt(client: &Client, url: &Url, origin: &str) -> Result<(), ValidationError> {
    let result = match request(client, Method::OPTIONS, url, origin).await? {
        (StatusCode::NOT_FOUND, _) => request(client, Method::GET, url, origin).await?,
        result => result,
    };
    let (status, headers) = result;
    if !status.is_success() {
        return Err(ValidationError::Status(status));
    }
    // One origin for each header: a list is none, as in the vendor's emulator.
    let allows = |value: &HeaderValue| {
        let name = value.to_str().unwrap_or_default().trim();
        // The vendor's middleware allows endpoints with their ports; the origin has none.
        let without_port = match name.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => name,
        };
        name == "*" || without_port.eq_ignore_ascii_case(origin)
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
        Err(_) => Err(ValidationError::TimedOut),
    }
}
