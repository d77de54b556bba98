//! Body of a request: read up to the limit, or read and discarded.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use super::error::RestError;
use crate::websocket::inbox::MAX_MESSAGE_BYTES;

/// Maximum number of bytes of a body that are read and discarded. A client with a longer one may find its connection closed
/// before it reads the response.
const MAX_DISCARDED_BYTES: usize = 64 * 1024 * 1024;
/// Maximum time for discarding a body.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(30);

/// Reads a body whose length is declared.
pub(super) async fn read(headers: &HeaderMap, body: &mut Body) -> Result<Bytes, RestError> {
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let invalid = |message: String| RestError::bad_request("Request", message);
    let too_long = || invalid(format!("The request body exceeds {MAX_MESSAGE_BYTES} bytes."));
    let length = length.ok_or_else(|| {
        invalid("Invalid Content-Length header. Send the body with its length, not in chunks.".to_owned())
    })?;
    if length > MAX_MESSAGE_BYTES {
        return Err(too_long());
    }
    match Limited::new(body, MAX_MESSAGE_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_long()),
        Err(_) => Err(invalid("The request body is incomplete.".to_owned())),
    }
}

/// Reads what is left of a body, and discards it: a client that still sends would find its connection reset, and might never
/// see the response.
pub(super) async fn discard(mut body: Body) {
    if body.is_end_stream() {
        return;
    }
    let discarding = async {
        let mut discarded = 0;
        while let Some(Ok(frame)) = body.frame().await {
            discarded += frame.data_ref().map_or(0, Bytes::len);
            if discarded > MAX_DISCARDED_BYTES {
                return;
            }
        }
    };
    // A client that takes longer gets its response at once.
    drop(timeout(DISCARD_TIMEOUT, discarding).await);
}
