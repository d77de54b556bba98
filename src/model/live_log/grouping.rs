//! Records: grouped, folded, and gone to.

use std::ops::Range;

use super::LiveLog;
use crate::model::{
    level::Level,
    line_store::{Line, LineKind},
    navigation::Direction,
    records::INTERPRETED_SLICE_BYTES,
    row::Fold,
    selection::Selection,
};

/// Bytes of text that are interpreted for each render during a flood: a fraction of the time that lines take to arrive.
const FLOOD_SLICE_BYTES: usize = INTERPRETED_SLICE_BYTES / 2;

impl LiveLog {
    /// Interprets and groups a slice of the lines. During a flood, unless the filter needs it, lines are only interpreted, so that their
    /// levels are counted.
    pub(super) fn advance_records(&mut self) {
        if self.viewport.is_flooded() && !self.is_filtered() {
            self.store.interpret_some(FLOOD_SLICE_BYTES);
            self.is_grouping = false;
            return;
        }
        if self.records.advance(&mut self.store) {
            self.revision += 1;
        }
        self.is_grouping = self.records.next_id() < self.store.next_id();
        if let Some((cleared, _)) = self.cleared.as_mut().filter(|_| !self.is_grouping) {
            self.is_grouping = self.store.interpret_cleared(cleared, INTERPRETED_SLICE_BYTES);
        }
    }

    fn group_all(&mut self) {
        while self.records.next_id() < self.store.next_id() {
            self.records.advance(&mut self.store);
        }
    }

    /// Returns the fold of a line that begins a record of several lines.
    pub(super) fn record_fold(&self, line: &Line<'_>) -> Fold {
        let lines = self.records.rest_of(line.id);
        if line.kind == LineKind::Notice || lines.is_empty() {
            return Fold::None;
        }
        Fold::Record { is_folded: self.filter.folds().contains(line.id), lines: lines.end - lines.start }
    }

    /// Returns the lines that are not visible because the record that begins with a line is folded.
    pub(super) fn folded_lines(&self, first: u64) -> Range<u64> {
        if self.filter.folds().contains(first) { self.records.rest_of(first) } else { 0..0 }
    }

    /// Folds the record of a line, or unfolds it.
    pub fn toggle_fold(&mut self, id: u64) {
        let first = self.records.first_of(id);
        if self.records.rest_of(first).is_empty() {
            return;
        }
        if self.selection.is_some_and(|selection| selection.is_empty()) {
            self.selection = Some(Selection::at_line(first));
        }
        self.viewport.hold();
        self.keep_top_line(|log| log.filter.toggle_fold(first, log.search.matcher()));
    }

    /// Unfolds the record of a line that is not visible because of that.
    pub(super) fn unfold(&mut self, id: u64) {
        let first = self.records.first_of(id);
        if first < id && self.filter.folds().contains(first) {
            self.toggle_fold(id);
            self.advance_search();
        }
    }

    /// Folds the current record, or unfolds it: that of the caret, or else that of the current match, or else the first one in view.
    pub fn toggle_fold_current(&mut self) {
        let caret = self.selection.map(|selection| selection.head.line);
        let is_record = |id: &u64| !self.records.rest_of(self.records.first_of(*id)).is_empty();
        let current = caret.into_iter().chain(self.search.current()).find(is_record);
        if let Some(id) = current.or_else(|| self.first_line_in_view(is_record)) {
            self.toggle_fold(id);
        }
    }

    /// Folds all records, or unfolds all if some are folded.
    pub fn toggle_all_folds(&mut self) {
        self.keep_top_line(|log| log.filter.toggle_all_folds(log.search.matcher()));
    }

    /// Goes to the next or the previous visible error, a record as a whole, and around at both ends. Returns whether there is one.
    pub fn step_error(&mut self, direction: Direction) -> bool {
        self.group_all();
        let lines = self.lines();
        let Range { start, end } = lines.positions();
        let caret = self.selection.map(|selection| selection.head.line);
        let from = match caret {
            Some(id) => lines.position_of(self.records.first_of(id)),
            None => self.viewport.top_line(),
        };
        let is_error = |position: &u64| {
            lines.line_at(*position).is_some_and(|line| {
                line.kind != LineKind::Notice
                    && !self.records.is_continuation(line.id)
                    && self.records.level_of(&line) == Some(Level::Error)
            })
        };
        let behind = from + u64::from(caret.is_some());
        let found = match direction {
            Direction::Forward => (behind..end).chain(start..behind.min(end)).find(is_error),
            Direction::Backward => (start..from).rev().chain((from..end).rev()).find(is_error),
        };
        let id = found.and_then(|position| lines.id_at(position));
        if let Some(id) = id {
            self.jump_to(id);
        }
        id.is_some()
    }

    /// Sets the count of lines that are visible before and after a match, while others are hidden.
    pub fn set_context(&mut self, lines: u64) {
        if self.filter.criteria().context != lines {
            self.change_filter(|criteria| criteria.context = lines);
        }
    }
}
