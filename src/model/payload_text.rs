//! What of a message is shown as text.

use std::{borrow::Cow, fmt::Write};

use webpubsub_protocol::payload::Payload;

use super::grouped_number::counted;

/// Bytes of a binary message that are shown.
const SHOWN_BYTES: usize = 16;

/// Text as it is, JSON as its text, bytes by number and beginning.
#[must_use]
pub fn payload_text<'a>(payload: &'a Payload<'_>) -> Cow<'a, str> {
    match payload {
        Payload::Text(text) | Payload::Json(text) => Cow::Borrowed(text),
        Payload::Binary(bytes) => Cow::Owned(bytes_text("binary", bytes)),
        Payload::Protobuf(bytes) => Cow::Owned(bytes_text("protobuf", bytes)),
    }
}

fn bytes_text(what: &str, bytes: &[u8]) -> String {
    let mut text = format!("‹{what}, {}›", counted(bytes.len() as u64, "byte", "bytes"));
    for byte in bytes.iter().take(SHOWN_BYTES) {
        // Writing to a string cannot fail.
        write!(text, " {byte:02x}").unwrap_or_default();
    }
    if bytes.len() > SHOWN_BYTES {
        text.push_str(" …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_are_shown_as_they_came() {
        assert_eq!(payload_text(&Payload::Text("a\nb".into())), "a\nb");
        assert_eq!(payload_text(&Payload::Json(r#"{"n": 1.0}"#.into())), r#"{"n": 1.0}"#);
    }

    #[test]
    fn bytes_are_counted_and_begun() {
        assert_eq!(payload_text(&Payload::Binary(vec![0, 255].into())), "‹binary, 2 bytes› 00 ff");
        assert_eq!(payload_text(&Payload::Protobuf(vec![7].into())), "‹protobuf, 1 byte› 07");
        let text = payload_text(&Payload::Binary(vec![1; 5_000].into())).into_owned();
        assert!(text.starts_with("‹binary, 5,000 bytes› 01 01"), "{text}");
        assert!(text.ends_with("01 …") && text.len() < 100, "{text}");
    }
}
