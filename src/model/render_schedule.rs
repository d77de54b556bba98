//! The schedule of a viewer: when it renders, when it searches, when it wakes up.
//!
//! A state machine without a clock or timers. It takes what happened and the time, and returns [`Actions`] for the driver to
//! carry out. Times are milliseconds of a monotonic clock.
//!
//! - Rendering: at most once per animation frame, and within the [`RenderBudget`] unless the user is waiting for it. A page in the
//!   background has no animation frames; a timer takes their place, because its title is still visible.
//! - Search: a slice at a time, in idle callbacks, so that neither frames nor input wait for it.
//! - Wake-ups: one timer, for countdowns and messages that disappear.

use super::render_budget::RenderBudget;

/// Interval between renders of a page in the background, in milliseconds.
pub const BACKGROUND_INTERVAL_MS: f64 = 1_000.0;

/// How urgent a render is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// In the next frame: the user has done something.
    Immediate,
    /// In the next frame that the render budget allows: lines have arrived.
    WithinBudget,
}

/// What a render asks for when it has finished.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RenderOutcome {
    /// Nothing more.
    Settled,
    /// Another render in the next frame, and a slice of the search until then.
    Again(Urgency),
    /// Another render after so many milliseconds.
    After(f64),
}

/// A pending render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PendingRender {
    None,
    Frame,
    BackgroundTimer,
}

/// What the driver has to do now.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Actions {
    /// Render, then call [`RenderSchedule::rendered`].
    pub render: bool,
    /// Do a slice of the search, then call [`RenderSchedule::searched`].
    pub search: bool,
    /// Request an animation frame; it calls [`RenderSchedule::frame`].
    pub request_frame: bool,
    /// Cancel the animation frame or the timer in its place.
    pub cancel_frame: bool,
    /// Set a timer in place of an animation frame, in so many milliseconds; it calls [`RenderSchedule::frame`].
    pub set_background_timer: Option<f64>,
    /// Request an idle callback; it calls [`RenderSchedule::idle`].
    pub request_idle: bool,
    /// Set the wake-up timer, in so many milliseconds; it calls [`RenderSchedule::woken`]. A later one replaces it.
    pub set_wake_up: Option<f64>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct RenderSchedule {
    budget: RenderBudget,
    is_in_background: bool,
    is_immediate: bool,
    pending: PendingRender,
    is_idle_requested: bool,
    wake_up_ms: Option<f64>,
}

impl RenderSchedule {
    /// Returns a schedule with nothing to do.
    #[must_use]
    pub fn new(is_in_background: bool) -> Self {
        Self {
            budget: RenderBudget::default(),
            is_in_background,
            is_immediate: false,
            pending: PendingRender::None,
            is_idle_requested: false,
            wake_up_ms: None,
        }
    }

    /// Whether a render is pending.
    #[must_use]
    pub fn is_render_pending(&self) -> bool {
        self.pending != PendingRender::None
    }

    /// Requests a render.
    #[must_use]
    pub fn request_render(&mut self, urgency: Urgency) -> Actions {
        self.is_immediate |= urgency == Urgency::Immediate;
        let mut actions = Actions::default();
        self.request_frame(&mut actions);
        actions
    }

    /// Requests a slice of the search.
    #[must_use]
    pub fn request_search(&mut self) -> Actions {
        let mut actions = Actions::default();
        self.request_idle(&mut actions);
        actions
    }

    /// Handles an animation frame, or the timer in its place.
    #[must_use]
    pub fn frame(&mut self, now_ms: f64) -> Actions {
        self.pending = PendingRender::None;
        let mut actions = Actions::default();
        if self.is_immediate || self.budget.allows(now_ms) {
            self.is_immediate = false;
            actions.render = true;
        } else {
            self.request_frame(&mut actions);
        }
        actions
    }

