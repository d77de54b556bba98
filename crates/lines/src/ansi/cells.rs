//! Columns of a line that is edited.

use std::rc::Rc;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{
    StyledLine,
    line_editor::{MAX_COLUMNS, append},
    style::Style,
};
use crate::text_columns::next_tab_stop;

/// Longest cluster, in bytes: an emoji of a family has 25. Further characters begin another one, since each that is joined is
/// measured with those before it.
const MAX_CLUSTER_BYTES: usize = 64;

const JOINER: char = '\u{200d}';

/// Text of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Glyph {
    Character(char),
    /// A character with those that are joined to it.
    Cluster(Box<str>),
    /// Second column of the character before.
    Tail,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cell {
    glyph: Glyph,
    style: Style,
    link: Option<Rc<str>>,
}

impl Cell {
    fn blank() -> Self {
        Self { glyph: Glyph::Character(' '), style: Style::default(), link: None }
    }

    fn is_tail(&self) -> bool {
        self.glyph == Glyph::Tail
    }

    fn is_wide(&self) -> bool {
        match &self.glyph {
            Glyph::Character(character) => width_of(*character) > 1,
            Glyph::Cluster(text) => text.width() > 1,
            Glyph::Tail => false,
        }
    }

    fn is_full(&self) -> bool {
        matches!(&self.glyph, Glyph::Cluster(text) if text.len() >= MAX_CLUSTER_BYTES)
    }

    fn last_char(&self) -> Option<char> {
        match &self.glyph {
            Glyph::Character(character) => Some(*character),
            Glyph::Cluster(text) => text.chars().next_back(),
            Glyph::Tail => None,
        }
    }
}

/// A line by columns, and the column of the cursor.
#[derive(Debug, Clone, Default)]
pub(super) struct Cells {
    cells: Vec<Cell>,
    pub(super) column: usize,
}

impl Cells {
    /// Splits a line. The cursor is behind its end.
    pub(super) fn of(line: &StyledLine) -> Self {
        let mut cells = Self::default();
        let links: Vec<_> =
            line.links.iter().map(|link| (link.range.clone(), Rc::<str>::from(link.url.as_str()))).collect();
        let (mut runs, mut links) = (line.runs.iter().peekable(), links.iter().peekable());
        let mut style = Style::default();
        for (at, character) in line.text.char_indices() {
            // A line has far fewer than 4 GiB.
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            while let Some(run) = runs.next_if(|run| run.start <= at) {
                style = run.style;
            }
            while links.next_if(|(range, _)| range.end <= at).is_some() {}
            let link = links.peek().filter(|(range, _)| range.contains(&at));
            cells.write_char(character, style, link.map(|(_, url)| url));
        }
        cells
    }

