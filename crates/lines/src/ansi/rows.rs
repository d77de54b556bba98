//! Rows that a command overwrites from below: it moves the cursor up, as nested progress bars do.

use std::ops::RangeInclusive;

use memchr::memchr_iter;

use super::{
    AnsiReader,
    line_editor::LineEditor,
    parser::{Erase, TerminalCommand},
    style::Style,
};

/// Rows that a command can move the cursor up from the line it writes. It stops at the highest one.
pub const MAX_ROWS_UP: usize = 64;
/// Digits of the parameters of a sequence that are looked at by [`moves_rows`].
const MAX_DIGITS: usize = 8;

/// Position that was saved, and the style there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Saved {
    row: usize,
    column: usize,
    style: Style,
}

/// Whether a line may move the cursor to another row.
#[must_use]
pub fn moves_rows(line: &[u8]) -> bool {
    memchr_iter(0x1b, line).any(|at| {
        let Some((first, rest)) = line.get(at + 1..).and_then(<[u8]>::split_first) else { return false };
        if *first == b'M' {
            return true;
        }
        let last = rest.iter().take(MAX_DIGITS).find(|byte| !byte.is_ascii_digit() && **byte != b';');
        // The parser decides upon sequences with control characters in them.
        *first == b'['
            && last.is_some_and(|last| matches!(last, b'A' | b'B' | b'E' | b'F' | b'e' | b'J' | 0..0x20))
    })
}

impl AnsiReader {
    /// Reads a piece of a line, which has no line feed, into editors of the rows that it can reach, the highest first. `cursor` is
    /// the row of the cursor.
    pub fn read_rows(&mut self, piece: &str, rows: &mut [LineEditor], cursor: &mut usize) {
        let Self { parser, style, link, saved } = self;
        let last_row = rows.len().saturating_sub(1);
        parser.feed(piece, |command| {
            let Some(editor) = rows.get_mut(*cursor) else { return };
            match command {
                TerminalCommand::Text(text) => editor.write(text, *style, link.as_ref()),
                TerminalCommand::Repeat(count) => editor.repeat(count, *style, link.as_ref()),
                TerminalCommand::Sgr(parameters) => style.apply(parameters),
                TerminalCommand::Link(url) => *link = url.filter(|url| super::is_safe(url)).map(Into::into),
                TerminalCommand::CarriageReturn => editor.move_to(0),
                TerminalCommand::Backspace => editor.move_by(-1),
                TerminalCommand::MoveBy(columns) => editor.move_by(columns),
                TerminalCommand::MoveTo(column) => editor.move_to(column),
                TerminalCommand::Tab(stops) => editor.tab(stops),
                TerminalCommand::EraseInLine(part) => editor.erase(part),
                TerminalCommand::EraseColumns(count) => editor.erase_columns(count),
                TerminalCommand::DeleteColumns(count) => editor.delete(count),
                TerminalCommand::InsertColumns(count) => editor.insert(count),
                TerminalCommand::EraseBelow => {
                    editor.erase(Erase::ToEnd);
                    rows.iter_mut().skip(*cursor + 1).for_each(|row| row.erase(Erase::All));
                }
                TerminalCommand::MoveRows { rows: distance, is_to_start } => {
                    let column = if is_to_start { 0 } else { editor.column() };
                    let to = moved(*cursor, distance, last_row);
                    if to != *cursor || is_to_start {
                        go(rows, cursor, to, column);
                    }
                }
                TerminalCommand::SaveCursor => {
                    *saved = Some(Saved { row: *cursor, column: editor.column(), style: *style });
                }
                TerminalCommand::RestoreCursor => {
                    if let Some(Saved { row, column, style: saved_style }) = *saved {
                        *style = saved_style;
                        go(rows, cursor, row.min(last_row), column);
                    }
                }
            }
        });
    }

