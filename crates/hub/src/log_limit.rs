//! Limit on log lines that clients can cause at will.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// Minimum time between two lines.
const INTERVAL: Duration = Duration::from_secs(1);

/// Limit on the lines about one kind of event.
#[derive(Debug, Default)]
pub(crate) struct LogLimit {
    last: Mutex<Option<Instant>>,
}

impl LogLimit {
    /// Counts an event at `now`. Returns whether it must be logged: the first one, and the first after each [`INTERVAL`].
    pub(crate) fn count(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_logged = last.is_none_or(|last| now >= last + INTERVAL);
        if is_logged {
            *last = Some(now);
        }
        is_logged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_an_interval_is_logged() {
        let (limit, start) = (LogLimit::default(), Instant::now());
        assert!(limit.count(start) && !limit.count(start));
        assert!(limit.count(start + INTERVAL) && !limit.count(start + INTERVAL));
    }
}
