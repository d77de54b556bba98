//! Bookmarks, linked lines and destinations.

use super::*;
use crate::model::{destination::Destination, level::Level, navigation::Direction};

#[test]
fn bookmarks_are_set_stepped_through_and_removed_with_their_lines() {
    let limits = StoreLimits { lines: 160, ..StoreLimits::default() };
    let mut log = log_of(limits, &numbered(1..=100));
    for line in [20, 40, 60] {
        select_caret(&mut log, line);
        log.toggle_bookmark();
    }
    let step = |log: &mut LiveLog, direction| {
        assert!(log.step_bookmark(direction));
        log.current_line().unwrap()
    };
    let steps = [Direction::Forward, Direction::Forward, Direction::Backward];
    assert_eq!(steps.map(|direction| step(&mut log, direction)), [20, 40, 20]);
    assert!(log.marks_of(&log.store.line(20).unwrap()).is_bookmarked);
    log.toggle_bookmark();
    assert_eq!(step(&mut log, Direction::Forward), 40);
    push(&mut log, &numbered(101..=500));
    assert!(!log.step_bookmark(Direction::Forward), "their lines were dropped");
}

#[test]
fn a_link_leads_to_its_lines_once_they_are_received() {
    let limits = StoreLimits { lines: 160, ..StoreLimits::default() };
    let mut log = log_of(limits, &numbered(1..=10));
    let message = log.go_to(Destination::Lines(57..=60)).unwrap();
    assert_eq!(message, "Line 57 has not been received yet; the view will go there when it is");
    log.add_notice("a notice has no number", LOST);
    push(&mut log, &numbered(11..=120));
    let line = log.store.line(log.current_line().unwrap()).unwrap();
    assert_eq!((line.text, log.marks_of(&line).is_linked), ("line 57", true));
    assert!(!log.viewport.is_following());
    push(&mut log, &numbered(121..=400));
    let message = log.go_to(Destination::Lines(57..=57)).unwrap();
    assert_eq!(message, "Line 57 is no longer in this page");
}

#[test]
fn going_to_a_line_that_is_held_gives_no_message() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=100));
    assert_eq!(log.go_to(Destination::Lines(7..=7)), None);
    assert_eq!(log.current_line(), Some(6));
}

#[test]
fn going_to_a_line_that_the_filter_hides_shows_the_nearest_visible_one_and_a_message() {
    let mut log = log_of(StoreLimits::default(), "INFO a\nERROR b\nINFO c\nINFO d\nINFO e\nERROR f");
    log.toggle_level(Level::Error);
    for (line, nearest) in [(1, "ERROR b"), (3, "ERROR b"), (5, "ERROR f")] {
        let message = log.go_to(Destination::Lines(line..=line)).unwrap();
        assert_eq!(message, format!("The filter hides line {line}: the view is at the nearest visible line"));
        let current = log.store.line(log.current_line().unwrap()).unwrap();
        assert_eq!((current.text, log.marks_of(&current).is_current), (nearest, true));
    }
    assert_eq!(log.go_to(Destination::Lines(2..=2)), None);
    assert_eq!(
        log.go_to(Destination::Time(5_500.0)).as_deref(),
        Some("No line has been received since then")
    );
    push(&mut log, "INFO g");
    let message = log.go_to(Destination::Time(5_500.0));
    assert_eq!(message.as_deref(), Some("The filter hides all lines since then"));
    log.toggle_level(Level::Error);
    log.toggle_level(Level::Trace);
    let message = log.go_to(Destination::Lines(3..=3)).unwrap();
    assert_eq!(message, "The filter hides line 3: no line is visible");
}

#[test]
fn a_linked_line_that_the_filter_hides_is_reported_once_it_is_there() {
    let mut log = log_of(StoreLimits::default(), "INFO a\nERROR b");
    log.toggle_level(Level::Error);
    log.go_to(Destination::Lines(3..=3)).unwrap();
    push(&mut log, "INFO c");
    let expected = "The filter hides line 3: the view is at the nearest visible line";
    assert_eq!(log.take_obstacle().as_deref(), Some(expected));
    assert_eq!(log.current_line(), Some(1));
}

#[test]
fn a_link_names_one_line_or_all_lines_from_the_one_linked_before() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=100));
    assert_eq!(log.link_line(56, false), Some(57..=57));
    assert_eq!(log.link_line(59, true), Some(57..=60));
    assert_eq!(log.link_line(49, true), Some(50..=57));
    log.select(Some(Selection { anchor: position(9, 3), head: position(4, 0) }));
    assert_eq!(log.link_selection(), Some(5..=10));
    assert_eq!(log_with(StoreLimits::default()).link_selection(), None, "no line is there");
}

#[test]
fn a_time_leads_to_the_first_line_received_then_or_later() {
    let mut log = log_of(StoreLimits::default(), &numbered(1..=100));
    assert_eq!(log.go_to(Destination::Time(30_500.0)), None);
    assert_eq!(log.current_line(), Some(31));
    assert_eq!(log.go_to(Destination::Time(0.0)), None);
    assert_eq!(log.current_line(), Some(0));
    let message = log.go_to(Destination::Time(1e9)).unwrap();
    assert_eq!(message, "No line has been received since then");
}

#[test]
fn end_and_home_give_up_a_line_that_is_waited_for() {
    for go in [LiveLog::follow, LiveLog::seek_start] {
        let mut log = log_of(StoreLimits::default(), &numbered(1..=10));
        log.go_to(Destination::Lines(57..=57)).unwrap();
        go(&mut log);
        push(&mut log, &numbered(11..=120));
        assert_ne!(log.current_line(), Some(56));
    }
}

#[test]
fn errors_are_stepped_through_with_their_stack_traces_as_one() {
    let mut log = log_of(StoreLimits::default(), "ERROR a\n at b\nINFO c\nERROR d\n at ERROR e\nINFO f");
    let step = |log: &mut LiveLog, direction| {
        assert!(log.step_error(direction));
        log.current_line().unwrap()
    };
    let steps = [Direction::Forward, Direction::Forward, Direction::Forward, Direction::Backward];
    assert_eq!(steps.map(|direction| step(&mut log, direction)), [0, 3, 0, 3]);
    select_caret(&mut log, 4);
    assert_eq!(step(&mut log, Direction::Backward), 0, "the caret is in the record of line 3");
    assert!(!log_of(StoreLimits::default(), "INFO a").step_error(Direction::Forward));
}
