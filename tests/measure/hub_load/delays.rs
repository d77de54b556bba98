//! How old messages are when they arrive: some carry the time at which they were due.

use std::time::{Duration, Instant};

use super::protocol::Message;

/// Begins a time. What else is in a frame may hold this byte too; then no sixteen digits follow.
const MARK: u8 = b'@';
const DIGITS: usize = 16;
const MARKED_BYTES: usize = 1 + DIGITS;
/// What is not later than this many microseconds is told apart.
const LONGEST_MICROSECONDS: usize = 2_000_000;

/// A histogram in microseconds.
#[derive(Debug)]
pub struct Delays {
    origin: Instant,
    counts: Vec<u32>,
    total: u64,
}

impl Delays {
    /// An empty one. Times in messages count from `origin`.
    pub fn new(origin: Instant) -> Self {
        Self { origin, counts: vec![0; LONGEST_MICROSECONDS + 1], total: 0 }
    }

    /// A message that was due at `due` after the origin.
    pub fn marked(due: Duration) -> Message {
        let mut message = super::FILLER;
        let text = format!("@{:016}", due.as_nanos());
        for (byte, digit) in message.iter_mut().zip(text.bytes()) {
            *byte = digit;
        }
        message
    }

    /// Finds the times in what a read brought. `remainder` is what the same connection's last read ended with, in
    /// case it cut a time.
    pub fn look(&mut self, bytes: &[u8], remainder: &mut Vec<u8>) {
        let now = self.origin.elapsed();
        if !remainder.is_empty() {
            let here = bytes.len().min(MARKED_BYTES - 1);
            remainder.extend_from_slice(bytes.get(..here).unwrap_or_default());
            let seam = std::mem::take(remainder);
            self.look_at(&seam, now);
        }
        self.look_at(bytes, now);
        let tail = bytes.get(bytes.len().saturating_sub(MARKED_BYTES - 1)..).unwrap_or_default();
        // A time that begins earlier was whole.
        if let Some(at) = memchr::memrchr(MARK, tail) {
            remainder.extend_from_slice(tail.get(at..).unwrap_or_default());
        }
    }

    fn look_at(&mut self, bytes: &[u8], now: Duration) {
        for at in memchr::memchr_iter(MARK, bytes) {
            let digits = bytes.get(at + 1..at + MARKED_BYTES).unwrap_or_default();
            if digits.len() == DIGITS && digits.iter().all(u8::is_ascii_digit) {
                let due = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
                let delay = now.saturating_sub(Duration::from_nanos(due)).as_micros();
                let place = usize::try_from(delay).unwrap_or(usize::MAX).min(LONGEST_MICROSECONDS);
                if let Some(count) = self.counts.get_mut(place) {
                    *count += 1;
                    self.total += 1;
                }
            }
        }
    }

    /// How many times were found.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The delay in milliseconds that `share` of all messages did not exceed.
    pub fn milliseconds_at(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (microseconds, count) in self.counts.iter().enumerate() {
            seen += u64::from(*count);
            if seen >= wanted {
                return microseconds as f64 / 1000.0;
            }
        }
        f64::INFINITY
    }
}
