//! The sources of a log: which one a message comes from, and which connections have lost lines.

use webpubsub_client::{ClientEvent, history::Missing};

use super::{
    Source, SourceLine,
    interruption::Interruption,
    marked::{MarkedSource, MarkedSources},
};
use crate::model::{
    line_store::{LineKind, Origin},
    local_time::LocalTime,
};

/// Sources of a log and the state of their connections.
#[derive(Debug)]
pub struct Sources {
    list: Vec<Source>,
    marked: MarkedSources,
    /// Whether each group has lines that belong to no named source.
    has_own_lines: Vec<bool>,
    /// The interruption of each connection.
    interruptions: Vec<Interruption>,
}

impl Sources {
    /// Creates a list of sources that are about to connect.
    #[must_use]
    pub fn new(list: Vec<Source>) -> Self {
        let connections = list.iter().map(|source| source.connection + 1).max().unwrap_or(0);
        let has_own_lines = vec![false; list.len()];
        let interruptions = vec![Interruption::None; connections];
        Self { list, marked: MarkedSources::default(), has_own_lines, interruptions }
    }

    /// Returns the sources.
    #[must_use]
    pub fn as_slice(&self) -> &[Source] {
        &self.list
    }

    /// Returns the count of connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.interruptions.len()
    }

    /// Returns the connections that wait to retry or have given up.
    #[must_use]
    pub fn waiting_connections(&self, unix_ms: f64) -> Vec<usize> {
        let waiting = self.list.iter().filter(|source| source.status.line(unix_ms).can_retry);
        let mut connections: Vec<usize> = waiting.map(|source| source.connection).collect();
        connections.dedup();
        connections
    }

    /// Whether a status changes with time alone.
    #[must_use]
    pub fn is_counting_down(&self) -> bool {
        self.list.iter().any(|source| source.status.is_counting_down())
    }

    /// Returns the names of all sources, separated by commas.
    #[must_use]
    pub fn names(&self) -> String {
        join_names(self.list.iter())
    }

    /// Returns the sources that publishers have named. Their numbers follow those of the groups.
    #[must_use]
    pub fn marked(&self) -> &[MarkedSource] {
        self.marked.as_slice()
    }

    /// Returns the state of each source: of groups, then of those named within groups. `is_visible` has its number.
    #[must_use]
    pub fn lines(&self, unix_ms: f64, is_visible: impl Fn(u16) -> bool) -> Vec<SourceLine> {
        let is_group_shown = |number: usize| match self.marked() {
            [] => self.list.len() > 1,
            _ => self.list.len() > 1 || self.has_own_lines.get(number) == Some(&true),
        };
        let mut lines = Vec::with_capacity(self.list.len() + self.marked().len());
        for (number, source) in self.list.iter().enumerate() {
            let (name, status) = (source.name.clone(), source.status.line(unix_ms));
            let has_switch = is_group_shown(number);
            lines.push(SourceLine { name, status, is_visible: true, is_group: true, has_switch });
        }
        for source in self.marked() {
            let status = self.list.get(usize::from(source.group)).map(|group| group.status.line(unix_ms));
            let Some(status) = status else { continue };
            let name = self.name_of_marked(source);
            lines.push(SourceLine { name, status, is_visible: true, is_group: false, has_switch: true });
        }
        (0..).zip(&mut lines).for_each(|(number, line)| line.is_visible = is_visible(number));
        lines
    }

    /// Returns the name of a source for a tag beside its lines; `None` if there is nothing to tell apart.
    #[must_use]
    pub fn tag_name(&self, source: u16) -> Option<String> {
        let source = usize::from(source);
        match source.checked_sub(self.list.len()) {
            Some(marked) => self.marked().get(marked).map(|source| self.name_of_marked(source)),
            None if self.list.len() > 1 => self.list.get(source).map(|source| source.name.clone()),
            None => None,
        }
    }

    /// Returns the names that tags can have.
    pub fn tag_names(&self) -> impl Iterator<Item = String> {
        let count = self.list.len() + self.marked().len();
        (0..u16::try_from(count).unwrap_or(u16::MAX)).filter_map(|source| self.tag_name(source))
    }

    fn name_of_marked(&self, source: &MarkedSource) -> String {
        match self.list.get(usize::from(source.group)) {
            Some(group) if self.list.len() > 1 => format!("{}: {}", group.name, source.name),
            _ => source.name.clone(),
        }
    }

    /// Returns the origin of lines of a group that are marked with a name; an empty name is that of the group itself.
    pub fn origin_of_mark(&mut self, group: Origin, name: &str) -> Origin {
        if name.is_empty() {
            self.count_own_lines(group);
            return group;
        }
        self.marked.origin(group, name, self.list.len())
    }

    /// Handles lines of a group without a mark.
    pub fn count_own_lines(&mut self, group: Origin) {
        if let Some(has_own_lines) = self.has_own_lines.get_mut(usize::from(group.source)) {
            *has_own_lines = true;
        }
    }

    /// Returns the origin of a message of `kind`: the source with this group on the connection, or the connection's first.
    #[must_use]
    pub fn origin(&self, kind: LineKind, connection: usize, group: Option<&str>) -> Origin {
        let is_of_connection = |source: &Source| source.connection == connection;
        let is_of_group = |source: &Source| {
            is_of_connection(source) && group.is_none_or(|group| source.group.as_str() == group)
        };
        let index = self.list.iter().position(is_of_group);
        let index = index.or_else(|| self.list.iter().position(is_of_connection));
        // There are at most `MAX_SOURCES`.
        let source = index.and_then(|index| u16::try_from(index).ok()).unwrap_or(0);
        Origin { kind, source }
    }

    /// Handles an event of a connection. Returns a notice for the log when lines are missing.
    #[must_use]
    pub fn handle_event(&mut self, connection: usize, event: &ClientEvent, now: LocalTime) -> Option<String> {
        for source in self.list.iter_mut().filter(|source| source.connection == connection) {
            source.status.handle_event(event, now.unix_ms);
        }
        let interruption = self.interruptions.get_mut(connection)?;
        let notice = match event {
            ClientEvent::Recovering { .. } | ClientEvent::Disconnected { .. } => {
                interruption.lost(now);
                None
            }
            ClientEvent::Recovered => {
                interruption.recovered(now);
                None
            }
            ClientEvent::Connected { .. } => {
                interruption.replaced();
                None
            }
            ClientEvent::Joined { .. } => interruption.joined(now),
            ClientEvent::Gap { messages: Some(messages) } => interruption.gap(*messages, now),
            // A gap without a count follows `Connected`, which is known already.
            _ => None,
        };
        notice.map(|text| self.prefixed(connection, text))
    }

    /// Handles that the messages missed by a connection are loading: a notice waits for the outcome.
    pub fn filling(&mut self, connection: usize) {
        if let Some(interruption) = self.interruptions.get_mut(connection) {
            interruption.filling();
        }
    }

    /// Handles that all missed messages are there, but those reported by [`Self::missing_before`].
    pub fn filled(&mut self, connection: usize, now: LocalTime) {
        if let Some(interruption) = self.interruptions.get_mut(connection) {
            // The notice would say that the number of missing lines is unknown: none is missing.
            drop(interruption.not_filled(now));
        }
    }

    /// Handles that the missed messages could not be loaded. Returns a notice if the connection was interrupted.
    #[must_use]
    pub fn not_filled(&mut self, connection: usize, now: LocalTime) -> Option<String> {
        let notice = self.interruptions.get_mut(connection)?.not_filled(now)?;
        Some(self.prefixed(connection, notice))
    }

    /// Returns the notice about messages that are missing before those that were loaded.
    #[must_use]
    pub fn missing_before(&mut self, connection: usize, missing: Missing, now: LocalTime) -> String {
        let interruption = self.interruptions.get_mut(connection);
        let notice = interruption.map_or_else(String::new, |interruption| match missing {
            Missing::Count(messages) => interruption.missing(messages, now),
            Missing::Restart => interruption.restarted(now),
        });
        self.prefixed(connection, notice)
    }

    /// Returns the group that a source belongs to.
    #[must_use]
    pub fn group_of(&self, source: u16) -> u16 {
        let marked = usize::from(source).checked_sub(self.list.len());
        marked.and_then(|marked| self.marked().get(marked)).map_or(source, |marked| marked.group)
    }

    /// Handles a message of a connection. Returns a notice for the log, before the message, when lines are missing.
    #[must_use]
    pub fn message_received(&mut self, connection: usize, now: LocalTime) -> Option<String> {
        let notice = self.interruptions.get_mut(connection)?.message_received(now)?;
        Some(self.prefixed(connection, notice))
    }

    /// Puts the names of a connection's sources before a notice, if there are several connections.
    fn prefixed(&self, connection: usize, notice: String) -> String {
        if self.connections() < 2 {
            return notice;
        }
        let names = join_names(self.list.iter().filter(|source| source.connection == connection));
        format!("{names}: {notice}")
    }
}

