//! The filter, applied to records: a record is visible as a whole if one of its lines matches, with lines around it for context.

use super::{
    filter::{FilterCriteria, FilterMode},
    line_list::LineList,
    matcher::Matcher,
    work::Work,
};
use crate::model::{
    folds::Folds,
    line_store::{Line, LineKind, LineStore},
    records::Records,
};

/// Maximum count of lines that are looked at for the context before a match.
const MAX_CONTEXT_STEPS: u64 = 1_000;

/// What a line is tested for.
pub(super) struct RecordFilter<'a> {
    pub(super) criteria: &'a FilterCriteria,
    pub(super) matcher: Option<&'a Matcher>,
    pub(super) records: &'a Records,
    pub(super) folds: &'a Folds,
}

/// Matches so far, as far as they matter for the next line.
#[derive(Debug, Default)]
pub(super) struct FilterProgress {
    /// First line of the record that matched last.
    matched: Option<u64>,
    /// Count of further lines that are visible as context.
    context_left: u64,
}

impl RecordFilter<'_> {
    /// Tests lines that were not tested yet until the work is spent, as far as they are grouped. Returns whether untested lines remain.
    pub(super) fn advance(
        &self,
        list: &mut LineList,
        progress: &mut FilterProgress,
        store: &LineStore,
        work: &mut Work<'_>,
    ) -> bool {
        let test = |line: &Line<'_>, at: &mut usize, work: &mut Work<'_>| self.includes_alone(line, at, work);
        if !list.begin_slice(store, work, &test) {
            return true;
        }
        for line in store.lines_from(list.next_id()) {
            if work.is_spent() || line.id >= self.records.next_id() {
                return true;
            }
            work.spend_line();
            if self.admits(&line) {
                match self.matcher_for(&line) {
                    None => list.insert(line.id),
                    Some(matcher) => match matcher.test(line.text, list.next_at(), work) {
                        None => return true,
                        Some(is_match) => self.include(list, progress, store, &line, is_match),
                    },
                }
            }
            list.set_tested(line.id);
        }
        false
    }

    /// Includes a line, and others with it, by whether it matches.
    fn include(
        &self,
        list: &mut LineList,
        progress: &mut FilterProgress,
        store: &LineStore,
        line: &Line<'_>,
        is_match: bool,
    ) {
        let first = self.records.first_of(line.id);
        let is_visible = if self.criteria.mode == FilterMode::NotMatching {
            let is_hidden = first < line.id && !list.contains(first);
            if is_match && !is_hidden {
                self.of_record(first, line.id).for_each(|id| list.remove(id));
            }
            !is_match && !is_hidden
        } else {
            let is_record_visible = progress.matched == Some(first);
            if is_match && !is_record_visible {
                self.include_record(list, store, first, line.id);
                progress.matched = Some(first);
            }
            is_match || is_record_visible
        };
        if is_visible {
            progress.context_left = self.criteria.context;
            list.insert(line.id);
        } else if self.criteria.mode == FilterMode::Matching && progress.context_left > 0 {
            progress.context_left -= 1;
            list.insert(line.id);
        }
    }

    /// Includes the lines of a record before the one that matches, and the context before them.
    fn include_record(&self, list: &mut LineList, store: &LineStore, first: u64, end: u64) {
        let is_admitted = |id: u64| store.line(id).is_some_and(|line| self.admits(&line));
        let before = (store.first_id()..first).rev().take(if self.criteria.context > 0 {
            usize::try_from(MAX_CONTEXT_STEPS).unwrap_or(usize::MAX)
        } else {
            0
        });
        let context = usize::try_from(self.criteria.context).unwrap_or(usize::MAX);
        let before: Vec<u64> = before.filter(|id| is_admitted(*id)).take(context).collect();
        before.into_iter().rev().for_each(|id| list.insert(id));
        self.of_record(first, end).filter(|id| is_admitted(*id)).for_each(|id| list.insert(id));
    }

    fn of_record(&self, first: u64, end: u64) -> impl Iterator<Item = u64> {
        (first..end).filter(move |id| self.records.first_of(*id) == first)
    }

    /// Whether a line meets all criteria but the query. Notices are subject to the time range only: they report missing lines.
    fn admits(&self, line: &Line<'_>) -> bool {
        if !self.criteria.includes_time(line.arrived_ms) {
            return false;
        }
        if line.kind == LineKind::Notice {
            return true;
        }
        let first = self.records.first_of(line.id);
        self.criteria.includes_source(line.source)
            && self.criteria.includes_level(self.records.level_of(line))
            && !(first < line.id && self.folds.contains(first))
    }

    /// Returns the query that decides about a line; `None` if no query does.
    fn matcher_for(&self, line: &Line<'_>) -> Option<&Matcher> {
        self.criteria.matcher_in_use(self.matcher).filter(|_| line.kind != LineKind::Notice)
    }

    /// Whether a line is visible without regard to the other lines of its record. Returns `None` once the work is spent.
    fn includes_alone(&self, line: &Line<'_>, at: &mut usize, work: &mut Work<'_>) -> Option<bool> {
        let is_wanted = self.criteria.mode == FilterMode::Matching;
        match self.matcher_for(line).filter(|_| self.admits(line)) {
            None => Some(self.admits(line)),
            Some(matcher) => Some(matcher.test(line.text, at, work)? == is_wanted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Query, filter::LineFilter},
        *,
    };
    use crate::model::{level::Level, line_store::StoreLimits};

    const LOG: &str = "INFO one
ERROR two
  at needle
  at other
INFO three
Traceback (most recent call last):
  File \"a.py\"
ValueError: bad
INFO four
INFO five";

    struct Fixture {
        store: LineStore,
        records: Records,
        filter: LineFilter,
        matcher: Option<Matcher>,
    }

    impl Fixture {
        fn new(pattern: &str) -> Self {
            let mut store = LineStore::new(StoreLimits::default());
            store.push_message(LineKind::Group, LOG, 0.0);
            let query = Query { pattern: pattern.to_owned(), ..Query::default() };
            let matcher = Matcher::new(&query).unwrap();
            Self { store, records: Records::default(), filter: LineFilter::default(), matcher }
        }

        fn visible(&mut self, change: impl FnOnce(&mut FilterCriteria)) -> Vec<u64> {
            self.filter.change(self.matcher.as_ref(), change);
            self.advance()
        }

        fn advance(&mut self) -> Vec<u64> {
            self.records.advance(&mut self.store);
            let Self { store, records, filter, matcher } = self;
            while filter.advance(store, matcher.as_ref(), records, &mut Work::slice()) {}
            let list = self.filter.list().unwrap();
            (list.first_position()..list.next_position()).filter_map(|at| list.id_at(at)).collect()
        }
    }

    #[test]
    fn a_level_shows_whole_records() {
        let mut log = Fixture::new("");
        assert_eq!(log.visible(|criteria| criteria.toggle_level(Level::Error)), [1, 2, 3, 5, 6, 7]);
    }

    #[test]
    fn a_match_shows_its_record_or_hides_it() {
        let mut log = Fixture::new("needle");
        assert_eq!(log.visible(|criteria| criteria.mode = FilterMode::Matching), [1, 2, 3]);
        assert_eq!(log.visible(|criteria| criteria.mode = FilterMode::NotMatching), [0, 4, 5, 6, 7, 8, 9]);
        // A further line of the record arrives, and a match in it.
        let mut log = Fixture::new("late");
        assert_eq!(log.visible(|criteria| criteria.mode = FilterMode::Matching), [0; 0]);
        log.store.push_message(LineKind::Group, "  late", 0.0);
        assert_eq!(log.advance(), [9, 10]);
        assert_eq!(
            log.visible(|criteria| criteria.mode = FilterMode::NotMatching),
            (0..9).collect::<Vec<_>>()
        );
    }

    #[test]
    fn lines_around_matches_are_visible_as_context() {
        let mut log = Fixture::new("needle");
        let mut with = |context| {
            log.visible(|criteria| (criteria.mode, criteria.context) = (FilterMode::Matching, context))
        };
        assert_eq!(with(1), [0, 1, 2, 3, 4]);
        assert_eq!(with(3), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(with(0), [1, 2, 3]);
    }

    #[test]
    fn a_folded_record_shows_its_first_line() {
        let mut log = Fixture::new("");
        log.filter.toggle_fold(1, None);
        assert_eq!(log.advance(), [0, 1, 4, 5, 6, 7, 8, 9]);
        log.filter.toggle_fold(1, None);
        assert!(log.filter.list().is_none());
        log.filter.toggle_all_folds(None);
        assert_eq!(log.advance(), [0, 1, 4, 5, 8, 9]);
        log.filter.change(None, FilterCriteria::clear);
        assert_eq!(log.advance(), [0, 1, 4, 5, 8, 9], "records stay folded");
    }
}
