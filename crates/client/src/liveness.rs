//! Whether a connection still lives.
//!
//! A network can go away without a word: a laptop sleeps, a cable is pulled, a proxy forgets. So a silent service is
//! asked for a sign of life, and one that owes an answer for too long is dead.

use std::time::Duration;

use crate::moment::Moment;

/// After this long without a frame the service is asked for one. Keeps proxies from closing an idle connection, too;
/// the official JavaScript client asks as often.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);
/// An answer may take this long. With [`PING_INTERVAL`] it bounds how long a dead connection goes unnoticed, and leaves
/// time to recover it before the service forgets it.
pub const PONG_TIMEOUT: Duration = Duration::from_secs(10);
/// Who was not woken for this long slept. Drivers wake the machine every few seconds; but browsers hold back the timers
/// of a background tab by up to a minute, and that is no sleep: its connection can be recovered.
pub(crate) const SLEEP_THRESHOLD: Duration = Duration::from_secs(90);

/// Limits of silence; `None` for none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeepAlive {
    pub(crate) ping_interval: Option<Duration>,
    pub(crate) pong_timeout: Option<Duration>,
}

impl Default for KeepAlive {
    fn default() -> Self {
        Self { ping_interval: Some(PING_INTERVAL), pong_timeout: Some(PONG_TIMEOUT) }
    }
}

/// Follows the signs of life of one transport.
#[derive(Debug)]
pub(crate) struct Liveness {
    keep_alive: KeepAlive,
    heard_at: Moment,
    /// When an unanswered ping was sent.
    pinged_at: Option<Moment>,
    awake_at: Moment,
    /// Since when the machine slept; forgotten with the next sign of life.
    slept_from: Option<Moment>,
}

impl Liveness {
    pub(crate) fn new(keep_alive: KeepAlive, now: Moment) -> Self {
        Self { keep_alive, heard_at: now, pinged_at: None, awake_at: now, slept_from: None }
    }

    /// Something came.
    pub(crate) fn heard(&mut self, now: Moment) {
        *self = Self::new(self.keep_alive, now);
    }

    /// We are awake: to be called with every input.
    pub(crate) fn awake(&mut self, now: Moment) {
        if now.since(self.awake_at) >= SLEEP_THRESHOLD {
            self.slept_from.get_or_insert(self.awake_at);
        }
        self.awake_at = now;
    }

    /// When [`Self::take_due_ping`] or [`Self::fatal_silence`] may change.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        match self.pinged_at {
            Some(at) => Some(at + self.keep_alive.pong_timeout?),
            None => Some(self.heard_at + self.keep_alive.ping_interval?),
        }
    }

    /// Returns whether a ping is due, which then counts as sent.
    pub(crate) fn take_due_ping(&mut self, now: Moment) -> bool {
        let is_due = self.pinged_at.is_none() && self.deadline().is_some_and(|deadline| now >= deadline);
        if is_due {
            self.pinged_at = Some(now);
        }
        is_due
    }

    /// The device may have slept, or changed its network: whether to ping at once. It counts as sent then.
    pub(crate) fn doubted(&mut self, now: Moment) -> bool {
        let asks = self.pinged_at.is_none();
        self.pinged_at.get_or_insert(now);
        asks
    }

    /// Returns the time since the last frame, once a pong is overdue.
    pub(crate) fn fatal_silence(&self, now: Moment) -> Option<Duration> {
        let timeout = self.keep_alive.pong_timeout?;
        self.pinged_at.filter(|at| now.since(*at) >= timeout).map(|_| now.since(self.heard_at))
    }

    /// Returns the time of a loss that is noticed now: before the sleep, if there was one since.
    pub(crate) fn lost_at(&self, now: Moment) -> Moment {
        self.slept_from.unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::after_start(Duration::from_secs(seconds))
    }

    #[test]
    fn a_silent_service_is_asked_once_and_then_given_up() {
        let mut liveness = Liveness::new(KeepAlive::default(), at(0));
        assert!(!liveness.take_due_ping(at(19)));
        assert!(liveness.take_due_ping(at(20)) && !liveness.take_due_ping(at(21)));
        assert_eq!(
            (liveness.fatal_silence(at(29)), liveness.fatal_silence(at(30))),
            (None, Some(Duration::from_secs(30)))
        );
        liveness.heard(at(30));
        assert_eq!(liveness.fatal_silence(at(45)), None);
        assert!(liveness.take_due_ping(at(50)));
    }

    #[test]
    fn without_limits_silence_is_neither_asked_about_nor_fatal() {
        let mut liveness = Liveness::new(KeepAlive { ping_interval: None, pong_timeout: None }, at(0));
        assert!(liveness.deadline().is_none() && !liveness.take_due_ping(at(3_600)));
        assert!(liveness.doubted(at(3_600)) && liveness.fatal_silence(at(7_200)).is_none());
    }

    #[test]
    fn who_wakes_up_asks_before_he_judges_and_remembers_when_he_fell_asleep() {
        let mut liveness = Liveness::new(KeepAlive::default(), at(0));
        liveness.awake(at(10));
        liveness.awake(at(3_610));
        assert_eq!(liveness.fatal_silence(at(3_610)), None);
        assert!(liveness.take_due_ping(at(3_610)));
        assert_eq!(liveness.lost_at(at(3_620)), at(10));
        liveness.heard(at(3_611));
        assert_eq!(liveness.lost_at(at(3_612)), at(3_612));
    }
}
