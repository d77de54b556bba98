//! What a reader sees, whatever happens.

use proptest::{collection::vec, prelude::*};

use super::*;

const ROW_PX: f64 = 20.0;
const VIEW_PX: f64 = 600.0;

/// A viewport with its scroller: a browser reduced to the clamping of scroll positions.
struct Reader {
    viewport: Viewport,
    scroll_px: f64,
    layout: Layout,
}

impl Reader {
    fn new(lines: u64) -> Self {
        let mut viewport = Viewport::new();
        viewport.resize(VIEW_PX, ROW_PX);
        viewport.lines_changed(0, lines);
        let layout = viewport.lay_out(true);
        let mut reader = Self { viewport, scroll_px: 0.0, layout };
        reader.paint(true);
        reader
    }

    fn paint(&mut self, at_rest: bool) {
        self.layout = self.viewport.lay_out(at_rest);
        let furthest_px = (self.layout.content_px - self.viewport.view_px).max(0.0);
        if let Some(to_px) = self.layout.scroll_to_px {
            self.scroll_px = to_px.clamp(0.0, furthest_px);
            self.viewport.placed(self.scroll_px);
        }
        self.scroll_px = self.scroll_px.min(furthest_px);
    }

    fn scroll_by(&mut self, px: f64) {
        if px < 0.0 {
            self.viewport.leave_end();
        } else {
            self.viewport.press_on_down();
        }
        self.move_bar(px, ScrollCause::Reader);
    }

    fn move_bar(&mut self, px: f64, cause: ScrollCause) {
        let furthest_px = (self.layout.content_px - self.viewport.view_px).max(0.0);
        self.scroll_px = (self.scroll_px + px).clamp(0.0, furthest_px);
        if !self.viewport.is_at(self.scroll_px) {
            self.viewport.scrolled(self.scroll_px, cause);
        }
        self.paint(false);
    }

    fn receive(&mut self, first: u64, next: u64) {
        self.viewport.lines_changed(first, next);
        self.paint(true);
    }

    /// The line at the top of the view, and how much of it is above.
    fn top(&self) -> (u64, f64) {
        let rows = ((self.scroll_px - self.layout.rows_top_px) / ROW_PX).floor();
        (self.layout.rows.start + rows as u64, self.scroll_px - self.layout.rows_top_px - rows * ROW_PX)
    }

    fn sees_end(&self) -> bool {
        (self.scroll_px + self.viewport.view_px - self.layout.content_px).abs() < 1.0
            || self.layout.content_px <= self.viewport.view_px
    }
}

#[test]
fn a_new_view_follows_the_end() {
    let mut reader = Reader::new(0);
    assert_eq!(reader.layout.rows, 0..0);
    reader.receive(0, 1_000);
    assert!(reader.sees_end() && reader.viewport.is_following());
    assert_eq!(reader.layout.rows.end, 1_000);
    assert!(reader.layout.rows.start >= 1_000 - 61);
}

#[test]
fn scrolling_up_stops_following_and_new_lines_are_counted() {
    let mut reader = Reader::new(1_000);
    reader.scroll_by(-3.0);
    assert!(!reader.viewport.is_following());
    let top = reader.top();
    reader.receive(0, 2_500);
    assert_eq!(reader.top(), top);
    assert_eq!(reader.viewport.unseen(), 1_000);
}

#[test]
fn where_nothing_can_be_scrolled_nothing_stops_following() {
    let mut reader = Reader::new(5);
    reader.scroll_by(-100.0);
    reader.viewport.to_start();
    assert!(reader.viewport.is_following());
}

#[test]
fn a_pause_on_purpose_counts_where_nothing_can_be_scrolled_yet() {
    let mut reader = Reader::new(0);
    reader.viewport.pause();
    reader.receive(0, 3);
    assert!(!reader.viewport.is_following());
    assert_eq!(reader.viewport.unseen(), 3, "what is in view is not new");
    reader.receive(0, 1_000);
    assert_eq!((reader.scroll_px, reader.viewport.unseen()), (0.0, 3));
    reader.viewport.follow();
    reader.paint(true);
    assert!(reader.sees_end());
    let mut short = Reader::new(3);
    short.viewport.follow();
    short.paint(true);
    assert!(short.viewport.is_following());
}

#[test]
fn scrolling_down_to_the_end_follows_again() {
    let mut reader = Reader::new(1_000);
    reader.scroll_by(-300.0);
    reader.scroll_by(294.0);
    assert!(reader.viewport.is_following());
    reader.receive(0, 1_001);
    assert!(reader.sees_end());
}

#[test]
fn a_small_step_up_near_the_end_does_not_follow_again_but_a_push_down_does() {
    let mut reader = Reader::new(1_000);
    reader.scroll_by(-2.0);
    reader.scroll_by(-2.0);
    assert!(!reader.viewport.is_following());
    reader.viewport.press_on_down();
    assert!(reader.viewport.is_following());
}

