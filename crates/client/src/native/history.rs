//! History over HTTP.

use std::{future::Future, time::Duration};

use reqwest::{Response, header::CONTENT_TYPE};
use tokio::time::timeout;
use webpubsub_protocol::message::Response as Message;

use super::negotiate::{http_client, innermost};
use crate::{
    history::{HistoryEnd, HistoryFailure, HistoryMessage, HistoryReader, HistoryRecord, HistoryRequest},
    negotiate::MAX_ANSWER_BYTES,
    refusal,
};

/// Maximum size of the payloads of a response, in bytes. The service sends at most 64 MiB, and a message of 1 MiB more. A longer
/// one fails with [`HistoryFailure::TooLong`].
pub const MAX_HISTORY_BYTES: usize = 72 * 1024 * 1024;
/// Maximum length of a response, in bytes: six characters for each byte of the payloads, and the members of each message.
const MAX_RESPONSE_BYTES: usize = 8 * MAX_HISTORY_BYTES;
/// Maximum time without a part of the response. A longer pause fails with [`HistoryFailure::TimedOut`].
pub const HISTORY_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum time of the response: that of the largest one at 5 Mbit/s. A longer one fails with [`HistoryFailure::TimedOut`].
pub const HISTORY_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Reads a history, and passes its records to `on_record` as they arrive.
///
/// # Limits
/// [`MAX_HISTORY_BYTES`], [`HISTORY_IDLE_TIMEOUT`] and [`HISTORY_TIMEOUT`]. The records are not stored here.
///
/// # Errors
/// [`HistoryFailure`]. The records received before it are complete.
pub async fn read_history(
    request: HistoryRequest,
    on_record: impl FnMut(HistoryRecord<'_>),
) -> Result<HistoryEnd, HistoryFailure> {
    within(HISTORY_TIMEOUT, read(request, on_record)).await
}

async fn read(
    request: HistoryRequest,
    mut on_record: impl FnMut(HistoryRecord<'_>),
) -> Result<HistoryEnd, HistoryFailure> {
    let unreachable =
        |error: reqwest::Error| HistoryFailure::Unreachable { detail: innermost(&error.without_url()) };
    let HistoryRequest { url, token } = request;
    let sending = http_client().map_err(unreachable)?.get(url).bearer_auth(token).send();
    let sent = within(HISTORY_IDLE_TIMEOUT, async { sending.await.map_err(unreachable) });
    let mut response = sent.await?;
    if !response.status().is_success() {
        return Err(refused(response).await);
    }
    let mut reader = HistoryReader::default();
    let (mut length, mut payload_bytes) = (0, 0);
    let next = async |response: &mut Response| response.chunk().await.map_err(|_| HistoryFailure::Cut);
    while let Some(piece) = within(HISTORY_IDLE_TIMEOUT, next(&mut response)).await? {
        length += piece.len();
        reader.push(&piece, |record| {
            payload_bytes += payload_len(&record);
            on_record(record);
        })?;
        if length > MAX_RESPONSE_BYTES || payload_bytes > MAX_HISTORY_BYTES {
            return Err(HistoryFailure::TooLong { limit: MAX_HISTORY_BYTES });
        }
    }
    reader.finish()
}

fn payload_len(record: &HistoryRecord<'_>) -> usize {
    match record {
        HistoryRecord::Message(HistoryMessage { message: Message::GroupMessage { payload, .. }, .. }) => {
            payload.len()
        }
        _ => 0,
    }
}

/// Returns the failure of a response with an error status, with the server's reason.
async fn refused(mut response: Response) -> HistoryFailure {
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let mut body = Vec::new();
    // The status is the failure, whether or not its reason can be read.
    while let Ok(Ok(Some(piece))) = timeout(HISTORY_IDLE_TIMEOUT, response.chunk()).await {
        body.extend_from_slice(&piece);
        if body.len() > MAX_ANSWER_BYTES {
            break;
        }
    }
    let reason = refusal::reason(status, &content_type, &String::from_utf8_lossy(&body));
    HistoryFailure::Refused { status, reason }
}

async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, HistoryFailure>>,
) -> Result<T, HistoryFailure> {
    timeout(limit, step).await.unwrap_or(Err(HistoryFailure::TimedOut { seconds: limit.as_secs() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_response_that_does_not_arrive_ends_at_the_limit() {
        let never = std::future::pending::<Result<(), HistoryFailure>>();
        assert_eq!(within(Duration::ZERO, never).await, Err(HistoryFailure::TimedOut { seconds: 0 }));
        assert_eq!(within(HISTORY_TIMEOUT, async { Ok(1) }).await, Ok(1));
    }
}
