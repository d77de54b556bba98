//! Lines of several sources in one stream: each stays whole, and says where it comes from.

use memchr::{memchr2_iter, memrchr};

use super::line_batcher::{MAX_LINE_BYTES, floor_char_boundary};

/// Longest line that is kept whole, in bytes: with its mark it still fits into a message. A longer one goes on in the next
/// line.
const MAX_BEGUN_BYTES: usize = MAX_LINE_BYTES - 4096;

/// What is put around each line of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    before: String,
    after: String,
}

impl Mark {
    /// Lines as they are.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Red, as terminals' users know it of standard error: `ESC [31m` … `ESC [39m`.
    pub(crate) fn standard_error() -> Self {
        Self { before: "\u{1b}[31m".to_owned(), after: "\u{1b}[39m".to_owned() }
    }

    /// `NAME | ` in front.
    pub(crate) fn name(name: &str) -> Self {
        Self { before: format!("{name} | "), after: String::new() }
    }

    fn is_colour(&self) -> bool {
        self.before.starts_with('\u{1b}')
    }

    /// Puts the mark around a line, and again wherever the line undoes it: a carriage return begins the row anew, and
    /// SGR 0 takes all colours away.
    fn write(&self, line: &[u8], out: &mut Vec<u8>) {
        let (line, end) = match line.strip_suffix(b"\r") {
            Some(line) => (line, &b"\r"[..]),
            None => (line, &b""[..]),
        };
        out.extend_from_slice(self.before.as_bytes());
        if self.before.is_empty() {
            out.extend_from_slice(line);
        } else {
            self.write_marking_again(line, out);
        }
        out.extend_from_slice(self.after.as_bytes());
        out.extend_from_slice(end);
        out.push(b'\n');
    }

    fn write_marking_again(&self, line: &[u8], out: &mut Vec<u8>) {
        let mut start = 0;
        for at in memchr2_iter(b'\r', b'm', line) {
            let upto = line.get(..=at).unwrap_or_default();
            let is_undone = match self.is_colour() {
                true => {
                    upto.ends_with(b"\x1b[0m") || upto.ends_with(b"\x1b[m") || upto.ends_with(b"\x1b[39m")
                }
                false => upto.ends_with(b"\r"),
            };
            if is_undone {
                out.extend_from_slice(line.get(start..=at).unwrap_or_default());
                out.extend_from_slice(self.before.as_bytes());
                start = at + 1;
            }
        }
        out.extend_from_slice(line.get(start..).unwrap_or_default());
    }
}

/// Collects what one source says, and gives whole lines, marked.
#[derive(Debug, Default)]
pub(crate) struct WholeLines {
    mark: Mark,
    begun: Vec<u8>,
}

impl WholeLines {
    pub(crate) fn new(mark: Mark) -> Self {
        Self { mark, begun: Vec::new() }
    }

    /// Takes bytes; gives the lines that end in them, each with its line feed.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.begun.extend_from_slice(bytes);
        let mut out = Vec::new();
        if let Some(end) = memrchr(b'\n', &self.begun) {
            let rest = self.begun.split_off(end + 1);
            let lines = std::mem::replace(&mut self.begun, rest);
            let lines = lines.strip_suffix(b"\n").unwrap_or(&lines);
            lines.split(|byte| *byte == b'\n').for_each(|line| self.mark.write(line, &mut out));
        }
        while self.begun.len() > MAX_BEGUN_BYTES {
            let end = floor_char_boundary(&self.begun, MAX_BEGUN_BYTES);
            let rest = self.begun.split_off(end);
            let piece = std::mem::replace(&mut self.begun, rest);
            self.mark.write(&piece, &mut out);
        }
        out
    }

    /// The source has ended: gives the line it had begun, if any.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.begun.is_empty() {
            self.mark.write(&std::mem::take(&mut self.begun), &mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(mark: Mark, text: &str) -> String {
        let mut lines = WholeLines::new(mark);
        let mut out = lines.push(text.as_bytes());
        out.extend(lines.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn standard_error_is_red_even_where_its_own_colours_end() {
        assert_eq!(marked(Mark::standard_error(), "a\r\n"), "\u{1b}[31ma\u{1b}[39m\r\n");
        assert_eq!(
            marked(Mark::standard_error(), "\u{1b}[1mE\u{1b}[0m: m"),
            "\u{1b}[31m\u{1b}[1mE\u{1b}[0m\u{1b}[31m: m\u{1b}[39m\n"
        );
    }

    #[test]
    fn a_name_stands_before_each_row() {
        assert_eq!(marked(Mark::name("a.log"), "x\n\ny"), "a.log | x\na.log | \na.log | y\n");
        assert_eq!(marked(Mark::name("n"), "1%\r2%\r\n"), "n | 1%\rn | 2%\r\n");
    }

    #[test]
    fn a_line_without_end_is_given_in_pieces() {
        let mut lines = WholeLines::new(Mark::none());
        let out = lines.push("é".repeat(MAX_BEGUN_BYTES + 1).as_bytes());
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
        assert!(std::str::from_utf8(&out).is_ok());
        assert!(lines.begun.len() <= MAX_BEGUN_BYTES);
    }

    proptest! {
        #[test]
        fn lines_stay_whole_however_they_come(
            lines in prop::collection::vec("[a-z\u{1b}\r\\[m0]{0,12}", 1..20),
            cuts in prop::collection::vec(1..20_usize, 1..20),
        ) {
            let input = lines.join("\n") + "\n";
            let mut assembler = WholeLines::new(Mark::none());
            let (mut rest, mut cuts, mut out) = (input.as_bytes(), cuts.into_iter().cycle(), Vec::new());
            while !rest.is_empty() {
                let (chunk, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                let given = assembler.push(chunk);
                prop_assert!(given.is_empty() || given.ends_with(b"\n"));
                out.extend(given);
                rest = later;
            }
            prop_assert_eq!(out, input.into_bytes());
        }
    }
}
