//! The lines that are open: JSON objects with their values in rows below.

use super::{
    json_line::tree::{TreeRow, tree_rows},
    line_store::Line,
};

/// Most lines that are open at a time. Of more, the oldest is closed.
pub const MAX_OPEN_LINES: usize = 100;

/// See the [module](self). They are few: a sorted list costs less code than a map.
#[derive(Debug, Default)]
pub struct OpenLines(Vec<(u64, Vec<TreeRow>)>);

impl OpenLines {
    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rows below a line that is open.
    #[must_use]
    pub fn tree(&self, id: u64) -> Option<&[TreeRow]> {
        self.place_of(id).ok().and_then(|at| self.0.get(at)).map(|(_, rows)| rows.as_slice())
    }

    /// How many rows are below a line that is open.
    #[must_use]
    pub fn rows_below(&self, id: u64) -> Option<u32> {
        // A tree has few rows.
        self.tree(id).map(|rows| u32::try_from(rows.len()).unwrap_or(u32::MAX))
    }

    /// Opens a line, or closes it. How many rows are below it now; `None` when it cannot be opened.
    pub fn toggle(&mut self, line: &Line<'_>) -> Option<u32> {
        match self.place_of(line.id) {
            Ok(at) => {
                self.0.remove(at);
                Some(0)
            }
            Err(at) if line.is_json() => {
                self.0.insert(at, (line.id, tree_rows(line.text)));
                self.rows_below(line.id)
            }
            Err(_) => None,
        }
    }

    /// Closes the oldest line if more are open than may be. Gives it.
    pub fn close_surplus(&mut self) -> Option<u64> {
        (self.0.len() > MAX_OPEN_LINES).then(|| self.0.remove(0).0)
    }

    /// Forgets the lines before `first_id`.
    pub fn drop_before(&mut self, first_id: u64) {
        let gone = self.place_of(first_id).unwrap_or_else(|at| at);
        self.0.drain(..gone);
    }

    fn place_of(&self, id: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(open, _)| *open)
    }
}
