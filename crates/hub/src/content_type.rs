//! Content types of requests and responses: media type and character encoding.

use std::borrow::Cow;

use axum::http::HeaderValue;
use encoding_rs::{Encoding, UTF_8};

/// Parsed `Content-Type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentType {
    /// Media type in lower case, without parameters.
    media_type: String,
    encoding: &'static Encoding,
}

impl ContentType {
    /// Parses a header value; `None` if it is not ASCII, or names no known character encoding. UTF-8 is the default.
    ///
    /// Names of encodings are the labels of the Encoding Standard, in any letter case, with or without quotes.
    pub(crate) fn parse(value: &HeaderValue) -> Option<Self> {
        let text = value.to_str().ok()?;
        let mut parts = split_unquoted(text);
        let media_type = parts.next().unwrap_or_default();
        let options = parts.filter_map(|option| option.split_once('='));
        let mut charsets = options.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
        let encoding = charsets.try_fold(None, |previous, (_, label)| {
            let encoding = encoding_of(label)?;
            // Two different ones cannot both be right.
            previous.is_none_or(|previous| previous == encoding).then_some(Some(encoding))
        })?;
        let media_type = media_type.trim().to_ascii_lowercase();
        Some(Self { media_type, encoding: encoding.unwrap_or(UTF_8) })
    }

    /// Returns the media type in lower case, without parameters.
    pub(crate) fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Decodes text. Malformed sequences are replaced by U+FFFD, as in log lines. A byte order mark is removed, except in UTF-8.
    pub(crate) fn decode<'b>(&self, bytes: &'b [u8]) -> Cow<'b, str> {
        match self.encoding == UTF_8 {
            true => String::from_utf8_lossy(bytes),
            false => self.encoding.decode_with_bom_removal(bytes).0,
        }
    }

    /// Decodes text as [`Self::decode`] does, in the memory of `bytes` if they are UTF-8.
    pub(crate) fn decode_owned(&self, bytes: Vec<u8>) -> String {
        match self.encoding == UTF_8 {
            true => String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
            false => self.decode(&bytes).into_owned(),
        }
    }

    /// Returns the text in UTF-8 as [`Self::utf8`] does, in the memory of `bytes` if that is their encoding.
    pub(crate) fn utf8_owned(&self, bytes: Vec<u8>) -> Vec<u8> {
        match self.encoding == UTF_8 {
            true => bytes,
            false => self.utf8(&bytes).into_owned(),
        }
    }

    /// Returns the text in UTF-8, unvalidated if that is its encoding.
    pub(crate) fn utf8<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        match self.encoding == UTF_8 {
            true => Cow::Borrowed(bytes),
            false => Cow::Owned(self.decode(bytes).into_owned().into_bytes()),
        }
    }
}

/// Splits a header value at its semicolons, except those in quoted strings (RFC 9110, section 5.6.4).
fn split_unquoted(text: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |char| {
        let is_separator = char == ';' && !is_quoted;
        is_quoted ^= char == '"' && !is_escaped;
        is_escaped = is_quoted && char == '\\' && !is_escaped;
        is_separator
    })
}

/// Returns the encoding called `label`: UTF-8 if the label is empty, `None` if it is unknown, or stands for an encoding that the
/// standard replaces as unsafe.
fn encoding_of(label: &str) -> Option<&'static Encoding> {
    // A backslash in a quoted string precedes the character that it stands for.
    let label = label.trim().trim_matches(['"', '\'']).replace('\\', "");
    if label.is_empty() { Some(UTF_8) } else { Encoding::for_label_no_replacement(label.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> Option<ContentType> {
        ContentType::parse(&HeaderValue::from_static(text))
    }

    #[test]
    fn media_types_are_in_lower_case_and_encodings_are_labels() {
        for (text, media_type, encoding) in [
            ("text/plain", "text/plain", "UTF-8"),
            ("Text/Plain; Charset=\"Utf-8\"", "text/plain", "UTF-8"),
            ("application/json;charset=utf8;x=y", "application/json", "UTF-8"),
            ("text/plain; format=flowed; charset='UTF-8'", "text/plain", "UTF-8"),
            ("text/plain; charset=", "text/plain", "UTF-8"),
            ("text/plain; charset=us-ascii", "text/plain", "windows-1252"),
            ("text/plain; charset=ISO-8859-1", "text/plain", "windows-1252"),
            ("text/plain; charset=utf-16", "text/plain", "UTF-16LE"),
            ("text/plain; charset=utf-8; charset=UTF8", "text/plain", "UTF-8"),
            (r#"text/plain; title="; charset=utf-16"; charset=latin1"#, "text/plain", "windows-1252"),
            (
                r#"text/plain; title="\"; charset=utf-16"; x="\\"; charset=latin1"#,
                "text/plain",
                "windows-1252",
            ),
            (r#"text/plain; title="a; charset=unknown"#, "text/plain", "UTF-8"),
            (r#"text/plain; charset="utf\-16""#, "text/plain", "UTF-16LE"),
        ] {
            let content_type = parse(text).unwrap();
            assert_eq!(
                (content_type.media_type(), content_type.encoding.name()),
                (media_type, encoding),
                "{text}"
            );
        }
        for unknown in [
            "text/plain; charset=unknown",
            "text/plain; charset=utf-8; charset=latin1",
            "text/plain; charset=hz-gb-2312",
        ] {
            assert_eq!(parse(unknown), None, "{unknown}");
        }
        assert_eq!(ContentType::parse(&HeaderValue::from_bytes(b"text/\xFF").unwrap()), None);
    }

    #[test]
    fn text_is_decoded_and_malformed_sequences_are_replaced() {
        for (content_type, bytes, text) in [
            ("text/plain", &b"\xC3\xA9\xFF"[..], "é\u{FFFD}"),
            ("text/plain", b"\xEF\xBB\xBFa", "\u{FEFF}a"),
            ("text/plain; charset=latin1", b"\xE9\x80", "é€"),
            ("text/plain; charset=utf-16", b"\xFF\xFEa\0", "a"),
            ("text/plain; charset=utf-16be", b"\0a\xD8\0", "a\u{FFFD}"),
            ("text/plain; charset=shift_jis", b"\x82\xA0", "あ"),
        ] {
            let content_type = parse(content_type).unwrap();
            assert_eq!(content_type.decode(bytes), text, "{content_type:?}");
        }
        assert_eq!(*parse("application/json").unwrap().utf8(b"\xFF"), b"\xFF"[..]);
        assert_eq!(*parse("application/json; charset=latin1").unwrap().utf8(b"\xE9"), b"\xC3\xA9"[..]);
    }
}
