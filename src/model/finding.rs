//! What the reader looks for, and which lines are shown meanwhile.
//!
//! Hits and filtered lines are found in slices, so that neither a long log nor an odd expression holds the page up.

use std::ops::Range;

use super::{
    level::Level,
    line_list::{EXPRESSION_SLICE_BYTES, LineList, SLICE_BYTES},
    line_store::{Line, LineKind, LineStore},
    matcher::{Matcher, Query},
};

/// What a query does to the lines that it does not find, or does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilterMode {
    /// All lines are shown, hits are marked.
    #[default]
    Off,
    /// Only lines with hits are shown.
    Matching,
    /// Only lines without hits are shown.
    NotMatching,
}

/// Which levels are shown; none chosen shows all.
pub type Levels = [bool; Level::ALL.len()];

/// What there is to say about the search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindState {
    /// Lines with hits so far.
    pub hits: usize,
    /// Whether lines are still being looked at.
    pub is_counting: bool,
    /// Which of the hits is the current one, from 1.
    pub current: Option<usize>,
    /// What is wrong with the pattern.
    pub error: Option<String>,
    /// How many lines are shown, when not all are.
    pub shown: Option<usize>,
    /// How many lines of each level are held.
    pub level_counts: [u64; Level::ALL.len()],
    /// Which levels are shown.
    pub levels: Levels,
    /// What the query does to other lines.
    pub mode: FilterMode,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Finding {
    query: Query,
    matcher: Option<Matcher>,
    error: Option<String>,
    hits: LineList,
    is_counting: bool,
    current: Option<u64>,
    mode: FilterMode,
    levels: Levels,
    /// One bit for each source whose lines are not shown.
    muted_sources: u32,
    /// Only lines that came from the first moment on and before the second are shown, in milliseconds since 1970.
    range: Option<(f64, f64)>,
    shown: Option<LineList>,
}

impl Finding {
    /// Looks for something else. A pattern that cannot be tried leaves the old search as it is, and is told.
    pub fn set_query(&mut self, query: Query) {
        if query == self.query {
            return;
        }
        match Matcher::new(&query) {
            Ok(matcher) => {
                (self.matcher, self.error) = (matcher, None);
                self.hits = LineList::default();
                self.is_counting = true;
                self.current = None;
                self.renew_filter();
            }
            Err(error) => self.error = Some(error.to_string()),
        }
        self.query = query;
    }

    /// Shows other lines by the query.
    pub fn set_mode(&mut self, mode: FilterMode) {
        self.mode = mode;
        self.renew_filter();
    }

    /// Shows other lines by their level.
    pub fn toggle_level(&mut self, level: Level) {
        if let Some(is_shown) = self.levels.get_mut(level as usize) {
            *is_shown = !*is_shown;
        }
        self.renew_filter();
    }

    /// Shows lines of these levels; of all, when there is none.
    pub fn set_levels(&mut self, levels: Levels) {
        self.levels = levels;
        self.renew_filter();
    }

    /// Shows the lines of a source, or not.
    pub fn toggle_source(&mut self, source: u16) {
        self.muted_sources ^= 1_u32.checked_shl(u32::from(source)).unwrap_or(0);
        self.renew_filter();
    }

    /// Shows only lines that came in this time, or all: the first moment, and that after the last, in milliseconds since 1970.
    pub fn set_range(&mut self, range: Option<(f64, f64)>) {
        self.range = range;
        self.renew_filter();
    }

    /// Whether the lines of a source are shown.
    #[must_use]
    pub fn shows_source(&self, source: u16) -> bool {
        is_source_shown(self.muted_sources, source)
    }

    fn renew_filter(&mut self) {
        let by_query = self.mode != FilterMode::Off && self.matcher.is_some();
        let by_level = self.levels.contains(&true);
        self.shown =
            (by_query || by_level || self.muted_sources != 0 || self.range.is_some()).then(LineList::default);
    }

