//! The sources of a log: which one a message comes from, and which connections have lost lines.

use webpubsub_client::ClientEvent;

use super::{Source, SourceLine, interruption::Interruption};
use crate::model::{
    line_store::{LineKind, Origin},
    local_time::LocalTime,
};

/// Sources of a log and the state of their connections.
#[derive(Debug)]
pub struct Sources {
    list: Vec<Source>,
    /// The interruption of each connection.
    interruptions: Vec<Interruption>,
}

impl Sources {
    /// Creates a list of sources that are about to connect.
    #[must_use]
    pub fn new(list: Vec<Source>) -> Self {
        let connections = list.iter().map(|source| source.connection + 1).max().unwrap_or(0);
        Self { list, interruptions: vec![Interruption::None; connections] }
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

    /// Returns the state of each source. `is_visible` has its number.
    #[must_use]
    pub fn lines(&self, unix_ms: f64, is_visible: impl Fn(u16) -> bool) -> Vec<SourceLine> {
        let line = |(number, source): (u16, &Source)| SourceLine {
            name: source.name.clone(),
            status: source.status.line(unix_ms),
            is_visible: is_visible(number),
        };
        (0..).zip(&self.list).map(line).collect()
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