    /// Records a finished render and its outcome.
    #[must_use]
    pub fn rendered(&mut self, from_ms: f64, to_ms: f64, outcome: RenderOutcome) -> Actions {
        self.budget.record(from_ms, to_ms);
        let mut actions = Actions::default();
        match outcome {
            RenderOutcome::Settled => {}
            RenderOutcome::Again(urgency) => {
                self.is_immediate |= urgency == Urgency::Immediate;
                self.request_frame(&mut actions);
                self.request_idle(&mut actions);
            }
            RenderOutcome::After(ms) => {
                let at_ms = to_ms + ms;
                if self.wake_up_ms.is_none_or(|pending| at_ms < pending) {
                    self.wake_up_ms = Some(at_ms);
                    actions.set_wake_up = Some(ms);
                }
            }
        }
        actions
    }

    /// Handles an idle callback.
    #[must_use]
    pub fn idle(&mut self) -> Actions {
        self.is_idle_requested = false;
        Actions { search: true, ..Actions::default() }
    }

    /// Records a slice of the search. `has_more`: lines remain to be searched.
    #[must_use]
    pub fn searched(&mut self, has_more: bool) -> Actions {
        let mut actions = Actions::default();
        if has_more {
            self.request_idle(&mut actions);
        }
        actions
    }

    /// Handles the wake-up timer.
    #[must_use]
    pub fn woken(&mut self) -> Actions {
        self.wake_up_ms = None;
        self.request_render(Urgency::Immediate)
    }

    /// Handles a change of the page's visibility. A pending frame would never come in the background.
    #[must_use]
    pub fn visibility_changed(&mut self, is_in_background: bool) -> Actions {
        self.is_in_background = is_in_background;
        let mut actions = Actions { cancel_frame: self.is_render_pending(), ..Actions::default() };
        self.pending = PendingRender::None;
        self.is_immediate = true;
        self.request_frame(&mut actions);
        actions
    }

    fn request_frame(&mut self, actions: &mut Actions) {
        if self.is_render_pending() {
            return;
        }
        if self.is_in_background {
            self.pending = PendingRender::BackgroundTimer;
            actions.set_background_timer = Some(BACKGROUND_INTERVAL_MS);
        } else {
            self.pending = PendingRender::Frame;
            actions.request_frame = true;
        }
    }

