//! The filter: criteria that a line must meet to be visible, and the list of lines that meet them.

use super::{
    line_list::LineList,
    matcher::Matcher,
    record_filter::{FilterProgress, RecordFilter},
    work::Work,
};
use crate::model::{folds::Folds, level::Level, line_store::LineStore, records::Records};

/// Effect of the query on the lines that are visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FilterMode {
    /// All lines are visible; matches are highlighted.
    #[default]
    All,
    /// Only lines that match are visible.
    Matching,
    /// Only lines that do not match are visible.
    NotMatching,
}

impl FilterMode {
    /// All modes, in the order of the switch.
    pub const ALL: [Self; 3] = [Self::All, Self::Matching, Self::NotMatching];

    /// Returns the value of the `data-value` attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Matching => "matching",
            Self::NotMatching => "not-matching",
        }
    }

    /// Returns the mode that follows when the user cycles through them.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::All => Self::Matching,
            Self::Matching => Self::NotMatching,
            Self::NotMatching => Self::All,
        }
    }
}

/// Switch for each log level, most severe first. With all switches off, lines of every level are visible.
pub type Levels = [bool; Level::ALL.len()];

/// State of the filter, for display.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterState {
    /// Effect of the query on the lines that are visible.
    pub mode: FilterMode,
    /// Count of visible lines; `None` without a filter.
    pub visible_lines: Option<usize>,
    /// Whether further lines may be visible: not all were tested.
    pub is_filtering: bool,
    /// Selected log levels.
    pub levels: Levels,
    /// Count of lines held of each level.
    pub level_counts: [u64; Level::ALL.len()],
    /// Whether further lines may be counted: not all were interpreted.
    pub is_counting_levels: bool,
    /// Whether every line held was tested and none is visible.
    pub is_blank: bool,
}

/// Criteria that a line must meet to be visible.
#[derive(Debug, Default)]
pub struct FilterCriteria {
    /// Effect of the query.
    pub mode: FilterMode,
    /// Selected log levels.
    pub levels: Levels,
    /// Arrival times, from the first up to but without the second, in milliseconds since 1970.
    pub time_range: Option<(f64, f64)>,
    /// Count of lines that are visible before and after a match.
    pub context: u64,
    /// Bit set of the sources whose lines are hidden.
    muted_sources: u64,
}

impl FilterCriteria {
    /// Selects a level, or deselects it.
    pub fn toggle_level(&mut self, level: Level) {
        if let Some(is_selected) = self.levels.get_mut(level as usize) {
            *is_selected = !*is_selected;
        }
    }

    /// Removes all criteria. The count of context lines stays.
    pub fn clear(&mut self) {
        *self = Self { context: self.context, ..Self::default() };
    }

    /// Hides the lines of a source, or shows them again.
    pub fn toggle_source(&mut self, source: u16) {
        self.muted_sources ^= 1_u64.checked_shl(u32::from(source)).unwrap_or(0);
    }

    /// Whether lines of a source are visible.
    #[must_use]
    pub fn includes_source(&self, source: u16) -> bool {
        self.muted_sources.checked_shr(u32::from(source)).is_none_or(|bits| bits & 1 == 0)
    }

    /// Whether some lines may be hidden.
    fn is_restrictive(&self, matcher: Option<&Matcher>) -> bool {
        self.matcher_in_use(matcher).is_some()
            || self.levels.contains(&true)
            || self.muted_sources != 0
            || self.time_range.is_some()
    }

    pub(super) fn matcher_in_use<'a>(&self, matcher: Option<&'a Matcher>) -> Option<&'a Matcher> {
        matcher.filter(|_| self.mode != FilterMode::All)
    }

    /// Whether lines that arrived at a time are visible.
    pub(super) fn includes_time(&self, arrived_ms: f64) -> bool {
        self.time_range.is_none_or(|(start, end)| (start..end).contains(&arrived_ms))
    }

    /// Whether lines of a level are visible.
    pub(super) fn includes_level(&self, level: Option<Level>) -> bool {
        let is_selected = level.and_then(|level| self.levels.get(level as usize)).copied().unwrap_or(false);
        is_selected || !self.levels.contains(&true)
    }
}

/// Filter of the log: its criteria, the folded records, and the visible lines while some may be hidden.
#[derive(Debug, Default)]
pub struct LineFilter {
    criteria: FilterCriteria,
    folds: Folds,
    list: Option<LineList>,
    progress: FilterProgress,
}

impl LineFilter {
    /// Returns the criteria.
    #[must_use]
    pub fn criteria(&self) -> &FilterCriteria {
        &self.criteria
    }

