//! Columns: fields of JSON lines that are shown in place of the whole line.

use std::ops::Range;

use super::fields::{field_names, field_values};

/// Maximum width of a column, in characters. Longer values push the following columns aside.
pub const MAX_CELL_CHARS: usize = 32;

/// Fields that are shown as columns, and the widths of the columns.
#[derive(Debug, Default)]
pub struct Columns {
    names: Vec<String>,
    /// For each column, the length of its longest value so far, in characters, up to [`MAX_CELL_CHARS`].
    widths: Vec<usize>,
}

impl Columns {
    /// Shows other fields; `names` are separated by commas. Returns whether they differ from the previous ones.
    pub fn set(&mut self, names: &str) -> bool {
        let names = field_names(names);
        let has_changed = names != self.names;
        if has_changed {
            *self = Self { widths: vec![0; names.len()], names };
        }
        has_changed
    }

    /// Returns the byte ranges of the columns' values in a line, and widens the columns for them. `None` without columns, or
    /// if the line has none of the fields.
    pub fn cells_of(&mut self, line: &str) -> Option<Vec<Option<Range<usize>>>> {
        if self.names.is_empty() {
            return None;
        }
        let cells = field_values(line, &self.names)?;
        for (width, cell) in self.widths.iter_mut().zip(&cells) {
            let value = cell.clone().and_then(|range| line.get(range)).unwrap_or_default();
            *width = value.chars().take(MAX_CELL_CHARS).count().max(*width);
        }
        Some(cells)
    }

    /// Returns the widths of the columns, in characters.
    #[must_use]
    pub fn widths(&self) -> &[usize] {
        &self.widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_widen_up_to_a_limit_and_start_anew_with_other_fields() {
        let mut columns = Columns::default();
        assert_eq!(columns.cells_of(r#"{"a":"x"}"#), None, "no columns");
        assert!(columns.set("a, b") && !columns.set("a,b"));
        assert_eq!(columns.cells_of(r#"{"a":"é日"}"#), Some(vec![Some(6..11), None]));
        assert_eq!(columns.cells_of(r#"{"c":"x"}"#), None);
        assert_eq!(columns.widths(), [2, 0]);
        columns.cells_of(&format!(r#"{{"a":"x","b":"{}"}}"#, "x".repeat(100)));
        assert_eq!(columns.widths(), [2, MAX_CELL_CHARS]);
        assert!(columns.set("b"));
        assert_eq!(columns.widths(), [0]);
    }
}
