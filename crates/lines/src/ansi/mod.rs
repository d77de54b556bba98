//! Escape sequences in a line: colours and links become styles, and movements of the cursor take effect. Everything else that
//! a terminal would act on is dropped. Only text, styles and safe links reach the page.
//!
//! | module | concept |
//! | --- | --- |
//! | [`style`] | colours and faces of a run of text |
//! | [`sgr`] | escape sequences for styles and links |
//! | [`parser`] | from characters to text and commands, whatever pieces they come in |
//! | [`line_editor`] | text that is overwritten in place: progress bars |
//! | [`rows`] | lines that are overwritten from below |
//!
//! Supported: SGR (colours, faces), OSC 8 (links), carriage return, backspace, tabs, movement of the cursor within the line and
//! to the rows above, saved positions, and erasing, deleting, inserting and repeating characters. Sources: ECMA-48; xterm
//! control sequences; Paul Williams' parser for DEC terminals.

mod cells;
pub mod line_editor;
pub mod parser;
pub mod rows;
pub mod sgr;
pub mod style;

use std::{ops::Range, rc::Rc};

use memchr::{memchr, memchr3, memrchr_iter};

use self::{
    line_editor::LineEditor,
    parser::{Parser, TerminalCommand},
    rows::Saved,
    style::Style,
};

/// Run of a line in one style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StyleRun {
    /// Byte at which it begins; it ends where the next one begins, or with the line.
    pub start: u32,
    /// The style.
    pub style: Style,
}

/// Link in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its bytes in the line.
    pub range: Range<u32>,
    /// Target: an http or https URL.
    pub url: String,
}

/// A line without its escape sequences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StyledLine {
    /// The text.
    pub text: String,
    /// Its styles, in order; empty when all of it is plain.
    pub runs: Vec<StyleRun>,
    /// Its links, in order.
    pub links: Vec<Link>,
}

/// Reads the lines of one source. Style carries over from line to line, as a terminal has it.
#[derive(Debug, Clone, Default)]
pub struct AnsiReader {
    parser: Parser,
    style: Style,
    link: Option<Rc<str>>,
    /// Position that the line has saved.
    saved: Option<Saved>,
}

impl AnsiReader {
    /// Whether a line is shown as it is: it has no control characters, and nothing is carried over.
    #[must_use]
    pub fn is_plain(&self, line: &str) -> bool {
        self.is_at_rest() && find_control(line).is_none()
    }

    /// Whether nothing is carried over to the next line.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.style == Style::default() && self.link.is_none() && self.parser.is_at_rest()
    }

    /// Reads one whole line, which holds no line feed.
    pub fn read_line(&mut self, line: &str) -> StyledLine {
        let mut editor = LineEditor::with_room(line.len());
        self.read_piece(line, &mut editor);
        self.end_line();
        editor.finish()
    }

    /// Reads a piece of a line, which has no line feed, into the line's editor.
    pub fn read_piece(&mut self, piece: &str, editor: &mut LineEditor) {
        self.read_rows(piece, std::slice::from_mut(editor), &mut 0);
    }

    /// Ends a line. Sequences that it does not finish are dropped: no line hides the next ones, or makes links of them.
    pub fn end_line(&mut self) {
        self.parser.reset();
        self.link = None;
        self.saved = None;
        self.style.reveal();
    }

    /// Returns the style of the text that comes next.
    #[must_use]
    pub fn style(&self) -> Style {
        self.style
    }

    /// Reads lines of which only the style counts that they leave behind.
    pub fn skip_lines(&mut self, lines: &[u8]) {
        // Everything before the last reset has no effect.
        let is_reset = |at: &usize| {
            let sequence = lines.get(at + 1..).unwrap_or_default();
            [&b"[m"[..], b"[0m", b"[0;"].iter().any(|reset| sequence.starts_with(reset))
        };
        let start = memrchr_iter(0x1b, lines).find(is_reset).or_else(|| memchr(0x1b, lines));
        if let Some(start) = start {
            let Self { parser, style, .. } = self;
            let rest = String::from_utf8_lossy(lines.get(start..).unwrap_or_default());
            for line in rest.split('\n') {
                parser.feed(line, |command| {
                    if let TerminalCommand::Sgr(parameters) = command {
                        style.apply(parameters);
                    }
                });
                parser.reset();
                style.reveal();
            }
        }
        self.end_line();
    }

    /// Forgets what is carried over: lines are missing here.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

/// Returns the place of the first control character that affects what is shown.
#[must_use]
pub fn find_control(text: &str) -> Option<usize> {
    memchr3(0x1b, b'\r', 0x08, text.as_bytes())
}

/// Whether a link leads to a web page and nowhere else.
fn is_safe(url: &str) -> bool {
    let after = |scheme: &str| {
        let start = url.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| url.get(scheme.len()..)).flatten()
    };
    let Some(rest) = after("http://").or_else(|| after("https://")) else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Nothing that could be shown as something else: no user that looks like a host, no characters beyond ASCII.
    url.bytes().all(|byte| byte.is_ascii_graphic()) && !authority.contains('@')
}

