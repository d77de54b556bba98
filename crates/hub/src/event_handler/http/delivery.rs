//! Getting an event to a handler, and its answer back: with time-outs, and again when that may help.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, Url, redirect};
use tokio::time::timeout;

use super::{
    cloud_event::{CLIENT_REQUEST_ID, CloudEvent},
    validation::Validations,
};
use crate::event_handler::{EventContext, EventError};

/// How long a handler may take when nobody says otherwise, pauses and further attempts included (what the vendor's
/// emulator allows).
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(100);
/// The pauses before further attempts, after 408, 5xx and network failures.
pub const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];
/// Longest answer of a handler, in bytes.
pub const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// What a handler said.
#[derive(Debug)]
pub(super) struct HandlerResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DeliveryError {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it did not answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("its answer is longer than {MAX_RESPONSE_BYTES} bytes")]
    TooLong,
}

/// Carries events to handlers. Cloning shares what is known of them.
#[derive(Debug, Clone)]
pub(super) struct DeliveryClient {
    client: Client,
    validations: Arc<Validations>,
    pub(super) timeout: Duration,
}

impl DeliveryClient {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        // A handler that sends us elsewhere has failed: nobody was asked whether that place wants our events. And no proxy
        // is asked to carry them: they are for the handler alone.
        let client = Client::builder().redirect(redirect::Policy::none()).no_proxy().build()?;
        Ok(Self { client, validations: Arc::default(), timeout: HANDLER_TIMEOUT })
    }

    /// Gets an event to the handler at the first URL, if the second one says that it wants any, and the answer back.
    pub(super) async fn deliver(
        &self,
        (url, validation_url): &(Url, Url),
        event_context: &EventContext,
        mut event: CloudEvent,
    ) -> Result<HandlerResponse, EventError> {
        let at = display(url);
        let failed = |words: String| EventError::Failed(format!("{at}: {words}"));
        self.validations
            .check(&self.client, validation_url, &event_context.origin)
            .await
            .map_err(|refusal| failed(refusal.to_string()))?;
        let host = url.host_str().unwrap_or_default();
        if let Some(cookies) = event_context.cookies(host) {
            event.headers.insert(header::COOKIE, cookies);
        }
        let answer = self.post(url, &event).await.map_err(|failure| failed(failure.to_string()))?;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            event_context.set_cookie(host, cookie.to_str().unwrap_or_default());
        }
        tracing::debug!(handler = %at, status = %answer.status, request = ?event.headers.get(CLIENT_REQUEST_ID), "event handled");
        Ok(answer)
    }

    /// Posts `event`, several times if need be: under the same ids, so that a handler can tell.
    async fn post(&self, url: &Url, event: &CloudEvent) -> Result<HandlerResponse, DeliveryError> {
        let attempts = async {
            let mut pauses = RETRY_DELAYS.into_iter();
            loop {
                let outcome = attempt(&self.client, url, event).await;
                let may_help = match &outcome {
                    Ok(answer) => {
                        answer.status == StatusCode::REQUEST_TIMEOUT || answer.status.is_server_error()
                    }
                    Err(failure) => matches!(failure, DeliveryError::Unreachable(_)),
                };
                match pauses.next() {
                    Some(pause) if may_help => tokio::time::sleep(pause).await,
                    _ => return outcome,
                }
            }
        };
        let timed_out = Err(DeliveryError::TimedOut(self.timeout));
        timeout(self.timeout, attempts).await.unwrap_or(timed_out)
    }
}

/// A URL for the log: without its query or user, which may hold a key.
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

/// Without the URL, which may hold a handler's key (`?code=`).
fn unreachable(error: reqwest::Error) -> DeliveryError {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    DeliveryError::Unreachable(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
