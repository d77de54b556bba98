//! The time since the client started, sleep included.

use std::time::{Instant, SystemTime};

use crate::moment::Moment;

/// The monotonic clock stands still on some systems while the machine sleeps; the wall clock does not, and may be set.
/// Whichever is further ahead counts, so that a sleep is seen, and the time never runs backwards.
pub(super) struct Clock {
    started_at: Instant,
    wall_start: SystemTime,
    latest: Moment,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { started_at: Instant::now(), wall_start: SystemTime::now(), latest: Moment::START }
    }

    pub(super) fn now(&mut self) -> Moment {
        let by_wall = self.wall_start.elapsed().unwrap_or_default();
        let now = Moment::after_start(self.started_at.elapsed().max(by_wall));
        self.latest = self.latest.max(now);
        self.latest
    }
}
