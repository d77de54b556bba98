//! A subset of the store's lines: those that pass a test, in order, kept up to date in slices.
//!
//! Positions in a list start at 0 and are never reused. The viewport counts in them while a filter is active.

use std::{cell::Cell, collections::VecDeque};

use super::matcher::Matcher;
use crate::model::line_store::{Line, LineKind, LineStore};

/// Bytes of text that one slice tests line by line: a few milliseconds.
pub const SLICE_BYTES: usize = 2 << 20;
/// Bytes that one slice scans for a literal: a few milliseconds, too.
const LITERAL_SLICE_BYTES: usize = 8 << 20;
/// Cost of a byte that is matched with a regular expression, relative to one that is scanned for a literal.
const REGEX_COST: usize = 128;
/// Bytes of text that one slice matches with a regular expression: a few milliseconds, too.
pub const REGEX_SLICE_BYTES: usize = LITERAL_SLICE_BYTES / REGEX_COST;

/// List of line ids. See the [module](self).
#[derive(Debug, Default)]
pub struct LineList {
    ids: VecDeque<u64>,
    /// Count of ids removed from the front.
    removed: u64,
    /// First line that was not tested yet.
    next_id: u64,
    /// Count of the store's replaced lines that were tested again.
    redraws: u64,
    /// Whether lines were inserted or removed between others.
    is_moved: bool,
}

impl LineList {
    /// Tests up to `slice_bytes` of the lines not tested yet, and removes lines that the store has dropped. Returns whether
    /// untested lines remain.
    pub fn advance(
        &mut self,
        store: &LineStore,
        slice_bytes: usize,
        passes: impl Fn(&Line<'_>) -> bool,
    ) -> bool {
        self.remove_dropped(store);
        self.test_redrawn(store, &passes);
        let mut tested_bytes = 0;
        for line in store.lines_from(self.next_id) {
            if tested_bytes >= slice_bytes {
                return true;
            }
            tested_bytes += line.text.len() + 1;
            if passes(&line) {
                self.ids.push_back(line.id);
            }
            self.next_id = line.id + 1;
        }
        false
    }

    /// Does the same for the lines that match a query, notices left out. Scans whole chunks of the store where the matcher
    /// has a literal to look for.
    pub fn advance_matches(&mut self, store: &LineStore, matcher: &Matcher) -> bool {
        let passes = |line: &Line<'_>| line.kind != LineKind::Notice && matcher.is_match(line.text);
        let Some(literal) = matcher.literal() else {
            return self.advance(store, REGEX_SLICE_BYTES, passes);
        };
        self.remove_dropped(store);
        self.test_redrawn(store, &passes);
        let (ids, regex_bytes) = (&mut self.ids, Cell::new(0));
        let found = |line: Line<'_>| {
            if !matcher.is_literal() {
                regex_bytes.set(regex_bytes.get() + line.text.len());
            }
            let is_match =
                line.kind != LineKind::Notice && (matcher.is_literal() || matcher.is_match(line.text));
            if is_match {
                ids.push_back(line.id);
            }
        };
        let is_enough = |bytes: usize| bytes + regex_bytes.get() * REGEX_COST >= LITERAL_SLICE_BYTES;
        self.next_id = store.lines_with(self.next_id, literal, found, is_enough);
        self.next_id < store.next_id()
    }

