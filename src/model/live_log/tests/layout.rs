//! Layout of lines that wrap or are open.

use super::*;
use crate::model::{
    json_line::open_lines::MAX_OPEN_LINES, level::Level, navigation::Direction, search::Query,
    viewport::EDGE_PX,
};

const JSON: &str = r#"{"level":"warn","msg":"slow","at":{"host":"db-1"}}"#;

/// Creates a log of 300 lines, each tenth of which is JSON, in a viewport of ten rows.
fn log_with_json() -> LiveLog {
    let mut log = log_with(StoreLimits { lines: 320, ..StoreLimits::default() });
    log.viewport.resize(200.0, 20.0);
    for number in 0..300 {
        let text = if number % 10 == 0 { JSON.to_owned() } else { format!("line {number}") };
        log.store.push_message(LineKind::Group, &text, 0.0);
    }
    log.lay_out(true);
    log
}

#[test]
fn an_open_line_is_as_high_as_its_rows_and_the_viewport_stays() {
    let mut log = log_with_json();
    let closed_px = log.lay_out(true).content_px;
    log.toggle_open(290);
    let layout = log.lay_out(true);
    // Four rows below the line.
    assert_eq!(layout.content_px, closed_px + 4.0 * 20.0);
    assert_eq!((layout.scroll_to_px, log.viewport.is_following()), (None, false));
    assert_eq!(log.open_lines.rows_below(290), Some(4));
    log.toggle_open(291);
    log.toggle_open(290);
    assert_eq!(log.lay_out(true).content_px, closed_px);
    assert!(log.open_lines.is_empty() && log.viewport.row_columns().is_none());
}

#[test]
fn an_open_line_keeps_its_height_while_filtered_and_wrapped_and_is_removed_when_dropped() {
    let mut log = log_with_json();
    log.toggle_open(20);
    log.toggle_level(Level::Warning);
    let layout = log.lay_out(true);
    assert_eq!(layout.content_px, 30.0 * 20.0 + 4.0 * 20.0 + 2.0 * EDGE_PX);
    log.toggle_level(Level::Warning);
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
    assert!(log.open_lines.is_empty());
}

#[test]
fn opening_more_lines_than_allowed_closes_the_oldest() {
    let mut log = log_with(StoreLimits { lines: 3_200, ..StoreLimits::default() });
    log.viewport.resize(200.0, 20.0);
    for _ in 0..=MAX_OPEN_LINES {
        log.store.push_message(LineKind::Group, JSON, 0.0);
    }
    let closed_px = log.lay_out(true).content_px;
    for id in log.store.first_id()..log.store.next_id() {
        log.toggle_open(id);
        log.lay_out(true);
    }
    assert_eq!((log.open_lines.rows_below(0), log.open_lines.rows_below(1)), (None, Some(4)));
    assert_eq!(log.lay_out(true).content_px, closed_px + 100.0 * 4.0 * 20.0);
}

/// Toggles the current line and returns the lines that are open then.
fn open_after_toggle(log: &mut LiveLog) -> Vec<u64> {
    log.toggle_open_current();
    (log.store.first_id()..log.store.next_id()).filter(|id| log.open_lines.tree(*id).is_some()).collect()
}

#[test]
fn without_match_and_caret_the_first_json_line_in_view_is_opened() {
    let mut log = log_with_json();
    log.viewport.to_start();
    log.lay_out(true);
    assert_eq!(open_after_toggle(&mut log), [0]);
    assert!(open_after_toggle(&mut log).is_empty());
}

#[test]
fn the_line_at_the_caret_is_opened_if_it_is_a_visible_json_line() {
    let mut log = log_with_json();
    log.viewport.to_start();
    log.lay_out(true);
    select_caret(&mut log, 110);
    assert_eq!(open_after_toggle(&mut log), [110]);
    log.toggle_open(110);
    select_caret(&mut log, 111);
    assert_eq!(open_after_toggle(&mut log), [0], "the caret is not at a JSON line");
    log.toggle_open(0);
    select_caret(&mut log, 110);
    log.set_query(Query { pattern: "line".into(), ..Query::default() });
    log.set_filter_mode(crate::model::search::FilterMode::Matching);
    log.lay_out(true);
    assert!(open_after_toggle(&mut log).is_empty(), "the caret is at a hidden line");
}

#[test]
fn the_line_of_the_caret_is_opened_before_that_of_the_current_match() {
    let mut log = log_with_json();
    log.store.push_message(LineKind::Group, r#"{"msg":"fast"}"#, 0.0);
    log.set_query(Query { pattern: "fast".into(), ..Query::default() });
    log.lay_out(true);
    log.step_match(Direction::Forward, &mut Work::slice());
    assert_eq!(open_after_toggle(&mut log), [300], "a step moves the caret");
    log.toggle_open(300);
    select_caret(&mut log, 110);
    assert_eq!(open_after_toggle(&mut log), [110]);
    log.toggle_open(110);
    log.set_query(Query { pattern: "line 15".into(), ..Query::default() });
    log.lay_out(true);
    log.step_match(Direction::Forward, &mut Work::slice());
    assert_eq!(log.line_to_open(), Some(15));
    assert!(open_after_toggle(&mut log).is_empty(), "the line of the match is not JSON");
}
