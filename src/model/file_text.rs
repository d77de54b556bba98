//! Text of a file that is read in slices of bytes: UTF-16 with a byte order mark becomes UTF-8, and the mark of UTF-8 is removed.

use std::borrow::Cow;

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16LE_MARK: &[u8] = b"\xff\xfe";
const UTF_16BE_MARK: &[u8] = b"\xfe\xff";

/// Decoder of a file.
#[derive(Debug)]
pub enum FileText {
    /// The first bytes, which may be a byte order mark.
    Start(Vec<u8>),
    /// UTF-8, or anything that is not recognised.
    Unchanged,
    /// UTF-16, with the bytes that do not make a character yet.
    Utf16 {
        /// Whether the more significant byte of a unit is the first one.
        is_big_endian: bool,
        /// Bytes that do not make a character yet.
        rest: Vec<u8>,
    },
}

impl Default for FileText {
    fn default() -> Self {
        Self::Start(Vec::new())
    }
}

impl FileText {
    /// Decodes a slice.
    pub fn decode<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        match self {
            Self::Unchanged => Cow::Borrowed(bytes),
            Self::Utf16 { is_big_endian, rest } => {
                rest.extend_from_slice(bytes);
                let (text, end) = decode_utf16(rest, *is_big_endian);
                rest.drain(..end);
                Cow::Owned(text.into_bytes())
            }
            Self::Start(start) => {
                start.extend_from_slice(bytes);
                let may_become = |mark: &&[u8]| start.len() < mark.len() && mark.starts_with(start);
                if [UTF_8_MARK, UTF_16LE_MARK, UTF_16BE_MARK].iter().any(may_become) {
                    return Cow::Borrowed(&[]);
                }
                let start = std::mem::take(start);
                let (state, mark) = match &start[..] {
                    [0xff, 0xfe, ..] => {
                        (Self::Utf16 { is_big_endian: false, rest: Vec::new() }, UTF_16LE_MARK)
                    }
                    [0xfe, 0xff, ..] => {
                        (Self::Utf16 { is_big_endian: true, rest: Vec::new() }, UTF_16BE_MARK)
                    }
                    [0xef, 0xbb, 0xbf, ..] => (Self::Unchanged, UTF_8_MARK),
                    _ => (Self::Unchanged, &[][..]),
                };
                *self = state;
                let text = start.strip_prefix(mark).unwrap_or(&start);
                Cow::Owned(self.decode(text).into_owned())
            }
        }
    }

    /// Ends the file. Returns the bytes that make no character.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Unchanged => Vec::new(),
            Self::Start(rest) | Self::Utf16 { rest, .. } => rest,
        }
    }
}

/// Decodes as many whole characters as there are. Returns them with the count of their bytes; unpaired surrogates are replaced.
fn decode_utf16(bytes: &[u8], is_big_endian: bool) -> (String, usize) {
    let (units, _) = bytes.as_chunks::<2>();
    let unit =
        |bytes: &[u8; 2]| if is_big_endian { u16::from_be_bytes(*bytes) } else { u16::from_le_bytes(*bytes) };
    // The second half of the last character may come with the next slice.
    let is_half = units.last().is_some_and(|last| (0xd800..0xdc00).contains(&unit(last)));
    let whole = units.get(..units.len() - usize::from(is_half)).unwrap_or_default();
    let characters = char::decode_utf16(whole.iter().map(unit));
    let text = characters.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    (text, 2 * whole.len())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8], slice: usize) -> Vec<u8> {
        let mut file = FileText::default();
        let mut text: Vec<u8> =
            bytes.chunks(slice).flat_map(|slice| file.decode(slice).into_owned()).collect();
        text.extend(file.finish());
        text
    }

    #[test]
    fn only_byte_order_marks_change_a_file() {
        for bytes in [&b"plain"[..], b"\xef\xbbx", b"\xff", b"", b"\xfea\0"] {
            assert_eq!(decode(bytes, 1), bytes);
        }
        assert_eq!(decode(b"\xff\xfea\0\0\xd8b\0", 3), "a\u{fffd}b".as_bytes());
    }

    proptest! {
        #[test]
        fn text_with_a_mark_is_decoded_however_it_is_sliced(text in "[a-zé日𝄞\n]{0,20}", slice in 1..7_usize) {
            let marked: Vec<u16> = std::iter::once(0xfeff).chain(text.encode_utf16()).collect();
            let little: Vec<u8> = marked.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = marked.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for bytes in [little, big, [UTF_8_MARK, text.as_bytes()].concat()] {
                prop_assert_eq!(decode(&bytes, slice), text.as_bytes());
            }
        }
    }
}
