//! Delivery of events to handlers: timeouts and retries.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use reqwest::{Client, Response, Url, redirect};
use tokio::time::timeout;

use super::{
    cloud_event::{CLIENT_REQUEST_ID, CloudEvent},
    validation::{RETRY_DELAYS, Validations},
};
use crate::{
    event_context::EventContext,
    event_handler::EventError,
    memory::{MemoryBudget, SharedCharge},
};

/// Default timeout of a handler, retries and their delays included (limit of the vendor's emulator).
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(100);
/// Maximum length of a handler's response, in bytes.
pub(crate) const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Response of a handler.
#[derive(Debug)]
pub(super) struct HandlerResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: ResponseBody,
}

/// Body of a handler's response, charged to the memory budget.
#[derive(Debug)]
pub(super) struct ResponseBody {
    bytes: Vec<u8>,
    charge: SharedCharge,
}

impl ResponseBody {
    /// Returns the bytes of the body.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the bytes. They are not charged any more.
    pub(super) fn into_vec(self) -> Vec<u8> {
        self.bytes
    }

    /// Shares the bytes. They stay charged until the last clone is dropped.
    pub(super) fn into_shared(self) -> Bytes {
        self.charge.attached_to(self.bytes.into())
    }
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
    #[error("its response does not fit the memory limit of the service")]
    NoMemory,
}

/// HTTP client for event handlers. Clones share the validation states.
#[derive(Debug, Clone)]
pub(super) struct DeliveryClient {
    client: Client,
    /// Charged for responses.
    memory: MemoryBudget,
    validations: Arc<Validations>,
}

impl DeliveryClient {
    /// Creates a client that charges responses to `memory`.
    pub(super) fn new(memory: MemoryBudget) -> Result<Self, reqwest::Error> {
        // A redirect counts as a failure: its target has not been validated. Proxies are disabled, since events are for
        // the handler only.
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { client, memory, validations: Arc::default() })
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
                let outcome = self.attempt(url, event).await;
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

    async fn attempt(&self, url: &Url, event: &CloudEvent) -> Result<HandlerResponse, DeliveryError> {
        let request = self.client.post(url.clone()).headers(event.headers.clone()).body(event.body.clone());
        let response = request.send().await.map_err(unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(HandlerResponse { status, headers, body: read_body(response, &self.memory).await? })
    }
}

/// Formats a URL for the log, without its query and user, which may contain keys.
fn display(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

async fn read_body(mut response: Response, memory: &MemoryBudget) -> Result<ResponseBody, DeliveryError> {
    let (mut bytes, mut charge) = (Vec::new(), memory.charge(0));
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err(DeliveryError::TooLong);
        }
        if !charge.try_grow(chunk.len()) {
            return Err(DeliveryError::NoMemory);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(ResponseBody { bytes, charge })
}

/// Removes the URL from an error: it may contain a key of the handler (`?code=`).
fn unreachable(error: reqwest::Error) -> DeliveryError {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    DeliveryError::Unreachable(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

#[cfg(test)]
impl ResponseBody {
    /// Creates a body with a memory budget of its own.
    pub(super) fn uncharged(body: &str) -> Self {
        Self { bytes: body.into(), charge: MemoryBudget::default().charge(0) }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, extract::Path, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    /// Starts a server whose response to `/N` has N bytes. Returns its URL.
    async fn server() -> String {
        let response = |Path(size): Path<usize>| async move { vec![b'x'; size] };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/{size}", get(response));
        tokio::spawn(axum::serve(listener, router).into_future());
        url
    }

    #[tokio::test]
    async fn a_response_is_charged_and_fails_if_it_exceeds_the_memory_limit() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let memory = MemoryBudget::new(1024 * 1024);
        let delivery_client = DeliveryClient::new(memory.clone()).unwrap();
        let server = server().await;
        let read = async |size: usize| {
            let request = delivery_client.client.get(format!("{server}/{size}"));
            read_body(request.send().await.unwrap(), &memory).await
        };
        let body = read(600_000).await.unwrap();
        let shared = body.into_shared();
        assert_eq!((shared.len(), memory.used()), (600_000, 600_000));
        assert_eq!(read(600_000).await.unwrap_err(), DeliveryError::NoMemory);
        assert_eq!((memory.used(), memory.refusals()), (600_000, 1));
        drop(shared);
        assert_eq!(memory.used(), 0);
        assert!(read(600_000).await.is_ok());
    }
}
