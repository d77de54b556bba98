//! A subset of the store's lines: those that pass a test, in order, kept up to date in slices.
//!
//! Positions in a list start at 0 and are never reused. The viewport counts in them while a filter is active.

use std::{cell::Cell, collections::VecDeque};

use super::{
    matcher::{Literal, Matcher},
    work::Work,
};
use crate::model::line_store::{Line, LineKind, LineStore};

/// Bytes that one slice scans for a literal of a few bytes: a few milliseconds. Fewer for a longer one.
const SCAN_BYTES: usize = 16 << 20;

/// List of line ids. See the [module](self).
#[derive(Debug, Default)]
pub struct LineList {
    ids: VecDeque<u64>,
    /// Count of ids removed from the front.
    removed: u64,
    /// First line that was not tested yet.
    next_id: u64,
    /// Byte of that line from which on it is to be tested.
    next_at: usize,
    /// Lines before it that contain the literal of the query and were not tested yet. At most those of a chunk of the store.
    candidates: VecDeque<u64>,
    /// The same for the first of them.
    candidate_at: usize,
    /// Count of the store's replaced lines that were tested again.
    redraws: u64,
    /// The same for the next of them.
    redraw_at: usize,
    /// Whether lines were inserted or removed between others.
    is_moved: bool,
}

/// Tests a line from a byte on. Returns `None` once the work is spent.
pub(super) type Test<'a> = dyn Fn(&Line<'_>, &mut usize, &mut Work<'_>) -> Option<bool> + 'a;

impl LineList {
    /// Tests lines not tested yet until the work is spent, and removes lines that the store has dropped. Returns whether untested lines
    /// remain.
    pub fn advance(&mut self, store: &LineStore, work: &mut Work<'_>, test: &Test<'_>) -> bool {
        if !self.begin_slice(store, work, test) {
            return true;
        }
        for line in store.lines_from(self.next_id) {
            if work.is_spent() {
                return true;
            }
            work.spend_line();
            match test(&line, &mut self.next_at, work) {
                None => return true,
                Some(true) => self.ids.push_back(line.id),
                Some(false) => {}
            }
            self.set_tested(line.id);
        }
        false
    }

    /// Does the same for the lines that match a query, notices left out. Scans whole chunks of the store where the matcher
    /// has a literal to look for.
    pub fn advance_matches(&mut self, store: &LineStore, matcher: &Matcher, work: &mut Work<'_>) -> bool {
        let test = |line: &Line<'_>, at: &mut usize, work: &mut Work<'_>| {
            if line.kind == LineKind::Notice { Some(false) } else { matcher.test(line.text, at, work) }
        };
        match matcher.scanned_literal() {
            None => self.advance(store, work, &test),
            Some(literal) if matcher.is_literal() => {
                if self.begin_slice(store, work, &test) {
                    let ids = &mut self.ids;
                    let found =
                        |line: Line<'_>| ids.extend((line.kind != LineKind::Notice).then_some(line.id));
                    self.next_id = scan(store, self.next_id, literal, false, found);
                }
                self.next_id < store.next_id()
            }
            Some(literal) => self.advance_candidates(store, literal, work, &test),
        }
    }

    /// Tests the lines that have a literal.
    fn advance_candidates(
        &mut self,
        store: &LineStore,
        literal: &Literal,
        work: &mut Work<'_>,
        test: &Test<'_>,
    ) -> bool {
        if !self.begin_slice(store, work, test) {
            return true;
        }
        if self.candidates.is_empty() {
            let candidates = &mut self.candidates;
            self.next_id = scan(store, self.next_id, literal, true, |line| candidates.push_back(line.id));
        }
        while let Some(id) = self.candidates.front().copied() {
            if work.is_spent() {
                return true;
            }
            if let Some(line) = store.line(id) {
                work.spend_line();
                match test(&line, &mut self.candidate_at, work) {
                    None => return true,
                    Some(true) => self.insert(id),
                    Some(false) => {}
                }
            }
            self.candidates.pop_front();
            self.candidate_at = 0;
        }
        self.next_id < store.next_id()
    }
    /// Removes lines that the store has dropped, and tests those again that were replaced. Returns whether all of them were tested.
    pub(super) fn begin_slice(&mut self, store: &LineStore, work: &mut Work<'_>, test: &Test<'_>) -> bool {
        self.remove_dropped(store);
        self.test_redrawn(store, work, test)
    }

