//! A live log: lines from one or several sources, and how the user views them.
//!
//! [`LiveLog`] owns one component for each concern and joins them. Events of the clients and commands of the user go in;
//! [rows](LiveLog::row) and a [`Snapshot`] come out.
//!
//! | module | concern |
//! | --- | --- |
//! | `receiving` | events and lines |
//! | `loading` | loads of earlier messages |
//! | `loaded_message` | their messages |
//! | `ordering` | order of loaded and live messages |
//! | `first_lines` | first line of each group |
//! | `prepending` | messages before the first line |
//! | `searching` | search and filter |
//! | `grouping` | records: folded, and gone to |
//! | `layout` | heights of lines, and the lines in view |
//! | `rows` | content of rows |
//! | `newer` | newest messages that were dropped |
//! | `linking` | links to messages, and the view in the address |
//! | `jumps` | bookmarks, linked lines, destinations |
//! | `selecting` | selection |

use std::ops::Range;

use webpubsub_client::history::GroupHistory;

use super::{
    announcer::Announcer,
    bookmarks::Bookmarks,
    gutter::GutterContent,
    highlight::HighlightRules,
    history::top_row::TopRow,
    json_line::{columns::Columns, open_lines::OpenLines},
    line_link::LinkedLines,
    line_store::{ClearedLines, LineStore, StoreLimits},
    local_time::LocalTime,
    records::Records,
    search::{Search, filter::LineFilter},
    selection::Selection,
    snapshot::{Snapshot, title},
    source::{Source, Sources, overall},
    viewport::Viewport,
    visible_lines::VisibleLines,
    whole_lines::WholeLines,
};

mod first_lines;
mod grouping;
mod jumps;
mod layout;
mod linking;
mod loaded_message;
mod loading;
mod newer;
mod ordering;
mod prepending;
mod receiving;
mod rows;
mod searching;
mod selecting;
#[cfg(test)]
mod tests;

pub use self::loading::HistoryLoad;
use self::{
    linking::PendingLink,
    loading::Loads,
    newer::{CutMessage, Newer},
};

/// Lines from one or several sources, and how the user views them. See the [module](self).
pub struct LiveLog {
    store: LineStore,
    viewport: Viewport,
    sources: Sources,
    /// One for each group.
    histories: Vec<GroupHistory<LocalTime>>,
    loads: Loads,
    /// Messages that the page does not hold because the user reads earlier ones.
    newer: Option<Newer>,
    /// Message that is loaded again for its last lines.
    cut: Option<CutMessage>,
    search: Search,
    filter: LineFilter,
    records: Records,
    /// Whether lines remain to be grouped into records.
    is_grouping: bool,
    /// Time range of the filter, for display.
    time_range: Option<String>,
    /// Whether lines remain to be tested by search or filter.
    is_searching: bool,
    /// Line to scroll to the top once its position is known, after the filter changed.
    pending_top: Option<u64>,
    bookmarks: Bookmarks,
    /// Lines that the user removed and may restore, with the bookmarks of that time.
    cleared: Option<(ClearedLines, Bookmarks)>,
    linked: LinkedLines,
    /// Link whose lines are not there yet.
    pending_link: Option<PendingLink>,
    /// Message for the user about a link that cannot be followed.
    obstacle: Option<String>,
    selection: Option<Selection>,
    gutter: GutterContent,
    highlights: HighlightRules,
    columns: Columns,
    open_lines: OpenLines,
    whole_lines: WholeLines,
    /// Match that the user went to, in its line.
    stop: Option<(u64, Range<usize>)>,
    /// Whether it has yet to be scrolled into view.
    is_reveal_due: bool,
    /// Width of a row in columns while long lines wrap.
    row_columns: Option<u32>,
    announcer: Announcer,
    /// Content of the row above the first line.
    top_row: TopRow,
    /// First line received since the page was hidden.
    hidden_since: Option<u64>,
    /// Line behind those that came before the page was opened: they are not new.
    new_from: u64,
    /// Count of replaced lines that were laid out again.
    redraws: u64,
    revision: u64,
}

