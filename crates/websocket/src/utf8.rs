//! Validation of text (RFC 6455, section 8.1).

/// Bytes of a text that are not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is not valid UTF-8")]
pub struct InvalidUtf8;

/// Returns the payload of a text message as text.
///
/// # Errors
/// [`InvalidUtf8`].
pub fn from_utf8(payload: &[u8]) -> Result<&str, InvalidUtf8> {
    simdutf8::basic::from_utf8(payload).map_err(|_| InvalidUtf8)
}

/// Maximum length of an encoded character, in bytes.
const MAX_CHARACTER_BYTES: usize = 4;

/// Validator of a text that is received in pieces. Rejects it at the first byte that no text continues with.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TextProgress {
    /// Begin of a character whose end has not been received yet.
    begun: [u8; MAX_CHARACTER_BYTES],
    begun_len: usize,
}

impl TextProgress {
    /// Validates the next piece. The text may end inside of a character, since pieces may follow.
    pub(crate) fn push(&mut self, mut piece: &[u8]) -> Result<(), InvalidUtf8> {
        while self.begun_len > 0 {
            let Some((&byte, rest)) = piece.split_first() else { return Ok(()) };
            piece = rest;
            self.push_to_begun(byte)?;
        }
        let valid_len = valid_prefix(piece)?;
        for &byte in piece.get(valid_len..).unwrap_or_default() {
            self.push_to_begun(byte)?;
        }
        Ok(())
    }

    fn push_to_begun(&mut self, byte: u8) -> Result<(), InvalidUtf8> {
        // Never full: four bytes are a character, or invalid.
        *self.begun.get_mut(self.begun_len).ok_or(InvalidUtf8)? = byte;
        self.begun_len += 1;
        if valid_prefix(self.begun.get(..self.begun_len).unwrap_or_default())? > 0 {
            self.begun_len = 0;
        }
        Ok(())
    }
}

/// Returns the length of the whole characters at the start of `bytes`. Only the begin of one more may follow.
fn valid_prefix(bytes: &[u8]) -> Result<usize, InvalidUtf8> {
    match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => Ok(text.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(_) => Err(InvalidUtf8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the number of valid pieces.
    fn accepted(pieces: &[&[u8]]) -> usize {
        let mut progress = TextProgress::default();
        pieces.iter().take_while(|piece| progress.push(piece).is_ok()).count()
    }

    #[test]
    fn a_text_is_rejected_at_the_first_byte_that_makes_it_invalid() {
        assert_eq!(accepted(&[b"\xCE", b"\xBA\xE1\xBD", b"\xB9"]), 3);
        assert_eq!(accepted(&[b"\xF4", b"\x90", b"\x80\x80"]), 1);
        assert_eq!(accepted(&[b"\xED", b"\xA0"]), 1);
        assert_eq!(accepted(&[b"abc\xF0\x9F", b"", b"\x98\x80d", b"\xFF"]), 3);
    }

    proptest! {
        #[test]
        fn every_cut_of_a_text_is_accepted(text in any::<String>(), cuts in prop::collection::vec(1..5_usize, 1..20)) {
            let (mut progress, mut cuts, mut rest) = (TextProgress::default(), cuts.into_iter().cycle(), text.as_bytes());
            while !rest.is_empty() {
                let (piece, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                prop_assert_eq!(progress.push(piece), Ok(()));
                rest = later;
            }
            prop_assert_eq!(progress.begun_len, 0);
        }

        #[test]
        fn bytes_one_by_one_are_judged_as_by_the_standard_library(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
            let mut progress = TextProgress::default();
            for (at, byte) in bytes.iter().enumerate() {
                let is_possible = std::str::from_utf8(&bytes[..=at]).err().is_none_or(|error| error.error_len().is_none());
                let result = progress.push(std::slice::from_ref(byte));
                prop_assert_eq!(result.is_ok(), is_possible);
                if result.is_err() {
                    break;
                }
            }
        }
    }
}
