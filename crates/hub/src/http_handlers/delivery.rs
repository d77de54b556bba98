//! Delivery of events to handlers: timeouts and retries.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, Url, redirect};
use tokio::time::timeout;

use super::{
    cloud_event::{CLIENT_REQUEST_ID, CloudEvent},
    validation::{RETRY_DELAYS, Validations},
};
use crate::{event_context::EventContext, event_handler::EventError};

/// Default timeout of a handler, retries and their delays included (limit of the vendor's emulator).
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(100);
/// Maximum length of a handler's response, in bytes.
pub(crate) const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Response of a handler.
#[derive(Debug)]
pub(super) struct HandlerResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Failure to get a response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error("not reachable: {0}")]
    Unreachable(String),
    #[error("no response within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("the response exceeds {MAX_RESPONSE_BYTES} bytes")]
    TooLong,
}

/// HTTP client for event handlers. Clones share the validation states.
#[derive(Debug, Clone)]
pub(super) struct DeliveryClient {
    client: Client,
    validations: Arc<Validations>,
}

impl DeliveryClient {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        // A redirect counts as a failure: its target has not been validated. Proxies are disabled, since events are for
        // the handler only.
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { client, validations: Arc::default() })
    }

    /// Posts an event to `url`, after `validation_url` has given consent, and returns the response. Retries and their delays
    /// included, the handler has `limit` to answer.
    pub(super) async fn deliver(
        &self,
        (url, validation_url): &(Url, Url),
        limit: Duration,
        event_context: &EventContext,
        mut event: CloudEvent,
    ) -> Result<HandlerResponse, EventError> {
        let at = display(url);
        let failed = |reason: String| EventError::Failed(format!("{at}: {reason}"));
        self.validations
            .check(&self.client, validation_url, &event_context.origin)
            .await
            .map_err(|error| failed(error.to_string()))?;
        let host = url.host_str().unwrap_or_default();
        if let Some(cookies) = event_context.cookies(host) {
            event.headers.insert(header::COOKIE, cookies);
        }
        let response = self.post(url, &event, limit).await.map_err(|failure| failed(failure.to_string()))?;
        for cookie in response.headers.get_all(header::SET_COOKIE) {
            event_context.set_cookie(host, cookie.to_str().unwrap_or_default());
        }
        tracing::debug!(handler = %at, status = %response.status, request = ?event.headers.get(CLIENT_REQUEST_ID), "event handled");
        Ok(response)
    }

    /// Posts an event, with retries. All attempts have the same ids, so that the handler can detect duplicates.
    async fn post(
        &self,
        url: &Url,
        event: &CloudEvent,
        limit: Duration,
    ) -> Result<HandlerResponse, DeliveryError> {
        let attempts = async {
            let mut delays = RETRY_DELAYS.into_iter();
            loop {
                let outcome = attempt(&self.client, url, event).await;
                let is_retryable = match &outcome {
                    Ok(response) => {
                        response.status == StatusCode::REQUEST_TIMEOUT || response.status.is_server_error()
                    }
                    Err(failure) => matches!(failure, DeliveryError::Unreachable(_)),
                };
                match delays.next() {
                    Some(delay) if is_retryable => tokio::time::sleep(delay).await,
                    _ => return outcome,
                }
            }
        };
        timeout(limit, attempts).await.unwrap_or(Err(DeliveryError::TimedOut(limit)))
    }
}

/// Formats a URL for the log, without its query and user, which may contain keys.
fn display(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

async fn attempt(client: &Client, url: &Url, event: &CloudEvent) -> Result<HandlerResponse, DeliveryError> {
    let request = client.post(url.clone()).headers(event.headers.clone()).body(event.body.clone());
    let response = request.send().await.map_err(unreachable)?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(HandlerResponse { status, headers, body: read_body(response).await? })
}

async fn read_body(mut response: Response) -> Result<Bytes, DeliveryError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(DeliveryError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Removes the URL from an error: it may contain a key of the handler (`?code=`).
fn unreachable(error: reqwest::Error) -> DeliveryError {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    DeliveryError::Unreachable(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
