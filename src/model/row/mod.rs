//! Content of a row: everything that is shown of a line, as plain data.
//!
//! | module | concept |
//! | --- | --- |
//! | [`pieces`] | a line, cut where its style changes |
//! | [`text`] | the pieces as content of a row |
//! | [`widths`] | widths that all rows share |

use std::{ops::Range, sync::Arc};

use super::{json_line::tree::TreeRow, level::Level, line_store::LineKind};

pub mod pieces;
pub mod text;
pub mod widths;

pub use self::widths::ListWidths;

/// Everything that is shown of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct RowContent {
    /// Id of the line.
    pub line_id: u64,
    /// Kind of the line.
    pub kind: LineKind,
    /// Log level of the line.
    pub level: Option<Level>,
    /// Text of the gutter.
    pub gutter: String,
    /// Tag of the line's source, if the log has several sources. Lines of files have none.
    pub tag: Option<SourceTag>,
    /// Whether the line can be opened, and the rows below it if it is open.
    pub fold: Fold,
    /// Text of the line, or the values of its columns.
    pub text: RowText,
    /// Note about text that is not shown: `… 12 more characters`.
    pub more: Option<String>,
    /// Whether the line is so long that it can be shown whole, and is.
    pub length: LineLength,
    /// Marks of the row.
    pub marks: RowMarks,
}

impl RowContent {
    /// Whether [`Self::text`] is the line's text, and not the values of columns.
    #[must_use]
    pub fn is_whole_line(&self) -> bool {
        !matches!(self.text, RowText::Columns(_))
    }
}

/// Whether a line is shown whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LineLength {
    /// It is short.
    #[default]
    Short,
    /// Only its beginning is shown.
    Cut,
    /// It is long, and shown whole.
    Whole,
}

/// Tag that names the source of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceTag {
    /// Number of the source's colour.
    pub color: usize,
    /// Name of the source.
    pub name: String,
}

/// Fold of a line that is a JSON object, or begins a record of several lines.
#[derive(Debug, Clone, PartialEq)]
pub enum Fold {
    /// The line is neither.
    None,
    /// The line begins a record.
    Record {
        /// Whether its other lines are hidden.
        is_folded: bool,
        /// Count of its other lines.
        lines: u64,
    },
    /// The line is closed.
    Closed,
    /// The line is open, with these rows below it.
    Open(Arc<[TreeRow]>),
}

/// Text of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowText {
    /// A text without style, the usual case.
    Plain(String),
    /// Pieces in different styles.
    Pieces(Vec<RowPiece>),
    /// Cells, each in pieces.
    Columns(Vec<Vec<RowPiece>>),
}

/// Piece of text in one style.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPiece {
    /// Text to show.
    pub text: String,
    /// Byte ranges of the text that stand for invisible characters: ascending, disjoint, not empty.
    pub invisible: Vec<Range<usize>>,
    /// CSS classes, separated by spaces; empty for a piece that needs no element.
    pub class: String,
    /// Value of the custom property `--f`: the colour of the text.
    pub foreground: Option<String>,
    /// Value of the custom property `--b`: the colour of the background.
    pub background: Option<String>,
    /// Target of a link.
    pub url: Option<String>,
}

impl RowPiece {
    /// Creates a piece without style.
    #[must_use]
    pub fn plain(text: String) -> Self {
        Self {
            text,
            invisible: Vec::new(),
            class: String::new(),
            foreground: None,
            background: None,
            url: None,
        }
    }
}

/// Marks of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowMarks {
    /// Whether it is the current line: that of the caret, or of the current match.
    pub is_current: bool,
    /// Whether the line is bookmarked.
    pub is_bookmarked: bool,
    /// Whether the page's URL links to the line.
    pub is_linked: bool,
    /// Whether lines before it are hidden, where lines around matches are shown.
    pub is_after_gap: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_can_be_sent_to_another_thread() {
        fn is_send_and_sync<T: Send + Sync + 'static>() {}
        is_send_and_sync::<RowContent>();
    }
}
