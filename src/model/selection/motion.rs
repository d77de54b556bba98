//! Movement of the selection's head by characters, lines and pages.

use super::{Selection, TextPosition};
use crate::model::{
    navigation::{Direction, Distance},
    visible_lines::VisibleLines,
};

impl Selection {
    /// Creates a selection of all visible lines; `None` if there are none.
    #[must_use]
    pub fn all(lines: VisibleLines<'_>) -> Option<Self> {
        let positions = lines.positions();
        let last = positions.end.checked_sub(1).filter(|last| *last >= positions.start)?;
        Some(Self { anchor: line_start(lines, positions.start)?, head: line_end(lines, last)? })
    }

    /// Returns the selection with its head moved; `None` if there is no position to move to.
    #[must_use]
    pub fn extended(
        self,
        lines: VisibleLines<'_>,
        distance: Distance,
        direction: Direction,
        page_lines: u64,
    ) -> Option<Self> {
        let head = match distance {
            Distance::Character => next_character(lines, self.head, direction),
            Distance::Line => lines_away(lines, self.head, 1, direction),
            Distance::Page => lines_away(lines, self.head, page_lines, direction),
            Distance::All => {
                let positions = lines.positions();
                match direction {
                    Direction::Backward => line_start(lines, positions.start),
                    Direction::Forward => line_end(lines, positions.end.saturating_sub(1)),
                }
            }
        };
        head.map(|head| Self { head, ..self })
    }
}

fn line_start(lines: VisibleLines<'_>, position: u64) -> Option<TextPosition> {
    lines.line_at(position).map(|line| TextPosition { line: line.id, byte: 0 })
}

fn line_end(lines: VisibleLines<'_>, position: u64) -> Option<TextPosition> {
    lines.line_at(position).map(|line| TextPosition { line: line.id, byte: line.text.len() })
}

/// Returns the position `count` lines away, at the same byte if possible; beyond the first or last line, its outer end.
fn lines_away(
    lines: VisibleLines<'_>,
    from: TextPosition,
    count: u64,
    direction: Direction,
) -> Option<TextPosition> {
    let positions = lines.positions();
    let position = lines.position_of(from.line);
    let target = match direction {
        Direction::Backward if position <= positions.start => return line_start(lines, positions.start),
        Direction::Backward => position.saturating_sub(count).max(positions.start),
        Direction::Forward if position + 1 >= positions.end => {
            return line_end(lines, positions.end.checked_sub(1)?);
        }
        Direction::Forward => (position + count).min(positions.end.saturating_sub(1)),
    };
    let line = lines.line_at(target)?;
    let mut byte = from.byte.min(line.text.len());
    while !line.text.is_char_boundary(byte) {
        byte -= 1;
    }
    Some(TextPosition { line: line.id, byte })
}

fn next_character(lines: VisibleLines<'_>, from: TextPosition, direction: Direction) -> Option<TextPosition> {
    let line = lines.store().line(from.line)?;
    let position = lines.position_of(from.line);
    match direction {
        Direction::Forward => match line.text.get(from.byte..).and_then(|rest| rest.chars().next()) {
            Some(character) => Some(TextPosition { byte: from.byte + character.len_utf8(), ..from }),
            None => line_start(lines, position + 1),
        },
        Direction::Backward => {
            match line.text.get(..from.byte).and_then(|before| before.chars().next_back()) {
                Some(character) => Some(TextPosition { byte: from.byte - character.len_utf8(), ..from }),
                None => line_end(lines, position.checked_sub(1)?),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::line_store::{LineKind, LineStore, StoreLimits};

    fn stored(message: &str) -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, message, 0.0);
        store
    }

    fn moved(
        store: &LineStore,
        from: (u64, usize),
        distance: Distance,
        direction: Direction,
    ) -> (u64, usize) {
        let from = Selection::at(TextPosition { line: from.0, byte: from.1 });
        let head =
            from.extended(VisibleLines::all(store), distance, direction, 3).map_or(from.head, |to| to.head);
        (head.line, head.byte)
    }

    #[test]
    fn the_head_moves_by_characters_across_lines() {
        let store = stored("aé\n\nb");
        let mut head = (0, 0);
        for expected in [(0, 1), (0, 3), (1, 0), (2, 0), (2, 1), (2, 1)] {
            head = moved(&store, head, Distance::Character, Direction::Forward);
            assert_eq!(head, expected);
        }
        for expected in [(2, 0), (1, 0), (0, 3), (0, 1), (0, 0), (0, 0)] {
            head = moved(&store, head, Distance::Character, Direction::Backward);
            assert_eq!(head, expected);
        }
    }

    #[test]
    fn the_head_moves_by_lines_and_pages_and_stays_between_characters() {
        let store = stored("abcd\néé\nx\nabcd\nabcd");
        assert_eq!(moved(&store, (0, 3), Distance::Line, Direction::Forward), (1, 2));
        assert_eq!(moved(&store, (0, 3), Distance::Page, Direction::Forward), (3, 3));
        assert_eq!(moved(&store, (3, 3), Distance::Page, Direction::Forward), (4, 3));
        assert_eq!(
            moved(&store, (4, 1), Distance::Line, Direction::Forward),
            (4, 4),
            "the end of the last line"
        );
        assert_eq!(moved(&store, (0, 3), Distance::Page, Direction::Backward), (0, 0));
        assert_eq!(moved(&store, (3, 3), Distance::All, Direction::Backward), (0, 0));
        assert_eq!(moved(&store, (1, 0), Distance::All, Direction::Forward), (4, 4));
    }

    #[test]
    fn without_lines_there_is_no_position_to_move_to() {
        let store = LineStore::new(StoreLimits::default());
        let lines = VisibleLines::all(&store);
        assert_eq!(Selection::all(lines), None);
        for distance in [Distance::Character, Distance::Line, Distance::Page, Distance::All] {
            assert_eq!(Selection::at_line(0).extended(lines, distance, Direction::Forward, 3), None);
        }
    }
}