    /// Goes on looking. Whether there is more to look at.
    pub fn advance(&mut self, store: &LineStore) -> bool {
        let Self { matcher, hits, shown, mode, levels, muted_sources, range, .. } = self;
        self.is_counting = matcher.as_ref().is_some_and(|matcher| hits.advance_hits(store, matcher));
        let is_level_shown = |line: &Line<'_>| {
            let chosen = line.level.and_then(|level| levels.get(level as usize)).copied();
            !levels.contains(&true) || chosen.unwrap_or(false)
        };
        let passes = |line: &Line<'_>| match (*mode, matcher.as_ref()) {
            _ if range.is_some_and(|(from, to)| !(from..to).contains(&line.arrived_ms)) => false,
            // The page's own words tell what is missing: they are always shown.
            _ if line.kind == LineKind::Notice => true,
            _ if !is_source_shown(*muted_sources, line.source) => false,
            (FilterMode::Matching, Some(matcher)) => is_level_shown(line) && matcher.is_match(line.text),
            (FilterMode::NotMatching, Some(matcher)) => is_level_shown(line) && !matcher.is_match(line.text),
            _ => is_level_shown(line),
        };
        let tries_expression =
            *mode != FilterMode::Off && matcher.as_ref().is_some_and(|matcher| !matcher.is_words());
        let slice_bytes = if tries_expression { EXPRESSION_SLICE_BYTES } else { SLICE_BYTES };
        let is_filtering = shown.as_mut().is_some_and(|shown| shown.advance(store, slice_bytes, passes));
        self.is_counting || is_filtering
    }

    /// The lines shown; `None` when all are.
    #[must_use]
    pub fn shown(&self) -> Option<&LineList> {
        self.shown.as_ref()
    }

    /// Goes to the next line with a hit after `from`, or to the one before. Gives it.
    pub fn step(&mut self, from: u64, is_forward: bool) -> Option<u64> {
        let start = self.current.unwrap_or(from);
        let target = match (is_forward, self.current) {
            (true, Some(current)) => self.hits.from_id(current + 1),
            (true, None) => self.hits.from_id(start),
            (false, _) => self.hits.before_id(start),
        };
        self.current = target.or(self.current);
        target
    }

    /// The line with the current hit.
    #[must_use]
    pub fn current(&self) -> Option<u64> {
        self.current
    }

    /// Where the hits are in a line.
    #[must_use]
    pub fn hits_in(&self, line: &Line<'_>) -> Vec<Range<usize>> {
        match &self.matcher {
            Some(matcher) if line.kind != LineKind::Notice => matcher.ranges(line.text),
            _ => Vec::new(),
        }
    }

    /// What there is to say.
    #[must_use]
    pub fn state(&self, store: &LineStore) -> FindState {
        let current =
            self.current.and_then(|id| self.hits.position_of(id).checked_sub(self.hits.first_position()));
        FindState {
            hits: self.hits.len(),
            is_counting: self.is_counting,
            // A count of lines held fits.
            current: current.and_then(|position| usize::try_from(position + 1).ok()),
            error: self.error.clone(),
            shown: self.shown.as_ref().map(LineList::len),
            level_counts: Level::ALL.map(|level| store.level_count(level)),
            levels: self.levels,
            mode: self.mode,
        }
    }
}

fn is_source_shown(muted: u32, source: u16) -> bool {
    muted.checked_shr(u32::from(source)).is_none_or(|bits| bits & 1 == 0)
}

#[cfg(test)]
mod tests {
    use super::{
        super::line_store::{Origin, StoreLimits},
        *,
    };

