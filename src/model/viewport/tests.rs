//! Tests of the viewport with a simulated scroller.

use proptest::{collection::vec, prelude::*};

use super::{layout::FLOOD_OVERSCAN_ROWS, *};

const ROW_PX: f64 = 20.0;
const VIEW_PX: f64 = 600.0;

/// Viewport with a scroller that only clamps scroll positions.
struct Scroller {
    viewport: Viewport,
    scroll_px: f64,
    layout: Layout,
}

impl Scroller {
    fn new(lines: u64) -> Self {
        let mut viewport = Viewport::new();
        viewport.resize(VIEW_PX, ROW_PX);
        viewport.lines_changed(0, lines);
        let layout = viewport.lay_out(true);
        let mut scroller = Self { viewport, scroll_px: 0.0, layout };
        scroller.render(true);
        scroller
    }

    fn render(&mut self, is_idle: bool) {
        self.layout = self.viewport.lay_out(is_idle);
        let max_scroll_px = (self.layout.content_px - self.viewport.view_px).max(0.0);
        if let Some(to_px) = self.layout.scroll_to_px {
            self.scroll_px = to_px.clamp(0.0, max_scroll_px);
            self.viewport.placed(self.scroll_px);
        }
        self.scroll_px = self.scroll_px.min(max_scroll_px);
    }

    fn scroll_by(&mut self, px: f64) {
        if px < 0.0 {
            self.viewport.leave_end();
        } else {
            self.viewport.press_on_down();
        }
        self.move_bar(px, ScrollCause::User);
    }

    fn move_bar(&mut self, px: f64, cause: ScrollCause) {
        let max_scroll_px = (self.layout.content_px - self.viewport.view_px).max(0.0);
        self.scroll_px = (self.scroll_px + px).clamp(0.0, max_scroll_px);
        if !self.viewport.is_at(self.scroll_px) {
            self.viewport.scrolled(self.scroll_px, cause);
        }
        self.render(false);
    }

    fn receive(&mut self, first: u64, next: u64) {
        self.viewport.lines_changed(first, next);
        self.render(true);
    }

    /// Returns the line at the top of the viewport, and the height of its part above.
    fn top(&self) -> (u64, f64) {
        let rows = ((self.scroll_px - self.layout.rows_top_px) / ROW_PX).floor();
        (self.layout.rows.start + rows as u64, self.scroll_px - self.layout.rows_top_px - rows * ROW_PX)
    }

    fn is_end_in_view(&self) -> bool {
        (self.scroll_px + self.viewport.view_px - self.layout.content_px).abs() < 1.0
            || self.layout.content_px <= self.viewport.view_px
    }
}

#[test]
fn a_new_viewport_follows_the_end() {
    let mut scroller = Scroller::new(0);
    assert_eq!(scroller.layout.rows, 0..0);
    scroller.receive(0, 1_000);
    assert!(scroller.is_end_in_view() && scroller.viewport.is_following());
    assert_eq!(scroller.layout.rows.end, 1_000);
    assert!(scroller.layout.rows.start >= 1_000 - 61);
}

#[test]
fn scrolling_up_stops_following_and_new_lines_are_counted() {
    let mut scroller = Scroller::new(1_000);
    scroller.scroll_by(-3.0);
    assert!(!scroller.viewport.is_following());
    let top = scroller.top();
    scroller.receive(0, 2_500);
    assert_eq!(scroller.top(), top);
    assert_eq!(scroller.viewport.unseen(), 1_000);
}

#[test]
fn moving_up_does_not_stop_following_while_all_lines_fit() {
    let mut scroller = Scroller::new(5);
    scroller.scroll_by(-100.0);
    scroller.viewport.to_start();
    assert!(scroller.viewport.is_following());
}

