//! Offset of the last lines of a file.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use memchr::{memrchr, memrchr_iter};

/// Size of a read; blocks are read backwards from the end.
const BLOCK_BYTES: u64 = 64 * 1024;

/// A line feed in an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineFeed {
    /// One byte.
    Byte,
    /// Two bytes, the first one is 10.
    LittleEndian,
    /// Two bytes, the second one is 10.
    BigEndian,
}

impl LineFeed {
    pub(super) fn of(encoding: Option<&'static Encoding>) -> Self {
        match encoding {
            Some(encoding) if encoding == UTF_16LE => Self::LittleEndian,
            Some(encoding) if encoding == UTF_16BE => Self::BigEndian,
            _ => Self::Byte,
        }
    }

    /// Returns the length of a character that is a line feed.
    fn bytes(self) -> u64 {
        if self == Self::Byte { 1 } else { 2 }
    }

    /// Returns the offset after the line feed of which the byte 10 is at `at` in a block that starts at an even offset; `None` if it
    /// is none.
    fn end(self, block: &[u8], at: usize) -> Option<usize> {
        match self {
            Self::Byte => Some(at + 1),
            Self::LittleEndian => (at.is_multiple_of(2) && block.get(at + 1) == Some(&0)).then_some(at + 2),
            Self::BigEndian => (!at.is_multiple_of(2) && block.get(at - 1) == Some(&0)).then_some(at + 1),
        }
    }
}

/// Returns the offset of the last `count` lines in the first `length` bytes. A last line without a line feed is counted.
pub(super) fn offset(file: &mut File, length: u64, count: u64, feed: LineFeed) -> io::Result<u64> {
    if count == 0 {
        return Ok(length);
    }
    let length = length - length % feed.bytes();
    // No line starts after the final line feed.
    let (mut end, mut remaining_feeds) = (length, count);
    let mut block = vec![0; BLOCK_BYTES as usize];
    if length > 0 {
        let mut last = vec![0; usize::try_from(feed.bytes()).unwrap_or_default()];
        file.seek(SeekFrom::Start(length - feed.bytes()))?;
        file.read_exact(&mut last)?;
        let is_feed = memrchr(b'\n', &last).is_some_and(|at| feed.end(&last, at).is_some());
        remaining_feeds += u64::from(is_feed);
    }
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        let bytes = usize::try_from(end - start).unwrap_or_default();
        let part = block.get_mut(..bytes).unwrap_or_default();
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        for after in memrchr_iter(b'\n', part).filter_map(|at| feed.end(part, at)) {
            remaining_feeds -= 1;
            if remaining_feeds == 0 {
                return Ok(start + after as u64);
            }
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn last(text: &str, count: u64) -> String {
        let mut file = crate::tail::generation::tests::unnamed_file();
        file.write_all(text.as_bytes()).unwrap();
        let from = offset(&mut file, text.len() as u64, count, LineFeed::Byte).unwrap();
        text.get(usize::try_from(from).unwrap()..).unwrap().to_owned()
    }

    #[test]
    fn the_requested_number_of_lines_is_found() {
        assert_eq!(last("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last("a\nb\nc", 2), "b\nc");
        assert_eq!(last("a\n\n\n", 2), "\n\n");
        assert_eq!(last("a\nb\n", 0), "");
        assert_eq!(last("a\nb\n", 9), "a\nb\n");
        assert_eq!(last("", 3), "");
    }

    #[test]
    fn lines_of_utf_16_are_found() {
        let text = "\u{feff}a\u{0a0a}\u{0a00}b\nlast\u{010a}\nend";
        for (feed, bytes) in [
            (LineFeed::LittleEndian, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            (LineFeed::BigEndian, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            let mut file = crate::tail::generation::tests::unnamed_file();
            file.write_all(&bytes).unwrap();
            let mut from = |count| offset(&mut file, bytes.len() as u64, count, feed).unwrap();
            assert_eq!([from(1), from(2), from(3)], [2 * 12, 2 * 6, 0], "{feed:?}");
        }
    }

    #[test]
    fn lines_longer_than_a_block_are_found() {
        let long = "x".repeat(3 * BLOCK_BYTES as usize);
        assert_eq!(last(&format!("a\n{long}\nb\n"), 2), format!("{long}\nb\n"));
    }
}
