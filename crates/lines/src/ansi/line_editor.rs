//! Editor of a line that is overwritten in place: progress bars, spinners.
//!
//! As long as text is only appended, it is stored as it comes. The first move of the cursor splits it into columns, which are
//! joined again at the end.

use std::rc::Rc;

use super::{Link, StyleRun, StyledLine, cells::Cells, parser::Erase, style::Style};
use crate::text_columns::TAB_COLUMNS;

/// Columns that the cursor can be moved to. Text beyond is appended.
pub const MAX_COLUMNS: usize = 4096;
/// Longest line, in bytes, in which the cursor is moved. In a longer one everything is appended: nothing is lost, and columns
/// take far more memory than text.
pub const MAX_EDITED_BYTES: usize = 64 << 10;

/// Columns that the edits of a line may look at together. Beyond, only those of [`COLUMNS_PER_EDIT`] columns on average are
/// carried out: a hostile line has thousands of edits, and each takes time in proportion to the line.
const MAX_EDITED_COLUMNS: usize = 64 * MAX_COLUMNS;
/// Columns that an edit may always look at: more than those of a terminal.
const COLUMNS_PER_EDIT: usize = 256;
/// Movements of the cursor and edits in a line. Further ones are ignored: the longest line that `tailcast stream` sends has fewer.
const MAX_COMMANDS: usize = 64 << 10;

/// Columns from one tab stop to the next.
const TAB_STOP: usize = TAB_COLUMNS as usize;

/// One line being written.
#[derive(Debug, Clone, Default)]
pub struct LineEditor {
    line: StyledLine,
    /// The line by columns, once the cursor was moved.
    cells: Option<Cells>,
    /// Whether the columns differ from `line`.
    has_edits: bool,
    /// Number of columns that edits may still look at.
    columns_left: Option<usize>,
    /// Number of movements and edits so far.
    commands: usize,
    /// Last character written.
    last: Option<char>,
}

