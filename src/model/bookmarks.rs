//! Bookmarked lines.

use super::navigation::Direction;

/// Maximum count of bookmarks. A further one replaces the oldest line's.
pub const MAX_BOOKMARKS: usize = 1_000;

/// Bookmarked lines, by id.
#[derive(Debug, Clone, Default)]
pub struct Bookmarks {
    /// Ascending.
    ids: Vec<u64>,
}

impl Bookmarks {
    /// Adds a bookmark to a line, or removes it.
    pub fn toggle(&mut self, id: u64) {
        match self.ids.binary_search(&id) {
            Ok(at) => drop(self.ids.remove(at)),
            Err(at) => {
                self.ids.insert(at, id);
                self.drop_surplus();
            }
        }
    }

    /// Adds bookmarks of lines before all others.
    pub fn add(&mut self, earlier: &Self) {
        let first = self.ids.first().copied().unwrap_or(u64::MAX);
        let ids = earlier.ids.iter().copied().filter(|id| *id < first);
        self.ids.splice(0..0, ids.collect::<Vec<_>>());
        self.drop_surplus();
    }

    fn drop_surplus(&mut self) {
        let surplus = self.ids.len().saturating_sub(MAX_BOOKMARKS);
        self.ids.drain(..surplus);
    }

    /// Whether a line is bookmarked.
    #[must_use]
    pub fn contains(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    /// Returns the next or the previous bookmark, seen from a line. Wraps around at both ends.
    #[must_use]
    pub fn next(&self, from: u64, direction: Direction) -> Option<u64> {
        let next = match direction {
            Direction::Forward => self.ids.iter().find(|id| **id > from).or(self.ids.first()),
            Direction::Backward => self.ids.iter().rev().find(|id| **id < from).or(self.ids.last()),
        };
        next.copied()
    }

    /// Removes the bookmarks of lines before `first_id`.
    pub fn drop_before(&mut self, first_id: u64) {
        let dropped = self.ids.partition_point(|id| *id < first_id);
        self.ids.drain(..dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bookmarks(ids: impl IntoIterator<Item = u64>) -> Bookmarks {
        let mut bookmarks = Bookmarks::default();
        ids.into_iter().for_each(|id| bookmarks.toggle(id));
        bookmarks
    }

    #[test]
    fn bookmarks_are_stepped_through_in_both_directions_and_around() {
        let bookmarks = bookmarks([60, 20, 40]);
        let step = |from, direction| bookmarks.next(from, direction);
        assert_eq!([20, 30, 60].map(|from| step(from, Direction::Forward)), [Some(40), Some(40), Some(20)]);
        assert_eq!([20, 30, 60].map(|from| step(from, Direction::Backward)), [Some(60), Some(20), Some(40)]);
        assert_eq!(Bookmarks::default().next(0, Direction::Forward), None);
    }

    #[test]
    fn a_second_toggle_removes_a_bookmark() {
        let mut bookmarks = bookmarks([20, 40]);
        bookmarks.toggle(20);
        assert!(!bookmarks.contains(20) && bookmarks.contains(40));
    }

    #[test]
    fn bookmarks_of_dropped_lines_are_removed_and_their_count_is_limited() {
        let mut bookmarks = bookmarks(0..MAX_BOOKMARKS as u64 + 10);
        assert_eq!(
            (bookmarks.ids.len(), bookmarks.contains(9), bookmarks.contains(10)),
            (1_000, false, true)
        );
        bookmarks.drop_before(1_000);
        assert_eq!(bookmarks.ids.len(), 10);
    }
}
