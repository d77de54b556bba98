//! The whole of what the page knows: a client's events go in, what is on screen comes out.

use std::ops::RangeInclusive;

use webpubsub_protocol::name::GroupName;

use super::{
    display_text::MAX_DRAWN_CHARS,
    finding::{FindState, Finding},
    grouped_number::grouped,
    highlight::HighlightRules,
    line_store::{Line, LineCounts, LineKind, LineStore, StoreLimits},
    local_time::LocalTime,
    open_lines::OpenLines,
    selection::Selection,
    source::{Source, SourceLine, overall},
    status::{ConnectionState, StatusLine},
    viewport::{Layout, Viewport},
};

mod export;
mod gutter;
mod opening;
mod places;
mod receiving;
mod selecting;
mod speaking;

pub use self::{
    export::{ExportFormat, ExportScope},
    gutter::Times,
    places::{MAX_BOOKMARKS, RowPlace},
    selecting::{MAX_COPY_BYTES, SelectionTooLarge},
};

use self::speaking::Speaking;

/// No more of a line is drawn: each character is two columns wide at most.
const MAX_DRAWN_COLUMNS: u32 = 2 * MAX_DRAWN_CHARS as u32;

/// What surrounds the lines: few values, small enough to be compared and replaced each frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnScreen {
    /// The connection, in words; of several, the worst.
    pub status: StatusLine,
    /// The sources.
    pub sources: Vec<SourceLine>,
    /// Lines that came in the last second.
    pub rate: u32,
    /// The only time of which lines are shown, in words; `None` when there is no such limit.
    pub range: Option<String>,
    /// How many lines.
    pub counts: LineCounts,
    /// Lines that came since the reader left the end; `None` while the view follows it.
    pub new_lines: Option<u64>,
    /// Whether there is no line to show.
    pub is_empty: bool,
    /// The search.
    pub find: FindState,
    /// Lines that the selection touches; none when no text is selected.
    pub selected_lines: u64,
    /// What a screen reader is to read out.
    pub speech: String,
    /// The document's title.
    pub title: String,
}

/// See the [module](self).
pub struct LiveLog {
    /// The lines.
    pub store: LineStore,
    /// The reader's place among them.
    pub viewport: Viewport,
    sources: Vec<Source>,
    finding: Finding,
    open: OpenLines,
    /// The time of which lines are shown, in words.
    range: Option<String>,
    /// The fields of JSON lines that are shown as columns.
    columns: Vec<String>,
    /// Columns of a row, when long lines are wrapped.
    row_columns: Option<u32>,
    /// Counts what changes rows that stay where they are: what is marked in them, and which lines they are.
    revision: u64,
    /// The line that is to be at the top once it is known where it is among those shown.
    wanted_top: Option<u64>,
    is_looking: bool,
    times: Times,
    selection: Option<Selection>,
    /// Lines marked by the reader, by id, ascending.
    bookmarks: Vec<u64>,
    /// Numbers of the lines that the page's address names.
    linked: Option<RangeInclusive<u64>>,
    /// Whether the view is still to go to them.
    awaits_linked: bool,
    rules: HighlightRules,
    speaking: Option<Speaking>,
    /// When each connection was lost, until it is back or another has taken its place.
    lost: Vec<Option<LocalTime>>,
    /// The first line that came while the page could not be seen.
    hidden_from: Option<u64>,
}

impl LiveLog {
    /// A log of `group` without lines or connection.
    #[must_use]
    pub fn new(group: GroupName, limits: StoreLimits) -> Self {
        Self::of_sources(vec![Source::new(group.to_string(), 0, group)], limits)
    }

    /// A log of several sources without lines or connections.
    #[must_use]
    pub fn of_sources(sources: Vec<Source>, limits: StoreLimits) -> Self {
        let connections = sources.iter().map(|source| source.connection + 1).max().unwrap_or(0);
        Self {
            store: LineStore::new(limits),
            viewport: Viewport::new(),
            lost: vec![None; connections],
            sources,
            finding: Finding::default(),
            open: OpenLines::default(),
            range: None,
            columns: Vec::new(),
            row_columns: None,
            revision: 0,
            wanted_top: None,
            is_looking: false,
            times: Times::Off,
            selection: None,
            bookmarks: Vec::new(),
            linked: None,
            awaits_linked: false,
            rules: HighlightRules::default(),
            speaking: None,
            hidden_from: None,
        }
    }

    /// Takes whether the page can be seen. Lines that come while it cannot are counted in its title.
    pub fn set_hidden(&mut self, hidden: bool) {
        self.hidden_from = hidden.then(|| self.store.next_id());
    }

    /// Looks at a further slice of the lines for what the reader looks for. Whether there is more to look at.
    pub fn look_on(&mut self) -> bool {
        self.is_looking = self.finding.advance(&self.store);
        self.is_looking
    }

    /// Lays the lines out as they are now. See [`Viewport::lay_out`].
    pub fn lay_out(&mut self, at_rest: bool) -> Layout {
        self.look_on();
        let (first, next) = self.positions();
        self.viewport.lines_changed(first, next);
        self.go_to_linked();
        self.forget_dropped();
        if !self.is_looking
            && let Some(id) = self.wanted_top.take()
        {
            let position = self.position_of(id);
            self.viewport.renumber(first, next, Some(position));
        }
        self.open.drop_before(self.store.first_id());
        for position in self.viewport.uncounted() {
            let Some(line) = self.line_at(position) else { continue };
            let (id, columns) = (line.id, line.columns().min(MAX_DRAWN_COLUMNS));
            self.viewport.count_line(columns);
            if let Some(below) = self.open.rows_below(id) {
                let rows = columns.div_ceil(self.row_columns.unwrap_or(u32::MAX)).max(1);
                self.viewport.measured(position, rows + below);
            }
        }
        self.viewport.lay_out(at_rest)
    }

