//! Tests of [`super`].

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
fn what_is_shown_can_be_taken_away_as_text_piece_by_piece() {
    let mut log = log_after(&[connected(), joined(), message("one\ntwo\nERROR three")]);
    log.lay_out(true);
    assert_eq!(log.text_from(0, 1), Some(("one\n".to_owned(), 1)));
    assert_eq!(log.text_from(1, 1000), Some(("two\nERROR three\n".to_owned(), 3)));
    assert_eq!(log.text_from(3, 1000), None);
    log.find(|finding| finding.toggle_level(crate::model::level::Level::Error));
    log.lay_out(true);
    assert_eq!(log.text_from(0, 1000).map(|(text, _)| text).as_deref(), Some("ERROR three\n"));
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
