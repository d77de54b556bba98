//! Events of the clients, and the snapshot after them.

use super::*;

fn gap() -> ClientEvent {
    ClientEvent::Gap { messages: None }
}

/// Reports that a connection is established and has joined its groups.
fn connect(log: &mut LiveLog, connection: usize, groups: &[&str], now: LocalTime) {
    log.handle_event(connection, &connected(), now);
    for name in groups {
        log.handle_event(connection, &ClientEvent::Joined { group: group(name) }, now);
    }
}

/// Creates a log with groups `a` and `b` on one connection and `c` on another.
fn log_of_three_sources() -> LiveLog {
    let sources = vec![source("a", 0), source("b", 0), source("c", 1)];
    let mut log = LiveLog::new(sources, StoreLimits::default());
    connect(&mut log, 0, &["a", "b"], LOST);
    connect(&mut log, 1, &["c"], LOST);
    log
}

#[test]
fn lines_of_the_group_and_of_the_server_have_different_kinds() {
    let server =
        ClientEvent::ServerMessage { payload: Payload::Json("[1]".into()), metadata: Metadata::new() };
    let log = log_after(&[connected(), joined(), message("a\nb"), server]);
    assert_eq!(
        stored_lines(&log),
        [(LineKind::Group, "a"), (LineKind::Group, "b"), (LineKind::Server, "[1]")]
    );
}

#[test]
fn appended_text_counts_as_received() {
    let mut log = log_after(&[connected(), joined(), message("one")]);
    log.append("two\nERROR \u{1b}[31mthree", RESTORED);
    assert_eq!(stored_lines(&log), ["one", "two", "ERROR three"].map(|text| (LineKind::Group, text)));
    log.lay_out(true);
    let snapshot = log.snapshot(RESTORED.unix_ms);
    assert_eq!((snapshot.counts.received, snapshot.filter.level_counts[0]), (3, 1));
    assert_eq!(log.store.line(2).map(|line| line.arrived_ms), Some(RESTORED.unix_ms));
}

#[test]
fn lines_of_files_and_notices_have_kinds_of_their_own() {
    let mut log = log_after(&[]);
    log.append_file_line("from a file", LOST.unix_ms);
    log.add_notice("of the page", LOST);
    assert_eq!(stored_lines(&log), [(LineKind::File, "from a file"), (LineKind::Notice, "of the page")]);
    assert_eq!(log.snapshot(LOST.unix_ms).counts.received, 1);
}

#[test]
fn a_reconnection_leaves_a_notice_where_lines_are_missing() {
    let mut log = log_after(&[connected(), joined(), message("before"), dropped()]);
    log.handle_event(0, &ClientEvent::Connecting, LOST);
    for event in [dropped(), connected(), gap(), joined(), message("after")] {
        log.handle_event(0, &event, RESTORED);
    }
    let notice = "Connection lost for 4 s (14:03:11 to 14:03:15): the number of missing lines is unknown";
    let expected = [(LineKind::Group, "before"), (LineKind::Notice, notice), (LineKind::Group, "after")];
    assert_eq!(stored_lines(&log), expected);
    assert_eq!(log.store.counts().received, 2);
}

#[test]
fn a_notice_about_a_loss_of_days_has_their_count() {
    let mut log = log_after(&[connected(), joined(), recovering(), dropped()]);
    let tomorrow = LocalTime { unix_ms: LOST.unix_ms + 86_400_000.0, ..LOST };
    for event in [connected(), gap(), joined()] {
        log.handle_event(0, &event, tomorrow);
    }
    let [(LineKind::Notice, notice)] = stored_lines(&log)[..] else { panic!("{:?}", stored_lines(&log)) };
    assert!(notice.contains("lost for 1 d (14:03:11 to 14:03:11 the next day):"), "{notice}");
}

#[test]
fn a_recovered_connection_leaves_no_notice_unless_messages_are_missing() {
    let mut log = log_after(&[connected(), joined(), recovering()]);
    for event in [ClientEvent::Recovered, message("after")] {
        log.handle_event(0, &event, RESTORED);
    }
    assert_eq!(stored_lines(&log), [(LineKind::Group, "after")]);
    let mut log = log_after(&[connected(), joined(), recovering()]);
    for event in [ClientEvent::Recovered, ClientEvent::Gap { messages: Some(412) }, message("after")] {
        log.handle_event(0, &event, RESTORED);
    }
    let notice = "Connection lost for 4 s (14:03:11 to 14:03:15): 412 messages are missing";
    assert_eq!(stored_lines(&log), [(LineKind::Notice, notice), (LineKind::Group, "after")]);
}

#[test]
fn messages_that_are_skipped_without_an_interruption_are_counted() {
    let log = log_after(&[connected(), joined(), ClientEvent::Gap { messages: Some(2) }, message("after")]);
    let expected = [(LineKind::Notice, "2 messages are missing"), (LineKind::Group, "after")];
    assert_eq!(stored_lines(&log), expected);
}

