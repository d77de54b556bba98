//! Layout: heights of lines that wrap or are open, and the lines in view.

use super::LiveLog;
use crate::model::{
    display_text::MAX_DRAWN_COLUMNS, line_store::Line, viewport::Layout, whole_lines::is_long,
};

/// Count of lines from the top of the viewport on that are searched for one of a kind: more than any viewport shows.
pub(super) const MAX_VIEW_LINES: u64 = 200;
/// Width of a row of a line that is shown whole, in columns, before its row is measured.
const GUESSED_COLUMNS: u32 = 120;

impl LiveLog {
    /// Lays out the log as it is now. `is_idle` is false while the user scrolls. See
    /// [`Viewport::lay_out`](crate::model::viewport::Viewport::lay_out).
    pub fn lay_out(&mut self, is_idle: bool) -> Layout {
        self.advance_search();
        let positions = self.lines().positions();
        self.viewport.lines_changed(positions.start, positions.end);
        self.top_row = self.top_row();
        self.viewport.set_top_row(self.top_row.is_shown());
        self.follow_pending_link();
        self.jump_to_linked();
        self.bookmarks.drop_before(self.store.first_id());
        self.open_lines.drop_before(self.store.first_id());
        self.whole_lines.drop_before(self.store.first_id());
        self.filter.drop_folds_before(self.store.first_id());
        self.restore_top_line();
        self.continue_to_start();
        self.count_redrawn_rows();
        self.count_new_rows();
        let layout = self.viewport.lay_out(is_idle);
        self.load_earlier_near_top();
        self.load_newer_at_end();
        layout
    }

    /// Reports the heights of lines that the viewport has not counted yet.
    fn count_new_rows(&mut self) {
        for position in self.viewport.uncounted() {
            let Some(line) = self.lines().line_at(position) else { continue };
            let (id, columns, rows) = (line.id, shown_columns(&line), self.text_rows(&line));
            self.viewport.count_line(columns);
            if !self.open_lines.is_empty() || !self.whole_lines.is_empty() {
                self.viewport.measured(position, rows + self.open_lines.rows_below(id).unwrap_or(0));
            }
        }
    }

    /// Reports the heights of lines that were replaced, and has rows filled again.
    fn count_redrawn_rows(&mut self) {
        let redraws = std::mem::replace(&mut self.redraws, self.store.redraws());
        if redraws == self.redraws {
            return;
        }
        self.revision += 1;
        let ids: Vec<u64> = match self.store.redrawn_since(redraws) {
            Some(ids) => ids.collect(),
            // Too many to tell which: all lines are counted again.
            None => return self.viewport.set_wrap(self.viewport.row_columns()),
        };
        for id in ids {
            let Some(line) = self.store.line(id).filter(|line| self.lines().contains(line.id)) else {
                continue;
            };
            let rows = self.text_rows(&line) + self.open_lines.rows_below(id).unwrap_or(0);
            self.viewport.measured(self.lines().position_of(id), rows);
        }
    }

    /// Returns the count of rows that the text of a line takes.
    fn text_rows(&self, line: &Line<'_>) -> u32 {
        let (columns, row_columns) = match self.whole_lines.contains(line.id) {
            // It wraps always.
            true => (line.columns(), self.row_columns.unwrap_or(GUESSED_COLUMNS)),
            false => (shown_columns(line), self.row_columns.unwrap_or(u32::MAX)),
        };
        columns.div_ceil(row_columns).max(1)
    }

    /// Wraps long lines into rows of `row_columns`, or does not wrap. The line at the top of the viewport stays there.
    pub fn set_wrap(&mut self, row_columns: Option<u32>) {
        if self.row_columns != row_columns {
            self.row_columns = row_columns;
            self.update_row_index();
            self.revision += 1;
        }
    }

