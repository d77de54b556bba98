//! Text for a terminal.

use std::{
    borrow::Cow,
    fmt,
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use tailcast_lines::invisible::is_invisible;

/// Whether the user's terminal is in raw mode, in which a line feed does not return to the beginning of the line.
static IS_RAW: AtomicBool = AtomicBool::new(false);

/// Sets whether the user's terminal is in raw mode.
#[cfg(unix)]
pub(crate) fn set_raw(is_raw: bool) {
    IS_RAW.store(is_raw, Ordering::Relaxed);
}

/// Writes a line to standard error. A terminal that is gone or full changes nothing: the line is lost.
macro_rules! notice {
    ($($text:tt)*) => { $crate::terminal::write_line(std::io::stderr(), format_args!($($text)*)) };
}

/// Writes a line to standard output. A reader that is gone changes nothing: the line is lost.
macro_rules! announce {
    ($($text:tt)*) => { $crate::terminal::write_line(std::io::stdout(), format_args!($($text)*)) };
}

pub(crate) use {announce, notice};

/// Writes a line with one call, so that lines of several programs do not mix. Errors are ignored: a command must not depend on
/// somebody reading its messages, and there is no other place to report that to.
pub(crate) fn write_line(mut output: impl Write, text: fmt::Arguments<'_>) {
    let end = if IS_RAW.load(Ordering::Relaxed) && io::stderr().is_terminal() { "\r\n" } else { "\n" };
    let _is_lost: io::Result<()> =
        output.write_all(format!("{text}{end}").as_bytes()).and_then(|()| output.flush());
}

/// Returns a number with its noun: `1 line`, `2 lines`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Replaces invisible characters: text from a server must not move the cursor, change colors, set the title, or hide or reorder
/// characters.
pub(crate) fn without_controls(text: &str) -> Cow<'_, str> {
    let is_control = |c: char| c.is_control() || is_invisible(c);
    if text.contains(is_control) {
        text.chars().map(|c| if is_control(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_replaced() {
        assert_eq!(without_controls("a\u{1b}[2Jb\u{9b}c\r\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}");
        assert_eq!(without_controls("a\u{202e}b\u{2066}c\u{200f}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
        assert_eq!(without_controls("plain é"), "plain é");
    }

    #[test]
    fn a_noun_has_the_number_of_its_count() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "line")), ["0 lines", "1 line", "2 lines"]);
    }

    #[test]
    fn a_line_that_cannot_be_written_is_lost() {
        let mut full: [u8; 0] = [];
        write_line(&mut full[..], format_args!("lost"));
    }
}