#[test]
fn a_pause_counts_even_while_all_lines_fit() {
    let mut scroller = Scroller::new(0);
    scroller.viewport.pause();
    scroller.receive(0, 3);
    assert!(!scroller.viewport.is_following());
    assert_eq!(scroller.viewport.unseen(), 3, "lines in view are not new");
    scroller.receive(0, 1_000);
    assert_eq!((scroller.scroll_px, scroller.viewport.unseen()), (0.0, 3));
    scroller.viewport.follow();
    scroller.render(true);
    assert!(scroller.is_end_in_view());
    let mut short = Scroller::new(3);
    short.viewport.follow();
    short.render(true);
    assert!(short.viewport.is_following());
}

#[test]
fn scrolling_down_to_the_end_resumes_following() {
    let mut scroller = Scroller::new(1_000);
    scroller.scroll_by(-300.0);
    scroller.scroll_by(294.0);
    assert!(scroller.viewport.is_following());
    scroller.receive(0, 1_001);
    assert!(scroller.is_end_in_view());
}

#[test]
fn a_small_step_up_near_the_end_does_not_resume_following_but_a_step_down_does() {
    let mut scroller = Scroller::new(1_000);
    scroller.scroll_by(-2.0);
    scroller.scroll_by(-2.0);
    assert!(!scroller.viewport.is_following());
    scroller.viewport.press_on_down();
    assert!(scroller.viewport.is_following());
}

#[test]
fn a_scroll_of_unknown_cause_neither_stops_nor_resumes_following() {
    let mut scroller = Scroller::new(1_000);
    scroller.move_bar(-500.0, ScrollCause::Unknown);
    assert!(scroller.viewport.is_following() && scroller.is_end_in_view());
    scroller.scroll_by(-500.0);
    scroller.move_bar(500.0, ScrollCause::Unknown);
    assert!(!scroller.viewport.is_following());
    scroller.move_bar(-500.0, ScrollCause::Unknown);
    assert_eq!(scroller.top(), (945, EDGE_PX));
}

#[test]
fn a_selection_dragged_to_the_end_does_not_resume_following() {
    let mut scroller = Scroller::new(1_000);
    scroller.move_bar(-500.0, ScrollCause::Selection);
    assert!(!scroller.viewport.is_following());
    scroller.move_bar(500.0, ScrollCause::Selection);
    assert!(!scroller.viewport.is_following() && scroller.is_end_in_view());
}

#[test]
fn lines_that_were_in_view_are_no_longer_new() {
    let mut scroller = Scroller::new(1_000);
    scroller.scroll_by(-100.0);
    scroller.receive(0, 2_000);
    scroller.scroll_by(1_100.0);
    assert_eq!(scroller.viewport.unseen(), 1_050);
    scroller.scroll_by(-5_000.0);
    assert_eq!(scroller.viewport.unseen(), 1_050);
}

#[test]
fn the_line_at_the_top_stays_while_older_ones_are_dropped() {
    let mut scroller = Scroller::new(1_000);
    scroller.scroll_by(-5_007.0);
    let top = scroller.top();
    scroller.receive(300, 1_400);
    assert_eq!(scroller.top(), top);
    assert_eq!(scroller.layout.top_row_px, Some(EDGE_PX));
}

#[test]
fn dropped_lines_leave_a_space_until_scrolling_stops() {
    let mut scroller = Scroller::new(1_000);
    scroller.scroll_by(-5_007.0);
    let (top, scroll_px) = (scroller.top(), scroller.scroll_px);
    scroller.viewport.lines_changed(300, 1_400);
    scroller.render(false);
    // The row that reports dropped lines is new: everything else moves by one row.
    assert_eq!((scroller.top(), scroller.scroll_px), (top, scroll_px + ROW_PX));
    assert_eq!(scroller.layout.top_row_px, Some(EDGE_PX + 300.0 * ROW_PX));
    scroller.render(true);
    assert_eq!((scroller.top(), scroller.layout.top_row_px), (top, Some(EDGE_PX)));
}