    /// Returns the folded records.
    #[must_use]
    pub fn folds(&self) -> &Folds {
        &self.folds
    }

    /// Changes the criteria, and tests all lines again.
    pub fn change(&mut self, matcher: Option<&Matcher>, change: impl FnOnce(&mut FilterCriteria)) {
        change(&mut self.criteria);
        self.restart(matcher);
    }

    /// Folds the record that begins with a line, or unfolds it.
    pub fn toggle_fold(&mut self, first: u64, matcher: Option<&Matcher>) {
        self.folds.toggle(first);
        self.restart(matcher);
    }

    /// Folds all records, or unfolds all if some are folded.
    pub fn toggle_all_folds(&mut self, matcher: Option<&Matcher>) {
        self.folds.toggle_all();
        self.restart(matcher);
    }

    /// Forgets folded records before `first_id`.
    pub fn drop_folds_before(&mut self, first_id: u64) {
        self.folds.drop_before(first_id);
    }

    /// Tests all lines again, after the query changed.
    pub fn restart(&mut self, matcher: Option<&Matcher>) {
        let is_needed = self.criteria.is_restrictive(matcher) || !self.folds.is_empty();
        self.list = is_needed.then(LineList::default);
        self.progress = FilterProgress::default();
    }

    /// Tests lines not tested yet until the work is spent, as far as they are grouped into records. Returns whether untested lines remain.
    pub fn advance(
        &mut self,
        store: &LineStore,
        matcher: Option<&Matcher>,
        records: &Records,
        work: &mut Work<'_>,
    ) -> bool {
        let Self { criteria, folds, list, progress } = self;
        let Some(list) = list else { return false };
        RecordFilter { criteria, matcher, records, folds }.advance(list, progress, store, work)
    }

    /// Returns whether positions of listed lines have changed since this was last called.
    pub fn take_moved(&mut self) -> bool {
        self.list.as_mut().is_some_and(LineList::take_moved)
    }

    /// Returns the list of visible lines; `None` without a filter.
    #[must_use]
    pub fn list(&self) -> Option<&LineList> {
        self.list.as_ref()
    }

