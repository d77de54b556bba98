//! Decoding of input: by its byte order mark, or by `--encoding`.

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_16BE, UTF_16LE};

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16LE_MARK: &[u8] = b"\xff\xfe";
const UTF_16BE_MARK: &[u8] = b"\xfe\xff";

/// Decoder of the bytes of one file or stream into UTF-8.
///
/// Without an encoding, bytes pass unchanged, except that a byte order mark of UTF-8 is removed, and one of UTF-16 selects that.
pub(crate) struct TextDecoder(State);

enum State {
    /// The first bytes, which may be a byte order mark.
    Start(Vec<u8>),
    Unchanged,
    Decoding(Box<Decoder>),
}

impl TextDecoder {
    /// Creates a decoder for the beginning of a text.
    pub(crate) fn new(encoding: Option<&'static Encoding>) -> Self {
        Self(match encoding {
            Some(encoding) => State::Decoding(Box::new(encoding.new_decoder())),
            None => State::Start(Vec::new()),
        })
    }

    /// Creates a decoder for the middle of a text.
    pub(crate) fn in_text(encoding: Option<&'static Encoding>) -> Self {
        Self(match encoding {
            Some(encoding) => State::Decoding(Box::new(encoding.new_decoder_without_bom_handling())),
            None => State::Unchanged,
        })
    }

    /// Decodes the next bytes. A character of which bytes are missing is decoded with the bytes after it.
    pub(crate) fn decode(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        match &mut self.0 {
            State::Unchanged => bytes,
            State::Decoding(decoder) => decoded(decoder, &bytes, false),
            State::Start(start) => {
                start.extend_from_slice(&bytes);
                if may_become_mark(start) {
                    return Vec::new();
                }
                let start = std::mem::take(start);
                self.0 = match detected(&start) {
                    Some(encoding) => State::Decoding(Box::new(encoding.new_decoder())),
                    None => State::Unchanged,
                };
                match start.strip_prefix(UTF_8_MARK) {
                    Some(text) => text.to_vec(),
                    None => self.decode(start),
                }
            }
        }
    }

    /// Ends the text. Returns what is left of it.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        match std::mem::replace(&mut self.0, State::Unchanged) {
            State::Unchanged => Vec::new(),
            State::Start(start) => start,
            State::Decoding(mut decoder) => decoded(&mut decoder, &[], true),
        }
    }
}

/// Returns the encoding whose byte order mark a text begins with, unless that is UTF-8.
pub(crate) fn detected(start: &[u8]) -> Option<&'static Encoding> {
    if start.starts_with(UTF_16LE_MARK) {
        Some(UTF_16LE)
    } else if start.starts_with(UTF_16BE_MARK) {
        Some(UTF_16BE)
    } else {
        None
    }
}

fn may_become_mark(start: &[u8]) -> bool {
    [UTF_8_MARK, UTF_16LE_MARK, UTF_16BE_MARK]
        .into_iter()
        .any(|mark| start.len() < mark.len() && mark.starts_with(start))
}

fn decoded(decoder: &mut Decoder, bytes: &[u8], is_last: bool) -> Vec<u8> {
    let mut text = String::new();
    let mut rest = bytes;
    loop {
        text.reserve(decoder.max_utf8_buffer_length(rest.len()).unwrap_or(rest.len() + 16).max(16));
        let (result, read, _) = decoder.decode_to_string(rest, &mut text, is_last);
        rest = rest.get(read..).unwrap_or_default();
        if result == CoderResult::InputEmpty {
            return text.into_bytes();
        }
    }
}

/// Parses the value of `--encoding`: a label of the Encoding Standard.
pub(crate) fn parse_encoding(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(label.as_bytes()).ok_or_else(|| {
        "unknown encoding; examples: windows-1252, iso-8859-2, shift_jis, gbk, utf-16le (the labels of the Encoding Standard)"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf16(text: &str, is_big_endian: bool) -> Vec<u8> {
        let unit = |unit: u16| if is_big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
    }

    fn decode(encoding: Option<&'static Encoding>, chunks: &[&[u8]]) -> Vec<u8> {
        let mut decoder = TextDecoder::new(encoding);
        let mut text: Vec<u8> = chunks.iter().flat_map(|chunk| decoder.decode(chunk.to_vec())).collect();
        text.extend(decoder.finish());
        text
    }

    #[test]
    fn named_encodings_are_decoded_and_unknown_ones_rejected() {
        let encoding = |label| Some(parse_encoding(label).unwrap());
        assert_eq!(decode(encoding("windows-1251"), &[b"\xee\xf8"]), "ош".as_bytes());
        assert_eq!(decode(encoding("shift_jis"), &[b"\x93", b"\xfa\n"]), "日\n".as_bytes());
        assert_eq!(decode(encoding("utf-16le"), &[b"a\0\n\0"]), b"a\n");
        assert!(parse_encoding("utf-7").is_err());
    }

    #[test]
    fn bytes_that_only_begin_like_a_mark_are_kept() {
        for bytes in [&b"\xef"[..], b"\xef\xbb", b"\xff", b"\xfe", b"\xef\xbbx", b"", b"\xffx"] {
            assert_eq!(decode(None, &[bytes]), bytes);
        }
    }

    proptest! {
        #[test]
        fn any_split_of_a_text_with_a_mark_gives_the_text(text in "[a-zé日𝄞\n]{0,20}", cuts in prop::collection::vec(1..5_usize, 1..9)) {
            let utf8 = [UTF_8_MARK, text.as_bytes()].concat();
            for bytes in [utf8, utf16(&text, false), utf16(&text, true)] {
                let (mut chunks, mut rest, mut cuts) = (Vec::new(), &bytes[..], cuts.iter().cycle());
                while !rest.is_empty() {
                    let (chunk, later) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                    chunks.push(chunk);
                    rest = later;
                }
                prop_assert_eq!(decode(None, &chunks), text.as_bytes());
            }
        }
    }
}
