//! Marks: escape sequences by which a publisher names the source of lines, redraws an unfinished line, and reports the start
//! and the end of a command. Terminals ignore them.
//!
//! ```text
//! ESC ] 7717 ; PUBLISHER [+] [ ; NAME : SPACE ] BEL     the lines that follow are of this source
//! ESC ] 133 ; C ; aid=PUBLISHER BEL                     a command has started
//! ESC ] 133 ; D ; CODE ; aid=PUBLISHER ; time=SECONDS BEL     the command has ended
//! ```
//!
//! A mark stands at the beginning of a line, and applies up to the next one or the end of its message. With `+`, the last line
//! is unfinished: the first line that the same publisher marks with the same name replaces it. A name ends with a colon and a
//! space, so that it is readable where escape sequences are displayed.

use std::{borrow::Cow, fmt};

use memchr::{memchr, memchr_iter, memchr2, memmem};

/// Beginning of a source mark.
pub const SOURCE_MARK: &str = "\u{1b}]7717;";
/// Beginning of a command mark.
const COMMAND_MARK: &str = "\u{1b}]133;";
/// Maximum length of a mark's body, in bytes. A longer one is no mark.
const MAX_BODY_BYTES: usize = 512;
/// Maximum length of the name of a publisher, in bytes.
pub const MAX_PUBLISHER_BYTES: usize = 16;
/// Maximum length of the name of a source, in bytes.
pub const MAX_NAME_BYTES: usize = 256;

/// A mark. Its [`Display`](fmt::Display) is the escape sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mark<'a> {
    /// The lines that follow are of a source.
    Source {
        /// Name of the publisher: a few letters and digits, different for each run of a command.
        publisher: &'a str,
        /// Name of the source; empty for the publisher's main one.
        name: &'a str,
        /// Whether the last of the lines is unfinished.
        is_unfinished: bool,
    },
    /// A command has started.
    CommandStart {
        /// Name of the publisher.
        publisher: &'a str,
    },
    /// A command has ended.
    CommandEnd {
        /// Name of the publisher.
        publisher: &'a str,
        /// Exit code.
        exit_code: Option<u8>,
        /// Duration.
        seconds: Option<f64>,
    },
}

impl fmt::Display for Mark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Source { publisher, name, is_unfinished } => {
                let plus = if is_unfinished { "+" } else { "" };
                match name {
                    "" => write!(f, "{SOURCE_MARK}{publisher}{plus}\u{7}"),
                    name => write!(f, "{SOURCE_MARK}{publisher}{plus};{name}: \u{7}"),
                }
            }
            Self::CommandStart { publisher } => write!(f, "{COMMAND_MARK}C;aid={publisher}\u{7}"),
            Self::CommandEnd { publisher, exit_code, seconds } => {
                write!(f, "{COMMAND_MARK}D")?;
                if let Some(code) = exit_code {
                    write!(f, ";{code}")?;
                }
                write!(f, ";aid={publisher}")?;
                if let Some(seconds) = seconds {
                    write!(f, ";time={seconds:.1}")?;
                }
                f.write_str("\u{7}")
            }
        }
    }
}

impl<'a> Mark<'a> {
    /// Parses the mark at the beginning of `text`. Returns it with the text after it.
    fn parse(text: &'a str) -> Option<(Self, &'a str)> {
        let (body, is_source) = match text.strip_prefix(SOURCE_MARK) {
            Some(body) => (body, true),
            None => (text.strip_prefix(COMMAND_MARK)?, false),
        };
        let end = body.bytes().take(MAX_BODY_BYTES).position(|byte| byte < b' ')?;
        let (body, rest) = body.split_at_checked(end)?;
        let rest = rest.strip_prefix('\u{7}').or_else(|| rest.strip_prefix("\u{1b}\\"))?;
        let mark = if is_source { Self::parse_source(body) } else { Self::parse_command(body) };
        Some((mark?, rest))
    }

