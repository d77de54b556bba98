//! Search and filter.

use std::ops::Range;

use super::LiveLog;
use crate::model::{
    display_text::display_text,
    level::Level,
    local_time::LocalTime,
    navigation::Direction,
    search::{FilterMode, Levels, Query, filter::FilterCriteria, stops::next_stop, work::Work},
};

impl LiveLog {
    /// Searches for another query. A pattern that cannot be used leaves the previous search in place.
    pub fn set_query(&mut self, query: Query) {
        self.keep_top_line(|log| {
            if log.search.set_query(query) {
                log.stop = None;
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

    /// Goes to the next or the previous line with a match, and to the match as far as the work allows.
    pub fn step_match(&mut self, direction: Direction, work: &mut Work<'_>) {
        if let Some(current) = self.search.current()
            && let Some((line, stop)) = self.stop.clone().filter(|(line, _)| *line == current)
            && let Some(next) = self.stop_in(line, Some(&stop), direction, work)
        {
            return self.go_to_stop(line, next);
        }
        let top = self.lines().id_at(self.viewport.top_line()).unwrap_or(0);
        if let Some(id) = self.search.step(top, direction) {
            self.unfold(id);
            match self.stop_in(id, None, direction, work) {
                Some(stop) => self.go_to_stop(id, stop),
                None => self.jump_to(id),
            }
        }
    }

    fn stop_in(
        &self,
        id: u64,
        current: Option<&Range<usize>>,
        direction: Direction,
        work: &mut Work<'_>,
    ) -> Option<Range<usize>> {
        let (line, matcher) = (self.store.line(id)?, self.search.matcher()?);
        next_stop(matcher, line.text, current, direction, work)
    }

    /// Goes to a match in a line, which is shown whole if the match is beyond its beginning.
    fn go_to_stop(&mut self, id: u64, stop: Range<usize>) {
        let before = self.store.line(id).and_then(|line| line.text.get(..stop.end));
        let is_hidden = before.is_some_and(|text| display_text(text).hidden_chars > 0);
        if is_hidden && !self.whole_lines.contains(id) {
            self.toggle_whole(id);
        }
        self.jump_to(id);
        self.stop = Some((id, stop));
        self.is_reveal_due = true;
    }

    /// Takes the match that is to be scrolled into view, once its line has a row: the line, and the bytes in it.
    pub fn take_reveal(&mut self) -> Option<(u64, Range<usize>)> {
        std::mem::take(&mut self.is_reveal_due).then(|| self.stop.clone()).flatten()
    }

    /// Tests a slice of the lines that search and filter have not tested yet. Returns whether untested lines remain.
    pub fn advance_search(&mut self) -> bool {
        let top = self.pending_top.or_else(|| self.lines().id_at(self.viewport.top_line()));
        self.advance_records();
        let mut work = Work::slice();
        let is_filtering = self.filter.advance(&self.store, self.search.matcher(), &self.records, &mut work);
        // Lines that are visible go before the count of matches.
        let is_matching = self.search.advance(&self.store, &mut work);
        self.is_searching = is_matching || is_filtering;
        if self.filter.take_moved() {
            // A replaced line became visible, or no longer is: lines have other positions.
            self.pending_top = top;
            self.revision += 1;
        }
        self.is_searching()
    }

    /// Whether lines remain to be tested or grouped: the next frame is to continue.
    #[must_use]
    pub fn is_searching(&self) -> bool {
        self.is_searching || self.is_grouping
    }

    /// Whether a filter limits the lines that are visible.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.filter.list().is_some()
    }

    pub(super) fn change_filter(&mut self, change: impl FnOnce(&mut FilterCriteria)) {
        self.keep_top_line(|log| log.filter.change(log.search.matcher(), change));
    }

    /// Applies a change of search or filter. The line at the top of the viewport stays there if it remains visible.
    pub(super) fn keep_top_line(&mut self, change: impl FnOnce(&mut Self)) {
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
