//! Search and filter.

use super::LiveLog;
use crate::model::{
    level::Level,
    local_time::LocalTime,
    navigation::Direction,
    search::{FilterMode, Levels, Query, filter::FilterCriteria},
};

impl LiveLog {
    /// Searches for another query. A pattern that cannot be used leaves the previous search in place.
    pub fn set_query(&mut self, query: Query) {
        self.keep_top_line(|log| {
            if log.search.set_query(query) {
                log.filter.restart(log.search.matcher());
            }
        });
    }

    /// Sets the effect of the query on the lines that are visible.
    pub fn set_filter_mode(&mut self, mode: FilterMode) {
        self.change_filter(|criteria| criteria.mode = mode);
    }

    /// Selects a level, or deselects it. With no level selected, lines of all levels are visible.
    pub fn toggle_level(&mut self, level: Level) {
        self.change_filter(|criteria| criteria.toggle_level(level));
    }

    /// Sets which levels are selected.
    pub fn set_levels(&mut self, levels: Levels) {
        self.change_filter(|criteria| criteria.levels = levels);
    }

    /// Hides the lines of a source, or shows them again.
    pub fn toggle_source(&mut self, source: u16) {
        self.change_filter(|criteria| criteria.toggle_source(source));
    }

    /// Limits lines to those that arrived during these bars of the timeline, the last included. `None` removes the limit.
    pub fn set_time_range(&mut self, bars: Option<(usize, usize)>, offset_minutes: i32) {
        self.time_range = bars.map(|bars| self.range_label(bars, offset_minutes));
        let range = bars.map(|(first, last)| self.store.timeline().range_of(first, last));
        self.change_filter(|criteria| criteria.time_range = range);
    }

    /// Returns the start of the first and the end of the last bar of the timeline: `14:03:11 – 14:03:20`.
    #[must_use]
    pub fn range_label(&self, (first, last): (usize, usize), offset_minutes: i32) -> String {
        let (start, end) = self.store.timeline().range_of(first, last);
        let time_of_day = |unix_ms| LocalTime { unix_ms, offset_minutes }.time_of_day();
        format!("{} – {}", time_of_day(start), time_of_day(end))
    }

    /// Removes every criterion of the filter. The query remains.
    pub fn clear_filters(&mut self) {
        self.time_range = None;
        self.change_filter(FilterCriteria::clear);
    }

    /// Goes to the next or the previous line with a match.
    pub fn step_match(&mut self, direction: Direction) {
        let top = self.lines().id_at(self.viewport.top_line()).unwrap_or(0);
        if let Some(id) = self.search.step(top, direction) {
            self.jump_to(id);
        }
    }

    /// Tests a slice of the lines that search and filter have not tested yet. Returns whether untested lines remain.
    pub fn advance_search(&mut self) -> bool {
        let is_matching = self.search.advance(&self.store);
        let top = self.pending_top.or_else(|| self.lines().id_at(self.viewport.top_line()));
        let is_filtering = self.filter.advance(&self.store, self.search.matcher());
        self.is_searching = is_matching || is_filtering;
        if self.filter.take_moved() {
            // A replaced line became visible, or no longer is: lines have other positions.
            self.pending_top = top;
            self.revision += 1;
        }
        self.is_searching
    }

    /// Whether lines remain to be tested: the next frame is to continue.
    #[must_use]
    pub fn is_searching(&self) -> bool {
        self.is_searching
    }

    /// Whether a filter limits the lines that are visible.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.filter.list().is_some()
    }

    fn change_filter(&mut self, change: impl FnOnce(&mut FilterCriteria)) {
        self.keep_top_line(|log| log.filter.change(log.search.matcher(), change));
    }

    /// Applies a change of search or filter. The line at the top of the viewport stays there if it remains visible.
    fn keep_top_line(&mut self, change: impl FnOnce(&mut Self)) {
        // After an earlier change in the same frame, the viewport does not have that line at its top yet.
        let top = self.pending_top.or_else(|| self.lines().id_at(self.viewport.top_line()));
        let was_filtered = self.is_filtered();
        change(self);
        self.revision += 1;
        if was_filtered || self.is_filtered() {
            self.pending_top = top;
            let positions = self.lines().positions();
            self.viewport.renumber(positions.start, positions.end, None);
        }
    }

    /// Scrolls the kept line back to the top, once search and filter have tested all lines.
    pub(super) fn restore_top_line(&mut self) {
        if self.is_searching {
            return;
        }
        if let Some(id) = self.pending_top.take() {
            let (positions, top) = (self.lines().positions(), self.lines().position_of(id));
            self.viewport.renumber(positions.start, positions.end, Some(top));
        }
    }
}