    /// Removes lines that the store has dropped, and tests those again that were replaced.
    pub(super) fn begin_slice(&mut self, store: &LineStore, passes: &impl Fn(&Line<'_>) -> bool) {
        self.remove_dropped(store);
        self.test_redrawn(store, passes);
    }

    /// Returns the first line that was not tested yet.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Records that a line was tested.
    pub(super) fn set_tested(&mut self, id: u64) {
        self.next_id = id + 1;
    }

    /// Whether a line is in the list.
    pub(super) fn contains(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    /// Adds a line, if it is not in the list.
    pub(super) fn insert(&mut self, id: u64) {
        if self.ids.back().is_none_or(|last| *last < id) {
            self.ids.push_back(id);
        } else if let Err(at) = self.ids.binary_search(&id) {
            self.ids.insert(at, id);
            self.is_moved = true;
        }
    }

    /// Removes a line.
    pub(super) fn remove(&mut self, id: u64) {
        if let Ok(at) = self.ids.binary_search(&id) {
            self.ids.remove(at);
            self.is_moved = true;
        }
    }

    /// Tests lines again that were replaced since they were tested.
    fn test_redrawn(&mut self, store: &LineStore, passes: &impl Fn(&Line<'_>) -> bool) {
        if self.redraws == store.redraws() {
            return;
        }
        match store.redrawn_since(self.redraws) {
            Some(redrawn) => redrawn.for_each(|id| self.test_again(store, id, passes)),
            None => {
                // Too many to tell which: all lines are tested again, at new positions.
                self.removed += self.ids.len() as u64;
                self.ids.clear();
                self.next_id = store.first_id();
                self.is_moved = true;
            }
        }
        self.redraws = store.redraws();
    }

    fn test_again(&mut self, store: &LineStore, id: u64, passes: &impl Fn(&Line<'_>) -> bool) {
        let Some(line) = store.line(id).filter(|_| id < self.next_id) else { return };
        let at = self.ids.partition_point(|other| *other < id);
        let is_listed = self.ids.get(at) == Some(&id);
        match (is_listed, passes(&line)) {
            (true, false) => drop(self.ids.remove(at)),
            (false, true) => self.ids.insert(at, id),
            _ => return,
        }
        self.is_moved = true;
    }

    /// Returns whether lines were inserted or removed between others since this was last called.
    pub fn take_moved(&mut self) -> bool {
        std::mem::take(&mut self.is_moved)
    }

    fn remove_dropped(&mut self, store: &LineStore) {
        let first_id = store.first_id();
        while self.ids.front().is_some_and(|id| *id < first_id) {
            self.ids.pop_front();
            self.removed += 1;
        }
        self.next_id = self.next_id.max(first_id);
    }

    /// Whether every line of the store was tested and none is in the list.
    #[must_use]
    pub fn is_blank(&self, store: &LineStore) -> bool {
        self.ids.is_empty() && self.next_id >= store.next_id()
    }

    /// Returns the count of lines in the list.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the position of the first line.
    #[must_use]
    pub fn first_position(&self) -> u64 {
        self.removed
    }

    /// Returns the position that the next line will get.
    #[must_use]
    pub fn next_position(&self) -> u64 {
        self.removed + self.ids.len() as u64
    }

    /// Returns the id of the line at a position.
    #[must_use]
    pub fn id_at(&self, position: u64) -> Option<u64> {
        self.ids.get(usize::try_from(position.checked_sub(self.removed)?).ok()?).copied()
    }

    /// Returns the position of a line, or of the next listed line after it.
    #[must_use]
    pub fn position_of(&self, id: u64) -> u64 {
        self.removed + self.ids.partition_point(|other| *other < id) as u64
    }

    /// Returns the first line from `id` on, or the first of all if there is none.
    #[must_use]
    pub fn first_from(&self, id: u64) -> Option<u64> {
        self.id_at(self.position_of(id)).or_else(|| self.ids.front().copied())
    }

    /// Returns the last line before `id`, or the last of all if there is none.
    #[must_use]
    pub fn last_before(&self, id: u64) -> Option<u64> {
        let before = self.position_of(id).checked_sub(1).and_then(|position| self.id_at(position));
        before.or_else(|| self.ids.back().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::matcher::Query, *};
    use crate::model::line_store::StoreLimits;

    fn is_even(line: &Line<'_>) -> bool {
        line.text.parse::<u64>().unwrap().is_multiple_of(2)
    }

    #[test]
    fn a_list_follows_the_store_as_lines_are_added_and_dropped() {
        let limits = StoreLimits { lines: 100, ..StoreLimits::default() };
        let (mut store, mut list) = (LineStore::new(limits), LineList::default());
        for number in 0..250 {
            store.push_message(LineKind::Group, &number.to_string(), 0.0);
            if number % 7 == 0 {
                while list.advance(&store, SLICE_BYTES, is_even) {}
            }
        }
        while list.advance(&store, SLICE_BYTES, is_even) {}
        let held: Vec<u64> = (store.first_id()..store.next_id()).filter(|id| id.is_multiple_of(2)).collect();
        let listed: Vec<u64> =
            (list.first_position()..list.next_position()).filter_map(|at| list.id_at(at)).collect();
        assert_eq!(listed, held);
        assert_eq!(list.next_position(), 125);
        let some = held[3];
        assert_eq!(list.id_at(list.position_of(some)), Some(some));
        assert_eq!((list.first_from(some - 1), list.last_before(some)), (Some(some), Some(held[2])));
        assert_eq!(
            (list.first_from(9999), list.last_before(0)),
            (held.first().copied(), held.last().copied())
        );
    }

    #[test]
    fn scanning_chunks_finds_the_same_lines_as_matching_each_line() {
        let limits = StoreLimits { lines: 1_000, bytes: 64 << 10, ..StoreLimits::default() };
        for (pattern, is_regex) in [("7", false), ("LINE 4", false), ("1.*7", true), ("line 4.*3", true)] {
            let query = Query { pattern: pattern.to_owned(), is_regex, is_case_sensitive: false };
            let matcher = Matcher::new(&query).unwrap().unwrap();
            let (mut store, mut list) = (LineStore::new(limits), LineList::default());
            for number in 0..5_000 {
                let kind = if number % 10 == 0 { LineKind::Notice } else { LineKind::Group };
                store.push_message(kind, &format!("Line {number}"), 0.0);
                if number % 13 == 0 {
                    while list.advance_matches(&store, &matcher) {}
                }
            }
            while list.advance_matches(&store, &matcher) {}
            let is_match_line = |line: &Line<'_>| line.kind == LineKind::Group && matcher.is_match(line.text);
            let matches: Vec<u64> = store.lines_from(0).filter(is_match_line).map(|line| line.id).collect();
            assert!(!matches.is_empty() && store.first_id() > 0);
            assert_eq!(list.ids, matches, "{pattern}");
        }
    }

    #[test]
    fn a_line_that_is_replaced_is_tested_again() {
        let (mut store, mut list) = (LineStore::new(StoreLimits::default()), LineList::default());
        let query = Query { pattern: "7".to_owned(), ..Query::default() };
        let (matcher, mut matches) = (Matcher::new(&query).unwrap().unwrap(), LineList::default());
        let origin = LineKind::Group.into();
        let ids = |list: &LineList| list.ids.iter().copied().collect::<Vec<_>>();
        store.push_message(LineKind::Group, "2", 0.0);
        for (state, listed, matched) in [
            ("3", vec![0], vec![]),
            ("4", vec![0, 1], vec![]),
            ("70", vec![0, 1], vec![1]),
            ("77", vec![0], vec![1]),
        ] {
            store.push_marked(origin, "a", state, true, 0.0);
            assert!(
                !list.advance(&store, SLICE_BYTES, is_even) && !matches.advance_matches(&store, &matcher)
            );
            assert_eq!((ids(&list), ids(&matches)), (listed, matched), "{state}");
        }
        assert!(list.take_moved() && !list.take_moved());
        let next_position = list.next_position();
        for state in 0..crate::model::line_store::MAX_REDRAWS + 10 {
            store.push_marked(origin, "a", &state.to_string(), true, 0.0);
        }
        while list.advance(&store, SLICE_BYTES, is_even) {}
        assert_eq!(ids(&list).len(), 1);
        assert!(list.first_position() >= next_position, "no position is used again");
    }

    #[test]
    fn a_long_log_is_tested_in_slices() {
        let (mut store, mut list) = (LineStore::new(StoreLimits::default()), LineList::default());
        let line = "x".repeat(1000);
        for _ in 0..5000 {
            store.push_message(LineKind::Group, &line, 0.0);
        }
        let mut slices = 1;
        while list.advance(&store, SLICE_BYTES, |_| true) {
            slices += 1;
        }
        assert_eq!((slices, list.len()), (3, 5000));
    }
}