#[test]
fn a_dropped_line_at_the_top_is_replaced_by_the_row_that_reports_it() {
    let mut scroller = Scroller::new(1_000);
    scroller.viewport.to_start();
    scroller.render(true);
    assert_eq!((scroller.scroll_px, scroller.layout.rows_top_px), (0.0, EDGE_PX));
    scroller.receive(500, 1_500);
    assert_eq!((scroller.scroll_px, scroller.layout.top_row_px), (0.0, Some(EDGE_PX)));
    assert_eq!((scroller.layout.rows.start, scroller.layout.rows_top_px), (500, EDGE_PX + ROW_PX));
    assert!(!scroller.viewport.is_following());
}

#[test]
fn the_start_is_sought_until_the_user_goes_elsewhere() {
    let goes_elsewhere: [fn(&mut Viewport); 7] = [
        |viewport| viewport.follow(),
        |viewport| viewport.pause(),
        |viewport| viewport.leave_end(),
        |viewport| viewport.reveal(500),
        |viewport| viewport.hold_at(3),
        |viewport| viewport.scrolled(400.0, ScrollCause::User),
        |viewport| viewport.stop_seeking(),
    ];
    for go in goes_elsewhere {
        let mut scroller = Scroller::new(1_000);
        scroller.scroll_by(-300.0);
        scroller.viewport.seek_start();
        // The browser's own reaction to the key.
        scroller.move_bar(-1e6, ScrollCause::User);
        assert!(scroller.viewport.is_seeking_start() && scroller.scroll_px == 0.0);
        go(&mut scroller.viewport);
        assert!(!scroller.viewport.is_seeking_start());
    }
}

#[test]
fn a_resize_keeps_the_line_at_the_top() {
    let mut scroller = Scroller::new(1_000);
    scroller.scroll_by(-5_010.0);
    let (top, _) = scroller.top();
    scroller.viewport.resize(200.0, 30.0);
    scroller.render(true);
    let rows = ((scroller.scroll_px - scroller.layout.rows_top_px) / 30.0).floor();
    assert_eq!(scroller.layout.rows.start + rows as u64, top);
}

#[derive(Debug, Clone)]
enum Action {
    Receive { dropped: u64, added: u64 },
    Scroll { px: f64 },
    Drift { px: f64 },
    Start,
    End,
    Resize { view_px: f64 },
    Frame { is_idle: bool },
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (0..200_u64, 0..400_u64).prop_map(|(dropped, added)| Action::Receive { dropped, added }),
        (-9_000.0..9_000.0).prop_map(|px| Action::Scroll { px }),
        (-500.0..500.0).prop_map(|px| Action::Drift { px }),
        Just(Action::Start),
        Just(Action::End),
        (0.0..1_500.0).prop_map(|view_px| Action::Resize { view_px }),
        any::<bool>().prop_map(|is_idle| Action::Frame { is_idle }),
    ]
}