impl LineEditor {
    /// Creates an empty line with memory for `bytes` of text.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self {
            line: StyledLine { text: String::with_capacity(bytes), ..StyledLine::default() },
            ..Self::default()
        }
    }

    /// Creates the editor of a line that was written before, with the cursor at its beginning.
    #[must_use]
    pub fn of(line: StyledLine) -> Self {
        let mut editor = Self { line, ..Self::default() };
        editor.move_to(0);
        editor
    }

    /// Whether nothing was written or erased since the editor was created.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        !self.has_edits && self.last.is_none()
    }

    /// Writes at the cursor.
    pub fn write(&mut self, text: &str, style: Style, link: Option<&Rc<str>>) {
        self.last = text.chars().next_back();
        let gap = self.cells.as_ref().map_or(0, |cells| cells.column.saturating_sub(cells.len()));
        let may_leave_gap = self.spend(gap);
        match &mut self.cells {
            Some(cells) if cells.len() + text.len() <= MAX_EDITED_BYTES => {
                if !may_leave_gap {
                    cells.column = cells.len();
                }
                self.has_edits = true;
                text.chars().for_each(|character| cells.write_char(character, style, link));
            }
            _ => {
                self.join();
                append(&mut self.line, text, style, link.map(|url| &**url));
            }
        }
    }

    /// Writes the last character `count` times more, as far as the line is short.
    pub fn repeat(&mut self, count: usize, style: Style, link: Option<&Rc<str>>) {
        let Some(last) = self.last else { return };
        let len = self.cells.as_ref().map_or(self.line.text.len(), |cells| cells.len().max(cells.column));
        let text = last.to_string().repeat(count.min(MAX_COLUMNS.saturating_sub(len) / last.len_utf8()));
        if self.spend(text.len()) && !text.is_empty() {
            self.write(&text, style, link);
        }
    }

    /// Returns the column of the cursor, from 0; the last one of a line in which it is not moved.
    #[must_use]
    pub fn column(&mut self) -> usize {
        self.cells().map_or(MAX_COLUMNS, |cells| cells.column)
    }

    /// Moves the cursor to a column, from 0.
    pub fn move_to(&mut self, column: usize) {
        if let Some(cells) = self.cells() {
            cells.column = column.min(MAX_COLUMNS);
        }
    }

    /// Moves the cursor to the right, or to the left when negative.
    pub fn move_by(&mut self, columns: i32) {
        let Some(cells) = self.cells() else { return };
        let distance = columns.unsigned_abs() as usize;
        cells.column = match columns {
            ..0 => cells.column.saturating_sub(distance),
            0.. => cells.column.saturating_add(distance).min(MAX_COLUMNS.max(cells.column)),
        };
    }

    /// Moves the cursor over tab stops to the right, or to the left when negative.
    pub fn tab(&mut self, stops: i32) {
        let Some(cells) = self.cells() else { return };
        let count = stops.unsigned_abs() as usize;
        cells.column = match stops {
            0 => cells.column,
            ..0 => (cells.column.div_ceil(TAB_STOP).saturating_sub(count)) * TAB_STOP,
            1.. => {
                let stop = (cells.column / TAB_STOP).saturating_add(count).saturating_mul(TAB_STOP);
                stop.min(MAX_COLUMNS.max(cells.column))
            }
        };
    }

    /// Blanks a part of the line.
    pub fn erase(&mut self, part: Erase) {
        self.edit(0, |cells| match part {
            Erase::ToEnd => cells.erase_to_end(),
            Erase::ToStart => cells.erase_to_start(),
            Erase::All => cells.erase_all(),
        });
    }

    /// Blanks `count` columns from the cursor on.
    pub fn erase_columns(&mut self, count: usize) {
        self.edit(0, |cells| cells.erase(count));
    }

    /// Removes `count` columns from the cursor on; the rest moves to the left.
    pub fn delete(&mut self, count: usize) {
        self.edit(0, |cells| cells.delete(count));
    }

    /// Inserts `count` blank columns at the cursor, as far as the line is short; the rest moves to the right.
    pub fn insert(&mut self, count: usize) {
        let count = count.min(MAX_COLUMNS);
        self.edit(count, |cells| cells.insert(count.min(MAX_COLUMNS.saturating_sub(cells.len()))));
    }

    /// Returns the line in its final state.
    #[must_use]
    pub fn finish(mut self) -> StyledLine {
        self.join();
        self.line
    }

    /// Joins the columns: what follows is appended, until the cursor is moved again.
    fn join(&mut self) {
        if let Some(cells) = self.cells.take().filter(|_| self.has_edits) {
            self.line = cells.join();
        }
    }

    /// Changes the columns, `count` more of which are new.
    fn edit(&mut self, count: usize, change: impl FnOnce(&mut Cells)) {
        let Some(len) = self.cells().map(|cells| cells.len()) else { return };
        if self.spend(len + count)
            && let Some(cells) = &mut self.cells
        {
            change(cells);
            self.has_edits = true;
        }
    }

    /// Counts the columns that an edit looks at. Returns whether it may.
    fn spend(&mut self, columns: usize) -> bool {
        if columns == 0 {
            return true;
        }
        let left = self.columns_left.unwrap_or(MAX_EDITED_COLUMNS).saturating_add(COLUMNS_PER_EDIT);
        let rest = left.checked_sub(columns);
        self.columns_left = Some(rest.unwrap_or(0).min(MAX_EDITED_COLUMNS));
        rest.is_some()
    }

    /// Returns the line by columns; `None` if it is too long for that, or had too many commands.
    fn cells(&mut self) -> Option<&mut Cells> {
        self.commands += 1;
        let line = &self.line;
        if self.commands > MAX_COMMANDS || self.cells.is_none() && line.text.len() > MAX_EDITED_BYTES {
            return None;
        }
        Some(self.cells.get_or_insert_with(|| Cells::of(line)))
    }
}

