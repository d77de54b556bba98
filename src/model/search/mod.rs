//! Search and filter.
//!
//! | module | concept |
//! | --- | --- |
//! | [`matcher`] | queries, and their matches in a line |
//! | [`expression`] | regular expressions |
//! | [`unicode`] | case variants, normalization forms and classes of characters |
//! | [`filter`] | lines that are visible |
//! | `record_filter` | the filter, applied to records |
//! | [`line_list`] | subset of the store's lines |
//! | [`stops`] | matches of a line that are stepped to |
//! | [`work`] | bounds of the time of a search |
//!
//! Lines are tested in slices, and long ones in windows, so that neither a long log nor a slow expression blocks the page.

use std::ops::Range;

use super::{
    line_store::{Line, LineKind, LineStore},
    navigation::Direction,
};

pub mod expression;
pub mod filter;
pub mod line_list;
pub mod matcher;
mod record_filter;
pub mod stops;
pub mod unicode;
pub mod work;

pub use self::{
    filter::{FilterMode, FilterState, Levels},
    matcher::{Matcher, Query, QueryError},
};
use self::{line_list::LineList, work::Work};

/// State of the search, for display.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchState {
    /// Count of lines with a match, so far.
    pub matches: usize,
    /// Whether lines remain to be tested.
    pub is_counting: bool,
    /// Number of the current match, from 1.
    pub current: Option<usize>,
    /// Reason for which the pattern cannot be used.
    pub error: Option<String>,
}

/// Search for a query: the lines that match, and the current match.
#[derive(Debug, Default)]
pub struct Search {
    query: Query,
    matcher: Option<Matcher>,
    error: Option<String>,
    matches: LineList,
    is_counting: bool,
    current: Option<u64>,
}

impl Search {
    /// Replaces the query. Returns whether the matcher changed.
    ///
    /// A pattern that cannot be used leaves the previous search in place; [`SearchState::error`] has the reason.
    pub fn set_query(&mut self, query: Query) -> bool {
        if query == self.query {
            return false;
        }
        let compiled = Matcher::new(&query);
        self.query = query;
        match compiled {
            Ok(matcher) => {
                (self.matcher, self.error) = (matcher, None);
                self.matches = LineList::default();
                self.is_counting = true;
                self.current = None;
                true
            }
            Err(error) => {
                self.error = Some(error.to_string());
                false
            }
        }
    }

    /// Tests all lines again: some were inserted. The current match remains.
    pub fn restart(&mut self) {
        self.matches = LineList::default();
        self.is_counting = self.matcher.is_some();
    }

    /// Returns the compiled query; `None` without a search.
    #[must_use]
    pub fn matcher(&self) -> Option<&Matcher> {
        self.matcher.as_ref()
    }

    /// Tests lines not tested yet until the work is spent. Returns whether untested lines remain.
    pub fn advance(&mut self, store: &LineStore, work: &mut Work<'_>) -> bool {
        let Self { matcher, matches, .. } = self;
        self.is_counting =
            matcher.as_ref().is_some_and(|matcher| matches.advance_matches(store, matcher, work));
        self.is_counting
    }

    /// Moves to the next or the previous line with a match and returns it. Without a current match, starts at `from`. Wraps
    /// around at both ends.
    pub fn step(&mut self, from: u64, direction: Direction) -> Option<u64> {
        let start = self.current.unwrap_or(from);
        let target = match (direction, self.current) {
            (Direction::Forward, Some(current)) => self.matches.first_from(current + 1),
            (Direction::Forward, None) => self.matches.first_from(start),
            (Direction::Backward, _) => self.matches.last_before(start),
        };
        self.current = target.or(self.current);
        target
    }

    /// Returns the line with the current match.
    #[must_use]
    pub fn current(&self) -> Option<u64> {
        self.current
    }

    /// Returns the byte ranges of the matches in a line that begin before `end`, as far as the work allows. Notices never match.
    #[must_use]
    pub fn matches_in(&self, line: &Line<'_>, end: usize, work: &mut Work<'_>) -> Vec<Range<usize>> {
        match &self.matcher {
            Some(matcher) if line.kind != LineKind::Notice => matcher.ranges(line.text, 0..end, work),
            _ => Vec::new(),
        }
    }

    /// Returns the state of the search.
    #[must_use]
    pub fn state(&self) -> SearchState {
        let current = self
            .current
            .and_then(|id| self.matches.position_of(id).checked_sub(self.matches.first_position()));
        SearchState {
            matches: self.matches.len(),
            is_counting: self.is_counting,
            // Lines held are counted in a `usize`.
            current: current.and_then(|position| usize::try_from(position + 1).ok()),
            error: self.error.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::line_store::StoreLimits;

    fn store() -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        let lines = "INFO start\nERROR one failed\nINFO middle\nERROR two failed\nINFO end";
        store.push_message(LineKind::Group, lines, 0.0);
        store.push_message(LineKind::Notice, "failed: connection lost", 0.0);
        store
    }

    fn search(pattern: &str) -> Search {
        let mut search = Search::default();
        search.set_query(Query { pattern: pattern.to_owned(), ..Query::default() });
        search
    }

    #[test]
    fn matches_are_counted_and_stepped_through_in_both_directions_and_around() {
        let (store, mut search) = (store(), search("failed"));
        assert!(!search.advance(&store, &mut Work::slice()));
        assert_eq!((search.state().matches, search.state().current), (2, None));
        assert_eq!(search.step(0, Direction::Forward), Some(1));
        assert_eq!(search.step(0, Direction::Forward), Some(3));
        assert_eq!(search.state().current, Some(2));
        assert_eq!(search.step(0, Direction::Forward), Some(1));
        assert_eq!(search.step(0, Direction::Backward), Some(3));
        let matches_in = |id| search.matches_in(&store.line(id).unwrap(), 100, &mut Work::slice());
        assert_eq!(matches_in(1).first(), Some(&(10..16)));
        assert!(matches_in(5).is_empty());
    }

    #[test]
    fn an_invalid_pattern_is_reported_and_leaves_the_previous_search_in_place() {
        let (store, mut search) = (store(), search("one"));
        search.advance(&store, &mut Work::slice());
        assert!(!search.set_query(Query { pattern: "(".into(), is_regex: true, ..Query::default() }));
        assert!(search.state().error.is_some() && search.state().matches == 1);
        assert!(search.set_query(Query::default()), "an empty pattern ends the search");
        assert!(
            search.matcher().is_none()
                && search.state() == SearchState { is_counting: true, ..Default::default() }
        );
        assert!(!search.advance(&store, &mut Work::slice()) && search.state() == SearchState::default());
    }

    #[test]
    fn the_same_query_again_keeps_the_current_match() {
        let (store, mut search) = (store(), search("failed"));
        search.advance(&store, &mut Work::slice());
        search.step(0, Direction::Forward);
        assert!(!search.set_query(Query { pattern: "failed".to_owned(), ..Query::default() }));
        assert_eq!(search.current(), Some(1));
    }
}
