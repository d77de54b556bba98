//! History through `fetch`.

use gloo_net::http::Request;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, ReadableStreamReadResult};

use super::{
    negotiate::{AbortGuard, read_body, send},
    socket::describe,
};
use crate::{
    history::{HistoryEnd, HistoryFailure, HistoryReader, HistoryRecord, HistoryRequest},
    refusal,
};

/// Reads a history, and passes its records to `on_record` as they arrive. Dropping the future aborts the request.
///
/// # Errors
/// [`HistoryFailure`]. The records received before it are complete.
pub async fn read_history(
    request: HistoryRequest,
    mut on_record: impl FnMut(HistoryRecord<'_>),
) -> Result<HistoryEnd, HistoryFailure> {
    let unreachable = |error: JsValue| HistoryFailure::Unreachable { detail: describe(&error) };
    let guard = AbortGuard::new().map_err(unreachable)?;
    let HistoryRequest { url, token } = request;
    let fetch = Request::get(&url)
        .header("authorization", &format!("Bearer {token}"))
        .abort_signal(Some(&guard.signal()));
    let response = send(fetch).await.map_err(unreachable)?;
    let status = response.status();
    if !response.ok() {
        let content_type = response.headers().get("content-type").unwrap_or_default();
        let body = read_body(&response).await.ok().flatten().unwrap_or_default();
        let reason = refusal::reason(status, &content_type, &body);
        return Err(HistoryFailure::Refused { status, reason });
    }
    let mut reader = HistoryReader::default();
    if let Some(stream) = response.body() {
        let pieces = ReadableStreamDefaultReader::new(&stream).map_err(|_| HistoryFailure::Cut)?;
        loop {
            // A connection that ends in mid-transfer rejects the promise.
            let piece = JsFuture::from(pieces.read()).await.map_err(|_| HistoryFailure::Cut)?;
            let piece: ReadableStreamReadResult = piece.unchecked_into();
            if piece.get_done() == Some(true) {
                break;
            }
            let bytes: Uint8Array = piece.get_value().dyn_into().map_err(|_| HistoryFailure::Cut)?;
            reader.push(&bytes.to_vec(), &mut on_record)?;
        }
    }
    reader.finish()
}
