//! Tests of [`super`].

use webpubsub_client::{ClientEvent, Disconnect};
use webpubsub_protocol::{message::Metadata, payload::Payload, subprotocol::Subprotocol};

use super::*;
use crate::model::{finding::FilterMode, matcher::Query};

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
    let (text, json) = (ExportFormat::Text, ExportFormat::JsonLines);
    let shown = |log: &LiveLog, position, bytes| log.export_from((ExportScope::Shown, text), position, bytes);
    assert_eq!(shown(&log, 0, 1), Some(("one\n".to_owned(), 1)));
    assert_eq!(shown(&log, 1, 1000), Some(("two\nERROR three\n".to_owned(), 3)));
    assert_eq!(shown(&log, 3, 1000), None);
    log.find(|finding| finding.toggle_level(crate::model::level::Level::Error));
    log.lay_out(true);
    assert_eq!(shown(&log, 0, 1000).map(|(text, _)| text).as_deref(), Some("ERROR three\n"));
    let kept = |scope, format| log.export_from((scope, format), 0, 1000).map(|(text, _)| text).unwrap();
    assert_eq!(kept(ExportScope::Held, text), "one\ntwo\nERROR three\n");
    assert_eq!(
        kept(ExportScope::Shown, json),
        "{\"time\":\"2023-11-15T14:03:11.000Z\",\"level\":\"error\",\"source\":\"group\",\"text\":\"ERROR three\"}\n"
    );
}

#[test]
fn what_is_put_in_by_hand_is_as_if_it_had_come() {
    let mut log = log_after(&[connected(), joined(), message("one")]);
    log.append("two\nERROR \u{1b}[31mthree", BACK);
    assert_eq!(lines(&log), ["one", "two", "ERROR three"].map(|text| (LineKind::Group, text)));
    let screen = log.on_screen(BACK.unix_ms);
    assert_eq!((screen.counts.received, screen.find.level_counts[0]), (3, 1));
    assert_eq!(log.store.line(2).map(|line| line.arrived_ms), Some(BACK.unix_ms));
}

#[test]
fn cleared_it_shows_nothing_and_goes_on() {
    let mut log = log_after(&[connected(), joined(), message("one\ntwo hits\nERROR two hits")]);
    log.lay_out(true);
    log.find(|finding| {
        finding.set_query(Query { pattern: "hits".into(), ..Query::default() });
        finding.set_mode(FilterMode::Matching);
    });
    log.lay_out(true);
    log.step(true);
    log.toggle_bookmark();
    log.select_all();
    let (revision, next) = (log.revision(), log.store.next_id());
    log.clear();
    log.lay_out(true);
    let screen = log.on_screen(LOST.unix_ms);
    assert!(screen.is_empty && log.revision() > revision && !log.has_selected_text());
    assert_eq!((screen.find.hits, screen.find.shown, screen.selected_lines), (0, Some(0), 0));
    assert_eq!(screen.find.level_counts, [0; 5]);
    assert!(!log.step_bookmark(true), "a bookmark goes with its line");
    log.handle(&message("three\nfour hits"), BACK);
    log.lay_out(true);
    assert_eq!(log.store.first_id(), next);
    assert_eq!(log.on_screen(BACK.unix_ms).find.shown, Some(1));
    assert_eq!(log.line_at(log.viewport.top_line()).map(|line| line.text), Some("four hits"));
}

