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
pub const CONSENT_LIFETIME: Duration = Duration::from_secs(60);
/// The first pause after a refusal; it doubles up to [`CONSENT_LIFETIME`].
pub const FIRST_REFUSAL_PAUSE: Duration = Duration::from_secs(1);
/// Most answers of servers that are remembered. One more is asked for only when an old one can go.
const MAX_REMEMBERED: usize = 1024;
/// An answer that nobody wanted for this long can go.
const OLD: Duration = Duration::from_secs(600);

const REQUEST_ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const AWPS_VERSION: HeaderName = HeaderName::from_static("ce-awpsversion");

/// Why a server gets no events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
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
struct Standing {
    /// When it was asked last, and what it said.
    asked: Option<(Instant, Result<(), Refusal>)>,
    /// How long its refusal counts.
    pause: Duration,
    is_being_asked_again: bool,
}

type Key = (Url, String);

/// What is known of all servers.
#[derive(Debug, Default)]
pub(super) struct Validations {
    standings: Mutex<HashMap<Key, Arc<tokio::sync::Mutex<Standing>>>>,
}

impl Validations {
    /// Whether the server at `url` wants events of the service called `origin`. The first time, and after a refusal, it
    /// is asked; several who want to know at once ask once.
    pub(super) async fn check(
        self: &Arc<Self>,
        client: &Client,
        url: &Url,
        origin: &str,
    ) -> Result<(), Refusal> {
        let standing = self.standing(url, origin).ok_or(Refusal::TooMany)?;
        let mut known = standing.lock().await;
        let now = Instant::now();
        match &known.asked {
            Some((asked_at, Ok(()))) => {
                if now >= *asked_at + CONSENT_LIFETIME && !known.is_being_asked_again {
                    known.is_being_asked_again = true;
                    let (client, url, origin) = (client.clone(), url.clone(), origin.to_owned());
                    let standing = Arc::clone(&standing);
                    tokio::spawn(async move {
                        let answer = ask(&client, &url, &origin).await;
                        standing.lock().await.answered(answer);
                    });
                }
                Ok(())
            }
            Some((asked_at, Err(refusal))) if now < *asked_at + known.pause => Err(refusal.clone()),
            _ => {
                let answer = ask(client, url, origin).await;
                known.answered(answer.clone());
                answer
            }
        }
    }

    /// What is known of a server; `None` when there is no room to know more.
    fn standing(&self, url: &Url, origin: &str) -> Option<Arc<tokio::sync::Mutex<Standing>>> {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (url.clone(), origin.to_ascii_lowercase());
        if standings.len() >= MAX_REMEMBERED && !standings.contains_key(&key) {
            let now = Instant::now();
            standings.retain(|_, standing| standing.try_lock().map_or(true, |known| !known.is_old(now)));
            if standings.len() >= MAX_REMEMBERED {
                return None;
            }
        }
        Some(Arc::clone(standings.entry(key).or_default()))
    }
}

impl Standing {
    /// Whether nobody would miss it.
    fn is_old(&self, now: Instant) -> bool {
        self.asked.as_ref().is_some_and(|(asked_at, _)| now >= *asked_at + OLD)
    }

    fn answered(&mut self, answer: Result<(), Refusal>) {
        self.pause = match &answer {
            Ok(()) => Duration::ZERO,
            Err(_) => (self.pause * 2).clamp(FIRST_REFUSAL_PAUSE, CONSENT_LIFETIME),
        };
        self.is_being_asked_again = false;
        self.asked = Some((Instant::now(), answer));
    }
}

/// Asks by OPTIONS, and by GET where OPTIONS is not known.
async fn ask(client: &Client, url: &Url, origin: &str) -> Result<(), Refusal> {
    let answer = match request(client, Method::OPTIONS, url, origin).await? {
        (StatusCode::NOT_FOUND, _) => request(client, Method::GET, url, origin).await?,
        answer => answer,
    };
    let (status, headers) = answer;
    if !status.is_success() {
        return Err(Refusal::Status(status));
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
        Err(Refusal::Origin(origin.to_owned()))
    }
}

async fn request(
    client: &Client,
    method: Method,
    url: &Url,
    origin: &str,
) -> Result<(StatusCode, HeaderMap), Refusal> {
    let request =
        client.request(method, url.clone()).header(REQUEST_ORIGIN, origin).header(AWPS_VERSION, "1.0");
    match timeout(VALIDATION_TIMEOUT, request.send()).await {
        Ok(Ok(response)) => Ok((response.status(), response.headers().clone())),
        Ok(Err(error)) => Err(Refusal::Unreachable(error.without_url().to_string())),
        Err(_) => Err(Refusal::Unreachable(format!("{} s passed", VALIDATION_TIMEOUT.as_secs()))),
    }
}
