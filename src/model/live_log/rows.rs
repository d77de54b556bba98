//! Content of rows, and the settings that affect it.

use super::LiveLog;
use crate::model::{
    gutter::GutterContent,
    highlight::HighlightRules,
    line_store::{Line, LineKind},
    row::{
        Fold, LineLength, ListWidths, RowContent, RowMarks, SourceTag,
        text::{cell_text, line_text},
    },
    search::{FilterMode, work::Work},
    source::SOURCE_COLORS,
    visible_lines::VisibleLines,
    whole_lines::is_long,
};

impl LiveLog {
    /// Returns the content of the row at a position, and widens the columns for it. Matches and highlights are searched in the part
    /// that is shown, as far as the work allows.
    pub fn row(&mut self, position: u64, offset_minutes: i32, work: &mut Work<'_>) -> Option<RowContent> {
        let lines = VisibleLines::new(&self.store, self.filter.list());
        let line = lines.line_at(position)?;
        let cells = self.columns.cells_of(line.text);
        let max_chars = self.whole_lines.max_chars(line.id);
        let shown_end = if cells.is_some() { usize::MAX } else { max_chars * char::MAX.len_utf8() };
        let matches = self.search.matches_in(&line, shown_end, work);
        let highlights = self.highlights.highlights_in(line.text, shown_end, work);
        let (text, more) = match cells {
            Some(cells) => (cell_text(&line, &cells, &matches, &highlights), None),
            None => line_text(&line, &matches, &highlights, max_chars),
        };
        let length = match (self.whole_lines.contains(line.id), &more) {
            (true, _) => LineLength::Whole,
            (false, Some(_)) if is_long(&line) => LineLength::Cut,
            (false, _) => LineLength::Short,
        };
        Some(RowContent {
            line_id: line.id,
            kind: line.kind,
            level: self.records.level_of(&line),
            gutter: self.gutter.text(lines, position, &line, offset_minutes),
            tag: self.tag_of(&line),
            fold: self.fold_of(&line),
            text,
            more,
            length,
            marks: self.marks_of(&line),
        })
    }

    fn tag_of(&self, line: &Line<'_>) -> Option<SourceTag> {
        if line.kind == LineKind::File {
            return None;
        }
        let name = self.sources.tag_name(line.source)?;
        Some(SourceTag { color: usize::from(line.source) % SOURCE_COLORS, name })
    }

    fn fold_of(&self, line: &Line<'_>) -> Fold {
        match self.open_lines.tree(line.id) {
            Some(rows) => Fold::Open(rows.clone()),
            None if line.is_json() => Fold::Closed,
            None => self.record_fold(line),
        }
    }

    pub(super) fn marks_of(&self, line: &Line<'_>) -> RowMarks {
        let is_numbered = line.kind != LineKind::Notice;
        RowMarks {
            is_current: self.marked_line() == Some(line.id),
            is_bookmarked: self.bookmarks.contains(line.id),
            is_after_gap: self.is_after_gap(line.id),
            is_linked: is_numbered && self.linked.contains(self.lines().number_of(line.id)),
        }
    }

    /// Whether lines before this one are hidden, where lines around matches are shown.
    fn is_after_gap(&self, id: u64) -> bool {
        let criteria = self.filter.criteria();
        let has_context = criteria.context > 0 && criteria.mode == FilterMode::Matching;
        let lines = self.lines();
        let before = || lines.id_at(lines.position_of(id).checked_sub(1)?);
        has_context && self.is_filtered() && before().is_some_and(|before| before + 1 < id)
    }

    /// Returns the widths that all rows share. Columns are as wide as the rows built so far need.
    #[must_use]
    pub fn list_widths(&self) -> ListWidths {
        ListWidths::new(&self.store, self.gutter, self.sources.tag_names(), &self.columns)
    }

    /// Sets the content of the gutter.
    pub fn set_gutter(&mut self, gutter: GutterContent) {
        self.revision += u64::from(self.gutter != gutter);
        self.gutter = gutter;
    }

    /// Returns the content of the gutter.
    #[must_use]
    pub fn gutter(&self) -> GutterContent {
        self.gutter
    }

    /// Shows fields of JSON lines as columns, in place of the whole line; `names` are separated by commas.
    pub fn set_columns(&mut self, names: &str) {
        self.revision += u64::from(self.columns.set(names));
    }

    /// Sets the rules for highlights.
    pub fn set_highlights(&mut self, rules: HighlightRules) {
        self.highlights = rules;
        self.revision += 1;
    }
}