    /// Marks other things in all lines.
    pub fn set_rules(&mut self, rules: HighlightRules) {
        self.rules = rules;
        self.revision += 1;
    }

    /// What is always marked.
    #[must_use]
    pub fn rules(&self) -> &HighlightRules {
        &self.rules
    }

    /// Puts a line of the page's own into the log.
    pub fn note(&mut self, text: &str, now: LocalTime) {
        self.store.push_message(LineKind::Notice, text, now.unix_ms);
    }

    /// Puts text into the log, as if it had come in a message to the first source.
    pub fn append(&mut self, text: &str, now: LocalTime) {
        self.store.push_message(LineKind::Group, text, now.unix_ms);
    }

    /// Takes all lines away. Those to come are numbered as if these were still there.
    pub fn clear(&mut self) {
        self.selection = None;
        self.store.drop_all();
        self.revision += 1;
    }

    /// Whether lines are still being looked at: another frame is needed.
    #[must_use]
    pub fn is_looking(&self) -> bool {
        self.is_looking
    }

    /// Grows when rows must be filled again.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The line at a position among those shown.
    #[must_use]
    pub fn line_at(&self, position: u64) -> Option<Line<'_>> {
        let id = match self.finding.shown() {
            Some(list) => list.id_at(position)?,
            None => position,
        };
        self.store.line(id)
    }

    /// The search.
    #[must_use]
    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    /// Changes what is looked for, or what is shown. The line at the top stays there, if it is still shown.
    pub fn find(&mut self, change: impl FnOnce(&mut Finding)) {
        let top = self.line_at(self.viewport.top_line()).map(|line| line.id);
        let was_filtered = self.finding.shown().is_some();
        change(&mut self.finding);
        self.revision += 1;
        if was_filtered || self.finding.shown().is_some() {
            self.wanted_top = top;
            let (first, next) = self.positions();
            self.viewport.renumber(first, next, None);
        }
    }

    /// Goes to the next line with a hit, or to the one before.
    pub fn step(&mut self, is_forward: bool) {
        let from = self.line_at(self.viewport.top_line()).map_or(0, |line| line.id);
        let Some(id) = self.finding.step(from, is_forward) else { return };
        self.go_to(id);
    }

    fn positions(&self) -> (u64, u64) {
        match self.finding.shown() {
            Some(list) => (list.first_position(), list.next_position()),
            None => (self.store.first_id(), self.store.next_id()),
        }
    }

    fn position_of(&self, id: u64) -> u64 {
        self.finding.shown().map_or(id, |list| list.position_of(id))
    }

    /// Shows only lines that came while these bars of the timeline were filled, the last included; or all.
    pub fn set_range(&mut self, bars: Option<(usize, usize)>, offset_minutes: i32) {
        self.range = bars.map(|bars| self.range_words(bars, offset_minutes));
        let range = bars.map(|(from, to)| self.store.timeline().range_of(from, to));
        self.find(|finding| finding.set_range(range));
    }

    /// When these bars of the timeline begin and end: `14:03:11 – 14:03:20`.
    #[must_use]
    pub fn range_words(&self, (from, to): (usize, usize), offset_minutes: i32) -> String {
        let (from, to) = self.store.timeline().range_of(from, to);
        let time_of_day = |unix_ms| LocalTime { unix_ms, offset_minutes }.time_of_day();
        format!("{} – {}", time_of_day(from), time_of_day(to))
    }

    /// Whether [`Self::on_screen`] changes by time alone.
    #[must_use]
    pub fn is_counting_down(&self, unix_ms: f64) -> bool {
        self.store.timeline().is_running_out(unix_ms)
            || self.sources.iter().any(|source| source.status.is_counting_down())
    }

    /// What surrounds the lines at the time `unix_ms`.
    #[must_use]
    pub fn on_screen(&self, unix_ms: f64) -> OnScreen {
        let line_of = |(at, source): (usize, &Source)| SourceLine {
            name: source.name.clone(),
            status: source.status.line(unix_ms),
            is_on: u16::try_from(at).is_ok_and(|source| self.finding.shows_source(source)),
        };
        let sources: Vec<SourceLine> = self.sources.iter().enumerate().map(line_of).collect();
        let status = overall(&sources);
        let since =
            |id: u64| self.store.received_before(self.store.next_id()) - self.store.received_before(id);
        let unseen = self.viewport.unseen();
        let new_lines = (!self.viewport.is_following()).then(|| match self.finding.shown() {
            Some(list) => list.next_position().saturating_sub(unseen),
            None => since(unseen),
        });
        let unread = new_lines.unwrap_or(0).max(self.hidden_from.map_or(0, since));
        let title = self.title(&status, unread);
        OnScreen {
            status,
            sources,
            rate: self.store.timeline().rate(unix_ms),
            range: self.range.clone(),
            counts: self.store.counts(),
            new_lines,
            is_empty: self.store.is_empty(),
            selected_lines: self.selected_lines(),
            speech: self.speaking.as_ref().map_or_else(String::new, |speaking| speaking.words.clone()),
            find: self.finding.state(&self.store),
            title,
        }
    }

    fn title(&self, status: &StatusLine, unread: u64) -> String {
        let unread = if unread > 0 { format!("({}) ", grouped(unread)) } else { String::new() };
        let state = match status.state {
            ConnectionState::Connected => String::new(),
            _ => format!("{} · ", status.spoken),
        };
        let names: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        format!("{unread}{state}{} · Tailcast", names.join(", "))
    }
}

#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod tests;