#[test]
fn a_message_before_the_group_is_joined_again_comes_after_the_notice() {
    let mut log = log_after(&[connected(), joined(), dropped()]);
    for event in [connected(), gap(), message("after"), joined()] {
        log.handle_event(0, &event, RESTORED);
    }
    let kinds: Vec<LineKind> = stored_lines(&log).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [LineKind::Notice, LineKind::Group]);
}

#[test]
fn a_first_connection_leaves_no_notice() {
    assert!(log_after(&[ClientEvent::Connecting, connected(), joined()]).store.is_empty());
}

#[test]
fn the_title_shows_lines_received_while_the_page_is_hidden_and_a_lost_connection() {
    let mut log = log_after(&[]);
    assert_eq!(log.snapshot(0.0).title, "Connecting · stream · Tailcast");
    log.handle_event(0, &connected(), LOST);
    log.handle_event(0, &joined(), LOST);
    assert_eq!(log.snapshot(0.0).title, "stream · Tailcast");
    log.set_page_hidden(true);
    log.handle_event(0, &message("a\nb"), LOST);
    assert_eq!(log.snapshot(0.0).title, "(2) stream · Tailcast");
    log.set_page_hidden(false);
    assert_eq!(log.snapshot(0.0).title, "stream · Tailcast");
    log.handle_event(0, &dropped(), LOST);
    assert_eq!(log.snapshot(0.0).title, "Not connected · stream · Tailcast");
}

#[test]
fn new_lines_are_counted_only_while_the_viewport_does_not_follow() {
    let mut log = log_after(&[connected(), joined(), message("1\n2\n3\n4\n5\n6")]);
    log.viewport.resize(60.0, 20.0);
    log.lay_out(true);
    assert_eq!(log.snapshot(0.0).new_lines, None);
    log.viewport.leave_end();
    log.handle_event(0, &message("7\n8"), LOST);
    log.lay_out(true);
    assert_eq!(log.snapshot(0.0).new_lines, Some(2));
    log.viewport.follow();
    assert_eq!(log.snapshot(0.0).new_lines, None);
}

#[test]
fn lines_of_several_sources_are_merged_in_order_of_arrival_and_keep_their_source() {
    let mut log = log_of_three_sources();
    for (connection, group) in [(0, "b"), (1, "c"), (0, "a"), (0, "b")] {
        log.handle_event(connection, &message_to(group, "x"), LOST);
    }
    let sources: Vec<u16> = (0..4).map(|id| log.store.line(id).unwrap().source).collect();
    assert_eq!(sources, [1, 2, 0, 1]);
    assert_eq!(log.snapshot(0.0).status.text(), "Connected · 3 sources");
    assert_eq!(log.snapshot(0.0).title, "a, b, c · Tailcast");
}

#[test]
fn colours_of_one_message_do_not_affect_another() {
    let mut log = log_of_three_sources();
    for (group, text) in [("a", "\u{1b}[31mred\nstill red"), ("b", "plain"), ("a", "plain again")] {
        log.handle_event(0, &message_to(group, text), LOST);
    }
    let is_styled = |id| !log.store.line(id).unwrap().styles.is_plain();
    assert_eq!([0, 1, 2, 3].map(is_styled), [true, true, false, false]);
}

#[test]
fn a_final_line_feed_ends_the_last_line() {
    let log = log_after(&[connected(), joined(), message("one\n"), message("two\n\n"), message("")]);
    assert_eq!(stored_lines(&log), ["one", "two", "", ""].map(|text| (LineKind::Group, text)));
    assert_eq!(log.store.counts().received, 4);
}

#[test]
fn an_unfinished_line_is_replaced_and_counted_once() {
    let mut log = log_after(&[connected(), joined(), message("\u{1b}]7717;k3f9+\u{7}10% ERROR")]);
    log.lay_out(true);
    let revision = log.revision();
    log.handle_event(0, &message("from another publisher"), LOST);
    log.handle_event(0, &message("\u{1b}]7717;k3f9+\u{7}20%"), LOST);
    log.lay_out(true);
    assert!(log.revision() > revision, "rows are filled again");
    log.handle_event(0, &message("\u{1b}]7717;k3f9\u{7}done\nnext"), LOST);
    let expected = ["done", "from another publisher", "next"];
    assert_eq!(stored_lines(&log), expected.map(|text| (LineKind::Group, text)));
    assert_eq!(log.snapshot(0.0).counts.received, 3);
}

#[test]
fn a_gap_leaves_unfinished_lines_as_they_are() {
    let mut log = log_after(&[connected(), joined(), message("\u{1b}]7717;k3f9+\u{7}10%")]);
    log.handle_event(0, &ClientEvent::Gap { messages: Some(2) }, LOST);
    log.handle_event(0, &message("\u{1b}]7717;k3f9\u{7}of another line"), LOST);
    let texts: Vec<&str> = stored_lines(&log).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["10%", "2 messages are missing", "of another line"]);
}

