//! What the reader has selected: two places in the text, whether or not a row shows them.

use std::ops::Range;

/// A place in the text of the log. In the order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextPlace {
    /// The line's id.
    pub line: u64,
    /// Bytes of its text before the place.
    pub byte: usize,
}

/// From where the reader began to where he is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Where it began.
    pub anchor: TextPlace,
    /// The end that moves.
    pub head: TextPlace,
}

impl Selection {
    /// Nothing selected, but the reader is here.
    #[must_use]
    pub fn at(place: TextPlace) -> Self {
        Self { anchor: place, head: place }
    }

    /// Whether it holds no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchor == self.head
    }

    /// Its ends, in the order of reading.
    #[must_use]
    pub fn ends(&self) -> (TextPlace, TextPlace) {
        (self.anchor.min(self.head), self.anchor.max(self.head))
    }

    /// The bytes selected in a line of `len` bytes; `None` when it is not touched.
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
    fn it_is_the_same_text_in_whichever_direction_it_was_drawn() {
        let (early, late) = (TextPlace { line: 3, byte: 2 }, TextPlace { line: 5, byte: 1 });
        for (anchor, head) in [(early, late), (late, early)] {
            let selection = Selection { anchor, head };
            let bytes = |line| selection.bytes_in(line, 4);
            assert_eq!(
                [bytes(2), bytes(3), bytes(4), bytes(5), bytes(6)],
                [None, Some(2..4), Some(0..4), Some(0..1), None]
            );
        }
        assert!(Selection::at(early).is_empty());
        assert_eq!(Selection::at(early).bytes_in(3, 1), Some(1..1), "a line that is shorter than thought");
    }
}
