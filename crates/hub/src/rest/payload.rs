//! Body of a send operation.

use std::borrow::Cow;

use axum::http::HeaderValue;
use serde_json::value::RawValue;
use webpubsub_protocol::payload::Payload;

use super::error::RestError;

/// Type of a body, by its content type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyKind {
    Text,
    Json,
    Binary,
}

impl BodyKind {
    /// Parses `Content-Type`. A body without one is binary.
    pub(super) fn from_content_type(content_type: Option<&HeaderValue>) -> Result<Self, RestError> {
        let Some(value) = content_type else { return Ok(Self::Binary) };
        let value = value.to_str().map_err(|_| RestError::UnsupportedMediaType)?;
        let (media_type, options) = value.split_once(';').unwrap_or((value, ""));
        // Text in another encoding would be decoded wrongly.
        let charset = options.split(';').find_map(|option| option.trim().strip_prefix("charset="));
        if charset.is_some_and(|name| !name.trim_matches('"').eq_ignore_ascii_case("utf-8")) {
            return Err(RestError::UnsupportedMediaType);
        }
        match media_type.trim().to_ascii_lowercase().as_str() {
            "text/plain" => Ok(Self::Text),
            "application/json" => Ok(Self::Json),
            "application/octet-stream" => Ok(Self::Binary),
            _ => Err(RestError::UnsupportedMediaType),
        }
    }

    /// Returns the payload in `body`.
    pub(super) fn payload(self, body: &[u8]) -> Result<Payload<'_>, RestError> {
        match self {
            Self::Binary => Ok(Payload::Binary(Cow::Borrowed(body))),
            // Invalid UTF-8 is replaced rather than rejected, as in log lines.
            Self::Text => Ok(Payload::Text(String::from_utf8_lossy(body))),
            Self::Json => match serde_json::from_slice::<&RawValue>(body) {
                Ok(json) => Ok(Payload::Json(Cow::Borrowed(json.get()))),
                Err(_) => {
                    Err(RestError::bad_request("Request", "The request body is not valid JSON.".to_owned()))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(content_type: &'static str) -> Result<BodyKind, RestError> {
        BodyKind::from_content_type(Some(&HeaderValue::from_static(content_type)))
    }

    #[test]
    fn content_types_are_recognized() {
        assert_eq!(kind("text/plain; charset=UTF-8"), Ok(BodyKind::Text));
        assert_eq!(kind("Application/JSON"), Ok(BodyKind::Json));
        assert_eq!(kind("application/octet-stream"), Ok(BodyKind::Binary));
        assert_eq!(BodyKind::from_content_type(None), Ok(BodyKind::Binary));
        for other in ["application/xml", "text/plain; charset=latin1", "application/x-protobuf"] {
            assert_eq!(kind(other), Err(RestError::UnsupportedMediaType), "{other}");
        }
    }

    #[test]
    fn json_is_validated_and_preserved() {
        assert_eq!(BodyKind::Json.payload(b" {\"a\": 1.0} "), Ok(Payload::Json("{\"a\": 1.0}".into())));
        assert!(BodyKind::Json.payload(b"{oops").is_err() && BodyKind::Json.payload(b"").is_err());
        assert_eq!(BodyKind::Text.payload(b""), Ok(Payload::Text("".into())));
    }
}