    /// Returns the first line that was not tested yet.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Returns the byte of that line from which on it is to be tested.
    pub(super) fn next_at(&mut self) -> &mut usize {
        &mut self.next_at
    }

    /// Records that a line was tested.
    pub(super) fn set_tested(&mut self, id: u64) {
        self.next_id = id + 1;
        self.next_at = 0;
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

    /// Tests lines again that were replaced since they were tested. Returns whether all of them were.
    fn test_redrawn(&mut self, store: &LineStore, work: &mut Work<'_>, test: &Test<'_>) -> bool {
        if self.redraws == store.redraws() {
            return true;
        }
        let Some(redrawn) = store.redrawn_since(self.redraws) else {
            // Too many to tell which: all lines are tested again, at new positions.
            let removed = self.removed + self.ids.len() as u64;
            let (next_id, redraws) = (store.first_id(), store.redraws());
            *self = Self { removed, next_id, redraws, is_moved: true, ..Self::default() };
            return true;
        };
        for id in redrawn {
            if work.is_spent() || !self.test_again(store, id, work, test) {
                return false;
            }
            self.redraws += 1;
            self.redraw_at = 0;
        }
        true
    }

    /// Tests a line again. Returns false once the work is spent.
    fn test_again(&mut self, store: &LineStore, id: u64, work: &mut Work<'_>, test: &Test<'_>) -> bool {
        if id == self.next_id {
            self.next_at = 0;
        }
        if self.candidates.front() == Some(&id) {
            self.candidate_at = 0;
        }
        let Some(line) = store.line(id).filter(|_| id < self.next_id) else { return true };
        work.spend_line();
        match test(&line, &mut self.redraw_at, work) {
            None => return false,
            Some(true) => self.insert(id),
            Some(false) => self.remove(id),
        }
        true
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
        if self.next_id < first_id {
            (self.next_id, self.next_at) = (first_id, 0);
        }
    }

    /// Whether every line of the store was tested and none is in the list.
    #[must_use]
    pub fn is_blank(&self, store: &LineStore) -> bool {
        self.ids.is_empty() && self.candidates.is_empty() && self.next_id >= store.next_id()
    }

    /// Returns the list of the lines of a small store whose text is wanted.
    #[cfg(test)]
    pub fn of(store: &LineStore, is_wanted: impl Fn(&str) -> bool) -> Self {
        let mut list = Self::default();
        list.advance(store, &mut Work::slice(), &|line, _, _| Some(is_wanted(line.text)));
        list
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

/// Scans chunks of the store for a literal, and passes the lines that have it to `found`. With `until_found`, ends with the first chunk
/// that has one. Returns the first line that was not scanned.
fn scan(
    store: &LineStore,
    from: u64,
    literal: &Literal,
    until_found: bool,
    mut found: impl FnMut(Line<'_>),
) -> u64 {
    let (max_bytes, has_found) = (SCAN_BYTES / literal.scan_cost(), Cell::new(false));
    let pass_on = |line: Line<'_>| {
        has_found.set(until_found);
        found(line);
    };
    store.lines_with(from, literal.words(), pass_on, |bytes| has_found.get() || bytes >= max_bytes)
}

#[cfg(test)]
mod tests {
    use super::{super::matcher::Query, *};
    use crate::model::line_store::StoreLimits;

    fn is_even(line: &Line<'_>, _: &mut usize, _: &mut Work<'_>) -> Option<bool> {
        Some(line.text.parse::<u64>().unwrap().is_multiple_of(2))
    }

    fn advance(list: &mut LineList, store: &LineStore, test: &Test<'_>) -> bool {
        list.advance(store, &mut Work::slice(), test)
    }

    fn advance_matches(list: &mut LineList, store: &LineStore, matcher: &Matcher) -> bool {
        list.advance_matches(store, matcher, &mut Work::slice())
    }

    fn matcher(pattern: &str, is_regex: bool) -> Matcher {
        let query = Query { pattern: pattern.to_owned(), is_regex, is_case_sensitive: false };
        Matcher::new(&query).unwrap().unwrap()
    }

    #[test]
    fn a_list_follows_the_store_as_lines_are_added_and_dropped() {
        let limits = StoreLimits { lines: 100, ..StoreLimits::default() };
        let (mut store, mut list) = (LineStore::new(limits), LineList::default());
        for number in 0..250 {
            store.push_message(LineKind::Group, &number.to_string(), 0.0);
            if number % 7 == 0 {
                while advance(&mut list, &store, &is_even) {}
            }
        }
        while advance(&mut list, &store, &is_even) {}
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
            let matcher = matcher(pattern, is_regex);
            let (mut store, mut list) = (LineStore::new(limits), LineList::default());
            for number in 0..5_000 {
                let kind = if number % 10 == 0 { LineKind::Notice } else { LineKind::Group };
                store.push_message(kind, &format!("Line {number}"), 0.0);
                if number % 13 == 0 {
                    while advance_matches(&mut list, &store, &matcher) {}
                }
            }
            while advance_matches(&mut list, &store, &matcher) {}
            let is_match = |text: &str| matcher.test(text, &mut 0, &mut Work::slice()).unwrap();
            let is_match_line = |line: &Line<'_>| line.kind == LineKind::Group && is_match(line.text);
            let matches: Vec<u64> = store.lines_from(0).filter(is_match_line).map(|line| line.id).collect();
            assert!(!matches.is_empty() && store.first_id() > 0);
            assert_eq!(list.ids, matches, "{pattern}");
        }
    }

    #[test]
    fn a_line_that_is_replaced_is_tested_again() {
        let (mut store, mut list) = (LineStore::new(StoreLimits::default()), LineList::default());
        let (matcher, mut matches) = (matcher("7", false), LineList::default());
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
                !advance(&mut list, &store, &is_even) && !advance_matches(&mut matches, &store, &matcher)
            );
            assert_eq!((ids(&list), ids(&matches)), (listed, matched), "{state}");
        }
        assert!(list.take_moved() && !list.take_moved());
        let next_position = list.next_position();
        for state in 0..crate::model::line_store::MAX_REDRAWS + 10 {
            store.push_marked(origin, "a", &state.to_string(), true, 0.0);
        }
        while advance(&mut list, &store, &is_even) {}
        assert_eq!(ids(&list).len(), 1);
        assert!(list.first_position() >= next_position, "no position is used again");
    }

