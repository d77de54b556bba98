//! Selection and export of text.

use super::LiveLog;
use crate::model::{
    export::{ExportFormat, ExportScope, export_from},
    navigation::{Direction, Distance},
    selection::{Selection, SelectionTooLarge},
    visible_lines::VisibleLines,
};

impl LiveLog {
    /// Returns the selection. One without text is the caret.
    #[must_use]
    pub fn selection(&self) -> Option<Selection> {
        self.selection
    }

    /// Sets the selection. Selected text stops following, so that it stays in view.
    pub fn select(&mut self, selection: Option<Selection>) {
        let marked = self.marked_line();
        self.selection = selection;
        self.revision += u64::from(self.marked_line() != marked);
        if self.has_selected_text() {
            self.viewport.leave_end();
        }
    }

    /// Whether text is selected.
    #[must_use]
    pub fn has_selected_text(&self) -> bool {
        self.selection.is_some_and(|selection| !selection.is_empty())
    }

    /// Returns the line that is marked as the current one: that of the caret, or else that of the current match.
    pub(super) fn marked_line(&self) -> Option<u64> {
        let caret = self.selection.filter(Selection::is_empty).map(|selection| selection.head.line);
        caret.or_else(|| self.search.current())
    }

    /// Selects all visible lines.
    pub fn select_all(&mut self) {
        if let Some(selection) = Selection::all(self.lines()) {
            self.select(Some(selection));
        }
    }

    /// Moves the head of the selection, and scrolls to it.
    pub fn extend_selection(&mut self, distance: Distance, direction: Direction) {
        let Some(current) = self.current_line() else { return };
        let selection = self.selection.unwrap_or(Selection::at_line(current));
        let page_lines = self.viewport.page_lines();
        if let Some(selection) = selection.extended(self.lines(), distance, direction, page_lines) {
            self.select(Some(selection));
            let position = self.lines().position_of(selection.head.line);
            self.viewport.reveal(position);
        }
    }

    /// Returns the count of visible lines that the selection touches.
    pub(super) fn selected_lines(&self) -> u64 {
        let positions = self.selection.map(|selection| selection.positions_in(self.lines()));
        positions.map_or(0, |positions| positions.end - positions.start)
    }

    /// Returns the selected text as received, with escape sequences for its colours if wanted; `None` if no text is selected.
    ///
    /// # Errors
    /// [`SelectionTooLarge`].
    pub fn selected_text(&self, with_colours: bool) -> Result<Option<String>, SelectionTooLarge> {
        let selection = self.selection.filter(|selection| !selection.is_empty());
        selection
            .map(|selection| selection.text_in(self.lines(), with_colours, |id| self.folded_lines(id)))
            .transpose()
    }

    /// Exports lines from `position` on, about `bytes` at a time. Returns the text and the position to go on from; `None` at
    /// the end.
    #[must_use]
    pub fn export_from(
        &self,
        (scope, format): (ExportScope, ExportFormat),
        position: u64,
        bytes: usize,
    ) -> Option<(String, u64)> {
        let lines = match scope {
            ExportScope::Visible => self.lines(),
            ExportScope::Held => VisibleLines::all(&self.store),
        };
        export_from(lines, format, position, bytes)
    }
}
