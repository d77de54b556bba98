//! From a file's bytes, which come in slices, to lines of text.
//!
//! Bytes that are no UTF-8 are shown as `\xFF`: seen, not lost.

use std::fmt::Write;

use super::line_store::MAX_LINE_BYTES;

/// Bytes of a file that are read at a time: a few milliseconds' work.
pub const SLICE_BYTES: usize = 512 << 10;

/// What a slice left over: the beginning of a line.
#[derive(Debug, Default)]
pub struct FileLines {
    rest: Vec<u8>,
    /// How many lines were given so far.
    lines: u64,
}

impl FileLines {
    /// Takes a slice; gives each line that it ends. A line that goes on beyond [`MAX_LINE_BYTES`] is given in parts.
    pub fn feed(&mut self, bytes: &[u8], mut give: impl FnMut(&str)) {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.rest.extend_from_slice(part);
            while self.rest.len() > MAX_LINE_BYTES {
                let rest = self.rest.split_off(end_of_part(&self.rest));
                self.give_rest(&mut give);
                self.rest = rest;
            }
            if parts.peek().is_some() {
                self.give_rest(&mut give);
            }
        }
    }

    /// The file is at its end. Gives the last line, if nothing ends it, and how many there were.
    pub fn finish(mut self, mut give: impl FnMut(&str)) -> u64 {
        if !self.rest.is_empty() {
            self.give_rest(&mut give);
        }
        self.lines
    }

    fn give_rest(&mut self, give: &mut impl FnMut(&str)) {
        self.lines += 1;
        match std::str::from_utf8(&self.rest) {
            Ok(line) => give(line),
            Err(_) => give(&with_bytes_shown(&self.rest)),
        }
        self.rest.clear();
    }
}

/// Where a line that is too long is cut: between characters.
fn end_of_part(line: &[u8]) -> usize {
    let goes_on = |at: &usize| line.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (MAX_LINE_BYTES - 3..=MAX_LINE_BYTES).rev().find(|at| !goes_on(at)).unwrap_or(MAX_LINE_BYTES)
}

fn with_bytes_shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            write!(text, "\\x{byte:02X}").unwrap_or_default();
        }
    }
    text
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(slices: &[&[u8]]) -> (Vec<String>, u64) {
        let (mut file, mut lines) = (FileLines::default(), Vec::new());
        for slice in slices {
            file.feed(slice, |line| lines.push(line.to_owned()));
        }
        let count = file.finish(|line| lines.push(line.to_owned()));
        (lines, count)
    }

    #[test]
    fn lines_are_whole_whatever_slices_they_come_in() {
        assert_eq!(read(&[b"a\nb", b"c\n", b"\nd"]).0, ["a", "bc", "", "d"]);
        assert_eq!(read(&[b"", b"\n"]).0, [""]);
        assert_eq!(read(&[]), (Vec::new(), 0));
    }

    #[test]
    fn bytes_that_are_no_text_are_shown() {
        assert_eq!(read(&[b"caf\xe9 \xff\xfe ok"]).0, ["caf\\xE9 \\xFF\\xFE ok"]);
    }

    #[test]
    fn a_line_without_end_is_given_in_parts_and_memory_stays_bounded() {
        let text = "x".to_owned() + &"é".repeat(2 * MAX_LINE_BYTES);
        let slices: Vec<&[u8]> = text.as_bytes().chunks(SLICE_BYTES).collect();
        let (lines, count) = read(&slices);
        assert!(lines.concat() == text, "no byte is lost, and none is shown as what it is not");
        assert!(count == 5 && lines.iter().all(|line| line.len() <= MAX_LINE_BYTES));
    }

    proptest! {
        #[test]
        fn where_a_file_is_cut_makes_no_difference(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(0xc3), Just(0xa9), 0u8..=255], 0..60),
            at in 0usize..60,
        ) {
            let at = at.min(bytes.len());
            prop_assert_eq!(read(&[&bytes[..at], &bytes[at..]]), read(&[&bytes]));
        }
    }
}
