//! Lines on standard output, with their colours, and without any other escape sequence.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use tailcast_lines::{ansi::AnsiReader, invisible::is_invisible};
use webpubsub_protocol::{
    marks::{Mark, Part, parts},
    payload::Payload,
};

use crate::terminal::without_controls;

/// Printer of messages. Text of others reaches the terminal as visible text and colours only: an escape sequence could change the
/// clipboard or the title, a link could lead to another address than its text, and characters that are invisible or reorder others
/// could show a line as another one.
pub(super) struct Printer<W> {
    output: W,
    reader: AnsiReader,
    /// Number of lines that are not printed.
    skipped: u64,
    /// Unfinished lines by publisher and source, which their finished ones replace.
    unfinished: Vec<(String, String)>,
}

/// Maximum number of unfinished lines that are remembered.
const MAX_UNFINISHED: usize = 64;

impl<W: Write> Printer<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, reader: AnsiReader::default(), skipped: 0, unfinished: Vec::new() }
    }

    /// Returns what was printed.
    pub(super) fn output(&mut self) -> &mut W {
        &mut self.output
    }

    /// Prints only the last `lines` of these messages, which follow. Returns whether there are fewer.
    pub(super) fn skip_all_but(&mut self, lines: u64, messages: &[Payload<'_>]) -> bool {
        let mut counter = Printer::new(Counter::default());
        for payload in messages {
            // Writing to memory cannot fail.
            counter.print(payload).unwrap_or_default();
        }
        self.skipped = counter.output.lines.saturating_sub(lines);
        counter.output.lines < lines
    }

    /// Prints the lines of a message, and flushes them.
    pub(super) fn print(&mut self, payload: &Payload<'_>) -> io::Result<()> {
        let text = text_of(payload);
        self.reader.reset();
        for part in parts(&text) {
            self.print_part(part)?;
        }
        self.output.flush()
    }

    fn print_part(&mut self, part: Part<'_>) -> io::Result<()> {
        let Some(text) = part.text else { return Ok(()) };
        let text = text.strip_suffix('\n').unwrap_or(text);
        let (writer, name, is_unfinished) = match part.mark {
            Some(Mark::Source { publisher, name, is_unfinished }) => {
                (format!("{publisher};{name}"), name, is_unfinished)
            }
            _ => (String::new(), "", false),
        };
        self.unfinished.retain(|(other, _)| writer.is_empty() || *other != writer);
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let line = self.formatted(name, line.strip_suffix('\r').unwrap_or(line));
            if is_unfinished && lines.peek().is_none() {
                if self.unfinished.len() >= MAX_UNFINISHED {
                    let (_, oldest) = self.unfinished.remove(0);
                    self.print_line(&oldest)?;
                }
                self.unfinished.push((writer.clone(), line));
            } else {
                self.print_line(&line)?;
            }
        }
        Ok(())
    }

    fn formatted(&mut self, name: &str, line: &str) -> String {
        let mut styled = self.reader.read_line(line);
        styled.runs.iter_mut().for_each(|run| run.style.make_visible());
        // The reader takes escape sequences out; those in the text now are its styles.
        let text: String = styled.with_styles().chars().filter_map(harmless).collect();
        if name.is_empty() { text } else { format!("{}: {text}", without_controls(name)) }
    }

    fn print_line(&mut self, line: &str) -> io::Result<()> {
        if self.skipped > 0 {
            self.skipped -= 1;
            return Ok(());
        }
        self.output.write_all(line.as_bytes())?;
        self.output.write_all(b"\n")
    }

    /// Prints the lines that were never finished.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        for (_, line) in std::mem::take(&mut self.unfinished) {
            self.print_line(&line)?;
        }
        self.output.flush()
    }
}

/// Returns the character to print. `None` if a terminal obeys it in place of showing it.
fn harmless(c: char) -> Option<char> {
    match c {
        '\t' | '\u{1b}' => Some(c),
        _ if c.is_control() => None,
        _ if is_invisible(c) => Some(char::REPLACEMENT_CHARACTER),
        _ => Some(c),
    }
}

