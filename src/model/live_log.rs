//! The whole of what the page knows: a client's events go in, what is on screen comes out.

use std::ops::RangeInclusive;

use webpubsub_client::ClientEvent;
use webpubsub_protocol::name::GroupName;

use super::{
    display_text::MAX_DRAWN_CHARS,
    finding::{FindState, Finding},
    grouped_number::{counted, grouped},
    highlight::HighlightRules,
    json_line::fields::field_names,
    line_store::{Line, LineCounts, LineKind, LineStore, Origin, StoreLimits},
    local_time::LocalTime,
    open_lines::OpenLines,
    payload_text::payload_text,
    selection::Selection,
    source::{Source, SourceLine, overall},
    status::{ConnectionState, StatusLine},
    viewport::{Layout, Viewport},
};

mod export;
mod gutter;
mod opening;
mod places;
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

    /// Takes one event of the first connection. All it costs is appending the lines that it brings.
    pub fn handle(&mut self, event: &ClientEvent, now: LocalTime) {
        self.handle_of(0, event, now);
    }

    /// Takes one event of a connection.
    pub fn handle_of(&mut self, connection: usize, event: &ClientEvent, now: LocalTime) {
        match event {
            ClientEvent::GroupMessage { group, payload, .. } => {
                let source = self.source_of(connection, Some(group));
                let origin = Origin { kind: LineKind::Group, source };
                self.store.push_message(origin, &payload_text(payload), now.unix_ms);
                return;
            }
            ClientEvent::ServerMessage { payload, .. } => {
                let origin = Origin { kind: LineKind::Server, source: self.source_of(connection, None) };
                self.store.push_message(origin, &payload_text(payload), now.unix_ms);
                return;
            }
            ClientEvent::Recovering { .. } | ClientEvent::Disconnected { .. } => {
                if let Some(lost) = self.lost.get_mut(connection) {
                    lost.get_or_insert(now);
                }
            }
            // Taken up where it was left: nothing is missing.
            ClientEvent::Recovered => drop(self.take_lost(connection)),
            // Another connection in its place, of this client or of a later one: what came between is not known.
            ClientEvent::Connected { .. } => self.mark_loss(connection, now),
            ClientEvent::Gap { messages: Some(messages) } => {
                let text = format!("{} may be missing here", counted(*messages, "message", "messages"));
                self.notice(connection, &text, now);
            }
            _ => {}
        }
        for source in self.sources.iter_mut().filter(|source| source.connection == connection) {
            source.status.handle(event, now.unix_ms);
        }
    }

    /// The number of the source that a group is on a connection, or the first source of it.
    fn source_of(&self, connection: usize, group: Option<&str>) -> u16 {
        let of_connection = |source: &Source| source.connection == connection;
        let is_it = |source: &Source| {
            of_connection(source) && group.is_none_or(|group| source.group.as_str() == group)
        };
        let found = self.sources.iter().position(is_it);
        let found = found.or_else(|| self.sources.iter().position(of_connection));
        // There are few sources.
        found.and_then(|found| u16::try_from(found).ok()).unwrap_or(0)
    }

    fn take_lost(&mut self, connection: usize) -> Option<LocalTime> {
        self.lost.get_mut(connection).and_then(Option::take)
    }

    /// The page's own words about a connection, as a line of the log.
    fn notice(&mut self, connection: usize, words: &str, now: LocalTime) {
        let source = self.source_of(connection, None);
        let names = self.sources.iter().filter(|source| source.connection == connection);
        let names: Vec<&str> = names.map(|source| source.name.as_str()).collect();
        let is_only = self.lost.len() < 2;
        let whose = if is_only { String::new() } else { format!("{}: ", names.join(", ")) };
        let origin = Origin { kind: LineKind::Notice, source };
        self.store.push_message(origin, &format!("{whose}{words}"), now.unix_ms);
    }

    /// Says in the log itself that lines are missing, once lines can come again.
    fn mark_loss(&mut self, connection: usize, now: LocalTime) {
        let Some(lost) = self.take_lost(connection) else { return };
        let days = match now.days_since(lost) {
            0 => String::new(),
            1 => " the next day".to_owned(),
            days => format!(" {days} days later"),
        };
        let text = format!(
            "connection lost {}, back {}{days}; lines sent in between are missing here",
            lost.time_of_day(),
            now.time_of_day()
        );
        self.notice(connection, &text, now);
    }

    /// The connections that wait before they try again, or have given up.
    #[must_use]
    pub fn waiting_connections(&self, unix_ms: f64) -> Vec<usize> {
        let waiting = self.sources.iter().filter(|source| source.status.line(unix_ms).can_retry);
        let mut connections: Vec<usize> = waiting.map(|source| source.connection).collect();
        connections.dedup();
        connections
    }

    /// How many connections the sources share.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.lost.len()
    }

    /// The sources.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Takes whether the page can be seen. Lines that come while it cannot are counted in its title.
    pub fn set_hidden(&mut self, hidden: bool) {
        self.hidden_from = hidden.then(|| self.store.next_id());
    }

    /// Lays the lines out as they are now. See [`Viewport::lay_out`].
    pub fn lay_out(&mut self, at_rest: bool) -> Layout {
        self.is_looking = self.finding.advance(&self.store);
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
            let (id, columns) = (line.id, line.columns.min(MAX_DRAWN_COLUMNS));
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

    /// Whether [`Self::on_screen`] changes by time alone.
    #[must_use]
    pub fn is_counting_down(&self) -> bool {
        self.sources.iter().any(|source| source.status.is_counting_down())
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