#[test]
fn a_scroll_that_nobody_asked_for_neither_stops_nor_resumes_following() {
    let mut reader = Reader::new(1_000);
    reader.move_bar(-500.0, ScrollCause::Unknown);
    assert!(reader.viewport.is_following() && reader.sees_end());
    reader.scroll_by(-500.0);
    reader.move_bar(500.0, ScrollCause::Unknown);
    assert!(!reader.viewport.is_following());
    reader.move_bar(-500.0, ScrollCause::Unknown);
    assert_eq!(reader.top(), (945, EDGE_PX));
}

#[test]
fn a_selection_dragged_to_the_end_does_not_follow() {
    let mut reader = Reader::new(1_000);
    reader.move_bar(-500.0, ScrollCause::Selection);
    assert!(!reader.viewport.is_following());
    reader.move_bar(500.0, ScrollCause::Selection);
    assert!(!reader.viewport.is_following() && reader.sees_end());
}

#[test]
fn lines_that_were_scrolled_to_are_no_longer_new() {
    let mut reader = Reader::new(1_000);
    reader.scroll_by(-100.0);
    reader.receive(0, 2_000);
    reader.scroll_by(1_100.0);
    assert_eq!(reader.viewport.unseen(), 1_050);
    reader.scroll_by(-5_000.0);
    assert_eq!(reader.viewport.unseen(), 1_050);
}

#[test]
fn the_line_being_read_stays_while_older_ones_are_dropped() {
    let mut reader = Reader::new(1_000);
    reader.scroll_by(-5_007.0);
    let top = reader.top();
    reader.receive(300, 1_400);
    assert_eq!(reader.top(), top);
    assert_eq!(reader.layout.dropped_top_px, Some(EDGE_PX));
}

#[test]
fn while_the_reader_scrolls_dropped_lines_leave_a_space_that_is_taken_up_at_rest() {
    let mut reader = Reader::new(1_000);
    reader.scroll_by(-5_007.0);
    let (top, scroll_px) = (reader.top(), reader.scroll_px);
    reader.viewport.lines_changed(300, 1_400);
    reader.paint(false);
    // The row that speaks of dropped lines is new: one row of difference, all else unmoved.
    assert_eq!((reader.top(), reader.scroll_px), (top, scroll_px + ROW_PX));
    assert_eq!(reader.layout.dropped_top_px, Some(EDGE_PX + 300.0 * ROW_PX));
    reader.paint(true);
    assert_eq!((reader.top(), reader.layout.dropped_top_px), (top, Some(EDGE_PX)));
}

#[test]
fn when_the_line_being_read_is_dropped_the_row_that_says_so_takes_its_place() {
    let mut reader = Reader::new(1_000);
    reader.viewport.to_start();
    reader.paint(true);
    assert_eq!((reader.scroll_px, reader.layout.rows_top_px), (0.0, EDGE_PX));
    reader.receive(500, 1_500);
    assert_eq!((reader.scroll_px, reader.layout.dropped_top_px), (0.0, Some(EDGE_PX)));
    assert_eq!((reader.layout.rows.start, reader.layout.rows_top_px), (500, EDGE_PX + ROW_PX));
    assert!(!reader.viewport.is_following());
}

#[test]
fn another_size_keeps_the_line_at_the_top() {
    let mut reader = Reader::new(1_000);
    reader.scroll_by(-5_010.0);
    let (top, _) = reader.top();
    reader.viewport.resize(200.0, 30.0);
    reader.paint(true);
    let rows = ((reader.scroll_px - reader.layout.rows_top_px) / 30.0).floor();
    assert_eq!(reader.layout.rows.start + rows as u64, top);
}

#[derive(Debug, Clone)]
enum Act {
    Receive { dropped: u64, added: u64 },
    Scroll { px: f64 },
    Drift { px: f64 },
    Start,
    End,
    Resize { view_px: f64 },
    Frame { at_rest: bool },
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..200_u64, 0..400_u64).prop_map(|(dropped, added)| Act::Receive { dropped, added }),
        (-9_000.0..9_000.0).prop_map(|px| Act::Scroll { px }),
        (-500.0..500.0).prop_map(|px| Act::Drift { px }),
        Just(Act::Start),
        Just(Act::End),
        (0.0..1_500.0).prop_map(|view_px| Act::Resize { view_px }),
        any::<bool>().prop_map(|at_rest| Act::Frame { at_rest }),
    ]
}