    fn request_idle(&mut self, actions: &mut Actions) {
        actions.request_idle = !std::mem::replace(&mut self.is_idle_requested, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_MS: f64 = 16.0;

    /// A driver with a fake clock: frames every 16 ms, renders that take `render_ms`.
    struct FakeDriver {
        schedule: RenderSchedule,
        now_ms: f64,
        render_ms: f64,
        renders: usize,
        slices: usize,
        is_frame_requested: bool,
        is_idle_requested: bool,
        background_timer_ms: Option<f64>,
        wake_up_ms: Option<f64>,
        outcome: RenderOutcome,
        slices_left: usize,
    }

    impl FakeDriver {
        fn new(is_in_background: bool) -> Self {
            Self {
                schedule: RenderSchedule::new(is_in_background),
                now_ms: 0.0,
                render_ms: 1.0,
                renders: 0,
                slices: 0,
                is_frame_requested: false,
                is_idle_requested: false,
                background_timer_ms: None,
                wake_up_ms: None,
                outcome: RenderOutcome::Settled,
                slices_left: 0,
            }
        }

        fn carry_out(&mut self, actions: Actions) {
            if actions.cancel_frame {
                self.is_frame_requested = false;
                self.background_timer_ms = None;
            }
            assert!(!(actions.request_frame && self.is_frame_requested), "a frame was requested twice");
            self.is_frame_requested |= actions.request_frame;
            self.is_idle_requested |= actions.request_idle;
            if let Some(ms) = actions.set_background_timer {
                self.background_timer_ms = Some(self.now_ms + ms);
            }
            if let Some(ms) = actions.set_wake_up {
                self.wake_up_ms = Some(self.now_ms + ms);
            }
            if actions.render {
                self.renders += 1;
                let from_ms = self.now_ms;
                self.now_ms += self.render_ms;
                let next = self.schedule.rendered(from_ms, self.now_ms, self.outcome);
                self.carry_out(next);
            }
            if actions.search {
                self.slices += 1;
                self.slices_left = self.slices_left.saturating_sub(1);
                let next = self.schedule.searched(self.slices_left > 0);
                self.carry_out(next);
            }
        }

        fn request(&mut self, urgency: Urgency) {
            let actions = self.schedule.request_render(urgency);
            self.carry_out(actions);
        }

        /// Lets a frame's time pass, and everything happen that is due.
        fn step(&mut self) {
            self.now_ms += FRAME_MS;
            if std::mem::take(&mut self.is_idle_requested) {
                let actions = self.schedule.idle();
                self.carry_out(actions);
            }
            if std::mem::take(&mut self.is_frame_requested) {
                let actions = self.schedule.frame(self.now_ms);
                self.carry_out(actions);
            }
            if self.background_timer_ms.is_some_and(|at| at <= self.now_ms) {
                self.background_timer_ms = None;
                let actions = self.schedule.frame(self.now_ms);
                self.carry_out(actions);
            }
            if self.wake_up_ms.is_some_and(|at| at <= self.now_ms) {
                self.wake_up_ms = None;
                let actions = self.schedule.woken();
                self.carry_out(actions);
            }
        }

        fn steps(&mut self, count: usize) {
            (0..count).for_each(|_| self.step());
        }
    }

    #[test]
    fn a_thousand_requests_are_one_render() {
        let mut driver = FakeDriver::new(false);
        (0..1_000).for_each(|_| driver.request(Urgency::Immediate));
        assert_eq!(driver.renders, 0);
        driver.steps(3);
        assert_eq!(driver.renders, 1);
    }

    #[test]
    fn slow_renders_of_arriving_lines_leave_frames_out_and_input_does_not_wait() {
        let mut driver = FakeDriver::new(false);
        driver.render_ms = 16.0;
        for _ in 0..50 {
            driver.request(Urgency::WithinBudget);
            driver.step();
        }
        assert!((5..10).contains(&driver.renders), "{} renders in 50 frames", driver.renders);
        driver.request(Urgency::Immediate);
        let before = driver.renders;
        driver.step();
        assert_eq!(driver.renders, before + 1);
    }

    #[test]
    fn the_search_goes_on_in_idle_callbacks_until_it_has_finished() {
        let mut driver = FakeDriver::new(false);
        driver.slices_left = 10;
        let actions = driver.schedule.request_search();
        driver.carry_out(actions);
        driver.steps(20);
        assert_eq!((driver.slices, driver.renders), (10, 0), "nothing is searched or rendered unasked");
    }

    #[test]
    fn a_render_that_asks_for_another_one_gets_it_and_a_slice_of_the_search() {
        let mut driver = FakeDriver::new(false);
        driver.outcome = RenderOutcome::Again(Urgency::Immediate);
        driver.request(Urgency::Immediate);
        driver.steps(5);
        assert_eq!(driver.renders, 5);
        assert!(driver.slices > 0);
    }

    #[test]
    fn a_page_in_the_background_renders_once_a_second_and_at_once_when_it_returns() {
        let mut driver = FakeDriver::new(true);
        for _ in 0..125 {
            driver.request(Urgency::WithinBudget);
            driver.step();
        }
        assert_eq!(driver.renders, 1, "2 s have passed");
        let actions = driver.schedule.visibility_changed(false);
        driver.carry_out(actions);
        driver.step();
        assert_eq!(driver.renders, 2);
    }

    #[test]
    fn the_earliest_wake_up_counts() {
        let mut driver = FakeDriver::new(false);
        driver.outcome = RenderOutcome::After(1_000.0);
        driver.request(Urgency::Immediate);
        driver.step();
        driver.outcome = RenderOutcome::After(6_000.0);
        driver.request(Urgency::Immediate);
        driver.step();
        assert_eq!(driver.renders, 2);
        driver.outcome = RenderOutcome::Settled;
        driver.steps(70);
        assert_eq!(driver.renders, 3, "woken after 1 s, not after 6");
        driver.steps(400);
        assert_eq!(driver.renders, 3);
    }
}
