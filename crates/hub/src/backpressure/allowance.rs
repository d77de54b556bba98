//! Time that a publisher may wait for receivers that do not read.

use std::time::Duration;

use tokio::time::Instant;

use crate::connection::ConnectionId;

/// Time that a publisher waits for receivers that do not read, in each [`STALL_PERIOD`].
pub(crate) const MAX_STALL: Duration = Duration::from_secs(2);
/// Period of [`MAX_STALL`].
pub(crate) const STALL_PERIOD: Duration = Duration::from_secs(60);
/// Rate at which a receiver that keeps its publisher waiting must read, in bytes per second: 8 Mbit/s.
pub(crate) const MIN_BYTES_PER_SECOND: u64 = 1024 * 1024;

/// Time in which a receiver must prove that it reads, once [`MAX_STALL`] is used up. A socket reports its progress in steps
/// of up to a megabyte.
pub(crate) const PROBE: Duration = Duration::from_millis(1500);
/// Number of receivers that may fail to in each [`STALL_PERIOD`].
pub(crate) const MAX_PROBES: usize = 2;

/// Time that a publisher may still wait for receivers that do not read.
#[derive(Debug)]
pub(crate) struct StallAllowance {
    pub(super) left: Duration,
    /// Receivers that have failed to prove that they read, at most [`MAX_PROBES`].
    pub(super) failed: Vec<ConnectionId>,
    /// End of the period; `None` before the first wait.
    renewed_at: Option<Instant>,
}

impl Default for StallAllowance {
    fn default() -> Self {
        Self { left: MAX_STALL, failed: Vec::new(), renewed_at: None }
    }
}

impl StallAllowance {
    /// Returns the time for which `receiver` may stall at `now`.
    pub(super) fn window(&mut self, receiver: &ConnectionId, now: Instant) -> Duration {
        if self.renewed_at.is_none_or(|renewed_at| renewed_at <= now) {
            *self = Self { renewed_at: Some(now + STALL_PERIOD), ..Self::default() };
        }
        let may_probe = self.failed.len() < MAX_PROBES && !self.failed.contains(receiver);
        if self.left.is_zero() && may_probe { PROBE } else { self.left }
    }

    /// Charges a wait of `waited`, in which a receiver read `bytes`. Returns whether it stalled.
    pub(super) fn charge(&mut self, waited: Duration, bytes: u64) -> bool {
        let allowed = Duration::from_millis(bytes.saturating_mul(1000) / MIN_BYTES_PER_SECOND);
        let stalled = waited.saturating_sub(allowed);
        self.left = self.left.saturating_sub(stalled);
        !stalled.is_zero()
    }

    /// Records that `receiver` has failed to prove that it reads.
    pub(super) fn record_failure(&mut self, receiver: &ConnectionId) {
        if self.failed.len() < MAX_PROBES && !self.failed.contains(receiver) {
            self.failed.push(receiver.clone());
        }
    }
}
