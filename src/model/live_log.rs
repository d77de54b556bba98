//! The whole of what the page knows: a client's events go in, what is on screen comes out.

use webpubsub_client::ClientEvent;
use webpubsub_protocol::name::GroupName;

use super::{
    grouped_number::{counted, grouped},
    line_store::{LineCounts, LineKind, LineStore, StoreLimits},
    local_time::LocalTime,
    payload_text::payload_text,
    status::{ConnectionState, Status, StatusLine},
    viewport::{Layout, Viewport},
};

/// What surrounds the lines: few values, small enough to be compared and replaced each frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnScreen {
    /// The connection, in words.
    pub status: StatusLine,
    /// How many lines.
    pub counts: LineCounts,
    /// Lines that came since the reader left the end; `None` while the view follows it.
    pub new_lines: Option<u64>,
    /// Whether there is no line to show.
    pub is_empty: bool,
    /// The document's title.
    pub title: String,
}

/// See the [module](self).
pub struct LiveLog {
    /// The lines.
    pub store: LineStore,
    /// The reader's place among them.
    pub viewport: Viewport,
    group: GroupName,
    status: Status,
    /// When a connection was lost, until it is back or another has taken its place.
    lost: Option<LocalTime>,
    /// The first line that came while the page could not be seen.
    hidden_from: Option<u64>,
}

impl LiveLog {
    /// A log of `group` without lines or connection.
    #[must_use]
    pub fn new(group: GroupName, limits: StoreLimits) -> Self {
        Self {
            store: LineStore::new(limits),
            viewport: Viewport::new(),
            status: Status::new(group.clone()),
            group,
            lost: None,
            hidden_from: None,
        }
    }

    /// Takes one event. All it costs is appending the lines that it brings.
    pub fn handle(&mut self, event: &ClientEvent, now: LocalTime) {
        self.status.handle(event, now.unix_ms);
        match event {
            ClientEvent::GroupMessage { payload, .. } => {
                self.store.push_message(LineKind::Group, &payload_text(payload), now.unix_ms);
            }
            ClientEvent::ServerMessage { payload, .. } => {
                self.store.push_message(LineKind::Server, &payload_text(payload), now.unix_ms);
            }
            ClientEvent::Recovering { .. } | ClientEvent::Disconnected { .. } => {
                self.lost.get_or_insert(now);
            }
            // Taken up where it was left: nothing is missing.
            ClientEvent::Recovered => self.lost = None,
            // Another connection in its place, of this client or of a later one: what came between is not known.
            ClientEvent::Connected { .. } => self.mark_loss(now),
            ClientEvent::Gap { messages: Some(messages) } => {
                let text = format!("{} may be missing here", counted(*messages, "message", "messages"));
                self.store.push_message(LineKind::Notice, &text, now.unix_ms);
            }
            _ => {}
        }
    }

    /// Says in the log itself that lines are missing, once lines can come again.
    fn mark_loss(&mut self, now: LocalTime) {
        let Some(lost) = self.lost.take() else { return };
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
        self.store.push_message(LineKind::Notice, &text, now.unix_ms);
    }

    /// Takes whether the page can be seen. Lines that come while it cannot are counted in its title.
    pub fn set_hidden(&mut self, hidden: bool) {
        self.hidden_from = hidden.then(|| self.store.next_id());
    }

    /// Lays the lines out as they are now. See [`Viewport::lay_out`].
    pub fn lay_out(&mut self, at_rest: bool) -> Layout {
        self.viewport.lines_changed(self.store.first_id(), self.store.next_id());
        self.viewport.lay_out(at_rest)
    }

    /// Whether [`Self::on_screen`] changes by time alone.
    #[must_use]
    pub fn is_counting_down(&self) -> bool {
        self.status.is_counting_down()
    }

    /// What surrounds the lines at the time `unix_ms`.
    #[must_use]
    pub fn on_screen(&self, unix_ms: f64) -> OnScreen {
        let status = self.status.line(unix_ms);
        let since =
            |id: u64| self.store.received_before(self.store.next_id()) - self.store.received_before(id);
        let new_lines = (!self.viewport.is_following()).then(|| since(self.viewport.unseen()));
        let unread = new_lines.unwrap_or(0).max(self.hidden_from.map_or(0, since));
        let title = self.title(&status, unread);
        OnScreen { status, counts: self.store.counts(), new_lines, is_empty: self.store.is_empty(), title }
    }

