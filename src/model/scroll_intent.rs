//! Attribution of scroll events to the user, or to other causes.
//!
//! Scroll events do not have a cause: our own writes, a resize and a wheel all raise them. A scroll soon after input by the
//! user is attributed to it, and so is the rest of the movement that it began.

use super::viewport::ScrollCause;

/// Time after input within which a movement may begin, in milliseconds.
const INPUT_WINDOW_MS: f64 = 500.0;
/// Longest pause within a movement, in milliseconds: smooth scrolling and momentum raise an event each frame.
const MOVEMENT_PAUSE_MS: f64 = 200.0;

/// Part of the log that the pointer pressed and has not released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Hold {
    #[default]
    Nothing,
    Bar,
    Text,
}

/// Input by the user that explains scroll events. Times are milliseconds of a monotonic clock.
#[derive(Debug, Default)]
pub struct ScrollIntent {
    hold: Hold,
    moving_until_ms: f64,
}

impl ScrollIntent {
    /// Records input that scrolls: by wheel, touch or key.
    pub fn input(&mut self, now_ms: f64) {
        self.moving_until_ms = self.moving_until_ms.max(now_ms + INPUT_WINDOW_MS);
    }

    /// Records that the pointer pressed the scroll bar.
    pub fn grab_bar(&mut self) {
        self.hold = Hold::Bar;
    }

    /// Records that the pointer pressed the text, where a selection may begin.
    pub fn grab_text(&mut self) {
        self.hold = Hold::Text;
    }

    /// Records that the pointer released. May be repeated.
    pub fn release(&mut self, now_ms: f64) {
        if self.hold != Hold::Nothing {
            self.moving_until_ms = self.moving_until_ms.max(now_ms + MOVEMENT_PAUSE_MS);
        }
        self.hold = Hold::Nothing;
    }

    /// Returns the cause of a scroll event that is not the echo of our own write.
    pub fn cause(&mut self, now_ms: f64) -> ScrollCause {
        match self.hold {
            Hold::Bar => ScrollCause::User,
            Hold::Text => ScrollCause::Selection,
            Hold::Nothing if now_ms < self.moving_until_ms => {
                self.moving_until_ms = self.moving_until_ms.max(now_ms + MOVEMENT_PAUSE_MS);
                ScrollCause::User
            }
            Hold::Nothing => ScrollCause::Unknown,
        }
    }

    /// Whether the pointer has pressed the text and not released yet.
    #[must_use]
    pub fn is_selecting(&self) -> bool {
        self.hold == Hold::Text
    }

    /// Whether the user does not scroll at this moment.
    #[must_use]
    pub fn is_idle(&self, now_ms: f64) -> bool {
        self.hold != Hold::Bar && now_ms >= self.moving_until_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scroll_without_input_has_an_unknown_cause() {
        assert_eq!(ScrollIntent::default().cause(10_000.0), ScrollCause::Unknown);
    }

    #[test]
    fn a_movement_is_attributed_to_the_input_that_began_it_until_it_pauses() {
        let mut intent = ScrollIntent::default();
        intent.input(1_000.0);
        let mut now_ms = 1_400.0;
        while now_ms < 5_000.0 {
            assert_eq!(intent.cause(now_ms), ScrollCause::User, "momentum at {now_ms}");
            assert!(!intent.is_idle(now_ms));
            now_ms += 100.0;
        }
        assert_eq!(intent.cause(now_ms + MOVEMENT_PAUSE_MS), ScrollCause::Unknown);
        assert!(intent.is_idle(now_ms + MOVEMENT_PAUSE_MS));
    }

    #[test]
    fn scrolls_while_the_bar_is_held_are_the_users() {
        let mut intent = ScrollIntent::default();
        intent.grab_bar();
        assert_eq!(intent.cause(60_000.0), ScrollCause::User);
        intent.release(60_000.0);
        assert_eq!(intent.cause(60_100.0), ScrollCause::User);
        assert_eq!(intent.cause(61_000.0), ScrollCause::Unknown);
    }

    #[test]
    fn scrolls_while_text_is_selected_have_a_cause_of_their_own() {
        let mut intent = ScrollIntent::default();
        intent.grab_text();
        assert_eq!(intent.cause(1_000.0), ScrollCause::Selection);
        assert!(intent.is_idle(1_000.0) && intent.is_selecting());
        intent.release(1_000.0);
        assert!(!intent.is_selecting());
    }
}
