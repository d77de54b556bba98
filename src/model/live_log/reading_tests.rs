//! Tests of selections and places in a [`LiveLog`].

use webpubsub_protocol::name::GroupName;

use super::*;
use crate::model::{
    command::{Stride, Way},
    destination::Destination,
    level::Level,
    selection::{Selection, TextPlace},
};

fn at(unix_ms: f64) -> LocalTime {
    LocalTime { unix_ms, offset_minutes: 0 }
}

/// Ten rows high.
fn log_of(limits: StoreLimits, lines: &str) -> LiveLog {
    let mut log = LiveLog::new(GroupName::new("stream").unwrap(), limits);
    log.viewport.resize(200.0, 20.0);
    push(&mut log, lines);
    log
}

fn push(log: &mut LiveLog, lines: &str) {
    for line in lines.split('\n') {
        let now = f64::from(u32::try_from(log.store.next_id()).unwrap()) * 1000.0;
        log.store.push_message(LineKind::Group, line, now);
    }
    log.lay_out(true);
}

fn numbered(lines: std::ops::RangeInclusive<u32>) -> String {
    lines.map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n")
}

fn place(line: u64, byte: usize) -> TextPlace {
    TextPlace { line, byte }
}

fn text(log: &LiveLog) -> String {
    log.selected_text(false).unwrap().unwrap_or_default()
}

#[test]
fn a_copy_is_the_exact_text_of_lines_that_no_row_shows() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=5000));
    log.select(Some(Selection { anchor: place(2998, 5), head: place(1, 2) }));
    let copied = text(&log);
    assert!(copied.starts_with("ne 2\nline 3\n") && copied.ends_with("\nline 2998\nline "));
    assert_eq!((copied.lines().count(), log.on_screen(0.0).selected_lines), (2998, 2998));
    assert!(!log.viewport.is_following(), "whoever selects is not carried away");
}

#[test]
fn what_is_selected_stays_as_lines_come_and_loses_what_is_dropped() {
    let limits = StoreLimits { lines: 160, ..StoreLimits::default() };
    let mut log = log_of(limits, &numbered(1..=150));
    log.select(Some(Selection { anchor: place(100, 0), head: place(101, 8) }));
    push(&mut log, &numbered(151..=200));
    assert_eq!(text(&log), "line 101\nline 102");
    push(&mut log, &numbered(201..=400));
    assert_eq!((text(&log).as_str(), log.on_screen(0.0).selected_lines), ("", 0));
}

#[test]
fn all_that_is_shown_can_be_selected_and_nothing_else_is_copied() {
    let mut log = log_of(StoreLimits::default(), "INFO a\nERROR b\nINFO c\n\u{1b}[31mERROR d\nINFO e");
    log.find(|finding| finding.toggle_level(Level::Error));
    log.lay_out(true);
    log.select_all();
    assert_eq!(text(&log), "ERROR b\nERROR d");
    let coloured = log.selected_text(true).unwrap().unwrap();
    assert_eq!(coloured, "ERROR b\n\u{1b}[0;31mERROR d\u{1b}[0m");
    log.find(|finding| finding.toggle_level(Level::Error));
    log.lay_out(true);
    assert_eq!(text(&log), "ERROR b\nINFO c\nERROR d");
}

#[test]
fn a_selection_too_large_for_the_clipboard_is_told() {
    let mut log = log_of(StoreLimits::default(), "");
    let line = "x".repeat(1 << 20);
    for _ in 0..MAX_COPY_BYTES / line.len() + 1 {
        log.store.push_message(LineKind::Group, &line, 0.0);
    }
    log.select_all();
    let error = log.selected_text(false).unwrap_err();
    assert_eq!(error.to_string(), "the selection is larger than 32 MiB: keep it as a file instead");
}

#[test]
fn keys_extend_the_selection_and_bring_its_end_into_view() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=100));
    log.select(Some(Selection::at(place(50, 4))));
    for (stride, way, selected) in [
        (Stride::Character, Way::Forward, " "),
        (Stride::Line, Way::Forward, " 51\nline "),
        (Stride::Line, Way::Back, " "),
        (Stride::Character, Way::Back, ""),
        (Stride::Character, Way::Back, "e"),
    ] {
        log.extend_selection(stride, way);
        assert_eq!(text(&log), selected);
    }
    log.extend_selection(Stride::All, Way::Back);
    log.lay_out(true);
    assert_eq!((log.viewport.top_line(), text(&log).lines().count()), (0, 51));
    log.extend_selection(Stride::All, Way::Forward);
    assert!(text(&log).ends_with("line 100"));
}