    fn parse_source(body: &'a str) -> Option<Self> {
        let (publisher, name) = body.split_once(';').unwrap_or((body, ""));
        let (publisher, is_unfinished) = match publisher.strip_suffix('+') {
            Some(publisher) => (publisher, true),
            None => (publisher, false),
        };
        let name = name.strip_suffix(": ").unwrap_or(name);
        let is_valid = is_publisher(publisher) && name.len() <= MAX_NAME_BYTES;
        is_valid.then_some(Self::Source { publisher, name, is_unfinished })
    }

    /// Marks of shells name no publisher, and are left to terminals.
    fn parse_command(body: &'a str) -> Option<Self> {
        let mut parts = body.split(';');
        let kind = parts.next()?;
        let (mut publisher, mut exit_code, mut seconds) = (None, None, None);
        for (number, part) in parts.enumerate() {
            match part.split_once('=') {
                Some(("aid", name)) => publisher = Some(name).filter(|name| is_publisher(name)),
                Some(("time", time)) => {
                    seconds = time.parse().ok().filter(|time: &f64| time.is_finite() && *time >= 0.0);
                }
                Some(_) => {}
                None if number == 0 => exit_code = part.parse().ok(),
                None => {}
            }
        }
        let publisher = publisher?;
        match kind {
            "C" => Some(Self::CommandStart { publisher }),
            "D" => Some(Self::CommandEnd { publisher, exit_code, seconds }),
            _ => None,
        }
    }
}

fn is_publisher(name: &str) -> bool {
    (1..=MAX_PUBLISHER_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A part of a message: a mark, and the lines after it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part<'a> {
    /// The mark; `None` for the lines before the first one.
    pub mark: Option<Mark<'a>>,
    /// The lines, joined by line feeds; a line feed at the end ends the last one. `None` if the part has no lines.
    pub text: Option<&'a str>,
}

impl Part<'_> {
    fn count_lines(&self) -> u64 {
        let Some(text) = self.text else { return 0 };
        let is_unfinished = matches!(self.mark, Some(Mark::Source { is_unfinished: true, .. }));
        count_text_lines(text) - u64::from(is_unfinished)
    }
}

/// Parts of a message.
#[derive(Debug)]
pub struct Parts<'a> {
    rest: Option<&'a str>,
    mark: Option<Mark<'a>>,
    is_first: bool,
}

/// Splits a message at its marks.
#[must_use]
pub fn parts(message: &str) -> Parts<'_> {
    Parts { rest: Some(message), mark: None, is_first: true }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let (text, mark) = (rest, self.mark.take());
        let has_lines_if_empty = match mark {
            // An empty message is an empty line; a message that begins with a mark has no lines before it.
            None => std::mem::take(&mut self.is_first) && next_mark(rest).is_none(),
            Some(Mark::Source { .. }) => true,
            Some(Mark::CommandStart { .. } | Mark::CommandEnd { .. }) => false,
        };
        self.is_first = false;
        let text = match next_mark(rest) {
            Some((at, next, after)) => {
                (self.mark, self.rest) = (Some(next), Some(after));
                text.get(..at).unwrap_or_default()
            }
            None => text,
        };
        let has_lines = !text.is_empty() || has_lines_if_empty;
        match mark {
            None if !has_lines => self.next(),
            mark => Some(Part { mark, text: has_lines.then_some(text) }),
        }
    }
}

/// Returns the number of lines that a message adds to the log of its group. Marks of commands add none; neither does an
/// unfinished line, which a later one replaces. A line feed at the end belongs to the last line.
#[must_use]
pub fn count_lines(message: &str) -> u64 {
    // The service counts the lines of each message, and most are one line without escape sequences.
    let bytes = message.as_bytes();
    match memchr2(b'\n', b'\x1b', bytes) {
        None => return 1,
        Some(at) if at + 1 == bytes.len() && bytes.ends_with(b"\n") => return 1,
        Some(_) => {}
    }
    if memchr(b'\x1b', bytes).is_none() {
        return count_text_lines(message);
    }
    parts(message).map(|part| part.count_lines()).sum()
}

