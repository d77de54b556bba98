//! Text of a message's payload.

use std::borrow::Cow;

use webpubsub_protocol::payload::Payload;

use super::grouped_number::counted;

/// Count of a binary payload's bytes that are shown.
const SHOWN_BYTES: usize = 16;

/// Returns text and JSON as they are, and of binary payloads the size and the first bytes.
#[must_use]
pub fn payload_text<'a>(payload: &'a Payload<'_>) -> Cow<'a, str> {
    match payload {
        Payload::Text(text) | Payload::Json(text) => Cow::Borrowed(text),
        Payload::Binary(bytes) => Cow::Owned(bytes_text("binary", bytes)),
        Payload::Protobuf(bytes) => Cow::Owned(bytes_text("protobuf", bytes)),
    }
}

fn bytes_text(kind: &str, bytes: &[u8]) -> String {
    let mut text = format!("‹{kind}, {}›", counted(bytes.len() as u64, "byte", "bytes"));
    for byte in bytes.iter().take(SHOWN_BYTES) {
        text.push_str(&format!(" {byte:02x}"));
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
    fn text_and_json_are_unchanged() {
        assert_eq!(payload_text(&Payload::Text("a\nb".into())), "a\nb");
        assert_eq!(payload_text(&Payload::Json(r#"{"n": 1.0}"#.into())), r#"{"n": 1.0}"#);
    }

    #[test]
    fn binary_payloads_have_their_size_and_first_bytes() {
        assert_eq!(payload_text(&Payload::Binary(vec![0, 255].into())), "‹binary, 2 bytes› 00 ff");
        assert_eq!(payload_text(&Payload::Protobuf(vec![7].into())), "‹protobuf, 1 byte› 07");
        let text = payload_text(&Payload::Binary(vec![1; 5_000].into())).into_owned();
        assert!(text.starts_with("‹binary, 5,000 bytes› 01 01"), "{text}");
        assert!(text.ends_with("01 …") && text.len() < 100, "{text}");
    }
}