    /// Has the viewport count rows line by line if some lines take more than one.
    fn update_row_index(&mut self) {
        let is_needed =
            self.row_columns.is_some() || !self.open_lines.is_empty() || !self.whole_lines.is_empty();
        let row_columns = is_needed.then(|| self.row_columns.unwrap_or(u32::MAX));
        if self.viewport.row_columns() != row_columns {
            self.viewport.set_wrap(row_columns);
        }
    }

    /// Opens a line that is a JSON object, or closes it. The line at the top of the viewport stays there.
    pub fn toggle_open(&mut self, id: u64) {
        let Some(line) = self.store.line(id) else { return };
        let Some(rows_below) = self.open_lines.toggle(&line) else { return };
        self.revision += 1;
        self.viewport.hold();
        self.update_row_index();
        self.set_rows_below(id, rows_below);
        if let Some(closed) = self.open_lines.close_surplus() {
            self.set_rows_below(closed, 0);
        }
    }

    fn set_rows_below(&mut self, id: u64, rows_below: u32) {
        if !self.lines().contains(id) {
            return;
        }
        if let Some(rows) = self.store.line(id).map(|line| self.text_rows(&line)) {
            let position = self.lines().position_of(id);
            self.viewport.measured(position, rows + rows_below);
        }
    }

    /// Returns how many characters of a line are shown at most.
    #[must_use]
    pub fn drawn_chars(&self, id: u64) -> usize {
        self.whole_lines.max_chars(id)
    }

    /// Shows a long line whole, or shortens it. The line at the top of the viewport stays there.
    pub fn toggle_whole(&mut self, id: u64) {
        if !self.store.line(id).is_some_and(|line| is_long(&line)) {
            return;
        }
        let shortened = self.whole_lines.toggle(id);
        self.revision += 1;
        self.viewport.hold();
        self.update_row_index();
        for id in shortened.into_iter().chain([id]) {
            self.set_rows_below(id, self.open_lines.rows_below(id).unwrap_or(0));
        }
    }

    /// Shows the current line whole if it is long, or shortens it: that of the caret, or else that of the current match, or else the
    /// first long line in view.
    pub fn toggle_whole_current(&mut self) {
        let caret = self.selection.map(|selection| selection.head.line);
        let is_long = |id: &u64| self.store.line(*id).is_some_and(|line| is_long(&line));
        let current = caret.into_iter().chain(self.search.current()).find(is_long);
        let in_view = || self.first_line_in_view(is_long);
        if let Some(id) = current.or_else(in_view) {
            self.toggle_whole(id);
        }
    }

    /// Opens the current line if it is a JSON object, or closes it.
    pub fn toggle_open_current(&mut self) {
        if let Some(id) = self.line_to_open() {
            self.toggle_open(id);
        }
    }

    /// Returns the line to open or close: that of the caret if it is a JSON object, or else that of the current match, or else the
    /// first JSON object in view.
    pub(super) fn line_to_open(&self) -> Option<u64> {
        self.json_line_at_caret().or_else(|| self.search.current()).or_else(|| self.first_json_line_in_view())
    }

    fn json_line_at_caret(&self) -> Option<u64> {
        let id = self.selection.map(|selection| selection.head.line)?;
        let line = self.store.line(id).filter(|line| line.is_json() && self.lines().contains(id))?;
        Some(line.id)
    }

    fn first_json_line_in_view(&self) -> Option<u64> {
        self.first_line_in_view(|id| self.store.line(*id).is_some_and(|line| line.is_json()))
    }

    pub(super) fn first_line_in_view(&self, is_wanted: impl Fn(&u64) -> bool) -> Option<u64> {
        let top = self.viewport.top_line();
        (top..top + MAX_VIEW_LINES).map_while(|position| self.lines().id_at(position)).find(is_wanted)
    }
}

/// Returns the width of what is shown of a line.
fn shown_columns(line: &Line<'_>) -> u32 {
    line.columns().min(MAX_DRAWN_COLUMNS)
}
