//! Text of the log that the reader has selected, whether or not rows show it.

use super::LiveLog;
use crate::model::{
    ansi::sgr::with_escapes,
    command::{Stride, Way},
    selection::{Selection, TextPlace},
};

/// Most bytes that are put on the clipboard: more freezes the page, and whatever it is pasted into.
pub const MAX_COPY_BYTES: usize = 32 << 20;

/// The selection is not put on the clipboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the selection is larger than {} MiB: keep it as a file instead", MAX_COPY_BYTES >> 20)]
pub struct SelectionTooLarge;

impl LiveLog {
    /// What is selected. A selection without text is where the reader is.
    #[must_use]
    pub fn selection(&self) -> Option<Selection> {
        self.selection
    }

    /// Selects something else, or nothing. Whoever selects text does not follow the end meanwhile.
    pub fn select(&mut self, selection: Option<Selection>) {
        self.selection = selection;
        if selection.is_some_and(|selection| !selection.is_empty()) {
            self.viewport.leave_end();
        }
    }

    /// Whether text is selected.
    #[must_use]
    pub fn has_selected_text(&self) -> bool {
        self.selection.is_some_and(|selection| !selection.is_empty())
    }

    /// Selects all lines shown.
    pub fn select_all(&mut self) {
        let (first, next) = self.positions();
        let Some(last) = next.checked_sub(1).filter(|last| *last >= first) else { return };
        if let (Some(anchor), Some(head)) = (self.line_start(first), self.line_end(last)) {
            self.select(Some(Selection { anchor, head }));
        }
    }

    /// Moves the end of the selection, and shows it.
    pub fn extend_selection(&mut self, stride: Stride, way: Way) {
        let Some(here) = self.current_line() else { return };
        let selection = self.selection.unwrap_or(Selection::at(TextPlace { line: here, byte: 0 }));
        let head = selection.head;
        let head = match stride {
            Stride::Character => self.next_character(head, way),
            Stride::Line => self.lines_away(head, 1, way),
            Stride::Page => self.lines_away(head, self.viewport.page_lines(), way),
            Stride::All => {
                let (first, next) = self.positions();
                match way {
                    Way::Back => self.line_start(first),
                    Way::Forward => self.line_end(next.saturating_sub(1)),
                }
            }
        };
        let Some(head) = head else { return };
        self.select(Some(Selection { head, ..selection }));
        let position = self.position_of(head.line);
        self.viewport.reveal(position);
    }

    fn line_start(&self, position: u64) -> Option<TextPlace> {
        self.line_at(position).map(|line| TextPlace { line: line.id, byte: 0 })
    }

    fn line_end(&self, position: u64) -> Option<TextPlace> {
        self.line_at(position).map(|line| TextPlace { line: line.id, byte: line.text.len() })
    }

    fn lines_away(&self, from: TextPlace, lines: u64, way: Way) -> Option<TextPlace> {
        let (first, next) = self.positions();
        let position = self.position_of(from.line);
        let target = match way {
            Way::Back if position <= first => return self.line_start(first),
            Way::Back => position.saturating_sub(lines).max(first),
            Way::Forward if position + 1 >= next => return self.line_end(next.checked_sub(1)?),
            Way::Forward => (position + lines).min(next.saturating_sub(1)),
        };
        let line = self.line_at(target)?;
        let mut byte = from.byte.min(line.text.len());
        while !line.text.is_char_boundary(byte) {
            byte -= 1;
        }
        Some(TextPlace { line: line.id, byte })
    }

    fn next_character(&self, from: TextPlace, way: Way) -> Option<TextPlace> {
        let line = self.store.line(from.line)?;
        let position = self.position_of(from.line);
        match way {
            Way::Forward => match line.text.get(from.byte..).and_then(|rest| rest.chars().next()) {
                Some(character) => Some(TextPlace { byte: from.byte + character.len_utf8(), ..from }),
                None => self.line_start(position + 1),
            },
            Way::Back => match line.text.get(..from.byte).and_then(|before| before.chars().next_back()) {
                Some(character) => Some(TextPlace { byte: from.byte - character.len_utf8(), ..from }),
                None => self.line_end(position.checked_sub(1)?),
            },
        }
    }

    /// Positions of the lines shown that the selection touches.
    fn selected_positions(&self) -> std::ops::Range<u64> {
        let Some(selection) = self.selection.filter(|selection| !selection.is_empty()) else { return 0..0 };
        let (first, next) = self.positions();
        let (start, end) = selection.ends();
        let from = self.position_of(start.line.max(self.store.first_id())).max(first);
        // `position_of` gives the next one shown for a line that is not.
        let is_end_shown = self.line_at(self.position_of(end.line)).is_some_and(|line| line.id == end.line);
        let to = (self.position_of(end.line) + u64::from(is_end_shown)).min(next);
        from..to.max(from)
    }

    pub(super) fn selected_lines(&self) -> u64 {
        let positions = self.selected_positions();
        positions.end - positions.start
    }

    /// The text selected, as it came: from the store, whatever rows show. `None` when no text is selected.
    ///
    /// # Errors
    /// [`SelectionTooLarge`].
    pub fn selected_text(&self, has_colours: bool) -> Result<Option<String>, SelectionTooLarge> {
        let Some(selection) = self.selection.filter(|selection| !selection.is_empty()) else {
            return Ok(None);
        };
        let positions = self.selected_positions();
        let mut text = String::new();
        for position in positions.clone() {
            let Some(line) = self.line_at(position) else { continue };
            let Some(bytes) = selection.bytes_in(line.id, line.text.len()) else { continue };
            if position > positions.start {
                text.push('\n');
            }
            if has_colours {
                text.push_str(&with_escapes(&line, bytes));
            } else {
                text.push_str(line.text.get(bytes).unwrap_or_default());
            }
            if text.len() > MAX_COPY_BYTES {
                return Err(SelectionTooLarge);
            }
        }
        Ok(Some(text))
    }
}
