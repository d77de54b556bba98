//! Limit on the headers of a request.
//!
//! The HTTP library limits the bytes that it has read at once, which is less exact: a head of twice the size can pass.

use axum::{
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::accept::MAX_HEADER_BYTES;

/// Bytes between the parts of the first line, and around a header: `: ` and the end of the line.
const SEPARATOR_BYTES: usize = 4;

/// Refuses requests whose headers are too large, and closes their connections.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    if head_bytes(&request) <= MAX_HEADER_BYTES {
        return next.run(request).await;
    }
    let reason = format!("the headers of the request exceed {} KiB\n", MAX_HEADER_BYTES / 1024);
    let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
    (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, close, reason).into_response()
}

/// Returns the size of the first line and the headers.
fn head_bytes(request: &Request) -> usize {
    let uri = request.uri();
    let parts = [
        uri.scheme_str(),
        uri.authority().map(|authority| authority.as_str()),
        Some(uri.path()),
        uri.query(),
    ];
    let uri: usize = parts.into_iter().flatten().map(|part| part.len() + 1).sum();
    let headers =
        request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + SEPARATOR_BYTES);
    request.method().as_str().len() + uri + SEPARATOR_BYTES + headers.sum::<usize>()
}
