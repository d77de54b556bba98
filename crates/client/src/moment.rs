//! Time as the state machine sees it.

use std::{ops::Add, time::Duration};

/// A point in time: how long the driver has been running, times when the device slept included.
///
/// It never runs backwards. A driver whose clock stands still during sleep must put that right: the service forgets a
/// lost connection whether we sleep or not.
///
/// `std`'s clock panics in a browser, and no test can make one up; this is neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

impl Moment {
    /// When the driver started.
    pub const START: Self = Self(Duration::ZERO);

    /// The moment `since_start` after the driver's start.
    #[must_use]
    pub const fn after_start(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, pause: Duration) -> Self {
        Self(self.0.saturating_add(pause))
    }
}
