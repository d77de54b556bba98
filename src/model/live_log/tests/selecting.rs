//! Selection and export.

use super::*;
use crate::model::{
    export::{ExportFormat, ExportScope},
    level::Level,
    navigation::{Direction, Distance},
    selection::MAX_COPY_BYTES,
};

fn selected_text(log: &LiveLog) -> String {
    log.selected_text(false).unwrap().unwrap_or_default()
}

#[test]
fn a_copy_is_the_exact_text_of_lines_that_no_row_shows() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=5000));
    log.select(Some(Selection { anchor: position(2998, 5), head: position(1, 2) }));
    let copied = selected_text(&log);
    assert!(copied.starts_with("ne 2\nline 3\n") && copied.ends_with("\nline 2998\nline "));
    assert_eq!((copied.lines().count(), log.snapshot(0.0).selected_lines), (2998, 2998));
    assert!(!log.viewport.is_following(), "selected text stays in view");
}

#[test]
fn a_selection_stays_as_lines_are_received_and_loses_lines_that_are_dropped() {
    let limits = StoreLimits { lines: 160, ..StoreLimits::default() };
    let mut log = log_of(limits, &numbered(1..=150));
    log.select(Some(Selection { anchor: position(100, 0), head: position(101, 8) }));
    push(&mut log, &numbered(151..=200));
    assert_eq!(selected_text(&log), "line 101\nline 102");
    push(&mut log, &numbered(201..=400));
    assert_eq!((selected_text(&log).as_str(), log.snapshot(0.0).selected_lines), ("", 0));
}

#[test]
fn all_visible_lines_are_selected_and_hidden_ones_are_not_copied() {
    let mut log = log_of(StoreLimits::default(), "INFO a\nERROR b\nINFO c\n\u{1b}[31mERROR d\nINFO e");
    log.toggle_level(Level::Error);
    log.lay_out(true);
    log.select_all();
    assert_eq!(selected_text(&log), "ERROR b\nERROR d");
    let coloured = log.selected_text(true).unwrap().unwrap();
    assert_eq!(coloured, "ERROR b\n\u{1b}[0;31mERROR d\u{1b}[0m");
    log.toggle_level(Level::Error);
    log.lay_out(true);
    assert_eq!(selected_text(&log), "ERROR b\nINFO c\nERROR d");
}

#[test]
fn without_selected_text_there_is_nothing_to_copy() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=10));
    select_caret(&mut log, 3);
    assert_eq!((log.selected_text(false).unwrap(), log.has_selected_text()), (None, false));
    assert!(log.viewport.is_following(), "a caret does not stop following");
}

#[test]
fn a_selection_too_large_to_copy_is_an_error() {
    let mut log = log_of(StoreLimits::default(), "");
    let line = "x".repeat(1 << 20);
    for _ in 0..MAX_COPY_BYTES / line.len() + 1 {
        log.store.push_message(LineKind::Group, &line, 0.0);
    }
    log.select_all();
    assert!(log.selected_text(false).is_err());
}

#[test]
fn keys_extend_the_selection_and_scroll_to_its_head() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=100));
    log.select(Some(Selection::at(position(50, 4))));
    for (distance, direction, selected) in [
        (Distance::Character, Direction::Forward, " "),
        (Distance::Line, Direction::Forward, " 51\nline "),
        (Distance::Line, Direction::Backward, " "),
        (Distance::Character, Direction::Backward, ""),
        (Distance::Character, Direction::Backward, "e"),
    ] {
        log.extend_selection(distance, direction);
        assert_eq!(selected_text(&log), selected);
    }
    log.extend_selection(Distance::All, Direction::Backward);
    log.lay_out(true);
    assert_eq!((log.viewport.top_line(), selected_text(&log).lines().count()), (0, 51));
    log.extend_selection(Distance::All, Direction::Forward);
    assert!(selected_text(&log).ends_with("line 100"));
}

#[test]
fn visible_lines_or_all_lines_are_exported_in_pieces() {
    let mut log = log_after(&[connected(), joined(), message("one\ntwo\nERROR three")]);
    log.lay_out(true);
    let (text, json) = (ExportFormat::Text, ExportFormat::JsonLines);
    let visible =
        |log: &LiveLog, position, bytes| log.export_from((ExportScope::Visible, text), position, bytes);
    assert_eq!(visible(&log, 0, 1), Some(("one\n".to_owned(), 1)));
    assert_eq!(visible(&log, 1, 1000), Some(("two\nERROR three\n".to_owned(), 3)));
    assert_eq!(visible(&log, 3, 1000), None);
    log.toggle_level(Level::Error);
    log.lay_out(true);
    assert_eq!(visible(&log, 0, 1000).map(|(text, _)| text).as_deref(), Some("ERROR three\n"));
    let exported = |scope, format| log.export_from((scope, format), 0, 1000).map(|(text, _)| text).unwrap();
    assert_eq!(exported(ExportScope::Held, text), "one\ntwo\nERROR three\n");
    assert_eq!(
        exported(ExportScope::Visible, json),
        "{\"time\":\"2023-11-15T14:03:11.000Z\",\"level\":\"error\",\"source\":\"group\",\"text\":\"ERROR three\"}\n"
    );
}
