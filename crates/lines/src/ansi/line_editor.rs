//! Text that is overwritten in place: progress bars, spinners.
//!
//! As long as text is only appended, it is kept as it comes. The first step back makes cells of it, one a character,
//! which are joined again at the end.

use std::rc::Rc;

use super::{Link, StyleRun, StyledLine, parser::Erase, style::Style};

/// Columns that can be moved back to and written over. What lies beyond is appended.
pub const MAX_COLUMNS: usize = 4096;
/// Longest line, in bytes, in which anything is moved back to. In a longer one everything is appended: nothing of it is
/// lost, and cells take far more room than text.
pub const MAX_EDITED_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    character: char,
    style: Style,
    link: Option<Rc<str>>,
}

/// One line being written.
#[derive(Debug, Clone, Default)]
pub struct LineEditor {
    line: StyledLine,
    /// The line as cells, once something in it was moved back to.
    cells: Option<Cells>,
}

#[derive(Debug, Clone)]
struct Cells {
    cells: Vec<Cell>,
    column: usize,
}

impl LineEditor {
    /// An empty line, which will take so many bytes of text or fewer.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        let line = StyledLine { text: String::with_capacity(bytes), ..StyledLine::default() };
        Self { line, cells: None }
    }

    /// Writes where the cursor is.
    pub fn write(&mut self, text: &str, style: Style, link: Option<&Rc<str>>) {
        match &mut self.cells {
            Some(cells) => cells.write(text, style, link),
            None => append(&mut self.line, text, style, link.map(|url| &**url)),
        }
    }

    /// To this column, from 0.
    pub fn move_to(&mut self, column: usize) {
        if let Some(cells) = self.cells() {
            cells.column = column.min(MAX_COLUMNS);
        }
    }

    /// Columns to the right, or to the left when negative.
    pub fn move_by(&mut self, columns: i32) {
        let Some(cells) = self.cells() else { return };
        let distance = columns.unsigned_abs() as usize;
        cells.column = match columns {
            ..0 => cells.column.saturating_sub(distance),
            0.. => cells.column.saturating_add(distance).min(MAX_COLUMNS.max(cells.column)),
        };
    }

    /// Makes a part of the line blank.
    pub fn erase(&mut self, part: Erase) {
        let Some(cells) = self.cells() else { return };
        let blank = Cell { character: ' ', style: Style::default(), link: None };
        match part {
            Erase::ToEnd => cells.cells.truncate(cells.column),
            Erase::ToStart => {
                let end = (cells.column + 1).min(cells.cells.len());
                cells.cells.iter_mut().take(end).for_each(|cell| *cell = blank.clone());
            }
            Erase::All => cells.cells.clear(),
        }
    }

    /// The line as it is in the end.
    #[must_use]
    pub fn finish(self) -> StyledLine {
        let Some(Cells { cells, .. }) = self.cells else { return self.line };
        let mut line = StyledLine::default();
        let mut buffer = [0; 4];
        for cell in cells {
            append(&mut line, cell.character.encode_utf8(&mut buffer), cell.style, cell.link.as_deref());
        }
        line
    }

    /// The line as cells; `None` when it is too long for that.
    fn cells(&mut self) -> Option<&mut Cells> {
        let line = &self.line;
        if self.cells.is_none() && line.text.len() > MAX_EDITED_BYTES {
            return None;
        }
        Some(self.cells.get_or_insert_with(|| Cells::of(line)))
    }
}

impl Cells {
    fn of(line: &StyledLine) -> Self {
        let links: Vec<(std::ops::Range<u32>, Rc<str>)> =
            line.links.iter().map(|link| (link.range.clone(), Rc::from(link.url.as_str()))).collect();
        let (mut run, mut at_link) = (0, 0);
        let mut style = Style::default();
        let cells: Vec<Cell> = line
            .text
            .char_indices()
            .map(|(at, character)| {
                // A line's bytes are far fewer than 4 GiB.
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                while let Some(next) = line.runs.get(run).filter(|next| next.start <= at) {
                    style = next.style;
                    run += 1;
                }
                while links.get(at_link).is_some_and(|(range, _)| range.end <= at) {
                    at_link += 1;
                }
                let link = links.get(at_link).filter(|(range, _)| range.contains(&at));
                Cell { character, style, link: link.map(|(_, url)| Rc::clone(url)) }
            })
            .collect();
        Self { column: cells.len(), cells }
    }

    fn write(&mut self, text: &str, style: Style, link: Option<&Rc<str>>) {
        for character in text.chars() {
            let cell = Cell { character, style, link: link.cloned() };
            while self.cells.len() < self.column {
                self.cells.push(Cell { character: ' ', style: Style::default(), link: None });
            }
            match self.cells.get_mut(self.column) {
                Some(old) => *old = cell,
                None => self.cells.push(cell),
            }
            self.column += 1;
        }
    }
}

/// Appends text to a line.
fn append(line: &mut StyledLine, text: &str, style: Style, link: Option<&str>) {
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
