//! Lines that take more than one row, or show less than all: wrapped, opened, in columns.

use super::{LiveLog, MAX_DRAWN_COLUMNS};
use crate::model::{json_line::fields::field_names, open_lines::OpenLines};

impl LiveLog {
    /// The lines that are open.
    #[must_use]
    pub fn open_lines(&self) -> &OpenLines {
        &self.open
    }

    /// Opens a line that is a JSON object, or closes it. It stays where the reader sees it.
    pub fn toggle_open(&mut self, id: u64) {
        let Some(line) = self.store.line(id) else { return };
        let Some(rows_below) = self.open.toggle(&line) else { return };
        self.revision += 1;
        self.viewport.hold();
        self.wrap_as_needed();
        self.set_rows_below(id, rows_below);
        if let Some(closed) = self.open.close_surplus() {
            self.set_rows_below(closed, 0);
        }
    }

    fn set_rows_below(&mut self, id: u64, rows_below: u32) {
        let Some(line) = self.store.line(id) else { return };
        let columns = line.columns().min(MAX_DRAWN_COLUMNS);
        let rows = columns.div_ceil(self.row_columns.unwrap_or(u32::MAX)).max(1);
        let position = self.position_of(id);
        // A filter may have left the line out: then another one is there.
        if self.line_at(position).is_some_and(|line| line.id == id) {
            self.viewport.measured(position, rows + rows_below);
        }
    }

    /// The line that a key opens or closes: the one with the current hit, or else the first JSON line from the top of the
    /// view on, among as many as a view may hold.
    #[must_use]
    pub fn line_to_open(&self) -> Option<u64> {
        const VIEW_LINES: u64 = 200;
        let top = self.viewport.top_line();
        self.finding.current().or_else(|| {
            let mut lines = (top..top + VIEW_LINES).map_while(|position| self.line_at(position));
            lines.find(|line| line.is_json()).map(|line| line.id)
        })
    }

    /// Shows these fields of JSON lines as columns, in place of the whole line; `names` are separated by commas.
    pub fn set_columns(&mut self, names: &str) {
        let columns = field_names(names);
        if self.columns != columns {
            self.columns = columns;
            self.revision += 1;
        }
    }

    /// The fields that are shown as columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Wraps long lines into rows of so many columns, or does not. The line at the top stays there.
    pub fn set_wrap(&mut self, row_columns: Option<u32>) {
        if self.row_columns != row_columns {
            self.row_columns = row_columns;
            self.wrap_as_needed();
            self.revision += 1;
        }
    }

    /// Rows are counted line by line when some lines take more than one.
    fn wrap_as_needed(&mut self) {
        let is_counted = self.row_columns.is_some() || !self.open.is_empty();
        let row_columns = is_counted.then(|| self.row_columns.unwrap_or(u32::MAX));
        if self.viewport.row_columns() != row_columns {
            self.viewport.set_wrap(row_columns);
        }
    }
}
