//! Some lines of the store: those that pass a test, in their order, kept up to date in slices.
//!
//! A filter's lines have positions of their own, from 0, which are never used again: what the viewport counts in.

use std::{cell::Cell, collections::VecDeque};

use super::{
    line_store::{Line, LineKind, LineStore},
    matcher::Matcher,
};

/// Bytes of text that are looked at line by line in one slice: a few milliseconds.
pub const SLICE_BYTES: usize = 2 << 20;
/// Bytes that are looked through for words in one slice: likewise.
const WORDS_SLICE_BYTES: usize = 8 << 20;
/// By how much an expression is slower than looking through text for words.
const EXPRESSION_COST: usize = 128;
/// Bytes of text that an expression is tried on in one slice: likewise.
pub const EXPRESSION_SLICE_BYTES: usize = WORDS_SLICE_BYTES / EXPRESSION_COST;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct LineList {
    ids: VecDeque<u64>,
    /// How many were dropped from the front.
    dropped: u64,
    /// The first line that was not looked at.
    next_id: u64,
}

impl LineList {
    fn forget_dropped(&mut self, store: &LineStore) {
        let first_id = store.first_id();
        while self.ids.front().is_some_and(|id| *id < first_id) {
            self.ids.pop_front();
            self.dropped += 1;
        }
        self.next_id = self.next_id.max(first_id);
    }

    /// Looks at so many bytes of the lines that were not looked at, and forgets those that the store has dropped. Whether
    /// there is more to look at.
    pub fn advance(
        &mut self,
        store: &LineStore,
        slice_bytes: usize,
        passes: impl Fn(&Line<'_>) -> bool,
    ) -> bool {
        self.forget_dropped(store);
        let mut looked_at = 0;
        for line in store.lines_from(self.next_id) {
            if looked_at >= slice_bytes {
                return true;
            }
            looked_at += line.text.len() + 1;
            if passes(&line) {
                self.ids.push_back(line.id);
            }
            self.next_id = line.id + 1;
        }
        false
    }

    /// The same for the lines that a query finds, notices left out.
    pub fn advance_hits(&mut self, store: &LineStore, matcher: &Matcher) -> bool {
        let passes = |line: &Line<'_>| line.kind != LineKind::Notice && matcher.is_match(line.text);
        let Some(words) = matcher.words() else {
            return self.advance(store, EXPRESSION_SLICE_BYTES, passes);
        };
        self.forget_dropped(store);
        let (ids, tried_bytes) = (&mut self.ids, Cell::new(0));
        let found = |line: Line<'_>| {
            if !matcher.is_words() {
                tried_bytes.set(tried_bytes.get() + line.text.len());
            }
            let is_hit = line.kind != LineKind::Notice && (matcher.is_words() || matcher.is_match(line.text));
            if is_hit {
                ids.push_back(line.id);
            }
        };
        let is_enough = |bytes: usize| bytes + tried_bytes.get() * EXPRESSION_COST >= WORDS_SLICE_BYTES;
        self.next_id = store.lines_with(self.next_id, words, found, is_enough);
        self.next_id < store.next_id()
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The position of the first line.
    #[must_use]
    pub fn first_position(&self) -> u64 {
        self.dropped
    }

    /// The position that the next line will have.
    #[must_use]
    pub fn next_position(&self) -> u64 {
        self.dropped + self.ids.len() as u64
    }

    /// The line at a position.
    #[must_use]
    pub fn id_at(&self, position: u64) -> Option<u64> {
        self.ids.get(usize::try_from(position.checked_sub(self.dropped)?).ok()?).copied()
    }

    /// The position of a line, or of the next one after it.
    #[must_use]
    pub fn position_of(&self, id: u64) -> u64 {
        self.dropped + self.ids.partition_point(|other| *other < id) as u64
    }

    /// The first line from `id` on, or else the first of all.
    #[must_use]
    pub fn from_id(&self, id: u64) -> Option<u64> {
        self.id_at(self.position_of(id)).or_else(|| self.ids.front().copied())
    }

    /// The last line before `id`, or else the last of all.
    #[must_use]
    pub fn before_id(&self, id: u64) -> Option<u64> {
        let before = self.position_of(id).checked_sub(1).and_then(|position| self.id_at(position));
        before.or_else(|| self.ids.back().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{line_store::StoreLimits, matcher::Query},
        *,
    };

    fn even(line: &Line<'_>) -> bool {
        line.text.parse::<u64>().unwrap().is_multiple_of(2)
    }

    #[test]
    fn it_follows_the_store_as_lines_come_and_go() {
        let limits = StoreLimits { lines: 100, ..StoreLimits::default() };
        let (mut store, mut list) = (LineStore::new(limits), LineList::default());
        for number in 0..250 {
            store.push_message(LineKind::Group, &number.to_string(), 0.0);
            if number % 7 == 0 {
                while list.advance(&store, SLICE_BYTES, even) {}
            }
        }
        while list.advance(&store, SLICE_BYTES, even) {}
        let held: Vec<u64> = (store.first_id()..store.next_id()).filter(|id| id.is_multiple_of(2)).collect();
        let listed: Vec<u64> =
            (list.first_position()..list.next_position()).filter_map(|at| list.id_at(at)).collect();
        assert_eq!(listed, held);
        assert_eq!(list.next_position(), 125);
        let some = held[3];
        assert_eq!(list.id_at(list.position_of(some)), Some(some));
        assert_eq!((list.from_id(some - 1), list.before_id(some)), (Some(some), Some(held[2])));
        assert_eq!((list.from_id(9999), list.before_id(0)), (held.first().copied(), held.last().copied()));
    }

    #[test]
    fn words_in_the_whole_text_are_the_words_in_each_line() {
        let limits = StoreLimits { lines: 1_000, bytes: 64 << 10, ..StoreLimits::default() };
        for (pattern, is_regex) in [("7", false), ("LINE 4", false), ("1.*7", true), ("line 4.*3", true)] {
            let query = Query { pattern: pattern.to_owned(), is_regex, is_case_sensitive: false };
            let matcher = Matcher::new(&query).unwrap().unwrap();
            let (mut store, mut list) = (LineStore::new(limits), LineList::default());
            for number in 0..5_000 {
                let kind = if number % 10 == 0 { LineKind::Notice } else { LineKind::Group };
                store.push_message(kind, &format!("Line {number}"), 0.0);
                if number % 13 == 0 {
                    while list.advance_hits(&store, &matcher) {}
                }
            }
            while list.advance_hits(&store, &matcher) {}
            let is_hit = |line: &Line<'_>| line.kind == LineKind::Group && matcher.is_match(line.text);
            let hits: Vec<u64> = store.lines_from(0).filter(is_hit).map(|line| line.id).collect();
            assert!(!hits.is_empty() && store.first_id() > 0);
            assert_eq!(list.ids, hits, "{pattern}");
        }
    }

    #[test]
    fn a_long_log_is_looked_at_in_slices() {
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
