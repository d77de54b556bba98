//! Times of day, derived from a clock that never jumps.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// Converts times of the monotonic clock into times of day. The drivers of sockets synchronize it.
#[derive(Debug)]
pub(crate) struct WallClock {
    start: Instant,
    /// Time of day at the start, in milliseconds since 1970, according to the last synchronization.
    start_unix_ms: AtomicU64,
}

impl WallClock {
    /// Creates a clock that starts at `now`, which is `time` of day.
    pub(crate) fn new(now: Instant, time: SystemTime) -> Self {
        let clock = Self { start: now, start_unix_ms: AtomicU64::new(0) };
        clock.synchronize(now, time);
        clock
    }

    /// Synchronizes the clock: `now` is `time` of day.
    pub(crate) fn synchronize(&self, now: Instant, time: SystemTime) {
        // With a clock before 1970, messages have times near 1970.
        let unix_ms = millis(time.duration_since(UNIX_EPOCH).unwrap_or_default());
        let start = unix_ms.saturating_sub(millis(self.since_start(now)));
        if self.start_unix_ms.load(Ordering::Relaxed) != start {
            self.start_unix_ms.store(start, Ordering::Relaxed);
        }
    }

    /// Returns the time of day at `now`, in milliseconds since 1970.
    pub(crate) fn unix_ms(&self, now: Instant) -> u64 {
        self.start_unix_ms.load(Ordering::Relaxed).saturating_add(millis(self.since_start(now)))
    }

    /// Returns the time between the start and `now`.
    pub(crate) fn since_start(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.start)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_of_the_system_clock_changes_times_of_day_only() {
        let (start, day) = (Instant::now(), UNIX_EPOCH + Duration::from_secs(1_000_000));
        let clock = WallClock::new(start, day);
        let later = start + Duration::from_secs(5);
        assert_eq!(clock.unix_ms(later), 1_000_005_000);
        clock.synchronize(later, day + Duration::from_secs(3_605));
        assert_eq!(clock.unix_ms(later), 1_003_605_000);
        assert_eq!(clock.since_start(later), Duration::from_secs(5));
        clock.synchronize(later, UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(clock.unix_ms(later + Duration::from_secs(1)), 6_000);
    }
}
