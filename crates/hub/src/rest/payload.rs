//! Body of a send operation.

use std::borrow::Cow;

use axum::http::HeaderValue;
use serde_json::value::RawValue;
use webpubsub_protocol::payload::Payload;

use super::error::RestError;
use crate::{content_type::ContentType, websocket::inbox::MAX_MESSAGE_BYTES};

/// Type of a body, by its content type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BodyKind {
    Text(ContentType),
    Json(ContentType),
    Binary,
}

impl BodyKind {
    /// Parses the `Content-Type` of a message.
    pub(super) fn from_content_type(content_type: Option<&HeaderValue>) -> Result<Self, RestError> {
        let content_type = content_type.and_then(ContentType::parse);
        let kind = content_type.and_then(|content_type| match content_type.media_type() {
            "text/plain" => Some(Self::Text(content_type)),
            "application/json" => Some(Self::Json(content_type)),
            "application/octet-stream" => Some(Self::Binary),
            _ => None,
        });
        kind.ok_or(RestError::UnsupportedMediaType(
            "text/plain, application/json or application/octet-stream, in UTF-8 or another encoding with a known `charset`",
        ))
    }

    /// Returns the payload in `body`.
    pub(super) fn payload<'b>(&self, body: &'b [u8]) -> Result<Payload<'b>, RestError> {
        let payload = match self {
            Self::Binary => Payload::Binary(Cow::Borrowed(body)),
            Self::Text(content_type) => Payload::Text(content_type.decode(body)),
            Self::Json(content_type) => Payload::Json(match content_type.utf8(body) {
                Cow::Borrowed(body) => Cow::Borrowed(json(body)?),
                Cow::Owned(body) => Cow::Owned(json(&body)?.to_owned()),
            }),
        };
        // Text of another encoding can be longer in UTF-8.
        if payload.len() > MAX_MESSAGE_BYTES {
            let message = format!("The request body exceeds {MAX_MESSAGE_BYTES} bytes in UTF-8.");
            return Err(RestError::bad_request("Request", message));
        }
        Ok(payload)
    }
}

fn json(body: &[u8]) -> Result<&str, RestError> {
    let json: Result<&RawValue, _> = serde_json::from_slice(body);
    json.map(RawValue::get)
        .map_err(|_| RestError::bad_request("Request", "The request body is not valid JSON.".to_owned()))
}

/// Parses the `Content-Type` of a body that must be JSON.
pub(super) fn json_content_type(content_type: Option<&HeaderValue>) -> Result<ContentType, RestError> {
    let is_json = |media_type: &str| {
        matches!(media_type, "application/json" | "text/json")
            || media_type.starts_with("application/") && media_type.ends_with("+json")
    };
    let content_type = content_type.and_then(ContentType::parse);
    content_type.filter(|content_type| is_json(content_type.media_type())).ok_or(
        RestError::UnsupportedMediaType(
            "application/json, in UTF-8 or another encoding with a known `charset`",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(content_type: &'static str) -> Result<BodyKind, RestError> {
        BodyKind::from_content_type(Some(&HeaderValue::from_static(content_type)))
    }

    #[test]
    fn content_types_are_recognized() {
        assert!(matches!(kind("text/plain; charset=UTF-8"), Ok(BodyKind::Text(_))));
        assert!(matches!(kind("text/plain; charset=latin1"), Ok(BodyKind::Text(_))));
        assert!(matches!(kind("Application/JSON"), Ok(BodyKind::Json(_))));
        assert_eq!(kind("application/octet-stream"), Ok(BodyKind::Binary));
        assert!(BodyKind::from_content_type(None).is_err());
        for other in [
            "application/xml",
            "text/plain; format=flowed; Charset=\"unknown\"",
            "application/x-protobuf",
            "text/json",
        ] {
            assert!(matches!(kind(other), Err(RestError::UnsupportedMediaType(_))), "{other}");
        }
    }

    #[test]
    fn a_body_that_must_be_json_has_a_content_type_of_json() {
        let check = |content_type| json_content_type(Some(&HeaderValue::from_static(content_type)));
        for json in ["application/json", "Application/JSON; charset=UTF-16", "application/merge-patch+json"] {
            assert!(check(json).is_ok(), "{json}");
        }
        for other in ["text/plain", "application/xml", "application/json; charset=unknown", "json", ""] {
            assert!(matches!(check(other), Err(RestError::UnsupportedMediaType(_))), "{other}");
        }
        assert!(json_content_type(None).is_err());
    }

    #[test]
    fn other_encodings_are_converted_to_utf_8() {
        let payload = |content_type, body| kind(content_type).unwrap().payload(body);
        assert_eq!(payload("text/plain; charset=latin1", b"caf\xE9"), Ok(Payload::Text("café".into())));
        let json = payload("application/json; charset=utf-16le", b"\xFF\xFE\"\0\xE9\0\"\0");
        assert_eq!(json, Ok(Payload::Json("\"é\"".into())));
        assert!(payload("application/json; charset=utf-16le", b"\"e\"").is_err());
        let binary = payload("application/octet-stream; charset=latin1", b"\xE9");
        assert_eq!(binary, Ok(Payload::Binary(b"\xE9"[..].into())));
        // Three bytes each in UTF-8.
        let euros = vec![0x80; MAX_MESSAGE_BYTES / 3];
        assert!(payload("text/plain; charset=latin1", &euros).is_ok());
        let euros = vec![0x80; MAX_MESSAGE_BYTES / 3 + 1];
        assert!(matches!(payload("text/plain; charset=latin1", &euros), Err(RestError::BadRequest { .. })));
    }

    #[test]
    fn json_is_validated_and_preserved() {
        let json = kind("application/json").unwrap();
        assert_eq!(json.payload(b" {\"a\": 1.0} "), Ok(Payload::Json("{\"a\": 1.0}".into())));
        assert!(json.payload(b"{oops").is_err() && json.payload(b"").is_err());
        assert_eq!(kind("text/plain").unwrap().payload(b""), Ok(Payload::Text("".into())));
    }
}