    /// Returns the rows that a line can reach, relative to its own.
    #[must_use]
    pub fn reach_of(&self, line: &str) -> RangeInclusive<i32> {
        let limit = i32::try_from(MAX_ROWS_UP).unwrap_or(i32::MAX);
        let (mut row, mut highest, mut lowest) = (0, 0, 0);
        self.parser.clone().feed(line, |command| match command {
            TerminalCommand::MoveRows { rows, .. } => {
                row = (row + rows).clamp(-limit, limit);
                highest = highest.min(row);
                lowest = lowest.max(row);
            }
            TerminalCommand::EraseBelow => lowest = limit,
            _ => {}
        });
        // The cursor stops at the highest row that there is, which may be lower: what follows is then lower, too.
        highest..=lowest.max(if highest < 0 { limit } else { lowest })
    }
}

fn moved(row: usize, distance: i32, last_row: usize) -> usize {
    let rows = distance.unsigned_abs() as usize;
    if distance < 0 { row.saturating_sub(rows) } else { row.saturating_add(rows).min(last_row) }
}

fn go(rows: &mut [LineEditor], cursor: &mut usize, to: usize, column: usize) {
    *cursor = to;
    if let Some(editor) = rows.get_mut(to) {
        editor.move_to(column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &[&str], at: usize, line: &str) -> (Vec<String>, usize) {
        let mut reader = AnsiReader::default();
        let mut editors: Vec<LineEditor> =
            rows.iter().map(|row| LineEditor::of(AnsiReader::default().read_line(row))).collect();
        let mut cursor = at;
        reader.read_rows(line, &mut editors, &mut cursor);
        (editors.into_iter().map(|editor| editor.finish().text).collect(), cursor)
    }

    #[test]
    fn rows_above_and_below_are_overwritten() {
        let rows = ["first", "second", "third"];
        assert_eq!(read(&rows, 2, "\u{1b}[2AXY"), (vec!["XYrst".into(), "second".into(), "third".into()], 0));
        assert_eq!(read(&rows, 2, "ab\u{1b}[AX\u{1b}[BY").0, ["first", "seXond", "abiYd"]);
        assert_eq!(read(&rows, 2, "\u{1b}[9AX\u{1b}[9BY").0, ["Xirst", "second", "tYird"]);
        assert_eq!(read(&rows, 2, "ab\u{1b}[FX\u{1b}[EY").0, ["first", "Xecond", "Ybird"]);
        assert_eq!(read(&rows, 2, "ab\u{1b}MX").0, ["first", "seXond", "abird"]);
        assert_eq!(read(&rows, 1, "se\u{1b}[JX").0, ["first", "seX", ""]);
        assert_eq!(read(&rows, 0, "a\u{1b}7\u{1b}[2Bz\u{1b}8b").0, ["abrst", "second", "tzird"]);
    }

    #[test]
    fn a_saved_position_is_restored_with_its_style() {
        for (save, restore) in [("\u{1b}7", "\u{1b}8"), ("\u{1b}[s", "\u{1b}[u")] {
            let line = format!("ab{save}cd\u{1b}[31m{restore}X");
            let read = AnsiReader::default().read_line(&line);
            assert_eq!(read.text, "abXd");
            assert!(read.runs.is_empty(), "the style is that of the saved position");
        }
        assert_eq!(read(&["abc"], 0, "ab\u{1b}8X").0, ["abX"], "nothing was saved");
    }

    #[test]
    fn lines_that_move_to_other_rows_are_recognised() {
        for line in [
            "\u{1b}[A",
            "x\u{1b}[31m\u{1b}[12Ax",
            "\u{1b}[F",
            "\u{1b}M",
            "\u{1b}[J",
            "\u{1b}[0J",
            "\u{1b}[1\u{0}A",
        ] {
            assert!(moves_rows(line.as_bytes()), "{line:?}");
        }
        for line in [
            "",
            "plain",
            "\u{1b}[31mred\u{1b}[m",
            "\u{1b}[2K\r",
            "\u{1b}]8;;https://x/\u{7}",
            "\u{1b}",
            "\u{1b}[3",
            "\u{1b}[?25l",
        ] {
            assert!(!moves_rows(line.as_bytes()), "{line:?}");
        }
        assert_eq!(AnsiReader::default().reach_of("\u{1b}[31mx\u{1b}[B"), 0..=1);
        assert_eq!(*AnsiReader::default().reach_of("\u{1b}[3A\u{1b}[1B").start(), -3);
    }
}