#[test]
fn named_sources_are_tagged_and_can_be_hidden() {
    let marked = "\u{1b}]7717;k3f9;a.log: \u{7}{\"level\":\"error\"}\n\u{1b}]7717;k3f9;b.log: \u{7}one\ntwo";
    let mut log = log_after(&[connected(), joined(), message(marked)]);
    let rows: Vec<_> = (0..3).map(|position| log.row(position, 0, &mut Work::slice()).unwrap()).collect();
    let tags = rows.iter().map(|row| row.tag.as_ref().map(|tag| tag.name.as_str()));
    assert_eq!(tags.collect::<Vec<_>>(), [Some("a.log"), Some("b.log"), Some("b.log")]);
    assert!(rows[0].level.is_some() && rows[0].fold != crate::model::row::Fold::None);
    let names: Vec<String> = log.snapshot(0.0).sources.into_iter().map(|source| source.name).collect();
    assert_eq!((names, log.list_widths().tag), (vec!["stream".into(), "a.log".into(), "b.log".into()], 6));
    log.toggle_source(2);
    log.lay_out(true);
    assert_eq!(log.lines().positions(), 0..1);
    assert_eq!(
        log.snapshot(0.0).status.text(),
        "Connected",
        "a source within the group has no status of its own"
    );
}

#[test]
fn the_end_of_a_command_is_a_notice_with_exit_code_and_duration() {
    let mut log = log_after(&[connected(), joined()]);
    for text in [
        "\u{1b}]133;C;aid=k3f9\u{7}one",
        "\u{1b}]133;D;2;aid=k3f9;time=192.4\u{7}",
        "\u{1b}]133;C;aid=b\u{7}\u{1b}]133;D;aid=b\u{7}",
        "\u{1b}]133;D;1\u{7}of a shell",
    ] {
        log.handle_event(0, &message(text), LOST);
    }
    assert_eq!(
        stored_lines(&log),
        [
            (LineKind::Group, "one"),
            (LineKind::Notice, "ended, exit code 2, 3 min 12 s"),
            (LineKind::Notice, "ended"),
            (LineKind::Group, "of a shell"),
        ]
    );
}

#[test]
fn a_filter_follows_a_line_that_is_replaced() {
    let mut log = log_after(&[connected(), joined(), message("ERROR first\nplain")]);
    log.toggle_level(crate::model::level::Level::Error);
    for (text, visible) in [
        ("\u{1b}]7717;k3f9+\u{7}10%", 1),
        ("\u{1b}]7717;k3f9+\u{7}ERROR", 2),
        ("\u{1b}]7717;k3f9\u{7}done", 1),
    ] {
        log.handle_event(0, &message(text), LOST);
        log.lay_out(true);
        let positions = log.lines().positions();
        assert_eq!(positions.end - positions.start, visible, "{text:?}");
    }
}

#[test]
fn a_lost_connection_affects_its_own_sources_only() {
    let mut log = log_of_three_sources();
    log.handle_event(0, &dropped(), LOST);
    let snapshot = log.snapshot(LOST.unix_ms);
    let states: Vec<&str> = snapshot.sources.iter().map(|source| source.status.state.as_str()).collect();
    assert_eq!(states, ["disconnected", "disconnected", "connected"]);
    log.handle_event(0, &ClientEvent::Stopped, LOST);
    assert_eq!((log.waiting_connections(LOST.unix_ms), log.connections()), (vec![0], 2));
    connect(&mut log, 0, &["a", "b"], RESTORED);
    connect(&mut log, 1, &["c"], RESTORED);
    assert_eq!(stored_lines(&log).len(), 1);
    assert!(stored_lines(&log)[0].1.starts_with("a, b: Connection lost for 4 s"), "{:?}", stored_lines(&log));
}

#[test]
fn new_lines_are_announced_once_announcing_is_enabled() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=10));
    let announce = |log: &mut LiveLog, unix_ms| {
        log.announce(unix_ms);
        log.snapshot(unix_ms).announcement
    };
    assert_eq!(announce(&mut log, 10_000.0), "", "announcing is disabled");
    log.set_announcing(true);
    assert_eq!(announce(&mut log, 10_000.0), "", "earlier lines are not announced");
    push(&mut log, "a\nb\u{202e}");
    assert_eq!(announce(&mut log, 10_000.0), "a\nb<U+202E>");
    push(&mut log, &numbered(1..=5_000));
    assert_eq!(announce(&mut log, 12_000.0), "a\nb<U+202E>", "too soon after the last announcement");
    assert!(log.has_announcements());
    assert_eq!(announce(&mut log, 15_000.0), "5,000 new lines");
    assert!(!log.has_announcements());
}
