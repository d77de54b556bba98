//! Delays of messages. Some messages contain the time at which they were due.

use std::time::{Duration, Instant};

use super::protocol::Message;

/// First byte of a timestamp. Elsewhere in a frame, the byte is not followed by sixteen digits.
const MARK: u8 = b'@';
const DIGITS: usize = 16;
const MARKED_BYTES: usize = 1 + DIGITS;
/// Maximum delay of the histogram, in microseconds.
const MAX_MICROSECONDS: usize = 2_000_000;

/// Histogram of delays in microseconds.
#[derive(Debug)]
pub struct Delays {
    origin: Instant,
    counts: Vec<u32>,
    total: u64,
}

impl Delays {
    /// Creates an empty histogram. Timestamps are relative to `origin`.
    pub fn new(origin: Instant) -> Self {
        Self { origin, counts: vec![0; MAX_MICROSECONDS + 1], total: 0 }
    }

    /// Returns a message with the timestamp `due`, relative to the origin.
    pub fn marked(due: Duration) -> Message {
        let mut message = super::FILLER;
        let text = format!("@{:016}", due.as_nanos());
        for (byte, digit) in message.iter_mut().zip(text.bytes()) {
            *byte = digit;
        }
        message
    }

    /// Records the timestamps in received bytes. `remainder` has the last bytes of the previous read of the connection,
    /// if they can be a partial timestamp.
    pub fn record(&mut self, bytes: &[u8], remainder: &mut Vec<u8>) {
        let now = self.origin.elapsed();
        if !remainder.is_empty() {
            let here = bytes.len().min(MARKED_BYTES - 1);
            remainder.extend_from_slice(bytes.get(..here).unwrap_or_default());
            let seam = std::mem::take(remainder);
            self.record_all(&seam, now);
        }
        self.record_all(bytes, now);
        let tail = bytes.get(bytes.len().saturating_sub(MARKED_BYTES - 1)..).unwrap_or_default();
        // A timestamp that starts earlier is complete.
        if let Some(at) = memchr::memrchr(MARK, tail) {
            remainder.extend_from_slice(tail.get(at..).unwrap_or_default());
        }
    }

    fn record_all(&mut self, bytes: &[u8], now: Duration) {
        for at in memchr::memchr_iter(MARK, bytes) {
            let digits = bytes.get(at + 1..at + MARKED_BYTES).unwrap_or_default();
            if digits.len() == DIGITS && digits.iter().all(u8::is_ascii_digit) {
                let due = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
                let delay = now.saturating_sub(Duration::from_nanos(due)).as_micros();
                let index = usize::try_from(delay).unwrap_or(usize::MAX).min(MAX_MICROSECONDS);
                if let Some(count) = self.counts.get_mut(index) {
                    *count += 1;
                    self.total += 1;
                }
            }
        }
    }

    /// Returns the number of recorded delays.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns the quantile `share` of the delays, in milliseconds.
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