proptest! {
    #[test]
    fn the_view_is_always_covered_by_rows_and_following_always_sees_the_end(acts in vec(any_act(), 0..60)) {
        let mut reader = Reader::new(0);
        let (mut first, mut next) = (0, 0);
        for act in acts {
            match act {
                Act::Receive { dropped, added } => {
                    next += added;
                    first = next.min(first + dropped);
                    reader.viewport.lines_changed(first, next);
                }
                Act::Scroll { px } => reader.scroll_by(px),
                Act::Drift { px } => reader.move_bar(px, ScrollCause::Unknown),
                Act::Start => reader.viewport.to_start(),
                Act::End => reader.viewport.follow(),
                Act::Resize { view_px } => reader.viewport.resize(view_px, ROW_PX),
                Act::Frame { at_rest } => reader.paint(at_rest),
            }
            reader.paint(true);

            let layout = &reader.layout;
            prop_assert!(first <= layout.rows.start && layout.rows.end <= next);
            prop_assert!(layout.rows.end - layout.rows.start <= (reader.viewport.view_px * 2.0 / ROW_PX) as u64 + 2);
            let rows_end_px = layout.rows_top_px + (layout.rows.end - layout.rows.start) as f64 * ROW_PX;
            let covers_top = layout.rows.start == first || layout.rows_top_px <= reader.scroll_px;
            let covers_end = layout.rows.end == next || rows_end_px >= reader.scroll_px + reader.viewport.view_px;
            prop_assert!(covers_top && covers_end, "{layout:?} at {}", reader.scroll_px);
            if reader.viewport.is_following() {
                prop_assert!(reader.sees_end(), "{layout:?} at {}", reader.scroll_px);
                prop_assert_eq!(reader.viewport.unseen(), next);
            }
            prop_assert!((first..=next).contains(&reader.viewport.unseen()));
            // Painting twice is painting once.
            prop_assert_eq!(reader.viewport.lay_out(true).scroll_to_px, None);
        }
    }

    #[test]
    fn while_lines_come_and_go_the_reader_stays_at_his_line(
        up_px in 1.0..15_000.0_f64,
        batches in vec((0..50_u64, 0..400_u64, any::<bool>()), 1..40),
    ) {
        let mut reader = Reader::new(1_000);
        reader.scroll_by(-up_px);
        let (mut first, mut next) = (0, 1_000);
        let (line, offset_px) = reader.top();
        for (dropped, added, at_rest) in batches {
            (first, next) = (first + dropped, next + added);
            reader.viewport.lines_changed(first, next);
            reader.paint(at_rest);
            let now = reader.top();
            // The browser's scroll position may be a fraction of a pixel off, in either direction.
            let moved_px = (now.0 as f64 - line as f64) * ROW_PX + now.1 - offset_px;
            prop_assert!(first > line || moved_px.abs() < 1.0, "from {line}+{offset_px} to {now:?}");
        }
    }
}

#[test]
fn wrapped_lines_are_as_high_as_their_rows_and_the_end_stays_in_view() {
    let mut reader = Reader::new(0);
    reader.viewport.set_wrap(Some(80));
    reader.viewport.lines_changed(0, 1000);
    for line in reader.viewport.uncounted() {
        reader.viewport.count_line(if line % 10 == 0 { 800 } else { 10 });
    }
    reader.paint(true);
    // A hundred lines of ten rows, nine hundred of one.
    assert_eq!(reader.layout.content_px, 2.0 * EDGE_PX + 1900.0 * ROW_PX);
    assert!(reader.sees_end() && reader.layout.rows.end == 1000);
    reader.scroll_by(-5000.0);
    let before = reader.layout.clone();
    assert!(!reader.viewport.is_following());
    // A line above turns out to be higher: what is read stays where it is.
    assert!(reader.viewport.measured(3, 5));
    reader.paint(true);
    assert_eq!(reader.layout.rows.start, before.rows.start);
    assert_eq!(reader.layout.rows_top_px, before.rows_top_px + 4.0 * ROW_PX);
}

#[test]
fn in_a_flood_few_lines_out_of_view_have_rows_until_the_reader_stops_to_read() {
    let mut reader = Reader::new(1_000);
    let in_view = (VIEW_PX / ROW_PX) as u64;
    reader.viewport.set_flooded(true);
    reader.receive(0, 2_000);
    assert!(reader.layout.rows.end - reader.layout.rows.start <= in_view + 1 + FLOOD_OVERSCAN_ROWS as u64);
    assert_eq!(reader.layout.rows.end, 2_000);
    reader.scroll_by(-ROW_PX);
    assert!(reader.layout.rows.end - reader.layout.rows.start > in_view + in_view / 2 - 2);
    reader.viewport.follow();
    reader.viewport.set_flooded(false);
    reader.paint(true);
    assert!(reader.layout.rows.end - reader.layout.rows.start > in_view + in_view / 2 - 2);
}