proptest! {
    #[test]
    fn rows_always_cover_the_viewport_and_following_keeps_the_end_in_view(actions in vec(any_action(), 0..60)) {
        let mut scroller = Scroller::new(0);
        let (mut first, mut next) = (0, 0);
        for action in actions {
            match action {
                Action::Receive { dropped, added } => {
                    next += added;
                    first = next.min(first + dropped);
                    scroller.viewport.lines_changed(first, next);
                }
                Action::Scroll { px } => scroller.scroll_by(px),
                Action::Drift { px } => scroller.move_bar(px, ScrollCause::Unknown),
                Action::Start => scroller.viewport.to_start(),
                Action::End => scroller.viewport.follow(),
                Action::Resize { view_px } => scroller.viewport.resize(view_px, ROW_PX),
                Action::Frame { is_idle } => scroller.render(is_idle),
            }
            scroller.render(true);

            let layout = &scroller.layout;
            prop_assert!(first <= layout.rows.start && layout.rows.end <= next);
            prop_assert!(layout.rows.end - layout.rows.start <= (scroller.viewport.view_px * 2.0 / ROW_PX) as u64 + 2);
            let rows_end_px = layout.rows_top_px + (layout.rows.end - layout.rows.start) as f64 * ROW_PX;
            let covers_top = layout.rows.start == first || layout.rows_top_px <= scroller.scroll_px;
            let covers_end = layout.rows.end == next || rows_end_px >= scroller.scroll_px + scroller.viewport.view_px;
            prop_assert!(covers_top && covers_end, "{layout:?} at {}", scroller.scroll_px);
            if scroller.viewport.is_following() {
                prop_assert!(scroller.is_end_in_view(), "{layout:?} at {}", scroller.scroll_px);
                prop_assert_eq!(scroller.viewport.unseen(), next);
            }
            prop_assert!((first..=next).contains(&scroller.viewport.unseen()));
            // A second layout changes nothing.
            prop_assert_eq!(scroller.viewport.lay_out(true).scroll_to_px, None);
        }
    }

    #[test]
    fn the_line_at_the_top_stays_while_lines_are_appended_and_dropped(
        up_px in 1.0..15_000.0_f64,
        batches in vec((0..50_u64, 0..400_u64, any::<bool>()), 1..40),
    ) {
        let mut scroller = Scroller::new(1_000);
        scroller.scroll_by(-up_px);
        let (mut first, mut next) = (0, 1_000);
        let (line, offset_px) = scroller.top();
        for (dropped, added, is_idle) in batches {
            (first, next) = (first + dropped, next + added);
            scroller.viewport.lines_changed(first, next);
            scroller.render(is_idle);
            let now = scroller.top();
            // The scroll position may be a fraction of a pixel off in either direction.
            let moved_px = (now.0 as f64 - line as f64) * ROW_PX + now.1 - offset_px;
            prop_assert!(first > line || moved_px.abs() < 1.0, "from {line}+{offset_px} to {now:?}");
        }
    }
}

#[test]
fn wrapped_lines_take_as_many_rows_as_their_width_needs() {
    let mut scroller = Scroller::new(0);
    scroller.viewport.set_wrap(Some(80));
    scroller.viewport.lines_changed(0, 1000);
    for line in scroller.viewport.uncounted() {
        scroller.viewport.count_line(if line % 10 == 0 { 800 } else { 10 });
    }
    scroller.render(true);
    // A hundred lines of ten rows, nine hundred of one.
    assert_eq!(scroller.layout.content_px, 2.0 * EDGE_PX + 1900.0 * ROW_PX);
    assert!(scroller.is_end_in_view() && scroller.layout.rows.end == 1000);
    scroller.scroll_by(-5000.0);
    let before = scroller.layout.clone();
    assert!(!scroller.viewport.is_following());
    // A line above is measured to be higher: the lines in view stay.
    assert!(scroller.viewport.measured(3, 5));
    scroller.render(true);
    assert_eq!(scroller.layout.rows.start, before.rows.start);
    assert_eq!(scroller.layout.rows_top_px, before.rows_top_px + 4.0 * ROW_PX);
}

#[test]
fn a_followed_flood_renders_few_rows_out_of_view() {
    let mut scroller = Scroller::new(1_000);
    let in_view = (VIEW_PX / ROW_PX) as u64;
    scroller.viewport.set_flooded(true);
    scroller.receive(0, 2_000);
    assert!(
        scroller.layout.rows.end - scroller.layout.rows.start <= in_view + 1 + FLOOD_OVERSCAN_ROWS as u64
    );
    assert_eq!(scroller.layout.rows.end, 2_000);
    scroller.scroll_by(-ROW_PX);
    assert!(scroller.layout.rows.end - scroller.layout.rows.start > in_view + in_view / 2 - 2);
    scroller.viewport.follow();
    scroller.viewport.set_flooded(false);
    scroller.render(true);
    assert!(scroller.layout.rows.end - scroller.layout.rows.start > in_view + in_view / 2 - 2);
}
