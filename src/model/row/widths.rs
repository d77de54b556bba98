//! Widths that all rows share, so that nothing shifts while scrolling.

use crate::model::{
    display_text::MAX_DRAWN_COLUMNS, gutter::GutterContent, json_line::columns::Columns,
    line_store::LineStore,
};

/// Characters of a source's name that are shown in a tag.
pub const MAX_TAG_CHARS: usize = 14;

/// Widths of the parts of all rows, in columns of the monospaced font.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListWidths {
    /// Width of the widest line.
    pub columns: u32,
    /// Width of the gutter.
    pub digits: usize,
    /// Width of the source tag, with a space; 0 without tags.
    pub tag: usize,
    /// Width of each column of JSON fields.
    pub cells: Vec<usize>,
}

impl ListWidths {
    /// Returns the widths for the lines of `store` with what is shown beside them: the gutter, and tags with these names.
    #[must_use]
    pub fn new(
        store: &LineStore,
        gutter: GutterContent,
        tags: impl Iterator<Item = String>,
        columns: &Columns,
    ) -> Self {
        let cells = columns.widths().to_vec();
        // A space follows each cell.
        let cell_columns: usize = cells.iter().map(|width| width + 1).sum();
        let line_columns = store.widest_columns().min(MAX_DRAWN_COLUMNS);
        let names = tags.map(|name| name.chars().take(MAX_TAG_CHARS).count());
        Self {
            columns: line_columns.max(u32::try_from(cell_columns).unwrap_or(u32::MAX)),
            digits: store.counts().received.to_string().len().max(gutter.min_chars()),
            tag: names.max().map_or(0, |width| width + 1),
            cells,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::line_store::{LineKind, StoreLimits};

    fn no_tags() -> impl Iterator<Item = String> {
        std::iter::empty()
    }

    #[test]
    fn widths_fit_the_widest_line_the_longest_number_and_the_longest_name() {
        let mut store = LineStore::new(StoreLimits::default());
        (0..100).for_each(|_| store.push_message(LineKind::Group, "日本", 0.0));
        let widths = |gutter, tags: &[String]| {
            ListWidths::new(&store, gutter, tags.iter().cloned(), &Columns::default())
        };
        assert_eq!(
            widths(GutterContent::LineNumber, &[]),
            ListWidths { columns: 4, digits: 3, tag: 0, cells: Vec::new() }
        );
        let two = ["api", "a-name-of-twenty-chars"].map(str::to_owned);
        let wide = widths(GutterContent::Time, &two);
        assert_eq!((wide.digits, wide.tag), (8, MAX_TAG_CHARS + 1));
    }

    #[test]
    fn the_width_of_lines_is_limited_to_what_is_shown_of_them() {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, &"x".repeat(100_000), 0.0);
        let widths = ListWidths::new(&store, GutterContent::LineNumber, no_tags(), &Columns::default());
        assert_eq!(widths.columns, MAX_DRAWN_COLUMNS);
    }

    #[test]
    fn columns_may_be_wider_than_any_line() {
        let (store, mut columns) = (LineStore::new(StoreLimits::default()), Columns::default());
        columns.set("level,msg");
        columns.cells_of(r#"{"level":"error","msg":"no route"}"#);
        let widths = ListWidths::new(&store, GutterContent::LineNumber, no_tags(), &columns);
        assert_eq!((widths.columns, widths.cells), (15, vec![5, 8]));
    }
}
