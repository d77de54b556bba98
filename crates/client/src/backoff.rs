//! Pauses between attempts to connect.

use std::time::Duration;

/// Approximate length of the first pause.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause. A user who has just repaired the network should not wait longer.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Exponential back-off with jitter: each pause is about twice the last, and random in its upper half, so that the
/// clients of a restarted service do not all reconnect in the same instant.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    attempts: u32,
    random: u64,
}

impl Backoff {
    /// Starts at the first pause. `seed` may be any number; different clients should have different ones.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::between(FIRST_PAUSE, LONGEST_PAUSE, seed)
    }

    /// Like [`Self::new`], with pauses from `first` to `longest`.
    #[must_use]
    pub fn between(first: Duration, longest: Duration, seed: u64) -> Self {
        // The generator below never leaves zero.
        Self { first, longest, attempts: 0, random: seed | 1 }
    }

    /// The pause before the next attempt.
    pub fn next_pause(&mut self) -> Duration {
        const HIGHEST_EXPONENT: u32 = 16;
        let ceiling = self.first.saturating_mul(1 << self.attempts.min(HIGHEST_EXPONENT)).min(self.longest);
        self.attempts = self.attempts.saturating_add(1);
        ceiling / 2 + (ceiling / 2).mul_f64(self.next_fraction())
    }

    /// An attempt succeeded: the next pause is the first one again.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// A random number from 0 to 1, for pauses that do not grow.
    pub(crate) fn jitter(&mut self) -> f64 {
        self.next_fraction()
    }

    /// A number from 0 to 1: xorshift64 (Marsaglia, 2003), good enough to spread clients in time.
    fn next_fraction(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        f64::from(u32::try_from(self.random >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pauses_grow_and_stay_within_their_bounds(seed in any::<u64>(), attempts in 1..200_usize) {
            let mut backoff = Backoff::new(seed);
            for attempt in 0..attempts {
                let pause = backoff.next_pause();
                let ceiling = FIRST_PAUSE.saturating_mul(1 << attempt.min(16)).min(LONGEST_PAUSE);
                prop_assert!(pause >= ceiling / 2 && pause <= ceiling, "{pause:?} of {ceiling:?}");
            }
        }
    }

    #[test]
    fn a_pause_is_fixed_if_the_first_is_the_longest() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::between(second, second, 7);
        assert!((0..10).all(|_| (second / 2..=second).contains(&backoff.next_pause())));
    }

    #[test]
    fn success_resets_the_pause() {
        let mut backoff = Backoff::new(7);
        for _ in 0..10 {
            backoff.next_pause();
        }
        backoff.reset();
        assert!(backoff.next_pause() <= FIRST_PAUSE);
    }
}