    /// Returns the state of the filter on the lines of `store`.
    #[must_use]
    pub fn state(&self, store: &LineStore) -> FilterState {
        FilterState {
            mode: self.criteria.mode,
            visible_lines: self.list.as_ref().map(LineList::len),
            is_filtering: self.list.as_ref().is_some_and(|list| list.next_id() < store.next_id()),
            levels: self.criteria.levels,
            level_counts: Level::ALL.map(|level| store.level_count(level)),
            is_counting_levels: !store.is_interpreted(),
            is_blank: !store.is_empty() && self.list.as_ref().is_some_and(|list| list.is_blank(store)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::matcher::Query, *};
    use crate::model::line_store::{LineKind, Origin, StoreLimits};

    fn store() -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        let lines = "INFO start\nERROR one failed\nINFO middle\nERROR two failed\nINFO end";
        store.push_message(LineKind::Group, lines, 0.0);
        store.push_message(LineKind::Notice, "failed: connection lost", 0.0);
        store
    }

    fn matcher(pattern: &str, is_regex: bool) -> Option<Matcher> {
        let query = Query { pattern: pattern.to_owned(), is_regex, ..Query::default() };
        Matcher::new(&query).unwrap()
    }

    fn grouped(store: &mut LineStore) -> Records {
        let mut records = Records::default();
        while records.next_id() < store.next_id() {
            records.advance(store);
        }
        records
    }

    fn advance(filter: &mut LineFilter, store: &mut LineStore, matcher: Option<&Matcher>) {
        let records = grouped(store);
        while filter.advance(store, matcher, &records, &mut Work::slice()) {}
    }

    fn visible(filter: &LineFilter) -> Vec<u64> {
        let list = filter.list().unwrap();
        (list.first_position()..list.next_position()).filter_map(|at| list.id_at(at)).collect()
    }

    fn only(levels: &[Level]) -> Levels {
        Level::ALL.map(|level| levels.contains(&level))
    }

    #[test]
    fn modes_follow_each_other_in_a_cycle() {
        let modes = [FilterMode::All, FilterMode::Matching, FilterMode::NotMatching];
        assert_eq!(modes.map(FilterMode::next), [modes[1], modes[2], modes[0]]);
    }

    #[test]
    fn lines_are_filtered_by_query_and_level_and_notices_stay() {
        let (mut store, matcher, mut filter) = (store(), matcher("one", false), LineFilter::default());
        let matcher = matcher.as_ref();
        for (mode, lines) in
            [(FilterMode::Matching, vec![1, 5]), (FilterMode::NotMatching, vec![0, 2, 3, 4, 5])]
        {
            filter.change(matcher, |criteria| criteria.mode = mode);
            advance(&mut filter, &mut store, matcher);
            assert_eq!(visible(&filter), lines);
        }
        filter.change(matcher, |criteria| criteria.toggle_level(Level::Error));
        advance(&mut filter, &mut store, matcher);
        assert_eq!(visible(&filter), [3, 5]);
        filter.change(matcher, |criteria| {
            criteria.mode = FilterMode::All;
            criteria.toggle_level(Level::Error);
        });
        assert!(filter.list().is_none());
        assert_eq!(filter.state(&store).level_counts, [2, 0, 3, 0, 0]);
    }

    #[test]
    fn a_mode_without_a_query_hides_nothing() {
        let mut filter = LineFilter::default();
        filter.change(None, |criteria| criteria.mode = FilterMode::Matching);
        assert!(filter.list().is_none());
        filter.restart(matcher("one", false).as_ref());
        assert!(filter.list().is_some());
    }

    #[test]
    fn levels_are_selected_together_and_none_selected_shows_all() {
        let (mut store, mut filter) = (store(), LineFilter::default());
        for (levels, lines) in [
            (only(&[Level::Error]), Some(vec![1, 3, 5])),
            (only(&[Level::Info]), Some(vec![0, 2, 4, 5])),
            (only(&[]), None),
        ] {
            filter.change(None, |criteria| criteria.levels = levels);
            advance(&mut filter, &mut store, None);
            assert_eq!(filter.state(&store).levels, levels);
            assert_eq!(filter.list().map(|_| visible(&filter)), lines);
        }
        filter.change(None, |criteria| {
            criteria.levels = only(&Level::ALL);
            criteria.toggle_level(Level::Error);
        });
        assert_eq!(filter.state(&store).levels, only(&Level::ALL[1..]), "the others stay selected");
    }

    #[test]
    fn lines_of_a_muted_source_are_held_but_hidden() {
        let (mut store, mut filter) = (LineStore::new(StoreLimits::default()), LineFilter::default());
        for source in [0, 1, 2, 1] {
            store.push_message(Origin { kind: LineKind::Group, source }, "x", 0.0);
        }
        filter.change(None, |criteria| criteria.toggle_source(1));
        advance(&mut filter, &mut store, None);
        assert_eq!(visible(&filter), [0, 2]);
        let criteria = filter.criteria();
        assert!(!criteria.includes_source(1) && criteria.includes_source(0) && criteria.includes_source(99));
        filter.change(None, |criteria| criteria.toggle_source(1));
        assert!(filter.list().is_none() && store.len() == 4);
    }

    #[test]
    fn a_time_range_hides_lines_that_arrived_outside_of_it() {
        let (mut store, mut filter) = (LineStore::new(StoreLimits::default()), LineFilter::default());
        for second in 0..5_u32 {
            store.push_message(LineKind::Group, "x", 1_000.0 * f64::from(second));
        }
        store.push_message(LineKind::Notice, "connection lost", 4_000.0);
        filter.change(None, |criteria| criteria.time_range = Some((1_000.0, 3_000.0)));
        advance(&mut filter, &mut store, None);
        assert_eq!(visible(&filter), [1, 2]);
        filter.change(None, |criteria| criteria.time_range = None);
        assert!(filter.list().is_none());
    }

    #[test]
    fn a_regular_expression_filters_in_small_slices_and_within_a_line() {
        let (mut store, line) = (LineStore::new(StoreLimits::default()), "ab ".repeat(300));
        for _ in 0..10 {
            store.push_message(LineKind::Group, &line, 0.0);
        }
        store.push_message(LineKind::Group, &line.repeat(10), 0.0);
        let records = grouped(&mut store);
        for (pattern, least) in [(r"\w+\d", 1), ("([a-c ]{0,12}){0,12}z", 20)] {
            let (matcher, mut filter) = (matcher(pattern, true), LineFilter::default());
            filter.change(matcher.as_ref(), |criteria| criteria.mode = FilterMode::NotMatching);
            let slices = (1..)
                .find(|_| !filter.advance(&store, matcher.as_ref(), &records, &mut Work::slice()))
                .unwrap();
            assert!(slices >= least, "{pattern}: {slices}");
            assert_eq!(filter.list().unwrap().len(), store.len());
        }
    }
}