    /// Joins the columns to a line.
    pub(super) fn join(self) -> StyledLine {
        let mut line = StyledLine::default();
        let mut buffer = [0; 4];
        for cell in self.cells {
            let text = match &cell.glyph {
                Glyph::Character(character) => &*character.encode_utf8(&mut buffer),
                Glyph::Cluster(text) => text,
                Glyph::Tail => continue,
            };
            append(&mut line, text, cell.style, cell.link.as_deref());
        }
        line
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// Writes a character at the cursor, or joins it to the one before.
    pub(super) fn write_char(&mut self, character: char, style: Style, link: Option<&Rc<str>>) {
        if character == '\t' {
            let stop = next_tab_stop(self.column);
            if stop <= MAX_COLUMNS.max(self.cells.len()) {
                self.column = stop;
                return;
            }
            return self.write_char(' ', style, link);
        }
        if self.join_to_previous(character) {
            return;
        }
        let width = width_of(character).max(1);
        let end = self.column + width;
        self.extend(end);
        self.split_wide(self.column);
        self.split_wide(end);
        for (offset, cell) in self.cells.iter_mut().skip(self.column).take(width).enumerate() {
            let glyph = if offset == 0 { Glyph::Character(character) } else { Glyph::Tail };
            *cell = Cell { glyph, style, link: link.cloned() };
        }
        self.column = end;
    }

    /// Joins combining characters, and the parts of an emoji, to the character before the cursor. Returns whether that was done.
    fn join_to_previous(&mut self, character: char) -> bool {
        let Some(mut at) = self.column.checked_sub(1) else { return false };
        if self.cells.get(at).is_some_and(Cell::is_tail) {
            at -= 1;
        }
        let Some(cell) = self.cells.get_mut(at).filter(|cell| !cell.is_full()) else { return false };
        let Some(last) = cell.last_char() else { return false };
        let is_flag = |c: char| ('\u{1f1e6}'..='\u{1f1ff}').contains(&c);
        let is_modifier = ('\u{1f3fb}'..='\u{1f3ff}').contains(&character);
        let joins = width_of(character) == 0
            || width_of(character) > 1 && (last == JOINER || is_modifier && width_of(last) > 1)
            || is_flag(character) && cell.glyph == Glyph::Character(last) && is_flag(last);
        if !joins {
            return false;
        }
        let was_wide = cell.is_wide();
        let mut text = match std::mem::replace(&mut cell.glyph, Glyph::Tail) {
            Glyph::Character(first) => first.to_string(),
            Glyph::Cluster(text) => text.into_string(),
            Glyph::Tail => String::new(),
        };
        text.push(character);
        let is_wide = text.width() > 1;
        cell.glyph = Glyph::Cluster(text.into());
        if is_wide && !was_wide {
            let tail = Cell { glyph: Glyph::Tail, ..cell.clone() };
            self.extend(self.column + 1);
            self.split_wide(self.column + 1);
            if let Some(next) = self.cells.get_mut(self.column) {
                *next = tail;
            }
            self.column += 1;
        }
        true
    }

    /// Adds blank columns up to `len`.
    fn extend(&mut self, len: usize) {
        if self.cells.len() < len {
            self.cells.resize(len, Cell::blank());
        }
    }

    /// Blanks the wide character that has a column on both sides of `at`: one of its halves is overwritten or moved.
    fn split_wide(&mut self, at: usize) {
        if !self.cells.get(at).is_some_and(Cell::is_tail) {
            return;
        }
        for cell in self.cells.iter_mut().skip(at.saturating_sub(1)).take(2) {
            *cell = Cell::blank();
        }
    }

    pub(super) fn erase_to_end(&mut self) {
        self.split_wide(self.column);
        self.cells.truncate(self.column);
    }

    pub(super) fn erase_to_start(&mut self) {
        self.blank(0, self.column + 1);
    }

    pub(super) fn erase_all(&mut self) {
        self.cells.clear();
    }

    /// Blanks `count` columns from the cursor on.
    pub(super) fn erase(&mut self, count: usize) {
        self.blank(self.column, self.column.saturating_add(count));
    }

    fn blank(&mut self, start: usize, end: usize) {
        self.split_wide(start);
        self.split_wide(end);
        self.cells.iter_mut().take(end).skip(start).for_each(|cell| *cell = Cell::blank());
    }

    /// Removes `count` columns from the cursor on; the rest moves to the left.
    pub(super) fn delete(&mut self, count: usize) {
        let end = self.column.saturating_add(count).min(self.cells.len());
        self.split_wide(self.column);
        self.split_wide(end);
        if self.column < end {
            self.cells.drain(self.column..end);
        }
    }

    /// Inserts `count` blank columns at the cursor; the rest moves to the right.
    pub(super) fn insert(&mut self, count: usize) {
        if self.column < self.cells.len() {
            self.split_wide(self.column);
            self.cells.splice(self.column..self.column, std::iter::repeat_n(Cell::blank(), count));
        }
    }
}

/// Columns of a character by itself. Control characters have none.
fn width_of(character: char) -> usize {
    character.width().unwrap_or(0)
}