#[test]
fn bookmarks_are_set_walked_through_and_go_with_their_lines() {
    let limits = StoreLimits { lines: 160, ..StoreLimits::default() };
    let mut log = log_of(limits, &numbered(1..=100));
    for line in [20, 40, 60] {
        log.select(Some(Selection::at(place(line, 0))));
        log.toggle_bookmark();
    }
    let walk = |log: &mut LiveLog, is_forward| {
        assert!(log.step_bookmark(is_forward));
        log.current_line().unwrap()
    };
    assert_eq!([walk(&mut log, true), walk(&mut log, true), walk(&mut log, false)], [20, 40, 20]);
    assert!(log.place_of(&log.store.line(20).unwrap()).is_bookmarked);
    log.toggle_bookmark();
    assert_eq!(walk(&mut log, true), 40);
    push(&mut log, &numbered(101..=500));
    assert!(!log.step_bookmark(true), "their lines are gone");
    push(&mut log, &numbered(1..=150));
    for line in log.store.first_id()..log.store.first_id() + 5 {
        log.select(Some(Selection::at(place(line, 0))));
        log.toggle_bookmark();
    }
    assert_eq!(log.bookmarks.len(), 5);
}

#[test]
fn an_address_leads_to_its_lines_once_they_come_or_says_that_they_are_gone() {
    let limits = StoreLimits { lines: 160, ..StoreLimits::default() };
    let mut log = log_of(limits, &numbered(1..=10));
    let said = log.go_to_destination(Destination::Lines(57..=60)).unwrap();
    assert_eq!(said, "line 57 has not come yet: the view goes there when it does");
    log.note("a row of the page's own has no number", at(0.0));
    push(&mut log, &numbered(11..=120));
    let line = log.store.line(log.current_line().unwrap()).unwrap();
    assert_eq!((line.text, log.place_of(&line).is_linked), ("line 57", true));
    assert!(!log.viewport.is_following());
    push(&mut log, &numbered(121..=400));
    let said = log.go_to_destination(Destination::Lines(57..=57)).unwrap();
    assert_eq!(said, "line 57 is gone: this page keeps the newest lines");
}

#[test]
fn a_line_gives_its_address_and_a_second_one_makes_a_range() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=100));
    assert_eq!(log.link_line(56, false), Some(57..=57));
    assert_eq!(log.link_line(59, true), Some(57..=60));
    assert_eq!(log.link_line(49, true), Some(50..=57));
    log.select(Some(Selection { anchor: place(9, 3), head: place(4, 0) }));
    assert_eq!(log.link_selected(), Some(5..=10));
}

#[test]
fn a_time_leads_to_the_first_line_that_came_then_or_later() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=100));
    assert_eq!(log.go_to_destination(Destination::Time(30_500.0)), None);
    assert_eq!(log.current_line(), Some(31));
    assert_eq!(log.go_to_destination(Destination::Time(0.0)), None);
    assert_eq!(log.current_line(), Some(0));
    assert!(log.go_to_destination(Destination::Time(1e9)).unwrap().contains("no line"));
}

#[test]
fn a_few_new_lines_are_spoken_many_are_counted_and_never_in_haste() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=10));
    let speak = |log: &mut LiveLog, unix_ms| {
        log.speak(unix_ms);
        log.on_screen(unix_ms).speech
    };
    assert_eq!(speak(&mut log, 10_000.0), "", "nobody asked");
    log.set_speaking(true);
    assert_eq!(speak(&mut log, 10_000.0), "", "what was there before is not read out");
    push(&mut log, "a\nb\u{202e}");
    assert_eq!(speak(&mut log, 10_000.0), "a\nb<U+202E>");
    push(&mut log, &numbered(1..=5_000));
    assert_eq!(speak(&mut log, 12_000.0), "a\nb<U+202E>");
    assert!(log.has_to_speak());
    assert_eq!(speak(&mut log, 15_000.0), "5,000 new lines");
    assert!(!log.has_to_speak());
}
