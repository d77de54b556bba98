//! History over HTTP.

use reqwest::header::CONTENT_TYPE;

use super::negotiate::{http_client, innermost};
use crate::{
    history::{HistoryEnd, HistoryFailure, HistoryReader, HistoryRecord, HistoryRequest},
    negotiate::MAX_ANSWER_BYTES,
    refusal,
};

/// Reads a history, and passes its records to `on_record` as they arrive.
///
/// # Errors
/// [`HistoryFailure`]. The records received before it are complete.
pub async fn read_history(
    request: HistoryRequest,
    mut on_record: impl FnMut(HistoryRecord<'_>),
) -> Result<HistoryEnd, HistoryFailure> {
    let unreachable =
        |error: reqwest::Error| HistoryFailure::Unreachable { detail: innermost(&error.without_url()) };
    let HistoryRequest { url, token } = request;
    let sent = http_client().map_err(unreachable)?.get(url).bearer_auth(token).send().await;
    let mut response = sent.map_err(unreachable)?;
    let status = response.status();
    if !status.is_success() {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let mut body = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            body.extend_from_slice(&piece);
            if body.len() > MAX_ANSWER_BYTES {
                break;
            }
        }
        let reason = refusal::reason(status.as_u16(), &content_type, &String::from_utf8_lossy(&body));
        return Err(HistoryFailure::Refused { status: status.as_u16(), reason });
    }
    let mut reader = HistoryReader::default();
    while let Some(piece) = response.chunk().await.map_err(|_| HistoryFailure::Cut)? {
        reader.push(&piece, &mut on_record)?;
    }
    reader.finish()
}
