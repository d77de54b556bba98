//! Long lines that are shown whole.

use super::{
    display_text::{MAX_DRAWN_CHARS, display_text},
    line_store::Line,
};

/// Maximum count of lines that are shown whole. A further one shortens the oldest.
pub const MAX_WHOLE_LINES: usize = 20;
/// Maximum count of characters that are shown of such a line.
pub const MAX_WHOLE_CHARS: usize = 1 << 20;

/// Ids of the lines that are shown whole, ascending.
#[derive(Debug, Default)]
pub struct WholeLines(Vec<u64>);

impl WholeLines {
    /// Whether no line is shown whole.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a line is shown whole.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    /// Returns the maximum count of characters that are shown of a line.
    #[must_use]
    pub fn max_chars(&self, id: u64) -> usize {
        if self.contains(id) { MAX_WHOLE_CHARS } else { MAX_DRAWN_CHARS }
    }

    /// Shows a line whole, or shortens it. Returns the line that is shortened for it.
    pub fn toggle(&mut self, id: u64) -> Option<u64> {
        match self.0.binary_search(&id) {
            Ok(at) => {
                self.0.remove(at);
                None
            }
            Err(at) => {
                self.0.insert(at, id);
                (self.0.len() > MAX_WHOLE_LINES).then(|| self.0.remove(usize::from(at == 0)))
            }
        }
    }

    /// Removes the lines before `first_id`.
    pub fn drop_before(&mut self, first_id: u64) {
        self.0.retain(|id| *id >= first_id);
    }
}

/// Whether not all of a line is shown unless it is shown whole.
#[must_use]
pub fn is_long(line: &Line<'_>) -> bool {
    // A code point of eight characters can stand for one, and a character can have four bytes.
    let bytes = line.text.len();
    bytes > MAX_DRAWN_CHARS * 4 || bytes > MAX_DRAWN_CHARS / 8 && display_text(line.text).hidden_chars > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_of_lines_is_limited_and_dropped_lines_are_removed() {
        let mut whole = WholeLines::default();
        for id in 0..MAX_WHOLE_LINES as u64 {
            assert_eq!(whole.toggle(id), None);
        }
        assert_eq!(whole.toggle(99), Some(0));
        assert_eq!((whole.max_chars(99), whole.max_chars(0)), (MAX_WHOLE_CHARS, MAX_DRAWN_CHARS));
        assert_eq!((whole.toggle(99), whole.contains(99)), (None, false));
        whole.drop_before(MAX_WHOLE_LINES as u64);
        assert!(whole.is_empty());
    }
}
