//! The selection: two positions in the text of the log, whether or not rows show them.
//!
//! | module | concept |
//! | --- | --- |
//! | [`motion`] | movement of the selection's head |
//! | [`copy`] | selected text |

use std::ops::Range;

pub mod copy;
pub mod motion;

pub use self::copy::{MAX_COPY_BYTES, SelectionTooLarge};

/// Position in the text of the log, ordered as the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextPosition {
    /// Id of the line.
    pub line: u64,
    /// Offset in the line's text, in bytes.
    pub byte: usize,
}

/// Range of text from the anchor to the head, in either direction. Without text it is a caret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// End that stays in place.
    pub anchor: TextPosition,
    /// End that moves.
    pub head: TextPosition,
}

impl Selection {
    /// Creates a caret.
    #[must_use]
    pub fn at(position: TextPosition) -> Self {
        Self { anchor: position, head: position }
    }

    /// Creates a caret at the start of a line.
    #[must_use]
    pub fn at_line(line: u64) -> Self {
        Self::at(TextPosition { line, byte: 0 })
    }

    /// Whether no text is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchor == self.head
    }

    /// Returns the start and the end, in the order of the text.
    #[must_use]
    pub fn ends(&self) -> (TextPosition, TextPosition) {
        (self.anchor.min(self.head), self.anchor.max(self.head))
    }

    /// Returns the selected bytes of a line of `len` bytes; `None` if the line is outside of the selection.
    #[must_use]
    pub fn bytes_in(&self, line: u64, len: usize) -> Option<Range<usize>> {
        let (start, end) = self.ends();
        if line < start.line || line > end.line {
            return None;
        }
        let from = if line == start.line { start.byte.min(len) } else { 0 };
        let to = if line == end.line { end.byte.min(len) } else { len };
        Some(from..to.max(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_covers_the_same_text_in_both_directions() {
        let (early, late) = (TextPosition { line: 3, byte: 2 }, TextPosition { line: 5, byte: 1 });
        for (anchor, head) in [(early, late), (late, early)] {
            let selection = Selection { anchor, head };
            let bytes = |line| selection.bytes_in(line, 4);
            assert_eq!(
                [bytes(2), bytes(3), bytes(4), bytes(5), bytes(6)],
                [None, Some(2..4), Some(0..4), Some(0..1), None]
            );
        }
        assert!(Selection::at(early).is_empty());
        assert_eq!(Selection::at(early).bytes_in(3, 1), Some(1..1), "offsets beyond the end of a line");
    }
}
