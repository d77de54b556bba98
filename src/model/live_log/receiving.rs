//! What the clients tell: lines, and what happens to the connections that bring them.

use webpubsub_client::ClientEvent;

use super::LiveLog;
use crate::model::{
    grouped_number::counted,
    line_store::{LineKind, Origin},
    local_time::LocalTime,
    payload_text::payload_text,
    source::Source,
};

impl LiveLog {
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
}