fn join_names<'a>(sources: impl Iterator<Item = &'a Source>) -> String {
    sources.map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use webpubsub_client::Disconnect;
    use webpubsub_protocol::{name::GroupName, subprotocol::Subprotocol};

    use super::*;

    /// 14:03:11 in UTC on some day.
    const LOST: LocalTime = LocalTime { unix_ms: 1_700_057_000_000.0 - 9_000.0, offset_minutes: 0 };
    const RESTORED: LocalTime = LocalTime { unix_ms: LOST.unix_ms + 4_000.0, ..LOST };

    /// Groups `a` and `b` on one connection, `c` on another.
    fn sources() -> Sources {
        let source =
            |name: &str, connection| Source::new(name.to_owned(), connection, GroupName::new(name).unwrap());
        Sources::new(vec![source("a", 0), source("b", 0), source("c", 1)])
    }

    fn connected() -> ClientEvent {
        ClientEvent::Connected {
            connection_id: "c1".into(),
            user_id: None,
            subprotocol: Subprotocol::ReliableJson,
            history: None,
        }
    }

    fn joined(group: &str) -> ClientEvent {
        ClientEvent::Joined { group: GroupName::new(group).unwrap() }
    }

    fn dropped() -> ClientEvent {
        ClientEvent::Disconnected { reason: Disconnect::Dropped { code: 1006, reason: String::new() } }
    }

    #[test]
    fn a_message_belongs_to_the_group_on_its_connection_or_else_to_the_first_one() {
        let sources = sources();
        let source = |connection, group| sources.origin(LineKind::Group, connection, group).source;
        assert_eq!(
            [source(0, Some("b")), source(0, Some("c")), source(0, None), source(1, None)],
            [1, 0, 0, 2]
        );
    }

    #[test]
    fn sources_within_a_group_have_switches_and_tags_beside_the_lines_of_the_group() {
        let mut sources =
            Sources::new(vec![Source::new("stream".to_owned(), 0, GroupName::new("stream").unwrap())]);
        let group = sources.origin(LineKind::Group, 0, None);
        let switches = |sources: &Sources| {
            let lines = sources.lines(0.0, |number| number != 2);
            let shown = lines.into_iter().filter(|line| line.has_switch);
            shown.map(|line| (line.name, line.is_visible)).collect::<Vec<_>>()
        };
        sources.count_own_lines(group);
        assert_eq!((switches(&sources), sources.tag_name(0)), (vec![], None));
        assert_eq!(sources.origin_of_mark(group, "a.log").source, 1);
        assert_eq!(sources.origin_of_mark(group, "b.log").source, 2);
        assert_eq!(sources.origin_of_mark(group, ""), group);
        let expected = [("stream", true), ("a.log", true), ("b.log", false)];
        assert_eq!(switches(&sources), expected.map(|(name, is_visible)| (name.to_owned(), is_visible)));
        assert_eq!(sources.tag_names().collect::<Vec<_>>(), ["a.log", "b.log"]);
    }

    #[test]
    fn a_group_whose_lines_all_have_sources_has_no_switch_and_several_groups_name_theirs() {
        let group = |name: &str| Source::new(name.to_owned(), 0, GroupName::new(name).unwrap());
        for (groups, expected) in [
            (vec![group("stream")], vec!["a.log"]),
            (vec![group("web"), group("db")], vec!["web", "db", "web: a.log"]),
        ] {
            let mut sources = Sources::new(groups);
            let origin = sources.origin(LineKind::Group, 0, None);
            sources.origin_of_mark(origin, "a.log");
            let lines = sources.lines(0.0, |_| true);
            let shown = lines.iter().filter(|line| line.has_switch).map(|line| line.name.as_str());
            assert_eq!(shown.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_replaced_connection_leaves_a_notice_and_a_recovered_one_does_not() {
        let mut sources = sources();
        let notices = |sources: &mut Sources, events: &[ClientEvent], now| {
            events.iter().filter_map(|event| sources.handle_event(0, event, now)).collect::<Vec<_>>()
        };
        let none = [""; 0];
        assert_eq!(notices(&mut sources, &[connected(), joined("a"), joined("b")], LOST), none);
        assert_eq!(notices(&mut sources, &[dropped()], LOST), none);
        assert_eq!(
            notices(&mut sources, &[dropped(), connected(), joined("a"), joined("b")], RESTORED),
            ["a, b: Connection lost for 4 s (14:03:11 to 14:03:15): the number of missing lines is unknown"]
        );
        assert_eq!(notices(&mut sources, &[dropped()], LOST), none);
        assert_eq!(notices(&mut sources, &[ClientEvent::Recovered, joined("a")], RESTORED), none);
        assert_eq!(sources.message_received(0, RESTORED), None);
    }

    #[test]
    fn skipped_messages_are_counted_in_a_notice() {
        let event = ClientEvent::Gap { messages: Some(2) };
        let notice = sources().handle_event(1, &event, LOST);
        assert_eq!(notice.as_deref(), Some("c: 2 messages are missing"));
        assert_eq!(sources().handle_event(1, &ClientEvent::Gap { messages: None }, LOST), None);
    }

    #[test]
    fn a_connection_that_has_given_up_waits_for_a_retry_and_its_sources_are_reported() {
        let mut sources = sources();
        for connection in [0, 1] {
            assert_eq!(sources.handle_event(connection, &connected(), LOST), None);
        }
        assert_eq!(sources.handle_event(0, &ClientEvent::Stopped, LOST), None);
        assert_eq!((sources.waiting_connections(LOST.unix_ms), sources.connections()), (vec![0], 2));
        let lines = sources.lines(LOST.unix_ms, |number| number != 1);
        let states: Vec<(&str, &str, bool)> = lines
            .iter()
            .map(|line| (line.name.as_str(), line.status.state.as_str(), line.is_visible))
            .collect();
        assert_eq!(states, [("a", "failed", true), ("b", "failed", false), ("c", "connecting", true)]);
        assert_eq!(sources.names(), "a, b, c");
    }
}
