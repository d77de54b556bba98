//! HTTP part of the WebSocket opening handshake (RFC 6455, section 4.2).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use webpubsub_websocket::handshake;

use super::error::HandshakeError;

/// Checks the handshake, and returns the value of `Sec-WebSocket-Accept`.
pub(super) fn accept_key(parts: &Parts) -> Result<String, HandshakeError> {
    let not_a_handshake = HandshakeError::NotAHandshake;
    if parts.method != Method::GET {
        return Err(not_a_handshake("the method must be GET"));
    }
    if !has_token(&parts.headers, &header::UPGRADE, "websocket")
        || !has_token(&parts.headers, &header::CONNECTION, "upgrade")
    {
        return Err(not_a_handshake(
            "it lacks `Connection: upgrade` and `Upgrade: websocket`; connect with a WebSocket client",
        ));
    }
    if !has_token(&parts.headers, &header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(not_a_handshake("`Sec-WebSocket-Version` must be 13"));
    }
    let key = parts
        .headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or(not_a_handshake("`Sec-WebSocket-Key` is missing"))?;
    Ok(handshake::accept_key(key.as_bytes()))
}

/// Returns whether the comma-separated list of a header contains `token`.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// Creates the response that completes the upgrade.
pub(super) fn switching_protocols(
    accept_key: &str,
    subprotocol: Option<&str>,
) -> Result<Response, HandshakeError> {
    let invalid_value = |_| {
        HandshakeError::Subprotocol(
            "the subprotocol's name has characters that are invalid in a header".to_owned(),
        )
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(accept_key).map_err(invalid_value)?);
    if let Some(name) = subprotocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(name).map_err(invalid_value)?);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(change: impl FnOnce(&mut HeaderMap)) -> Parts {
        let request = Request::get("/client/hubs/h")
            .header("Connection", "keep-alive, Upgrade")
            .header("Upgrade", "WebSocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        change(&mut parts.headers);
        parts
    }

    #[test]
    fn the_example_of_the_rfc_is_accepted() {
        assert_eq!(accept_key(&parts(|_| {})).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn requests_that_are_no_handshake_are_rejected_with_a_reason() {
        for name in ["Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"] {
            let rejection = accept_key(&parts(|headers| drop(headers.remove(name))));
            assert!(rejection.is_err_and(|error| error.to_string().contains("WebSocket")), "{name}");
        }
    }
}
