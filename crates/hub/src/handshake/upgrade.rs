//! The HTTP side of a WebSocket's opening handshake: RFC 6455, section 4.2.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use sha1::{Digest, Sha1};

use super::HandshakeError;

/// RFC 6455, section 1.3.
const ACCEPT_SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Checks the handshake, and gives what proves to the client that we understood it.
pub(super) fn accept_key(parts: &Parts) -> Result<String, HandshakeError> {
    let refuse = HandshakeError::NotAHandshake;
    if parts.method != Method::GET {
        return Err(refuse("it takes GET only"));
    }
    if !has_token(&parts.headers, &header::UPGRADE, "websocket")
        || !has_token(&parts.headers, &header::CONNECTION, "upgrade")
    {
        return Err(refuse("the request asks for no upgrade to `websocket`"));
    }
    if !has_token(&parts.headers, &header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(refuse("`Sec-WebSocket-Version` must be 13"));
    }
    let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).ok_or(refuse("`Sec-WebSocket-Key` is missing"))?;
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(ACCEPT_SUFFIX);
    Ok(BASE64.encode(hash.finalize()))
}

/// Whether a header holds `token` in its comma-separated list.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
}

/// The answer that makes the connection a WebSocket.
pub(super) fn switching_protocols(
    accept_key: &str,
    subprotocol: Option<&str>,
) -> Result<Response, HandshakeError> {
    let unprintable = |_| {
        HandshakeError::Subprotocol("a subprotocol's name holds characters that no header may".to_owned())
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, HeaderValue::from_str(accept_key).map_err(unprintable)?);
    if let Some(name) = subprotocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(name).map_err(unprintable)?);
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
    fn an_ordinary_request_is_told_what_this_address_is() {
        for name in ["Connection", "Upgrade", "Sec-WebSocket-Version", "Sec-WebSocket-Key"] {
            let refusal = accept_key(&parts(|headers| drop(headers.remove(name))));
            assert!(refusal.is_err_and(|error| error.to_string().contains("WebSocket")), "{name}");
        }
    }
}
