//! Whether the reader or the program moved the scroll bar.
//!
//! A scroll event does not tell: our own writing, a resize and a wheel all raise it. So input is remembered, and a
//! scroll soon after it is put down to it, as is the rest of the movement that it began.

use super::viewport::ScrollCause;

/// How long after an input a movement may begin.
const INPUT_WINDOW_MS: f64 = 500.0;
/// Longest pause within one movement: smooth scrolling and momentum raise an event each frame.
const MOVEMENT_PAUSE_MS: f64 = 200.0;

/// What the reader holds down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Hold {
    #[default]
    Nothing,
    Bar,
    Text,
}

/// See the [module](self). Times are milliseconds of any steady clock.
#[derive(Debug, Default)]
pub struct ScrollIntent {
    hold: Hold,
    moving_until_ms: f64,
}

impl ScrollIntent {
    /// A wheel turned, a finger moved, a key that scrolls was pressed.
    pub fn input(&mut self, now_ms: f64) {
        self.moving_until_ms = self.moving_until_ms.max(now_ms + INPUT_WINDOW_MS);
    }

    /// A button went down on the scroll bar.
    pub fn grab_bar(&mut self) {
        self.hold = Hold::Bar;
    }

    /// A button went down on the text, where a selection may begin.
    pub fn grab_text(&mut self) {
        self.hold = Hold::Text;
    }

    /// No button is down any more. Safe to say again and again.
    pub fn release(&mut self, now_ms: f64) {
        if self.hold != Hold::Nothing {
            self.moving_until_ms = self.moving_until_ms.max(now_ms + MOVEMENT_PAUSE_MS);
        }
        self.hold = Hold::Nothing;
    }

    /// A scroll event came that our own writing does not explain: who is behind it?
    pub fn cause(&mut self, now_ms: f64) -> ScrollCause {
        match self.hold {
            Hold::Bar => ScrollCause::Reader,
            Hold::Text => ScrollCause::Selection,
            Hold::Nothing if now_ms < self.moving_until_ms => {
                self.moving_until_ms = self.moving_until_ms.max(now_ms + MOVEMENT_PAUSE_MS);
                ScrollCause::Reader
            }
            Hold::Nothing => ScrollCause::Unknown,
        }
    }

    /// Whether a button that went down on the text is still down.
    #[must_use]
    pub fn holds_text(&self) -> bool {
        self.hold == Hold::Text
    }

    /// Whether the reader does not scroll at this moment.
    #[must_use]
    pub fn is_at_rest(&self, now_ms: f64) -> bool {
        self.hold != Hold::Bar && now_ms >= self.moving_until_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scroll_without_input_is_nobodys() {
        assert_eq!(ScrollIntent::default().cause(10_000.0), ScrollCause::Unknown);
    }

    #[test]
    fn a_movement_belongs_to_the_input_that_began_it_until_it_pauses() {
        let mut intent = ScrollIntent::default();
        intent.input(1_000.0);
        let mut now_ms = 1_400.0;
        while now_ms < 5_000.0 {
            assert_eq!(intent.cause(now_ms), ScrollCause::Reader, "momentum at {now_ms}");
            assert!(!intent.is_at_rest(now_ms));
            now_ms += 100.0;
        }
        assert_eq!(intent.cause(now_ms + MOVEMENT_PAUSE_MS), ScrollCause::Unknown);
        assert!(intent.is_at_rest(now_ms + MOVEMENT_PAUSE_MS));
    }

    #[test]
    fn the_bar_is_the_readers_as_long_as_it_is_held() {
        let mut intent = ScrollIntent::default();
        intent.grab_bar();
        assert_eq!(intent.cause(60_000.0), ScrollCause::Reader);
        intent.release(60_000.0);
        assert_eq!(intent.cause(60_100.0), ScrollCause::Reader);
        assert_eq!(intent.cause(61_000.0), ScrollCause::Unknown);
    }

    #[test]
    fn a_selection_that_pushes_the_view_is_told_apart() {
        let mut intent = ScrollIntent::default();
        intent.grab_text();
        assert_eq!(intent.cause(1_000.0), ScrollCause::Selection);
        assert!(intent.is_at_rest(1_000.0) && intent.holds_text());
        intent.release(1_000.0);
        assert!(!intent.holds_text());
    }
}
