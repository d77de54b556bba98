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
    /// Parses the `Content-Type` of a message.
    pub(super) fn from_content_type(content_type: Option<&HeaderValue>) -> Result<Self, RestError> {
        match media_type(content_type).as_deref() {
            Some("text/plain") => Ok(Self::Text),
            Some("application/json") => Ok(Self::Json),
            Some("application/octet-stream") => Ok(Self::Binary),
            _ => Err(RestError::UnsupportedMediaType(
                "text/plain, application/json or application/octet-stream, in UTF-8",
            )),
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

/// Checks the `Content-Type` of a body that must be JSON.
pub(super) fn check_json(content_type: Option<&HeaderValue>) -> Result<(), RestError> {
    match media_type(content_type).as_deref() {
        Some("application/json" | "text/json") => Ok(()),
        Some(other) if other.starts_with("application/") && other.ends_with("+json") => Ok(()),
        _ => Err(RestError::UnsupportedMediaType("application/json, in UTF-8")),
    }
}

/// Returns the media type in lower case; `None` if it is missing, or if its text is not in UTF-8: it would be decoded wrongly.
fn media_type(content_type: Option<&HeaderValue>) -> Option<String> {
    let value = content_type?.to_str().ok()?;
    let (media_type, options) = value.split_once(';').unwrap_or((value, ""));
    let options = options.split(';').filter_map(|option| option.trim().split_once('='));
    let mut charsets = options.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let is_utf8 = |name: &str| {
        ["utf-8", "utf8", "us-ascii"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name.trim().trim_matches('"')))
    };
    charsets.all(|(_, name)| is_utf8(name)).then(|| media_type.trim().to_ascii_lowercase())
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
        assert!(BodyKind::from_content_type(None).is_err());
        for other in [
            "application/xml",
            "text/plain; charset=latin1",
            "text/plain; format=flowed; Charset=\"unknown\"",
            "application/x-protobuf",
        ] {
            assert!(matches!(kind(other), Err(RestError::UnsupportedMediaType(_))), "{other}");
        }
    }

    #[test]
    fn a_body_that_must_be_json_has_a_content_type_of_json() {
        let check = |content_type| check_json(Some(&HeaderValue::from_static(content_type)));
        for json in ["application/json", "Application/JSON; charset=UTF-8", "application/merge-patch+json"] {
            assert_eq!(check(json), Ok(()), "{json}");
        }
        for other in ["text/plain", "application/xml", "application/json; charset=unknown", "json", ""] {
            assert!(matches!(check(other), Err(RestError::UnsupportedMediaType(_))), "{other}");
        }
        assert!(check_json(None).is_err());
    }

    #[test]
    fn json_is_validated_and_preserved() {
        assert_eq!(BodyKind::Json.payload(b" {\"a\": 1.0} "), Ok(Payload::Json("{\"a\": 1.0}".into())));
        assert!(BodyKind::Json.payload(b"{oops").is_err() && BodyKind::Json.payload(b"").is_err());
        assert_eq!(BodyKind::Text.payload(b""), Ok(Payload::Text("".into())));
    }
}