/// Appends text to a line.
pub(super) fn append(line: &mut StyledLine, text: &str, style: Style, link: Option<&str>) {
    let start = u32::try_from(line.text.len()).unwrap_or(u32::MAX);
    let current = line.runs.last().map_or(Style::default(), |run| run.style);
    if style != current {
        // A styled stretch in a line that was plain so far: the plain beginning becomes a run too.
        if line.runs.is_empty() && start > 0 {
            line.runs.push(StyleRun { start: 0, style: Style::default() });
        }
        line.runs.push(StyleRun { start, style });
    }
    line.text.push_str(text);
    let end = u32::try_from(line.text.len()).unwrap_or(u32::MAX);
    if let Some(url) = link {
        match line.links.last_mut() {
            Some(last) if last.range.end == start && last.url == url => last.range.end = end,
            _ => line.links.push(Link { range: start..end, url: url.to_owned() }),
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text_columns::columns;

    proptest! {
        #[test]
        fn going_back_and_forth_without_writing_changes_nothing(text in "[a-zé日 ]{0,40}", column in 0..60_usize) {
            let mut editor = LineEditor::default();
            editor.write(&text, Style::default(), None);
            editor.move_to(column);
            editor.move_by(-3);
            prop_assert_eq!(editor.finish().text, text);
        }
    }

    fn edited(text: &str, edit: impl FnOnce(&mut LineEditor)) -> String {
        let mut editor = LineEditor::default();
        editor.write(text, Style::default(), None);
        edit(&mut editor);
        editor.finish().text
    }

    fn overwritten(text: &str, with: &str) -> String {
        edited(text, |editor| {
            editor.move_to(0);
            editor.write(with, Style::default(), None);
        })
    }

    #[test]
    fn the_cursor_moves_by_columns() {
        for (text, with, result) in [
            ("日本語", "ab", "ab本語"),
            ("日本語", "a", "a 本語"),
            ("abcd", "日", "日cd"),
            ("a日本", "bc", "bc 本"),
            ("👨\u{200d}👩\u{200d}👧 step", "ok", "ok step"),
            ("👍🏽x", "ok", "okx"),
            ("🇫🇷🇩🇪", "ok", "ok🇩🇪"),
            ("❤\u{fe0f}x", "ok", "okx"),
            ("e\u{301}t", "X", "Xt"),
            ("ab", "e\u{301}", "e\u{301}b"),
            ("a\tb", "xyz", "xyz     b"),
            ("abcdefghij", "x\ty", "xbcdefghyj"),
            ("한국 50%", "\t", "한국 50%"),
        ] {
            assert_eq!(overwritten(text, with), result, "{text:?} {with:?}");
        }
    }

    #[test]
    fn clusters_have_a_limit_and_no_character_is_lost() {
        let marks = "\u{301}".repeat(1_000);
        let text = overwritten("a", &format!("e{marks}"));
        assert_eq!(text.chars().filter(|character| *character == '\u{301}').count(), 1_000);
    }

    #[test]
    fn edits_of_wide_lines_have_a_limit() {
        let wide = edited(&"x".repeat(60_000), |editor| {
            for _ in 0..100_000 {
                editor.delete(1);
            }
        });
        assert!(wide.len() > 59_000, "{} columns are left", wide.len());
        let narrow = edited(&"x".repeat(200), |editor| {
            editor.move_to(0);
            for _ in 0..20_000 {
                editor.insert(1);
                editor.delete(1);
            }
            editor.delete(100);
        });
        assert_eq!(narrow.len(), 100);
    }

    #[test]
    fn commands_of_a_line_have_a_limit_and_its_text_is_appended_then() {
        let line = edited("ab", |editor| {
            for _ in 0..MAX_COMMANDS {
                editor.move_by(-1);
            }
            editor.write("X", Style::default(), None);
            editor.move_to(0);
            editor.write("Y", Style::default(), None);
        });
        assert_eq!(line, "XY");
    }

    #[test]
    fn a_line_that_is_long_behind_its_first_edit_is_appended_to_and_not_split() {
        let long = "x".repeat(MAX_EDITED_BYTES);
        let mut editor = LineEditor::default();
        editor.write("ab", Style::default(), None);
        editor.move_to(0);
        editor.write("c", Style::default(), None);
        editor.write(&long, Style::default(), None);
        assert!(editor.cells.is_none());
        editor.move_to(0);
        editor.write("d", Style::default(), None);
        assert_eq!(editor.finish().text, format!("cb{long}d"));
    }

    #[test]
    fn columns_that_short_commands_create_have_a_limit() {
        let mut editor = LineEditor::default();
        editor.write("x", Style::default(), None);
        for _ in 0..10_000 {
            editor.erase(Erase::All);
            editor.move_to(MAX_COLUMNS);
            editor.write("x", Style::default(), None);
            editor.erase(Erase::All);
            editor.move_to(0);
            editor.repeat(MAX_COLUMNS, Style::default(), None);
        }
        assert_eq!(editor.columns_left, Some(0));
        assert!(editor.finish().text.len() < COLUMNS_PER_EDIT);
    }

    #[test]
    fn columns_are_inserted_deleted_erased_and_repeated() {
        let at = |column: usize, edit: fn(&mut LineEditor)| {
            edited("ab日cd", |editor| {
                editor.move_to(column);
                edit(editor);
            })
        };
        assert_eq!(at(1, |editor| editor.delete(1)), "a日cd");
        assert_eq!(at(1, |editor| editor.delete(2)), "a cd");
        assert_eq!(at(1, |editor| editor.delete(100)), "a");
        assert_eq!(at(1, |editor| editor.insert(2)), "a  b日cd");
        assert_eq!(at(3, |editor| editor.insert(1)), "ab   cd");
        assert_eq!(at(9, |editor| editor.insert(1)), "ab日cd");
        assert_eq!(at(1, |editor| editor.erase_columns(2)), "a   cd");
        assert_eq!(at(5, |editor| editor.erase_columns(100)), "ab日c ");
        assert_eq!(edited("ab", |editor| editor.repeat(3, Style::default(), None)), "abbbb");
        assert_eq!(at(6, |editor| editor.repeat(2, Style::default(), None)), "ab日cddd");
        assert_eq!(
            at(0, |editor| {
                editor.tab(1);
                editor.write("x", Style::default(), None);
                editor.tab(-2);
                editor.write("y", Style::default(), None);
            }),
            "yb日cd  x"
        );
    }

    #[test]
    fn a_line_does_not_grow_by_repeats_and_insertions_beyond_the_limit() {
        let mut editor = LineEditor::default();
        editor.write("日", Style::default(), None);
        for _ in 0..1000 {
            editor.repeat(usize::from(u16::MAX), Style::default(), None);
        }
        editor.move_to(0);
        for _ in 0..1000 {
            editor.insert(usize::from(u16::MAX));
        }
        assert!(columns(&editor.finish().text) as usize <= MAX_COLUMNS);
    }

    #[test]
    fn a_move_far_away_is_bounded() {
        let mut editor = LineEditor::default();
        for _ in 0..1000 {
            editor.move_by(i32::from(u16::MAX));
        }
        editor.write("x", Style::default(), None);
        assert_eq!(editor.finish().text.len(), MAX_COLUMNS + 1);
    }

    #[test]
    fn a_line_too_long_to_edit_is_kept_whole() {
        let mut editor = LineEditor::default();
        let long = "x".repeat(MAX_EDITED_BYTES + 1);
        editor.write(&long, Style::default(), None);
        editor.move_to(0);
        editor.write("y", Style::default(), None);
        assert_eq!(editor.finish().text, long + "y");
    }

    #[test]
    fn overwriting_half_a_link_leaves_the_other_half() {
        let mut editor = LineEditor::default();
        editor.write("abcd", Style::default(), Some(&Rc::from("https://x/")));
        editor.move_to(0);
        editor.write("XY", Style::default(), None);
        let line = editor.finish();
        assert_eq!((line.text.as_str(), line.links[0].range.clone()), ("XYcd", 2..4));
    }
}