#[cfg(test)]
mod tests {
    use super::{
        style::{Color, Face},
        *,
    };

    fn read(line: &str) -> StyledLine {
        AnsiReader::default().read_line(line)
    }

    #[test]
    fn colours_are_taken_out_and_kept_apart() {
        let line = read("a \u{1b}[1;31mred\u{1b}[0m b");
        assert_eq!(line.text, "a red b");
        let starts: Vec<u32> = line.runs.iter().map(|run| run.start).collect();
        assert_eq!(starts, [0, 2, 5]);
        assert_eq!(line.runs[1].style.foreground, Color::Indexed(1));
        assert!(line.runs[1].style.has(Face::Bold) && line.runs[2].style == Style::default());
    }

    #[test]
    fn a_style_carries_over_to_the_next_line_until_it_is_reset() {
        let mut reader = AnsiReader::default();
        reader.read_line("\u{1b}[32mgreen");
        assert!(!reader.is_plain("still"));
        let line = reader.read_line("still\u{1b}[m not");
        assert_eq!(line.runs[0].style.foreground, Color::Indexed(2));
        assert!(reader.is_plain("plain"));
        reader.read_line("\u{1b}[32m");
        reader.reset();
        assert!(reader.is_plain("after a gap"));
    }

    #[test]
    fn a_progress_bar_is_its_last_state() {
        assert_eq!(read(" 10%\r 50%\r100% done").text, "100% done");
        assert_eq!(read("loading...\rok\u{1b}[K").text, "ok");
        assert_eq!(read("abc\u{8}\u{8}X").text, "aXc");
        assert_eq!(read("abc\u{1b}[2DX\u{1b}[1GY").text, "YXc");
        assert_eq!(read("abc\u{1b}[2K\rnew").text, "new");
        assert_eq!(read("\u{1b}[5Cx").text, "     x");
    }

    #[test]
    fn links_are_kept_when_they_lead_to_the_web_and_are_text_otherwise() {
        let line = read("see \u{1b}]8;;https://example.com/a\u{1b}\\here\u{1b}]8;;\u{7} ok");
        assert_eq!(line.text, "see here ok");
        assert_eq!(line.links, [Link { range: 4..8, url: "https://example.com/a".into() }]);
        for hostile in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://a b",
            "data:text/html,x",
            "https://good@evil/",
            "https://\u{202e}x/",
        ] {
            let line = read(&format!("\u{1b}]8;;{hostile}\u{7}x\u{1b}]8;;\u{7}"));
            assert_eq!((line.text.as_str(), line.links.len()), ("x", 0), "{hostile}");
        }
    }

    #[test]
    fn what_a_terminal_would_act_on_is_dropped_and_never_shown() {
        for hostile in [
            "\u{1b}]0;title\u{7}",
            "\u{1b}]52;c;Y2xpcA==\u{1b}\\",
            "\u{1b}[6n",
            "\u{1b}[?1049h",
            "\u{1b}[2J\u{1b}[H",
            "\u{1b}[10A",
            "\u{1b}P1$r\u{1b}\\",
            "\u{1b}_app\u{1b}\\",
            "\u{1b}(B",
            "\u{1b}c",
            "\u{1b}[38;2;300;400m",
        ] {
            let line = read(&format!("a{hostile}b"));
            assert_eq!(line.text, "ab", "{hostile:?}");
        }
    }

    #[test]
    fn skipped_lines_leave_the_style_that_they_would_if_they_were_read() {
        for lines in [
            "plain",
            "\u{1b}[31mred\nstill",
            "\u{1b}[31mred\u{1b}[m\n\u{1b}[1mbold",
            "\u{1b}[0;32mgreen\n\u{1b}[4munderlined\u{1b}[39m",
            "\u{1b}]0;\u{1b}[35mtitle\n\u{1b}[3",
            "\u{1b}[8mhidden",
        ] {
            let (mut skipping, mut reading) = (AnsiReader::default(), AnsiReader::default());
            reading.read_line("\u{1b}[44m");
            skipping.skip_lines(b"\x1b[44m");
            lines.split('\n').for_each(|line| drop(reading.read_line(line)));
            skipping.skip_lines(lines.as_bytes());
            assert_eq!(skipping.style(), reading.style(), "{lines:?}");
        }
    }

    #[test]
    fn no_line_hides_the_next_or_makes_a_link_of_it() {
        let mut reader = AnsiReader::default();
        reader.read_line("\u{1b}[8mhidden");
        reader.read_line("\u{1b}]8;;https://evil/\u{7}");
        assert!(reader.is_plain("next"));
    }

    #[test]
    fn an_unfinished_sequence_ends_with_its_line() {
        let mut reader = AnsiReader::default();
        assert_eq!(reader.read_line("a\u{1b}]0;never ended").text, "a");
        assert_eq!(reader.read_line("next").text, "next");
        assert_eq!(reader.read_line("a\u{1b}[31").text, "a");
        assert_eq!(reader.read_line("m").text, "m");
    }
}