    #[test]
    fn a_long_log_is_tested_in_slices_and_so_are_a_long_line_and_lines_that_are_replaced() {
        for (pattern, length, least) in [("([a-c ]{0,12}){0,12}z", 4_000, 60), ("needle|x", 100_000, 10)] {
            let long = "ab ".repeat(length);
            let (matcher, mut list) = (matcher(pattern, true), LineList::default());
            let mut store = LineStore::new(StoreLimits::default());
            store.push_message(LineKind::Group, &long, 0.0);
            store.push_message(LineKind::Group, &format!("{long}x"), 0.0);
            store.push_marked(LineKind::Group.into(), "a", &long, true, 0.0);
            let advance = |list: &mut LineList, store: &LineStore| {
                let mut slices = 1;
                while advance_matches(list, store, &matcher) {
                    slices += 1;
                }
                slices
            };
            let slices = advance(&mut list, &store);
            let is_simple = matcher.test("x", &mut 0, &mut Work::slice()) == Some(true);
            assert_eq!(list.ids, if is_simple { vec![1] } else { vec![] });
            assert!(slices >= least, "{pattern}: {slices}");
            store.push_marked(LineKind::Group.into(), "a", &format!("{long}{long}x"), true, 0.0);
            assert!(advance(&mut list, &store) * 3 > slices);
            assert_eq!(list.ids, if is_simple { vec![1, 2] } else { vec![] });
        }
    }

    #[test]
    fn a_test_that_is_continued_in_a_line_that_was_replaced_begins_again() {
        let (matcher, mut list) = (matcher("x[yz]", true), LineList::default());
        let mut store = LineStore::new(StoreLimits::default());
        let rest = "x".repeat(1 << 20);
        store.push_marked(LineKind::Group.into(), "a", &rest, true, 0.0);
        assert!(advance_matches(&mut list, &store, &matcher));
        store.push_marked(LineKind::Group.into(), "a", &format!("xy{rest}"), true, 0.0);
        while advance_matches(&mut list, &store, &matcher) {}
        assert_eq!(list.ids, [0]);
    }

    #[test]
    fn lines_without_text_are_tested_in_slices_too() {
        let (mut store, mut list) = (LineStore::new(StoreLimits::default()), LineList::default());
        store.push_message(LineKind::Group, &"\n".repeat(150_000), 0.0);
        let matcher = matcher("^$", true);
        let slices = (1..).find(|_| !advance_matches(&mut list, &store, &matcher)).unwrap();
        assert!(slices > 5 && list.len() == store.len(), "{slices}");
    }
}