impl LiveLog {
    /// Creates an empty log whose sources are about to connect.
    #[must_use]
    pub fn new(sources: Vec<Source>, limits: StoreLimits) -> Self {
        Self {
            store: LineStore::new(limits),
            viewport: Viewport::new(),
            histories: sources.iter().map(|_| GroupHistory::default()).collect(),
            loads: Loads::default(),
            newer: None,
            cut: None,
            sources: Sources::new(sources),
            search: Search::default(),
            filter: LineFilter::default(),
            records: Records::default(),
            is_grouping: false,
            time_range: None,
            is_searching: false,
            pending_top: None,
            bookmarks: Bookmarks::default(),
            cleared: None,
            linked: LinkedLines::default(),
            pending_link: None,
            obstacle: None,
            selection: None,
            gutter: GutterContent::default(),
            highlights: HighlightRules::default(),
            columns: Columns::default(),
            open_lines: OpenLines::default(),
            whole_lines: WholeLines::default(),
            stop: None,
            is_reveal_due: false,
            row_columns: None,
            announcer: Announcer::default(),
            top_row: TopRow::Empty,
            hidden_since: None,
            new_from: 0,
            redraws: 0,
            revision: 0,
        }
    }

    /// Returns the lines held.
    #[must_use]
    pub fn store(&self) -> &LineStore {
        &self.store
    }

    /// Returns the viewport.
    #[must_use]
    pub fn viewport(&self) -> &Viewport {
        &self.viewport
    }

    /// Returns the viewport, to scroll it.
    pub fn viewport_mut(&mut self) -> &mut Viewport {
        &mut self.viewport
    }

    /// Returns the lines that pass the filter.
    pub(super) fn lines(&self) -> VisibleLines<'_> {
        VisibleLines::new(&self.store, self.filter.list())
    }

    /// Returns the revision of the rows' content. It grows when rows must be filled again, although they show the same
    /// positions.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Sets whether the page is hidden. The title counts the lines received while it is.
    pub fn set_page_hidden(&mut self, is_hidden: bool) {
        self.hidden_since = is_hidden.then(|| self.store.next_id());
    }

    /// Sets whether new lines are announced to screen readers.
    pub fn set_announcing(&mut self, is_announcing: bool) {
        self.announcer.set_enabled(is_announcing, self.store.next_id());
    }

    /// Whether lines wait to be announced.
    #[must_use]
    pub fn has_announcements(&self) -> bool {
        self.announcer.has_pending(&self.store)
    }

    /// Announces the lines received since the last announcement, unless that was less than 5 s ago.
    pub fn announce(&mut self, unix_ms: f64) {
        self.announcer.announce(&self.store, unix_ms);
    }

    /// Whether [`Self::snapshot`] changes with time alone.
    #[must_use]
    pub fn is_counting_down(&self, unix_ms: f64) -> bool {
        self.store.timeline().is_running_out(unix_ms) || self.sources.is_counting_down()
    }

    /// Returns the state around the lines at the time `unix_ms`.
    #[must_use]
    pub fn snapshot(&self, unix_ms: f64) -> Snapshot {
        let criteria = self.filter.criteria();
        let sources = self.sources.lines(unix_ms, |source| criteria.includes_source(source));
        let status = overall(&sources);
        let new_lines = self.new_lines();
        let unread = new_lines.unwrap_or(0).max(self.hidden_since.map_or(0, |id| self.received_since(id)));
        Snapshot {
            title: title(&status, &self.sources.names(), unread),
            status,
            sources,
            rate: self.store.timeline().rate(unix_ms),
            time_range: self.time_range.clone(),
            counts: self.store.counts(),
            top_row: self.top_row.clone(),
            new_lines,
            is_empty: self.store.is_empty(),
            search: self.search.state(),
            filter: self.filter.state(&self.store),
            selected_lines: self.selected_lines(),
            announcement: self.announcer.text().to_owned(),
        }
    }

    /// Returns the count of visible lines received since the viewport left the end, without those that came before the page was
    /// opened; `None` while it follows.
    fn new_lines(&self) -> Option<u64> {
        if let Some(newer) = &self.newer {
            return Some(newer.lines());
        }
        let unseen = self.viewport.unseen();
        (!self.viewport.is_following()).then(|| match self.filter.list() {
            Some(list) => list.next_position().saturating_sub(unseen.max(list.position_of(self.new_from))),
            None => self.received_since(unseen),
        })
    }

    /// Returns the count of new lines received from `id` on, notices left out.
    fn received_since(&self, id: u64) -> u64 {
        let id = id.max(self.new_from).min(self.store.next_id());
        self.store.number_of(self.store.next_id()).saturating_sub(self.store.number_of(id))
    }
}