/// Counts lines.
#[derive(Default)]
struct Counter {
    lines: u64,
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lines += u64::from(bytes == b"\n");
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text_of<'a>(payload: &'a Payload<'_>) -> Cow<'a, str> {
    match payload {
        Payload::Text(text) | Payload::Json(text) => Cow::Borrowed(text),
        Payload::Binary(bytes) | Payload::Protobuf(bytes) => {
            Cow::Owned(format!("({} bytes of binary data)", bytes.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(messages: &[&str]) -> String {
        let mut printer = Printer::new(Vec::new());
        for message in messages {
            printer.print(&Payload::Text((*message).into())).unwrap();
        }
        printer.finish().unwrap();
        String::from_utf8(printer.output).unwrap()
    }

    #[test]
    fn colours_are_kept_and_other_sequences_are_not() {
        assert_eq!(printed(&["a\nb\n", "c"]), "a\nb\nc\n");
        let coloured = printed(&["\u{1b}[31mred\u{1b}[0m plain"]);
        assert!(coloured.starts_with("\u{1b}[0;31mred") && coloured.ends_with(" plain\n"), "{coloured:?}");
        for hostile in [
            "\u{1b}]0;title\u{7}x",
            "\u{1b}]52;c;aGk=\u{7}x",
            "\u{1b}[2Jx",
            "\u{1b}cx",
            "\u{9b}2Jx",
            "\u{7}x",
            "\u{1b}]8;;https://phishing.example\u{7}x\u{1b}]8;;\u{7}",
        ] {
            let text = printed(&[hostile]);
            let controls = text.trim_end().chars().filter(|c| c.is_control()).count();
            assert_eq!(controls, 0, "{hostile:?}: {text:?}");
            assert!(text.ends_with("x\n"), "{text:?}");
        }
        let link_in_colour =
            printed(&["\u{1b}[31m\u{1b}]8;;https://h\u{1b}\\red\u{1b}]8;;\u{1b}\\\u{1b}[0m"]);
        assert_eq!(link_in_colour, "\u{1b}[0;31mred\u{1b}[m\n");
        assert_eq!(printed(&["a\u{202e}b\u{2069}"]), "a\u{fffd}b\u{fffd}\n");
        assert_eq!(printed(&["a\u{200b}\u{61c}b\u{2028}c\u{200e}"]), "a\u{fffd}\u{fffd}b\u{fffd}c\u{fffd}\n");
        assert_eq!(printed(&["\u{1b}[8mhidden\u{1b}[0m"]), "hidden\n");
        assert_eq!(printed(&["\u{1b}[31;41mred\u{1b}[0m"]), "\u{1b}[0;31mred\u{1b}[m\n");
    }

    #[test]
    fn only_the_last_lines_are_printed() {
        let messages = [Payload::Text("1\n2\n3".into()), Payload::Text("4\n5\n".into())];
        let mut printer = Printer::new(Vec::new());
        assert!(!printer.skip_all_but(3, &messages));
        messages.iter().for_each(|message| printer.print(message).unwrap());
        assert_eq!(printer.output, b"3\n4\n5\n");
    }

    #[test]
    fn an_unfinished_line_is_printed_once_it_is_finished() {
        let unfinished = Mark::Source { publisher: "p", name: "", is_unfinished: true };
        let finished = Mark::Source { publisher: "p", name: "", is_unfinished: false };
        let named = Mark::Source { publisher: "p", name: "a.log", is_unfinished: false };
        let messages = [
            format!("{unfinished}10%"),
            format!("{unfinished}50%"),
            format!("{finished}done"),
            format!("{named}x"),
        ];
        let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
        assert_eq!(printed(&messages), "done\na.log: x\n");
        assert_eq!(printed(&messages[..2]), "50%\n", "never finished");
    }
}
