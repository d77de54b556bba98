//! State of the viewer as the components read it: one flat store of numbers, flags, short texts and small structs.
//!
//! The controller writes it once a frame, each field only where it differs from the model's snapshot. A component reads the fields
//! that it shows, and nothing else runs when they change.

use std::sync::Arc;

use leptos::prelude::*;
use reactive_stores::Store;

use crate::{
    browser::preferences::Preferences,
    model::{
        command::Dialog,
        history::top_row::TopRow,
        line_store::{LineCounts, StoreLimits},
        live_log::LiveLog,
        row::ListWidths,
        search::{FilterState, SearchState, matcher::Query},
        snapshot::Snapshot,
        source::SourceLine,
        status::StatusLine,
    },
};

/// See the [module](self).
#[derive(Debug, Clone, Store)]
pub struct ViewerState {
    /// State of the connection; of several, the worst.
    pub status: StatusLine,
    /// State of each source.
    pub sources: Vec<SourceLine>,
    /// Lines received in the last second.
    pub rate: u32,
    /// Label of the time range that the lines are filtered by.
    pub time_range: Option<String>,
    /// Number of lines.
    pub counts: LineCounts,
    /// Content of the row above the first line.
    pub top_row: TopRow,
    /// Lines received since the view was paused; `None` while it follows the newest line.
    pub new_lines: Option<u64>,
    /// Whether there are no lines.
    pub is_empty: bool,
    /// State of the search.
    pub search: SearchState,
    /// State of the filter.
    pub filter: FilterState,
    /// Lines that the selection touches; 0 without selected text.
    pub selected_lines: u64,
    /// New lines for a screen reader.
    pub announcement: String,
    /// Bars of the timeline.
    pub timeline: TimelineState,
    /// Layout of the list.
    pub layout: ListLayout,
    /// Widths of the list's columns.
    pub widths: ListWidths,
    /// The query.
    pub query: Query,
    /// Preferences of the user.
    pub preferences: Preferences,
    /// The dialog that is open.
    pub dialog: Option<Dialog>,
    /// Error of the highlight rules; empty without one.
    pub highlights_error: String,
    /// Error of the destination typed last; empty without one.
    pub go_to_error: String,
    /// Text in the composer.
    pub draft: String,
    /// Delivery of the messages published last.
    pub delivery: String,
    /// Message of the viewer that disappears after a while; empty without one.
    pub toast: String,
    /// Whether the toast offers to restore the lines removed last.
    pub can_undo_clear: bool,
}

/// Bars of the timeline.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TimelineState {
    /// The bars, oldest first.
    pub bars: Arc<[TimelineBar]>,
    /// Outlines of the bars as SVG paths: one for each level, in the order of `Level::ALL`, then one for lines without a level.
    pub outlines: Arc<[String]>,
    /// Whether some of the lines without a level may have one: not all were interpreted.
    pub is_counting_levels: bool,
}

/// A bar of the timeline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimelineBar {
    /// Its beginning, in milliseconds since 1970.
    pub from_ms: f64,
    /// Its end.
    pub to_ms: f64,
    /// Lines received meanwhile.
    pub lines: u64,
}

/// Layout of the list in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ListLayout {
    /// Height of a row.
    pub row_px: i32,
    /// Height of the content.
    pub content_px: i32,
    /// Top of the first row.
    pub rows_top_px: i32,
    /// Top of the row above the first line, if it is visible.
    pub top_row_px: Option<i32>,
}

impl ViewerState {
    /// Returns the state of a viewer that is about to connect.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self {
            status: snapshot.status,
            sources: snapshot.sources,
            rate: snapshot.rate,
            time_range: snapshot.time_range,
            counts: snapshot.counts,
            top_row: snapshot.top_row,
            new_lines: snapshot.new_lines,
            is_empty: snapshot.is_empty,
            search: snapshot.search,
            filter: snapshot.filter,
            selected_lines: snapshot.selected_lines,
            announcement: snapshot.announcement,
            timeline: TimelineState::default(),
            layout: ListLayout::default(),
            widths: ListWidths::default(),
            query: Query::default(),
            preferences: Preferences::default(),
            dialog: None,
            highlights_error: String::new(),
            go_to_error: String::new(),
            draft: String::new(),
            delivery: String::new(),
            toast: String::new(),
            can_undo_clear: false,
        }
    }

    /// Returns the state of a viewer that cannot connect.
    #[must_use]
    pub fn unusable(reason: String) -> Self {
        let mut snapshot = LiveLog::new(Vec::new(), StoreLimits::default()).snapshot(0.0);
        snapshot.status = StatusLine::unusable(reason);
        Self::new(snapshot)
    }
}

/// Sets a field where the value differs: nothing runs for an unchanged one.
pub fn update<F, T>(field: F, value: T)
where
    F: WithUntracked<Value = T> + Set<Value = T>,
    T: PartialEq,
{
    // `None` when the viewer was removed meanwhile.
    if field.try_with_untracked(|old| *old != value) == Some(true) {
        field.set(value);
    }
}

/// Writes the model's snapshot into the state.
pub fn write_snapshot(state: Store<ViewerState>, snapshot: Snapshot) {
    update(state.status(), snapshot.status);
    update(state.sources(), snapshot.sources);
    update(state.rate(), snapshot.rate);
    update(state.time_range(), snapshot.time_range);
    update(state.counts(), snapshot.counts);
    update(state.top_row(), snapshot.top_row);
    update(state.new_lines(), snapshot.new_lines);
    update(state.is_empty(), snapshot.is_empty);
    update(state.search(), snapshot.search);
    update(state.filter(), snapshot.filter);
    update(state.selected_lines(), snapshot.selected_lines);
    update(state.announcement(), snapshot.announcement);
}
