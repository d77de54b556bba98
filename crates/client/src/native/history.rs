//! History over HTTP.

use std::{future::Future, time::Duration};

use reqwest::{Response, header::CONTENT_TYPE};
use tokio::time::timeout;
use webpubsub_protocol::message::Response as Message;

use super::{negotiate::innermost, network::Network};
use crate::{
    history::{HistoryEnd, HistoryFailure, HistoryMessage, HistoryReader, HistoryRecord, HistoryRequest},
    negotiate::MAX_ANSWER_BYTES,
    refusal,
};

/// Reads a history, and passes its records to `on_record` as they arrive.
///
/// # Errors
/// [`HistoryFailure`]. The records received before it are complete.
pub(crate) async fn read_history(
    network: &Network,
    request: HistoryRequest,
    on_record: impl FnMut(HistoryRecord<'_>) + Send,
) -> Result<HistoryEnd, HistoryFailure> {
    within(network.timeouts.history, read(network, request, on_record)).await
}

async fn read(
    network: &Network,
    request: HistoryRequest,
    mut on_record: impl FnMut(HistoryRecord<'_>) + Send,
) -> Result<HistoryEnd, HistoryFailure> {
    let (idle_limit, limit) = (network.timeouts.history_idle, network.limits.history_bytes);
    // Six characters for each byte of the payloads, and the members of each message.
    let max_response_bytes = limit.saturating_mul(8);
    let unreachable =
        |error: reqwest::Error| HistoryFailure::Unreachable { detail: innermost(&error.without_url()) };
    let HistoryRequest { url, token } = request;
    let http = network.http().map_err(|error| HistoryFailure::Unreachable { detail: innermost(&error) })?;
    let sending = http.get(url).bearer_auth(token).send();
    let sent = within(idle_limit, async { sending.await.map_err(unreachable) });
    let mut response = sent.await?;
    if !response.status().is_success() {
        return Err(refused(response, idle_limit).await);
    }
    let mut reader = HistoryReader::default();
    let (mut length, mut payload_bytes) = (0, 0);
    let next = async |response: &mut Response| response.chunk().await.map_err(|_| HistoryFailure::Cut);
    while let Some(piece) = within(idle_limit, next(&mut response)).await? {
        length += piece.len();
        reader.push(&piece, |record| {
            payload_bytes += payload_len(&record);
            on_record(record);
        })?;
        if length > max_response_bytes || payload_bytes > limit {
            return Err(HistoryFailure::TooLong { limit });
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
async fn refused(mut response: Response, idle_limit: Duration) -> HistoryFailure {
    let status = response.status().as_u16();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let mut body = Vec::new();
    // The status is the failure, whether or not its reason can be read.
    while let Ok(Ok(Some(piece))) = timeout(idle_limit, response.chunk()).await {
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
        assert_eq!(within(Duration::MAX, async { Ok(1) }).await, Ok(1));
    }
}
