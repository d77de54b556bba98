//! Search and filter.

use super::*;
use crate::model::{
    level::Level,
    navigation::Direction,
    search::{FilterMode, Query},
};

fn query(pattern: &str) -> Query {
    Query { pattern: pattern.to_owned(), ..Query::default() }
}

fn top_text(log: &LiveLog) -> Option<&str> {
    log.lines().line_at(log.viewport.top_line()).map(|line| line.text)
}

#[test]
fn a_cleared_log_is_empty_and_continues() {
    let mut log = log_after(&[connected(), joined(), message("one\ntwo failed\nERROR two failed")]);
    log.lay_out(true);
    log.set_query(query("failed"));
    log.set_filter_mode(FilterMode::Matching);
    log.lay_out(true);
    log.step_match(Direction::Forward, &mut Work::slice());
    log.toggle_bookmark();
    log.select_all();
    let (revision, next) = (log.revision(), log.store.next_id());
    log.clear();
    log.lay_out(true);
    let snapshot = log.snapshot(LOST.unix_ms);
    assert!(snapshot.is_empty && log.revision() > revision && !log.has_selected_text());
    assert_eq!((snapshot.search.matches, snapshot.filter.visible_lines), (0, Some(0)));
    assert_eq!((snapshot.selected_lines, snapshot.filter.level_counts), (0, [0; 5]));
    assert!(!log.step_bookmark(Direction::Forward), "a bookmark is removed with its line");
    log.handle_event(0, &message("three\nfour failed"), RESTORED);
    log.lay_out(true);
    assert_eq!(log.store.first_id(), next);
    assert_eq!(log.snapshot(RESTORED.unix_ms).filter.visible_lines, Some(1));
    assert_eq!(top_text(&log), Some("four failed"));
}

#[test]
fn a_cleared_log_is_restored_with_its_bookmarks_and_matches() {
    let mut log = log_of(StoreLimits::default(), "one\ntwo failed");
    log.set_query(query("failed"));
    log.set_filter_mode(FilterMode::Matching);
    log.lay_out(true);
    log.step_match(Direction::Forward, &mut Work::slice());
    log.toggle_bookmark();
    log.clear();
    log.lay_out(true);
    assert!(!log.snapshot(LOST.unix_ms).filter.is_blank, "an empty log hides no line");
    log.handle_event(0, &message("three\nfour failed"), RESTORED);
    log.lay_out(true);
    assert!(log.undo_clear());
    log.lay_out(true);
    let snapshot = log.snapshot(RESTORED.unix_ms);
    assert_eq!((snapshot.counts.held, snapshot.counts.dropped), (4, 0));
    assert_eq!((snapshot.search.matches, snapshot.filter.visible_lines), (2, Some(2)));
    assert_eq!(top_text(&log), Some("two failed"));
    assert!(log.step_bookmark(Direction::Forward), "the bookmark is back");
    assert!(!log.undo_clear(), "there is nothing left to restore");
    assert_eq!((log.clear(), log.clear()), (4, 4), "a second time removes nothing more");
    log.lay_out(true);
    assert!(log.undo_clear());
    assert_eq!(log.store.counts().held, 4);
    log.clear();
    log.forget_cleared();
    assert!(!log.undo_clear());
}

#[test]
fn a_filter_that_hides_every_line_is_reported_once_all_are_tested() {
    let mut log = log_of(StoreLimits::default(), "one\ntwo");
    let is_blank = |log: &LiveLog| log.snapshot(LOST.unix_ms).filter.is_blank;
    assert!(!is_blank(&log), "there is no filter");
    log.toggle_level(Level::Error);
    assert!(!is_blank(&log), "no line is tested yet");
    log.lay_out(true);
    assert!(is_blank(&log));
    log.clear_filters();
    log.lay_out(true);
    assert!(!is_blank(&log));
    assert_eq!(log.snapshot(LOST.unix_ms).filter.levels, [false; 5]);
}

#[test]
fn matches_are_stepped_through_and_scrolled_to() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=500));
    log.set_query(query("line 25"));
    while log.advance_search() {}
    assert!(!log.is_searching());
    for (direction, line) in [(Direction::Backward, 258), (Direction::Forward, 24), (Direction::Forward, 249)]
    {
        log.step_match(direction, &mut Work::slice());
        assert_eq!(log.current_line(), Some(line));
    }
    let positions = log.lay_out(true).rows;
    assert!(positions.contains(&249) && !log.viewport().is_following());
    let search = log.snapshot(0.0).search;
    assert_eq!((search.matches, search.current, search.is_counting), (11, Some(2), false));
}

#[test]
fn a_filter_keeps_the_line_at_the_top_of_the_viewport() {
    let lines: Vec<String> =
        (0..1_000).map(|n| format!("{} {n}", if n % 2 == 0 { "ERROR" } else { "INFO" })).collect();
    let mut log = log_of(StoreLimits::default(), &lines.join("\n"));
    log.viewport_mut().reveal(400);
    let changes: [fn(&mut LiveLog); 5] = [
        |log| log.toggle_level(Level::Error),
        |log| log.set_levels([false; 5]),
        |log| log.set_query(query("ERROR")),
        |log| log.set_filter_mode(FilterMode::Matching),
        |log| log.set_filter_mode(FilterMode::All),
    ];
    log.lay_out(true);
    for change in changes {
        let revision = log.revision();
        change(&mut log);
        log.lay_out(true);
        assert_eq!(top_text(&log), Some("ERROR 400"));
        assert!(log.revision() > revision, "rows are filled again");
    }
}