    fn store() -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        let lines = "INFO start\nERROR one failed\nINFO middle\nERROR two failed\nINFO end";
        store.push_message(LineKind::Group, lines, 0.0);
        store.push_message(LineKind::Notice, "failed: connection lost", 0.0);
        store
    }

    fn finding(pattern: &str) -> Finding {
        let mut finding = Finding::default();
        finding.set_query(Query { pattern: pattern.to_owned(), ..Query::default() });
        finding
    }

    fn shown(finding: &Finding) -> Vec<u64> {
        let list = finding.shown().unwrap();
        (list.first_position()..list.next_position()).filter_map(|at| list.id_at(at)).collect()
    }

    #[test]
    fn hits_are_counted_and_stepped_through_in_both_directions_and_around() {
        let (store, mut finding) = (store(), finding("failed"));
        assert!(!finding.advance(&store));
        assert_eq!((finding.state(&store).hits, finding.state(&store).current), (2, None));
        assert_eq!(finding.step(0, true), Some(1));
        assert_eq!(finding.step(0, true), Some(3));
        assert_eq!(finding.state(&store).current, Some(2));
        assert_eq!(finding.step(0, true), Some(1));
        assert_eq!(finding.step(0, false), Some(3));
        assert_eq!(finding.hits_in(&store.line(1).unwrap()).first(), Some(&(10..16)));
        assert!(finding.hits_in(&store.line(5).unwrap()).is_empty());
    }

    #[test]
    fn lines_are_filtered_by_query_its_opposite_and_level_and_notices_stay() {
        let (store, mut finding) = (store(), finding("one"));
        for (mode, lines) in
            [(FilterMode::Matching, vec![1, 5]), (FilterMode::NotMatching, vec![0, 2, 3, 4, 5])]
        {
            finding.set_mode(mode);
            finding.advance(&store);
            assert_eq!(shown(&finding), lines);
        }
        finding.toggle_level(Level::Error);
        finding.advance(&store);
        assert_eq!(shown(&finding), [3, 5]);
        finding.set_mode(FilterMode::Off);
        finding.toggle_level(Level::Error);
        assert!(finding.shown().is_none());
        assert_eq!(finding.state(&store).level_counts, [2, 0, 3, 0, 0]);
    }

    #[test]
    fn levels_may_be_set_all_at_once_and_none_is_all() {
        let (store, mut finding) = (store(), Finding::default());
        let only = |levels: &[Level]| Level::ALL.map(|level| levels.contains(&level));
        for (levels, lines) in [
            (only(&[Level::Error]), vec![1, 3, 5]),
            (only(&[Level::Info]), vec![0, 2, 4, 5]),
            (only(&[]), vec![]),
        ] {
            finding.set_levels(levels);
            finding.advance(&store);
            assert_eq!(finding.state(&store).levels, levels);
            if lines.is_empty() {
                assert!(finding.shown().is_none(), "all lines are shown");
            } else {
                assert_eq!(shown(&finding), lines);
            }
        }
        finding.set_levels(only(&Level::ALL));
        finding.toggle_level(Level::Error);
        assert_eq!(
            finding.state(&store).levels,
            only(&Level::ALL[1..]),
            "each is switched from what was set"
        );
    }

    #[test]
    fn lines_of_a_source_that_is_switched_off_are_held_and_not_shown() {
        let (mut store, mut finding) = (LineStore::new(StoreLimits::default()), Finding::default());
        for source in [0, 1, 2, 1] {
            store.push_message(Origin { kind: LineKind::Group, source }, "x", 0.0);
        }
        finding.toggle_source(1);
        finding.advance(&store);
        assert_eq!(shown(&finding), [0, 2]);
        assert!(!finding.shows_source(1) && finding.shows_source(0) && finding.shows_source(99));
        finding.toggle_source(1);
        assert!(finding.shown().is_none() && store.len() == 4);
    }

    #[test]
    fn only_lines_of_a_stretch_of_time_are_shown_when_asked_for() {
        let (mut store, mut finding) = (LineStore::new(StoreLimits::default()), Finding::default());
        for second in 0..5_u32 {
            store.push_message(LineKind::Group, "x", 1_000.0 * f64::from(second));
        }
        finding.set_range(Some((1_000.0, 3_000.0)));
        finding.advance(&store);
        assert_eq!(shown(&finding), [1, 2]);
        finding.set_range(None);
        assert!(finding.shown().is_none());
    }

    #[test]
    fn lines_on_which_an_expression_is_tried_are_filtered_in_small_slices() {
        let (mut store, line) = (LineStore::new(StoreLimits::default()), "x".repeat(1_000));
        for _ in 0..4 * EXPRESSION_SLICE_BYTES / line.len() {
            store.push_message(LineKind::Group, &line, 0.0);
        }
        let mut finding = Finding::default();
        finding.set_query(Query { pattern: r"\w+\d".to_owned(), is_regex: true, ..Query::default() });
        finding.set_mode(FilterMode::NotMatching);
        let slices = (0..).find(|_| !finding.advance(&store)).unwrap();
        assert!((3..6).contains(&slices), "{slices}");
        assert_eq!(finding.shown().unwrap().len(), store.len());
    }

    #[test]
    fn a_pattern_that_cannot_be_tried_is_told_and_the_old_search_stays() {
        let (store, mut finding) = (store(), finding("one"));
        finding.advance(&store);
        finding.set_query(Query { pattern: "(".into(), is_regex: true, ..Query::default() });
        let state = finding.state(&store);
        assert!(state.error.is_some() && state.hits == 1);
    }
}
