//! Getting an event to a handler, and its answer back: with time-outs, and again when that may help.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, Url};
use tokio::time::timeout;

use super::cloud_event::CloudEvent;

/// How long a handler may take, pauses and further attempts included (what the vendor's emulator allows).
pub const HANDLER_TIMEOUT: Duration = Duration::from_secs(100);
/// The pauses before further attempts, after 408, 5xx and network failures.
pub const RETRY_PAUSES: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];
/// Longest answer of a handler, in bytes.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// What a handler said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DeliveryFailure {
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("it did not answer within {} s", HANDLER_TIMEOUT.as_secs())]
    TimedOut,
    #[error("its answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
}

/// Posts `event`, several times if need be: under the same ids, so that a handler can tell.
pub(super) async fn post(client: &Client, url: &Url, event: &CloudEvent) -> Result<Answer, DeliveryFailure> {
    let attempts = async {
        let mut pauses = RETRY_PAUSES.into_iter();
        loop {
            let outcome = attempt(client, url, event).await;
            let may_help = match &outcome {
                Ok(answer) => answer.status == StatusCode::REQUEST_TIMEOUT || answer.status.is_server_error(),
                Err(failure) => matches!(failure, DeliveryFailure::Unreachable(_)),
            };
            match pauses.next() {
                Some(pause) if may_help => tokio::time::sleep(pause).await,
                _ => return outcome,
            }
        }
    };
    timeout(HANDLER_TIMEOUT, attempts).await.unwrap_or(Err(DeliveryFailure::TimedOut))
}

async fn attempt(client: &Client, url: &Url, event: &CloudEvent) -> Result<Answer, DeliveryFailure> {
    let request = client.post(url.clone()).headers(event.headers.clone()).body(event.body.clone());
    let response = request.send().await.map_err(unreachable)?;
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(Answer { status, headers, body: read_body(response).await? })
}

async fn read_body(mut response: Response) -> Result<Bytes, DeliveryFailure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(DeliveryFailure::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Without the URL, which may hold a handler's key (`?code=`).
fn unreachable(error: reqwest::Error) -> DeliveryFailure {
    let error = error.without_url();
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    DeliveryFailure::Unreachable(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}
