//! Times of day, derived from a clock that never jumps.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

/// Time by both clocks, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct HistoryTime {
    /// Time since the start of the history, by a clock that never jumps.
    pub(crate) since_start_ms: u64,
    /// Time of day, since 1970.
    pub(crate) unix_ms: u64,
}

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
        let start = unix_ms.saturating_sub(self.at(now).since_start_ms);
        if self.start_unix_ms.load(Ordering::Relaxed) != start {
            self.start_unix_ms.store(start, Ordering::Relaxed);
        }
    }

    /// Returns the time of day at `now`, in milliseconds since 1970.
    pub(crate) fn unix_ms(&self, now: Instant) -> u64 {
        self.at(now).unix_ms
    }

    /// Returns `now` as a time of the history.
    pub(crate) fn at(&self, now: Instant) -> HistoryTime {
        let since_start_ms = millis(now.saturating_duration_since(self.start));
        let unix_ms = self.start_unix_ms.load(Ordering::Relaxed).saturating_add(since_start_ms);
        HistoryTime { since_start_ms, unix_ms }
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
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
        assert_eq!(clock.at(later).since_start_ms, 5_000);
        clock.synchronize(later, UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(clock.unix_ms(later + Duration::from_secs(1)), 6_000);
    }
}
