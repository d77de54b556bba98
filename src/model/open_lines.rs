//! The lines that are open: JSON objects with their values in rows below.

use std::collections::BTreeMap;

use super::{
    json_line::tree::{TreeRow, tree_rows},
    line_store::Line,
};

/// Most lines that are open at a time. Of more, the oldest is closed.
pub const MAX_OPEN_LINES: usize = 100;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct OpenLines(BTreeMap<u64, Vec<TreeRow>>);

impl OpenLines {
    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows below a line that is open.
    #[must_use]
    pub fn tree(&self, id: u64) -> Option<&[TreeRow]> {
        self.0.get(&id).map(Vec::as_slice)
    }

    /// How many rows are below a line that is open.
    #[must_use]
    pub fn rows_below(&self, id: u64) -> Option<u32> {
        // A tree has few rows.
        self.tree(id).map(|rows| u32::try_from(rows.len()).unwrap_or(u32::MAX))
    }

    /// Opens a line, or closes it. How many rows are below it now; `None` when it cannot be opened.
    pub fn toggle(&mut self, line: &Line<'_>) -> Option<u32> {
        if self.0.remove(&line.id).is_some() {
            return Some(0);
        }
        if !line.is_json() {
            return None;
        }
        if self.0.len() >= MAX_OPEN_LINES {
            self.0.pop_first();
        }
        self.0.insert(line.id, tree_rows(line.text));
        self.rows_below(line.id)
    }

    /// Forgets the lines before `first_id`.
    pub fn drop_before(&mut self, first_id: u64) {
        while self.0.first_key_value().is_some_and(|(id, _)| *id < first_id) {
            self.0.pop_first();
        }
    }
}