#[test]
fn several_changes_of_the_filter_in_one_frame_keep_the_line_at_the_top() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=1_000));
    log.viewport_mut().reveal(499);
    log.lay_out(true);
    log.set_query(query("0"));
    log.set_filter_mode(FilterMode::Matching);
    log.advance_search();
    log.set_filter_mode(FilterMode::NotMatching);
    log.set_filter_mode(FilterMode::Matching);
    log.lay_out(true);
    assert_eq!(top_text(&log), Some("line 500"));
}

#[test]
fn hidden_sources_are_part_of_the_snapshot() {
    let mut log = LiveLog::new(vec![source("a", 0), source("b", 0)], StoreLimits::default());
    log.handle_event(0, &message_to("a", "x"), LOST);
    log.handle_event(0, &message_to("b", "x"), LOST);
    assert!(!log.is_filtered());
    log.toggle_source(1);
    log.lay_out(true);
    let snapshot = log.snapshot(0.0);
    let visible: Vec<bool> = snapshot.sources.iter().map(|source| source.is_visible).collect();
    assert_eq!(
        (visible, snapshot.filter.visible_lines, log.is_filtered()),
        (vec![true, false], Some(1), true)
    );
}

#[test]
fn an_invalid_pattern_is_reported_and_leaves_the_filter_in_place() {
    let mut log = log_of(StoreLimits::default(), "one\ntwo");
    log.set_query(query("one"));
    log.set_filter_mode(FilterMode::Matching);
    log.lay_out(true);
    log.set_query(Query { is_regex: true, ..query("(") });
    log.lay_out(true);
    let snapshot = log.snapshot(0.0);
    assert!(snapshot.search.error.is_some());
    assert_eq!((snapshot.search.matches, snapshot.filter.visible_lines), (1, Some(1)));
}

#[test]
fn a_range_of_the_timeline_limits_the_visible_lines() {
    let mut log = log_after(&[message("early")]);
    let later = LocalTime { unix_ms: LOST.unix_ms + 5_000.0, ..LOST };
    log.handle_event(0, &message("late"), later);
    assert_eq!((log.snapshot(later.unix_ms + 1_000.0).rate, log.store.timeline().bars().len()), (1, 6));
    log.set_time_range(Some((5, 4)), 0);
    log.lay_out(true);
    assert_eq!(log.snapshot(0.0).time_range.as_deref(), Some("14:03:15 – 14:03:17"));
    assert_eq!(log.lines().line_at(0).unwrap().text, "late");
    assert_eq!(log.snapshot(0.0).filter.visible_lines, Some(1));
    log.set_time_range(None, 0);
    log.lay_out(true);
    assert_eq!((log.snapshot(0.0).time_range, log.snapshot(0.0).filter.visible_lines), (None, None));
}

/// Creates a log of so many lines of 100 bytes that arrive at once, each tenth of which is an error.
fn log_of_errors(lines: usize) -> LiveLog {
    let mut log = log_of(StoreLimits::default(), "");
    let line =
        |at: usize| if at.is_multiple_of(10) { format!("ERROR {at:093}") } else { format!("{at:099}") };
    let text = (0..lines).map(line).collect::<Vec<_>>().join("\n");
    log.store.push_message(LineKind::Group, &text, LOST.unix_ms);
    log
}

#[test]
fn levels_are_counted_in_slices_and_a_count_that_is_not_complete_is_marked() {
    let mut log = log_of_errors(20_000);
    log.lay_out(true);
    let filter = log.snapshot(0.0).filter;
    assert!(filter.is_counting_levels && filter.level_counts[0] > 0 && filter.level_counts[0] < 2_000);
    assert!(log.is_searching(), "the next frame goes on");
    while log.advance_search() {}
    let filter = log.snapshot(0.0).filter;
    assert_eq!((filter.is_counting_levels, filter.level_counts[0]), (false, 2_000));
}

#[test]
fn levels_are_counted_during_a_flood_without_further_renders() {
    let mut log = log_of_errors(20_000);
    log.viewport.set_flooded(true);
    log.lay_out(true);
    assert!(log.snapshot(0.0).filter.level_counts[0] > 0 && !log.is_searching());
    let row = log.row(log.store.next_id() - 10, 0, &mut Work::slice()).unwrap();
    assert_eq!(row.level, Some(Level::Error), "a line on screen has its level");
}

#[test]
fn a_filter_by_level_finds_lines_that_were_not_interpreted() {
    for is_flooded in [false, true] {
        let mut log = log_of_errors(20_000);
        log.viewport.set_flooded(is_flooded);
        log.toggle_level(Level::Error);
        log.lay_out(true);
        let filter = log.snapshot(0.0).filter;
        assert!(filter.is_filtering && filter.visible_lines.is_some_and(|lines| lines < 2_000), "{filter:?}");
        while log.advance_search() {}
        let filter = log.snapshot(0.0).filter;
        assert_eq!((filter.is_filtering, filter.visible_lines), (false, Some(2_000)));
    }
}

#[test]
fn lines_that_are_cleared_before_they_are_interpreted_have_their_level_in_the_timeline() {
    for is_forgotten in [false, true] {
        let mut log = log_of_errors(20_000);
        log.clear();
        if is_forgotten {
            log.forget_cleared();
        }
        while log.advance_search() {}
        let errors: u32 = log.store.timeline().bars().iter().map(|bar| bar[0]).sum();
        assert_eq!(errors, 2_000);
    }
}