#[test]
fn json_lines_can_be_read_again_whatever_is_in_them() {
    let log = log_after(&[message("quote \" slash \\ tab \t nul \0 é\u{202e}")]);
    let (json, _) = log.export_from((ExportScope::Held, ExportFormat::JsonLines), 0, 1000).unwrap();
    assert!(json.contains(r#""text":"quote \" slash \\ tab \u0009 nul \u0000 é"#), "{json}");
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

const JSON: &str = r#"{"level":"warn","msg":"slow","at":{"host":"db-1"}}"#;

/// A log of 300 lines, each tenth of which is JSON, in a view of 10 rows.
fn log_with_json() -> LiveLog {
    let mut log = LiveLog::new(group(), StoreLimits { lines: 320, ..StoreLimits::default() });
    log.viewport.resize(200.0, 20.0);
    for number in 0..300 {
        let text = if number % 10 == 0 { JSON.to_owned() } else { format!("line {number}") };
        log.store.push_message(LineKind::Group, &text, 0.0);
    }
    log.lay_out(true);
    log
}

#[test]
fn an_opened_line_is_as_high_as_its_rows_and_stays_where_it_is() {
    let mut log = log_with_json();
    let closed_px = log.lay_out(true).content_px;
    log.toggle_open(290);
    let layout = log.lay_out(true);
    // Four values under the line, and the view does not jump to the end.
    assert_eq!(layout.content_px, closed_px + 4.0 * 20.0);
    assert_eq!((layout.scroll_to_px, log.viewport.is_following()), (None, false));
    assert_eq!(log.open_lines().rows_below(290), Some(4));
    log.toggle_open(291);
    log.toggle_open(290);
    assert_eq!(log.lay_out(true).content_px, closed_px);
    assert!(log.open_lines().is_empty() && log.viewport.row_columns().is_none());
}

#[test]
fn opened_lines_keep_their_height_in_filters_in_wrapping_and_until_they_are_dropped() {
    let mut log = log_with_json();
    log.toggle_open(20);
    log.find(|finding| finding.toggle_level(super::super::level::Level::Warning));
    let layout = log.lay_out(true);
    assert_eq!(layout.content_px, 30.0 * 20.0 + 4.0 * 20.0 + 2.0 * super::super::viewport::EDGE_PX);
    log.find(|finding| finding.toggle_level(super::super::level::Level::Warning));
    log.set_wrap(Some(20));
    let wrapped_px = log.lay_out(true).content_px;
    log.toggle_open(20);
    assert_eq!(log.lay_out(true).content_px, wrapped_px - 4.0 * 20.0);
    log.set_wrap(None);
    log.toggle_open(0);
    for number in 0..400 {
        log.store.push_message(LineKind::Group, &number.to_string(), 0.0);
    }
    log.lay_out(true);
    assert!(log.open_lines().is_empty());
}

#[test]
fn of_more_opened_lines_than_may_be_the_oldest_is_closed() {
    let limits = StoreLimits { lines: 3_200, ..StoreLimits::default() };
    let mut log = LiveLog::new(group(), limits);
    log.viewport.resize(200.0, 20.0);
    for _ in 0..=super::super::open_lines::MAX_OPEN_LINES {
        log.store.push_message(LineKind::Group, JSON, 0.0);
    }
    let closed_px = log.lay_out(true).content_px;
    for id in log.store.first_id()..log.store.next_id() {
        log.toggle_open(id);
        log.lay_out(true);
    }
    assert_eq!((log.open_lines().rows_below(0), log.open_lines().rows_below(1)), (None, Some(4)));
    assert_eq!(log.lay_out(true).content_px, closed_px + 100.0 * 4.0 * 20.0);
}

#[test]
fn the_current_hit_or_the_topmost_json_line_is_the_one_that_a_key_opens() {
    let mut log = log_with_json();
    log.viewport.to_start();
    log.lay_out(true);
    assert_eq!(log.line_to_open(), Some(0));
    let query = super::super::matcher::Query { pattern: "line 15".into(), ..Default::default() };
    log.find(|finding| finding.set_query(query));
    log.lay_out(true);
    log.step(true);
    assert_eq!(log.line_to_open(), Some(15));
}

#[test]
fn rows_tell_the_time_since_the_line_before_when_asked() {
    let mut log = log_after(&[message("a")]);
    log.handle(&message("b"), LocalTime { unix_ms: LOST.unix_ms + 1_250.0, ..LOST });
    log.handle(&message("c"), LocalTime { unix_ms: LOST.unix_ms + 3_701_250.0, ..LOST });
    let gutters = |log: &LiveLog| [0, 1, 2].map(|at| log.gutter(at, &log.line_at(at).unwrap(), 0));
    assert_eq!(gutters(&log), ["1", "2", "3"]);
    log.set_times(Times::Clock);
    assert_eq!(gutters(&log), ["14:03:11", "14:03:12", "15:04:52"]);
    log.set_times(Times::Since);
    assert_eq!(gutters(&log), ["", "+1.250 s", "+1:01:40"]);
}

/// The events of a connection that is made, and joined to groups.
fn connect(log: &mut LiveLog, connection: usize, groups: &[&str], now: LocalTime) {
    log.handle_of(connection, &connected(), now);
    for group in groups {
        log.handle_of(connection, &ClientEvent::Joined { group: GroupName::new(group).unwrap() }, now);
    }
}

fn message_to(group: &str, text: &'static str) -> ClientEvent {
    let payload = Payload::Text(text.into());
    let metadata = Metadata::new();
    ClientEvent::GroupMessage { group: group.into(), from_user_id: None, payload, metadata, stream: None }
}

/// Groups `a` and `b` on one connection, `c` on another.
fn log_of_three() -> LiveLog {
    let source = |name: &str, connection| {
        super::super::source::Source::new(name.to_owned(), connection, GroupName::new(name).unwrap())
    };
    let sources = vec![source("a", 0), source("b", 0), source("c", 1)];
    let mut log = LiveLog::of_sources(sources, StoreLimits::default());
    connect(&mut log, 0, &["a", "b"], LOST);
    connect(&mut log, 1, &["c"], LOST);
    log
}

#[test]
fn lines_of_several_sources_are_merged_as_they_arrive_and_know_where_they_come_from() {
    let mut log = log_of_three();
    for (connection, group) in [(0, "b"), (1, "c"), (0, "a"), (0, "b")] {
        log.handle_of(connection, &message_to(group, "x"), LOST);
    }
    let sources: Vec<u16> = (0..4).map(|id| log.store.line(id).unwrap().source).collect();
    assert_eq!(sources, [1, 2, 0, 1]);
    assert_eq!(log.on_screen(0.0).status.text(), "Connected · 3 sources");
    assert_eq!(log.on_screen(0.0).title, "a, b, c · Tailcast");
}

#[test]
fn colours_of_one_source_do_not_run_into_another() {
    let mut log = log_of_three();
    log.handle_of(0, &message_to("a", "\u{1b}[31mred"), LOST);
    log.handle_of(0, &message_to("b", "plain"), LOST);
    log.handle_of(0, &message_to("a", "still red"), LOST);
    let is_styled = |id| !log.store.line(id).unwrap().styles.is_plain();
    assert_eq!((is_styled(0), is_styled(1), is_styled(2)), (true, false, true));
}

#[test]
fn a_connection_that_is_lost_is_told_by_its_sources_and_leaves_the_others_alone() {
    let mut log = log_of_three();
    log.handle_of(0, &dropped(), LOST);
    let screen = log.on_screen(LOST.unix_ms);
    let states: Vec<&str> = screen.sources.iter().map(|source| source.status.state.as_str()).collect();
    assert_eq!(states, ["disconnected", "disconnected", "connected"]);
    log.handle_of(0, &ClientEvent::Stopped, LOST);
    assert_eq!(log.waiting_connections(LOST.unix_ms), [0]);
    connect(&mut log, 0, &["a", "b"], BACK);
    connect(&mut log, 1, &["c"], BACK);
    assert_eq!(lines(&log).len(), 1);
    assert!(lines(&log)[0].1.starts_with("a, b: connection lost 1"), "{:?}", lines(&log));
}

#[test]
fn a_stretch_of_the_timeline_limits_what_is_shown_and_is_told_in_words() {
    let mut log = log_after(&[message("early")]);
    let later = LocalTime { unix_ms: LOST.unix_ms + 5_000.0, ..LOST };
    log.handle(&message("late"), later);
    assert_eq!((log.on_screen(later.unix_ms + 1_000.0).rate, log.store.timeline().bars().len()), (1, 6));
    log.set_range(Some((5, 4)), 0);
    log.lay_out(true);
    assert_eq!(log.on_screen(0.0).range.as_deref(), Some("14:03:15 – 14:03:17"));
    assert_eq!((log.line_at(0).unwrap().text, log.on_screen(0.0).find.shown), ("late", Some(1)));
    log.set_range(None, 0);
    log.lay_out(true);
    assert_eq!((log.on_screen(0.0).range, log.on_screen(0.0).find.shown), (None, None));
}
