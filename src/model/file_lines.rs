//! Lines of a file that is read in slices of bytes.
//!
//! Bytes that are not valid UTF-8 become `\xFF`: visible, not lost.

use super::{file_text::FileText, line_store::MAX_LINE_BYTES};

/// Size of a slice, in bytes: it takes a few milliseconds.
pub const SLICE_BYTES: usize = 512 << 10;

/// Splitter of a file into lines. Holds the last line of a slice until the next one completes it.
#[derive(Debug, Default)]
pub struct FileLines {
    rest: Vec<u8>,
    text: FileText,
    /// Count of lines emitted so far.
    lines: u64,
}

impl FileLines {
    /// Splits a slice, and emits each line that it completes. A line longer than [`MAX_LINE_BYTES`] is emitted in parts.
    pub fn feed(&mut self, bytes: &[u8], mut emit: impl FnMut(&str)) {
        let text = self.text.decode(bytes);
        self.feed_text(&text, &mut emit);
    }

    fn feed_text(&mut self, bytes: &[u8], emit: &mut impl FnMut(&str)) {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            self.rest.extend_from_slice(part);
            while self.rest.len() > MAX_LINE_BYTES {
                let rest = self.rest.split_off(end_of_part(&self.rest));
                self.emit_rest(emit);
                self.rest = rest;
            }
            if parts.peek().is_some() {
                self.emit_rest(emit);
            }
        }
    }

    /// Emits the last line, if no line break follows it. Returns the count of lines.
    pub fn finish(mut self, mut emit: impl FnMut(&str)) -> u64 {
        let rest = std::mem::take(&mut self.text).finish();
        self.feed_text(&rest, &mut emit);
        if !self.rest.is_empty() {
            self.emit_rest(&mut emit);
        }
        self.lines
    }

    fn emit_rest(&mut self, emit: &mut impl FnMut(&str)) {
        self.lines += 1;
        match std::str::from_utf8(&self.rest) {
            Ok(line) => emit(line),
            Err(_) => emit(&with_visible_bytes(&self.rest)),
        }
        self.rest.clear();
    }
}

/// Returns the offset at which to cut a line that is too long: between characters.
fn end_of_part(line: &[u8]) -> usize {
    let is_continuation = |at: &usize| line.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (MAX_LINE_BYTES - 3..=MAX_LINE_BYTES).rev().find(|at| !is_continuation(at)).unwrap_or(MAX_LINE_BYTES)
}

fn with_visible_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02X}"));
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
    fn lines_are_complete_however_the_file_is_sliced() {
        assert_eq!(read(&[b"a\nb", b"c\n", b"\nd"]).0, ["a", "bc", "", "d"]);
        assert_eq!(read(&[b"", b"\n"]).0, [""]);
        assert_eq!(read(&[]), (Vec::new(), 0));
    }

    #[test]
    fn invalid_bytes_are_made_visible() {
        assert_eq!(read(&[b"caf\xe9 \xff\xfe ok"]).0, ["caf\\xE9 \\xFF\\xFE ok"]);
    }

    #[test]
    fn a_line_that_is_too_long_is_emitted_in_parts() {
        let text = "x".to_owned() + &"é".repeat(2 * MAX_LINE_BYTES);
        let slices: Vec<&[u8]> = text.as_bytes().chunks(SLICE_BYTES).collect();
        let (lines, count) = read(&slices);
        assert!(lines.concat() == text, "no byte is lost or changed");
        assert!(count == 5 && lines.iter().all(|line| line.len() <= MAX_LINE_BYTES));
    }

    proptest! {
        #[test]
        fn slicing_does_not_affect_the_lines(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), Just(0xc3), Just(0xa9), 0u8..=255], 0..60),
            at in 0usize..60,
        ) {
            let at = at.min(bytes.len());
            prop_assert_eq!(read(&[&bytes[..at], &bytes[at..]]), read(&[&bytes]));
        }
    }
}
