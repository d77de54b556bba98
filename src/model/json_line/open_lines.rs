//! Open lines: JSON objects that show their values in rows below.

use std::sync::Arc;

use super::tree::{TreeRow, tree_rows};
use crate::model::line_store::Line;

/// Maximum count of open lines. Opening a further one closes the oldest.
pub const MAX_OPEN_LINES: usize = 100;

/// Open lines and the rows below them. They are few: a sorted list takes less code than a map.
#[derive(Debug, Default)]
pub struct OpenLines(Vec<(u64, Arc<[TreeRow]>)>);

impl OpenLines {
    /// Whether no line is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the rows below a line that is open.
    #[must_use]
    pub fn tree(&self, id: u64) -> Option<&Arc<[TreeRow]>> {
        self.index_of(id).ok().and_then(|at| self.0.get(at)).map(|(_, rows)| rows)
    }

    /// Returns the count of rows below a line that is open.
    #[must_use]
    pub fn rows_below(&self, id: u64) -> Option<u32> {
        // `MAX_TREE_ROWS` limits them.
        self.tree(id).map(|rows| u32::try_from(rows.len()).unwrap_or(u32::MAX))
    }

    /// Opens a line, or closes it. Returns the count of rows below it now; `None` if it is not a JSON object.
    pub fn toggle(&mut self, line: &Line<'_>) -> Option<u32> {
        match self.index_of(line.id) {
            Ok(at) => {
                self.0.remove(at);
                Some(0)
            }
            Err(at) => {
                let object = line.json_object()?;
                self.0.insert(at, (line.id, tree_rows(object).into()));
                self.rows_below(line.id)
            }
        }
    }

    /// Closes the oldest line if more than [`MAX_OPEN_LINES`] are open. Returns it.
    pub fn close_surplus(&mut self) -> Option<u64> {
        (self.0.len() > MAX_OPEN_LINES).then(|| self.0.remove(0).0)
    }

    /// Removes the lines before `first_id`.
    pub fn drop_before(&mut self, first_id: u64) {
        let dropped = self.index_of(first_id).unwrap_or_else(|at| at);
        self.0.drain(..dropped);
    }

    fn index_of(&self, id: u64) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |(open, _)| *open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::line_store::{LineKind, LineStore, StoreLimits};

    fn store(lines: usize) -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        (0..lines).for_each(|_| store.push_message(LineKind::Group, r#"{"a":1,"b":[2]}"#, 0.0));
        store.push_message(LineKind::Group, "plain", 0.0);
        store
    }

    #[test]
    fn a_json_line_is_opened_and_closed_and_another_is_not() {
        let (store, mut open) = (store(1), OpenLines::default());
        assert_eq!(open.toggle(&store.line(0).unwrap()), Some(3));
        assert_eq!((open.rows_below(0), open.tree(0).unwrap().len()), (Some(3), 3));
        assert_eq!(open.toggle(&store.line(1).unwrap()), None);
        assert_eq!(open.toggle(&store.line(0).unwrap()), Some(0));
        assert!(open.is_empty() && open.tree(0).is_none());
    }

    #[test]
    fn a_json_line_behind_a_prefix_opens_to_the_same_rows() {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, "{\"a\":1}\nweb-1  | {\"a\":1}\nweb-1  | text {\"a\":1}", 0.0);
        let mut open = OpenLines::default();
        let rows: Vec<_> = (0..3).map(|id| open.toggle(&store.line(id).unwrap())).collect();
        assert_eq!(rows, [Some(1), Some(1), None]);
        assert_eq!(open.tree(0), open.tree(1));
    }

    #[test]
    fn the_count_of_open_lines_is_limited_and_dropped_lines_are_removed() {
        let (store, mut open) = (store(MAX_OPEN_LINES + 1), OpenLines::default());
        for id in 0..=MAX_OPEN_LINES as u64 {
            assert_eq!(open.close_surplus(), None);
            open.toggle(&store.line(id).unwrap());
        }
        assert_eq!((open.close_surplus(), open.close_surplus()), (Some(0), None));
        open.drop_before(MAX_OPEN_LINES as u64);
        assert_eq!(open.0.len(), 1);
    }
}
