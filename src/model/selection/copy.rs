//! Text of a selection, as received: from the store, whatever rows show.

use std::ops::Range;

use super::Selection;
use crate::model::{ansi::sgr::with_escapes, line_store::Line, visible_lines::VisibleLines};

/// Maximum size of a copied text: larger ones freeze the page, and the program that they are pasted into.
pub const MAX_COPY_BYTES: usize = 32 << 20;

/// Error of a selection that is larger than [`MAX_COPY_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The selection is larger than {} MiB; download the lines instead", MAX_COPY_BYTES >> 20)]
pub struct SelectionTooLarge;

impl Selection {
    /// Returns the positions of the visible lines that the selection touches; none for a caret.
    #[must_use]
    pub fn positions_in(&self, lines: VisibleLines<'_>) -> Range<u64> {
        if self.is_empty() {
            return 0..0;
        }
        let (start, end) = self.ends();
        let positions = lines.positions();
        let from = lines.position_of(start.line.max(lines.store().first_id())).max(positions.start);
        // The position of a hidden line is that of the next visible one, which is beyond the selection.
        let to = lines.position_of(end.line) + u64::from(lines.contains(end.line));
        from..to.min(positions.end).max(from)
    }

    /// Returns the selected text of the visible lines, with escape sequences for its colours if wanted. Behind a line whose end is
    /// selected stand the lines that are `folded` below it.
    ///
    /// # Errors
    /// [`SelectionTooLarge`].
    pub fn text_in(
        &self,
        lines: VisibleLines<'_>,
        with_colours: bool,
        folded: impl Fn(u64) -> Range<u64>,
    ) -> Result<String, SelectionTooLarge> {
        let positions = self.positions_in(lines);
        let mut text = String::new();
        for position in positions.clone() {
            let Some(line) = lines.line_at(position) else { continue };
            let Some(bytes) = self.bytes_in(line.id, line.text.len()) else { continue };
            if position > positions.start {
                text.push('\n');
            }
            let is_end_selected = bytes.end == line.text.len();
            push(&mut text, &line, bytes, with_colours);
            for id in folded(line.id).filter(|_| is_end_selected) {
                if let Some(line) = lines.store().line(id).filter(|_| text.len() <= MAX_COPY_BYTES) {
                    text.push('\n');
                    push(&mut text, &line, 0..line.text.len(), with_colours);
                }
            }
            if text.len() > MAX_COPY_BYTES {
                return Err(SelectionTooLarge);
            }
        }
        Ok(text)
    }
}

fn push(text: &mut String, line: &Line<'_>, bytes: Range<usize>, with_colours: bool) {
    if with_colours {
        text.push_str(&with_escapes(line, bytes));
    } else {
        text.push_str(line.text.get(bytes).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::{super::TextPosition, *};
    use crate::model::{
        line_store::{LineKind, LineStore, StoreLimits},
        search::line_list::LineList,
    };

    fn stored(message: &str) -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, message, 0.0);
        store
    }

    fn selection(anchor: (u64, usize), head: (u64, usize)) -> Selection {
        let position = |(line, byte)| TextPosition { line, byte };
        Selection { anchor: position(anchor), head: position(head) }
    }

    #[test]
    fn a_copy_is_the_exact_text_with_or_without_colours() {
        let store = stored("one\n\u{1b}[31mtwo\u{1b}[m\nthree");
        let lines = VisibleLines::all(&store);
        let selection = selection((2, 2), (0, 1));
        assert_eq!(selection.text_in(lines, false, |_| 0..0).unwrap(), "ne\ntwo\nth");
        assert_eq!(selection.text_in(lines, true, |_| 0..0).unwrap(), "ne\n\u{1b}[0;31mtwo\u{1b}[0m\nth");
    }

    #[test]
    fn hidden_lines_are_not_copied() {
        let store = stored("a1\nb2\na3\nb4");
        let list = LineList::of(&store, |text| text.starts_with('b'));
        let lines = VisibleLines::new(&store, Some(&list));
        for (selection, positions, text) in [
            (selection((0, 1), (2, 1)), 0..1, "b2"),
            (selection((0, 0), (3, 1)), 0..2, "b2\nb"),
            (selection((2, 0), (2, 2)), 1..1, ""),
            (selection((1, 1), (1, 1)), 0..0, ""),
        ] {
            assert_eq!(selection.positions_in(lines), positions);
            assert_eq!(selection.text_in(lines, false, |_| 0..0).unwrap(), text);
        }
    }

    #[test]
    fn folded_lines_are_copied_behind_a_line_whose_end_is_selected() {
        let store = stored("ERROR a\n at b\n at c\nd");
        let list = LineList::of(&store, |text| !text.starts_with(' '));
        let lines = VisibleLines::new(&store, Some(&list));
        let folded = |id| if id == 0 { 1..3 } else { 0..0 };
        for (selection, text) in [
            (selection((0, 0), (3, 1)), "ERROR a\n at b\n at c\nd"),
            (selection((0, 6), (0, 7)), "a\n at b\n at c"),
            (selection((0, 0), (0, 5)), "ERROR"),
        ] {
            assert_eq!(selection.text_in(lines, false, folded).unwrap(), text);
        }
    }

    #[test]
    fn a_selection_that_is_too_large_is_an_error() {
        let mut store = LineStore::new(StoreLimits::default());
        let line = "x".repeat(1 << 20);
        for _ in 0..MAX_COPY_BYTES / line.len() + 1 {
            store.push_message(LineKind::Group, &line, 0.0);
        }
        let lines = VisibleLines::all(&store);
        let error = Selection::all(lines).unwrap().text_in(lines, false, |_| 0..0).unwrap_err();
        assert_eq!(error.to_string(), "The selection is larger than 32 MiB; download the lines instead");
    }
}
