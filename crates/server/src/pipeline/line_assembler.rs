//! Assembly of whole lines, so that several sources can share one stream. A decoration identifies the source of each line.

use memchr::{memchr2_iter, memrchr};

use super::line_batcher::{MAX_LINE_BYTES, floor_char_boundary};

/// Maximum length of an unsplit line, in bytes: with its decoration it fits into a message. A longer line is split.
const MAX_PARTIAL_BYTES: usize = MAX_LINE_BYTES - 4096;

/// Text before and after each line of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Decoration {
    before: String,
    after: String,
}

impl Decoration {
    /// Returns a decoration that adds nothing.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Returns the decoration of standard error: red, `ESC [31m` … `ESC [39m`.
    pub(crate) fn red() -> Self {
        Self { before: "\u{1b}[31m".to_owned(), after: "\u{1b}[39m".to_owned() }
    }

    /// Returns the prefix `NAME | `.
    pub(crate) fn prefix(name: &str) -> Self {
        Self { before: format!("{name} | "), after: String::new() }
    }

    fn is_color(&self) -> bool {
        self.before.starts_with('\u{1b}')
    }

    /// Writes a decorated line. The decoration is repeated wherever the line resets it: a carriage return restarts the
    /// row, and SGR 0 resets all colors.
    fn write(&self, line: &[u8], out: &mut Vec<u8>) {
        let (line, end) = match line.strip_suffix(b"\r") {
            Some(line) => (line, &b"\r"[..]),
            None => (line, &b""[..]),
        };
        out.extend_from_slice(self.before.as_bytes());
        if self.before.is_empty() {
            out.extend_from_slice(line);
        } else {
            self.write_with_repeats(line, out);
        }
        out.extend_from_slice(self.after.as_bytes());
        out.extend_from_slice(end);
        out.push(b'\n');
    }

    fn write_with_repeats(&self, line: &[u8], out: &mut Vec<u8>) {
        let mut start = 0;
        for at in memchr2_iter(b'\r', b'm', line) {
            let upto = line.get(..=at).unwrap_or_default();
            let is_reset = match self.is_color() {
                true => {
                    upto.ends_with(b"\x1b[0m") || upto.ends_with(b"\x1b[m") || upto.ends_with(b"\x1b[39m")
                }
                false => upto.ends_with(b"\r"),
            };
            if is_reset {
                out.extend_from_slice(line.get(start..=at).unwrap_or_default());
                out.extend_from_slice(self.before.as_bytes());
                start = at + 1;
            }
        }
        out.extend_from_slice(line.get(start..).unwrap_or_default());
    }
}

/// Buffer that assembles the output of one source into whole, decorated lines.
#[derive(Debug, Default)]
pub(crate) struct LineAssembler {
    decoration: Decoration,
    partial: Vec<u8>,
}

impl LineAssembler {
    pub(crate) fn new(decoration: Decoration) -> Self {
        Self { decoration, partial: Vec::new() }
    }

    /// Appends bytes. Returns the lines that end in them, each with its line feed.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.partial.extend_from_slice(bytes);
        let mut out = Vec::new();
        if let Some(end) = memrchr(b'\n', &self.partial) {
            let rest = self.partial.split_off(end + 1);
            let lines = std::mem::replace(&mut self.partial, rest);
            let lines = lines.strip_suffix(b"\n").unwrap_or(&lines);
            lines.split(|byte| *byte == b'\n').for_each(|line| self.decoration.write(line, &mut out));
        }
        while self.partial.len() > MAX_PARTIAL_BYTES {
            let end = floor_char_boundary(&self.partial, MAX_PARTIAL_BYTES);
            let rest = self.partial.split_off(end);
            let part = std::mem::replace(&mut self.partial, rest);
            self.decoration.write(&part, &mut out);
        }
        out
    }

    /// Ends the source. Returns its partial last line, if any.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.partial.is_empty() {
            self.decoration.write(&std::mem::take(&mut self.partial), &mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decorated(decoration: Decoration, text: &str) -> String {
        let mut lines = LineAssembler::new(decoration);
        let mut out = lines.push(text.as_bytes());
        out.extend(lines.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn red_is_restored_after_color_resets() {
        assert_eq!(decorated(Decoration::red(), "a\r\n"), "\u{1b}[31ma\u{1b}[39m\r\n");
        assert_eq!(
            decorated(Decoration::red(), "\u{1b}[1mE\u{1b}[0m: m"),
            "\u{1b}[31m\u{1b}[1mE\u{1b}[0m\u{1b}[31m: m\u{1b}[39m\n"
        );
    }

    #[test]
    fn a_prefix_is_repeated_on_each_row() {
        assert_eq!(decorated(Decoration::prefix("a.log"), "x\n\ny"), "a.log | x\na.log | \na.log | y\n");
        assert_eq!(decorated(Decoration::prefix("n"), "1%\r2%\r\n"), "n | 1%\rn | 2%\r\n");
    }

    #[test]
    fn an_endless_line_is_split() {
        let mut lines = LineAssembler::new(Decoration::none());
        let out = lines.push("é".repeat(MAX_PARTIAL_BYTES + 1).as_bytes());
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
        assert!(std::str::from_utf8(&out).is_ok());
        assert!(lines.partial.len() <= MAX_PARTIAL_BYTES);
    }

    proptest! {
        #[test]
        fn lines_stay_whole_for_any_chunking(
            lines in prop::collection::vec("[a-z\u{1b}\r\\[m0]{0,12}", 1..20),
            cuts in prop::collection::vec(1..20_usize, 1..20),
        ) {
            let input = lines.join("\n") + "\n";
            let mut assembler = LineAssembler::new(Decoration::none());
            let (mut rest, mut cuts, mut out) = (input.as_bytes(), cuts.into_iter().cycle(), Vec::new());
            while !rest.is_empty() {
                let (chunk, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                let whole = assembler.push(chunk);
                prop_assert!(whole.is_empty() || whole.ends_with(b"\n"));
                out.extend(whole);
                rest = later;
            }
            prop_assert_eq!(out, input.into_bytes());
        }
    }
}
