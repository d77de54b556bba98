//! Lines that the page's URL links to.

use std::ops::RangeInclusive;

use super::line_store::LineStore;

/// Line numbers in the page's URL, and whether the viewport has yet to scroll to them.
#[derive(Debug, Default)]
pub struct LinkedLines {
    numbers: Option<RangeInclusive<u64>>,
    is_jump_pending: bool,
}

impl LinkedLines {
    /// Links to lines that the user chose in the viewport: nothing needs to scroll.
    pub fn set(&mut self, numbers: Option<RangeInclusive<u64>>) {
        *self = Self { numbers, is_jump_pending: false };
    }

    /// Links to lines that the viewport is to scroll to as soon as the first of them has been received.
    pub fn request(&mut self, numbers: RangeInclusive<u64>) {
        *self = Self { numbers: Some(numbers), is_jump_pending: true };
    }

    /// Keeps the link, but the viewport need not scroll to it any more.
    pub fn stop_waiting(&mut self) {
        self.is_jump_pending = false;
    }

    /// Returns the line numbers.
    #[must_use]
    pub fn numbers(&self) -> Option<&RangeInclusive<u64>> {
        self.numbers.as_ref()
    }

    /// Returns the first line number.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.numbers.as_ref().map(|numbers| *numbers.start())
    }

    /// Returns the number of the line that the viewport has yet to scroll to.
    #[must_use]
    pub fn awaited(&self) -> Option<u64> {
        self.first().filter(|_| self.is_jump_pending)
    }

    /// Whether a line number is among the linked ones.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        self.numbers.as_ref().is_some_and(|numbers| numbers.contains(&number))
    }

    /// Returns the line to scroll to, once it has been received; the oldest line held if it was dropped since.
    #[must_use]
    pub fn target(&self, store: &LineStore) -> Option<u64> {
        let id = store.id_of_number(self.awaited()?)?;
        Some(id.max(store.first_id()))
    }

    /// Returns the line to scroll to as [`Self::target`] does. Each request yields one line.
    pub fn take_target(&mut self, store: &LineStore) -> Option<u64> {
        let target = self.target(store)?;
        self.is_jump_pending = false;
        Some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::line_store::{LineKind, StoreLimits},
        *,
    };

    fn push(store: &mut LineStore, lines: usize) {
        (0..lines).for_each(|_| store.push_message(LineKind::Group, "x", 0.0));
    }

    #[test]
    fn a_requested_line_is_a_target_once_it_has_been_received() {
        let (mut store, mut linked) = (LineStore::new(StoreLimits::default()), LinkedLines::default());
        assert_eq!(linked.take_target(&store), None);
        linked.request(3..=5);
        push(&mut store, 2);
        assert_eq!(linked.take_target(&store), None);
        store.push_message(LineKind::Notice, "notices have no number", 0.0);
        push(&mut store, 1);
        assert_eq!(linked.take_target(&store), Some(3));
        assert_eq!(linked.take_target(&store), None);
        assert!([3, 5].iter().all(|number| linked.contains(*number)) && !linked.contains(6));
    }

    #[test]
    fn in_place_of_a_dropped_line_the_oldest_one_is_the_target() {
        let limits = StoreLimits { lines: 160, ..StoreLimits::default() };
        let (mut store, mut linked) = (LineStore::new(limits), LinkedLines::default());
        push(&mut store, 1_000);
        linked.request(3..=3);
        assert_eq!(linked.take_target(&store), Some(store.first_id()));
    }

    #[test]
    fn lines_that_the_user_links_to_are_no_target() {
        let (mut store, mut linked) = (LineStore::new(StoreLimits::default()), LinkedLines::default());
        push(&mut store, 10);
        linked.set(Some(2..=4));
        assert_eq!((linked.take_target(&store), linked.first()), (None, Some(2)));
    }
}