fn count_text_lines(text: &str) -> u64 {
    let text = text.strip_suffix('\n').unwrap_or(text);
    memchr_iter(b'\n', text.as_bytes()).count() as u64 + 1
}

/// Returns whether a message is one unfinished line, which a later message replaces.
#[must_use]
pub fn is_unfinished_line(message: &str) -> bool {
    let mut parts = parts(message);
    let first = parts.next().is_some_and(|part| {
        let is_unfinished = matches!(part.mark, Some(Mark::Source { is_unfinished: true, .. }));
        is_unfinished && part.text.is_some_and(|text| memchr(b'\n', text.as_bytes()).is_none())
    });
    first && parts.next().is_none()
}

/// Returns lines in which no mark is effective: text of a command must not pass for a mark of its publisher.
#[must_use]
pub fn without_marks(lines: &str) -> Cow<'_, str> {
    // A mark ends with one of these, and few lines have any. Colours are far more frequent.
    if memchr2(b'\x07', b'\\', lines.as_bytes()).is_none() {
        return Cow::Borrowed(lines);
    }
    let Some((at, _, _)) = next_mark(lines) else { return Cow::Borrowed(lines) };
    let (mut text, mut rest, mut at) = (String::with_capacity(lines.len()), lines, Some(at));
    while let Some(start) = at {
        let (before, mark) = rest.split_at(start);
        text.push_str(before);
        rest = mark.strip_prefix('\u{1b}').unwrap_or(mark);
        at = next_mark(rest).map(|(at, _, _)| at);
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Returns the first mark of a text, with its offset and the text after it.
fn next_mark(text: &str) -> Option<(usize, Mark<'_>, &str)> {
    memmem::find_iter(text.as_bytes(), b"\x1b]").find_map(|at| {
        let is_at_line_start = at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n');
        if !is_at_line_start {
            return None;
        }
        let (mark, rest) = Mark::parse(text.get(at..)?)?;
        Some((at, mark, rest))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(name: &str) -> Mark<'_> {
        Mark::Source { publisher: "k3f9", name, is_unfinished: false }
    }

    fn read(message: &str) -> Vec<(Option<Mark<'_>>, Option<&str>)> {
        parts(message).map(|part| (part.mark, part.text)).collect()
    }

    #[test]
    fn a_message_without_marks_is_one_part() {
        for message in ["", "one", "one\ntwo\n", "\u{1b}]0;title\u{7}x", "\u{1b}]8;;https://x/\u{7}x"] {
            assert_eq!(read(message), [(None, Some(message))]);
        }
    }

    #[test]
    fn a_message_is_split_at_its_marks() {
        let message = format!("out\n{}err\n\n{}again", source("stderr"), source(""));
        assert_eq!(
            read(&message),
            [
                (None, Some("out\n")),
                (Some(source("stderr")), Some("err\n\n")),
                (Some(source("")), Some("again"))
            ]
        );
        assert_eq!(read(&format!("{}", source("a"))), [(Some(source("a")), Some(""))], "an empty line");
    }

    #[test]
    fn marks_of_commands_have_no_line_of_their_own() {
        let (start, end) = (
            Mark::CommandStart { publisher: "k3f9" },
            Mark::CommandEnd { publisher: "k3f9", exit_code: Some(2), seconds: Some(192.0) },
        );
        assert_eq!(read(&format!("{start}one")), [(Some(start), Some("one"))]);
        assert_eq!(
            read(&format!("{start}{}x", source("stderr"))),
            [(Some(start), None), (Some(source("stderr")), Some("x"))]
        );
        assert_eq!(read(&end.to_string()), [(Some(end), None)]);
    }

    #[test]
    fn unfinished_lines_and_marks_of_commands_count_as_no_line() {
        let unfinished = Mark::Source { publisher: "k3f9", name: "", is_unfinished: true };
        let start = Mark::CommandStart { publisher: "k3f9" };
        let cases = [
            (String::new(), 1),
            ("one".to_owned(), 1),
            ("one\n\nthree\n".to_owned(), 3),
            (format!("{unfinished}10 %"), 0),
            (format!("{unfinished}one\n20 %"), 1),
            (format!("{}100 %\ntwo", source("")), 2),
            (format!("out\n{}err\n{unfinished}50 %", source("stderr")), 2),
            (start.to_string(), 0),
            (format!("{start}one"), 1),
        ];
        for (message, count) in cases {
            assert_eq!(count_lines(&message), count, "{message:?}");
            assert_eq!(is_unfinished_line(&message), message == format!("{unfinished}10 %"), "{message:?}");
        }
    }

    #[test]
    fn the_body_of_a_mark_is_short_and_readable() {
        assert_eq!(source("app.log").to_string(), "\u{1b}]7717;k3f9;app.log: \u{7}");
        let unfinished = Mark::Source { publisher: "k3f9", name: "", is_unfinished: true };
        assert_eq!(unfinished.to_string(), "\u{1b}]7717;k3f9+\u{7}");
        let end = Mark::CommandEnd { publisher: "k3f9", exit_code: Some(2), seconds: Some(192.04) };
        assert_eq!(end.to_string(), "\u{1b}]133;D;2;aid=k3f9;time=192.0\u{7}");
    }

    #[test]
    fn marks_within_a_line_marks_of_shells_and_malformed_ones_are_text() {
        let long = format!("\u{1b}]7717;k3f9;{}\u{7}", "x".repeat(MAX_BODY_BYTES));
        for message in [
            &format!("in a line {}", source("a")),
            "\u{1b}]133;D;1\u{7}",
            "\u{1b}]133;A\u{7}$ ",
            "\u{1b}]7717;\u{7}",
            "\u{1b}]7717;no end",
            "\u{1b}]7717;k3 f9;a: \u{7}",
            &long,
        ] {
            assert_eq!(read(message), [(None, Some(message))]);
        }
    }

    #[test]
    fn marks_in_text_become_ineffective() {
        let text = format!("a\n{}b\n{}c{}", source("x"), Mark::CommandStart { publisher: "k" }, source("y"));
        let harmless = without_marks(&text);
        assert_eq!(read(&harmless), [(None, Some(&*harmless))]);
        assert_eq!(without_marks("plain \u{1b}]0;t\u{7}"), "plain \u{1b}]0;t\u{7}");
    }

    proptest! {
        #[test]
        fn marks_round_trip_and_no_line_is_lost(
            marked in prop::collection::vec(("[a-z0-9]{1,6}", "[a-zé./: ;-]{0,12}[a-z]", any::<bool>(), "[a-z\u{1b}\\]0-9;\n]{0,12}"), 0..6),
            before in "[a-z\n]{0,8}",
        ) {
            let mut message = before.clone();
            for (publisher, name, is_unfinished, text) in &marked {
                if !message.is_empty() {
                    message.push('\n');
                }
                message.push_str(&Mark::Source { publisher, name, is_unfinished: *is_unfinished }.to_string());
                message.push_str(text);
            }
            let read: Vec<_> = parts(&message).filter(|part| part.mark.is_some()).collect();
            prop_assert_eq!(read.len(), marked.len());
            for (at, (part, (publisher, name, is_unfinished, text))) in read.iter().zip(&marked).enumerate() {
                let mark = Mark::Source { publisher, name, is_unfinished: *is_unfinished };
                prop_assert_eq!(part.mark, Some(mark));
                let expected = if at + 1 < marked.len() { format!("{text}\n") } else { text.clone() };
                prop_assert_eq!(part.text, Some(expected.as_str()));
            }
        }

        #[test]
        fn any_text_is_split_without_loss(message in "[\u{1b}\\]7;1aid=+C\n\u{7}3D]{0,60}") {
            let texts: usize = parts(&message).filter_map(|part| part.text).map(str::len).sum();
            prop_assert!(texts <= message.len());
        }
    }
}