    fn title(&self, status: &StatusLine, unread: u64) -> String {
        let unread = if unread > 0 { format!("({}) ", grouped(unread)) } else { String::new() };
        let state = match status.state {
            ConnectionState::Connected => String::new(),
            _ => format!("{} · ", status.spoken),
        };
        format!("{unread}{state}{} · Tailcast", self.group)
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_client::Disconnect;
    use webpubsub_protocol::{message::Metadata, payload::Payload, subprotocol::Subprotocol};

    use super::*;

    /// 14:03:11 in UTC, some day.
    const LOST: LocalTime = LocalTime { unix_ms: 1_700_057_000_000.0 - 9_000.0, offset_minutes: 0 };
    const BACK: LocalTime = LocalTime { unix_ms: LOST.unix_ms + 4_000.0, ..LOST };

    fn group() -> GroupName {
        GroupName::new("stream").unwrap()
    }

    fn log_after(events: &[ClientEvent]) -> LiveLog {
        let mut log = LiveLog::new(group(), StoreLimits::default());
        for event in events {
            log.handle(event, LOST);
        }
        log
    }

    fn connected() -> ClientEvent {
        ClientEvent::Connected {
            connection_id: "c1".into(),
            user_id: None,
            subprotocol: Subprotocol::ReliableJson,
        }
    }

    fn gap() -> ClientEvent {
        ClientEvent::Gap { messages: None }
    }

    fn recovering() -> ClientEvent {
        ClientEvent::Recovering { reason: Disconnect::Dropped { code: 1006, reason: String::new() } }
    }

    fn joined() -> ClientEvent {
        ClientEvent::Joined { group: group() }
    }

    fn dropped() -> ClientEvent {
        ClientEvent::Disconnected { reason: Disconnect::Dropped { code: 1006, reason: String::new() } }
    }

    fn message(text: &'static str) -> ClientEvent {
        let payload = Payload::Text(text.into());
        let (group, metadata) = ("stream".into(), Metadata::new());
        ClientEvent::GroupMessage { group, from_user_id: None, payload, metadata, stream: None }
    }

    fn lines(log: &LiveLog) -> Vec<(LineKind, &str)> {
        let ids = log.store.first_id()..log.store.next_id();
        ids.filter_map(|id| log.store.line(id)).map(|line| (line.kind, line.text)).collect()
    }

    #[test]
    fn group_and_server_are_told_apart() {
        let server =
            ClientEvent::ServerMessage { payload: Payload::Json("[1]".into()), metadata: Metadata::new() };
        let log = log_after(&[connected(), joined(), message("a\nb"), server]);
        assert_eq!(lines(&log), [(LineKind::Group, "a"), (LineKind::Group, "b"), (LineKind::Server, "[1]")]);
    }

    #[test]
    fn a_reconnect_leaves_a_gap_row_where_lines_are_missing() {
        let mut log = log_after(&[connected(), joined(), message("before"), dropped()]);
        log.handle(&ClientEvent::Connecting, LOST);
        log.handle(&dropped(), BACK);
        log.handle(&connected(), BACK);
        log.handle(&gap(), BACK);
        log.handle(&joined(), BACK);
        log.handle(&message("after"), BACK);
        let gap = "connection lost 14:03:11, back 14:03:15; lines sent in between are missing here";
        let expected = [(LineKind::Group, "before"), (LineKind::Notice, gap), (LineKind::Group, "after")];
        assert_eq!(lines(&log), expected);
        assert_eq!(log.store.counts().received, 2);
    }

    #[test]
    fn a_gap_of_days_says_so() {
        let mut log = log_after(&[connected(), joined(), recovering(), dropped()]);
        let tomorrow = LocalTime { unix_ms: LOST.unix_ms + 86_400_000.0, ..LOST };
        log.handle(&connected(), tomorrow);
        log.handle(&gap(), tomorrow);
        let [(LineKind::Notice, gap)] = lines(&log)[..] else { panic!("{:?}", lines(&log)) };
        assert!(gap.contains("back 14:03:11 the next day;"), "{gap}");
    }

    #[test]
    fn a_recovered_connection_leaves_no_mark_and_a_skipped_number_does() {
        let skipped = ClientEvent::Gap { messages: Some(2) };
        let events = [connected(), joined(), recovering(), ClientEvent::Recovered, skipped, message("after")];
        let expected = [(LineKind::Notice, "2 messages may be missing here"), (LineKind::Group, "after")];
        assert_eq!(lines(&log_after(&events)), expected);
    }

    #[test]
    fn a_first_connection_is_no_gap() {
        assert!(log_after(&[ClientEvent::Connecting, connected(), joined()]).store.is_empty());
    }

    #[test]
    fn the_title_tells_what_happens_behind_the_readers_back() {
        let mut log = log_after(&[]);
        assert_eq!(log.on_screen(0.0).title, "Connecting · stream · Tailcast");
        log.handle(&connected(), LOST);
        log.handle(&joined(), LOST);
        assert_eq!(log.on_screen(0.0).title, "stream · Tailcast");
        log.set_hidden(true);
        log.handle(&message("a\nb"), LOST);
        assert_eq!(log.on_screen(0.0).title, "(2) stream · Tailcast");
        log.set_hidden(false);
        assert_eq!(log.on_screen(0.0).title, "stream · Tailcast");
        log.handle(&dropped(), LOST);
        assert_eq!(log.on_screen(0.0).title, "Not connected · stream · Tailcast");
    }

    #[test]
    fn new_lines_are_counted_only_while_the_reader_is_elsewhere() {
        let mut log = log_after(&[connected(), joined(), message("1\n2\n3\n4\n5\n6")]);
        log.viewport.resize(60.0, 20.0);
        log.lay_out(true);
        assert_eq!(log.on_screen(0.0).new_lines, None);
        log.viewport.leave_end();
        log.handle(&message("7\n8"), LOST);
        log.lay_out(true);
        assert_eq!(log.on_screen(0.0).new_lines, Some(2));
        log.viewport.follow();
        assert_eq!(log.on_screen(0.0).new_lines, None);
    }
}
