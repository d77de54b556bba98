//! Snapshot of a log: everything around the lines that the page shows.

use super::{
    grouped_number::grouped,
    history::top_row::TopRow,
    line_store::LineCounts,
    search::{FilterState, SearchState},
    source::SourceLine,
    status::{ConnectionState, StatusLine},
};

/// State of a log at one moment: few values, cheap to compare each frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Status of the connection; the worst if there are several.
    pub status: StatusLine,
    /// State of each source.
    pub sources: Vec<SourceLine>,
    /// Count of lines received in the last second.
    pub rate: u32,
    /// Time range that lines are limited to: `14:03:11 – 14:03:20`.
    pub time_range: Option<String>,
    /// Counts of lines.
    pub counts: LineCounts,
    /// Content of the row above the first line.
    pub top_row: TopRow,
    /// Count of lines received since the viewport left the end; `None` while it follows.
    pub new_lines: Option<u64>,
    /// Whether no line is held.
    pub is_empty: bool,
    /// State of the search.
    pub search: SearchState,
    /// State of the filter.
    pub filter: FilterState,
    /// Count of lines that the selection touches; 0 without selected text.
    pub selected_lines: u64,
    /// Announcement for screen readers.
    pub announcement: String,
    /// Title of the document.
    pub title: String,
}

/// Returns the title of the document: count of unread lines, state unless connected, names of the sources.
#[must_use]
pub fn title(status: &StatusLine, sources: &str, unread: u64) -> String {
    let unread = if unread > 0 { format!("({}) ", grouped(unread)) } else { String::new() };
    let state = match status.state {
        ConnectionState::Connected => String::new(),
        _ => format!("{} · ", status.announcement),
    };
    format!("{unread}{state}{sources} · Tailcast")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_title_has_unread_lines_and_any_state_but_connected() {
        let connected =
            StatusLine { state: ConnectionState::Connected, ..StatusLine::unusable(String::new()) };
        assert_eq!(title(&connected, "a, b", 0), "a, b · Tailcast");
        assert_eq!(title(&connected, "a", 1_204), "(1,204) a · Tailcast");
        let connecting = StatusLine {
            state: ConnectionState::Connecting,
            announcement: "Connecting".to_owned(),
            ..connected
        };
        assert_eq!(title(&connecting, "a", 2), "(2) Connecting · a · Tailcast");
    }
}
