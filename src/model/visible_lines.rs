//! The lines that pass the filter, addressed by position.
//!
//! Without a filter, the position of a line is its id. With one, positions count the lines that pass; like ids, they are
//! never reused.

use std::ops::Range;

use super::{
    line_store::{Line, LineStore},
    search::line_list::LineList,
};

/// View of the lines that pass the filter. See the [module](self).
#[derive(Clone, Copy)]
pub struct VisibleLines<'a> {
    store: &'a LineStore,
    list: Option<&'a LineList>,
}

impl<'a> VisibleLines<'a> {
    /// Creates a view of the lines in `list`, or of all lines without one.
    #[must_use]
    pub fn new(store: &'a LineStore, list: Option<&'a LineList>) -> Self {
        Self { store, list }
    }

    /// Creates a view of all lines held.
    #[must_use]
    pub fn all(store: &'a LineStore) -> Self {
        Self::new(store, None)
    }

    /// Returns the store that holds the lines.
    #[must_use]
    pub fn store(self) -> &'a LineStore {
        self.store
    }

    /// Returns the positions in use.
    #[must_use]
    pub fn positions(self) -> Range<u64> {
        match self.list {
            Some(list) => list.first_position()..list.next_position(),
            None => self.store.first_id()..self.store.next_id(),
        }
    }

    /// Returns the line at a position.
    #[must_use]
    pub fn line_at(self, position: u64) -> Option<Line<'a>> {
        let id = match self.list {
            Some(list) => list.id_at(position)?,
            None => position,
        };
        self.store.line(id)
    }

    /// Returns the id of the line at a position.
    #[must_use]
    pub fn id_at(self, position: u64) -> Option<u64> {
        self.line_at(position).map(|line| line.id)
    }

    /// Returns the position of a line, or of the next visible line if it is hidden.
    #[must_use]
    pub fn position_of(self, id: u64) -> u64 {
        self.list.map_or(id, |list| list.position_of(id))
    }

    /// Whether a line is held and passes the filter.
    #[must_use]
    pub fn contains(self, id: u64) -> bool {
        self.id_at(self.position_of(id)) == Some(id)
    }

    /// Returns the line itself if it is visible, or else the nearest visible one; `None` if none is.
    #[must_use]
    pub fn nearest_to(self, id: u64) -> Option<u64> {
        let position = self.position_of(id);
        let next = self.id_at(position);
        let previous = position.checked_sub(1).and_then(|previous| self.id_at(previous));
        let distance = |other: &u64| other.abs_diff(id);
        // Of two that are as near, the next one.
        next.into_iter().chain(previous).min_by_key(distance)
    }

    /// Returns the position of the first visible line that arrived at `unix_ms` or later.
    ///
    /// Lines are stored in order of arrival, so a binary search finds it.
    #[must_use]
    pub fn position_since(self, unix_ms: f64) -> u64 {
        let Range { mut start, mut end } = self.positions();
        while start < end {
            let middle = start + (end - start) / 2;
            if self.line_at(middle).is_some_and(|line| line.arrived_ms < unix_ms) {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        start
    }

    /// Returns the line number that the user sees: the count of lines received up to this one, notices left out.
    #[must_use]
    pub fn number_of(self, id: u64) -> u64 {
        self.store.number_of(id)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::line_store::{LineKind, StoreLimits},
        *,
    };

    /// Lines 0 to 9, one each second, with a notice after line 4.
    fn store() -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        for number in 0..10_u32 {
            store.push_message(LineKind::Group, &number.to_string(), 1_000.0 * f64::from(number));
            if number == 4 {
                store.push_message(LineKind::Notice, "connection lost", 4_500.0);
            }
        }
        store
    }

    fn even_lines(store: &LineStore) -> LineList {
        LineList::of(store, |text| text.parse::<u64>().is_ok_and(|n| n.is_multiple_of(2)))
    }

    #[test]
    fn without_a_filter_positions_are_ids() {
        let store = store();
        let lines = VisibleLines::all(&store);
        assert_eq!((lines.positions(), lines.position_of(7), lines.id_at(7)), (0..11, 7, Some(7)));
        assert!(lines.contains(10) && !lines.contains(11));
    }

    #[test]
    fn with_a_filter_positions_count_the_lines_that_pass() {
        let store = store();
        let list = even_lines(&store);
        let lines = VisibleLines::new(&store, Some(&list));
        assert_eq!(lines.positions(), 0..5);
        assert_eq!(lines.line_at(3).map(|line| line.text), Some("6"));
        assert_eq!((lines.position_of(5), lines.contains(5)), (3, false), "the next visible line");
        assert!(lines.contains(4) && lines.line_at(5).is_none());
    }

    #[test]
    fn the_nearest_visible_line_is_before_or_after_a_hidden_one() {
        let store = store();
        let list = LineList::of(&store, |text| ["1", "2", "7"].contains(&text));
        let lines = VisibleLines::new(&store, Some(&list));
        let nearest = |id| lines.nearest_to(id).and_then(|id| store.line(id)).map(|line| line.text);
        assert_eq!([0, 1, 3, 4].map(nearest), [Some("1"), Some("1"), Some("2"), Some("2")]);
        assert_eq!([7, 8, 9].map(nearest), [Some("7"); 3], "a notice is the fifth line");
        let none = LineList::default();
        assert_eq!(VisibleLines::new(&store, Some(&none)).nearest_to(3), None);
    }

    #[test]
    fn the_first_visible_line_since_a_time_is_found() {
        let store = store();
        let list = even_lines(&store);
        for (unix_ms, text) in [(0.0, Some("0")), (2_000.0, Some("2")), (2_001.0, Some("4")), (9_000.0, None)]
        {
            let lines = VisibleLines::new(&store, Some(&list));
            let found = lines.line_at(lines.position_since(unix_ms));
            assert_eq!(found.map(|line| line.text), text, "{unix_ms}");
        }
    }

    #[test]
    fn line_numbers_leave_notices_out() {
        let store = store();
        let lines = VisibleLines::all(&store);
        assert_eq!([4, 6].map(|id| lines.number_of(id)), [5, 6]);
    }
}
