//! Invocations that wait for their answer.
//!
//! Source: the official JavaScript client 1.1.0. Only the JSON subprotocols can ask.

use crate::numbered::Numbered;

/// Most pending invocations.
pub const MAX_INVOCATIONS: usize = 256;

/// The invocations under way, by number. On the wire the number is written out.
#[derive(Debug)]
pub(crate) struct Invocations {
    waiting: Numbered<()>,
    last: u64,
    limit: usize,
}

impl Invocations {
    pub(crate) fn new(limit: usize) -> Self {
        Self { waiting: Numbered::default(), last: 0, limit }
    }

    /// Begins one; `None` when as many wait as may.
    pub(crate) fn begin(&mut self) -> Option<u64> {
        if self.waiting.len() >= self.limit {
            return None;
        }
        self.last += 1;
        self.waiting.insert(self.last, ());
        Some(self.last)
    }

    /// Ends the one of this name; `None` when it does not wait (any more).
    pub(crate) fn end(&mut self, invocation_id: &str) -> Option<u64> {
        let number = invocation_id.parse().ok()?;
        self.waiting.remove(number).map(|()| number)
    }

    /// Ends all, oldest first.
    pub(crate) fn end_all(&mut self) -> Vec<u64> {
        self.waiting.take_numbers()
    }
}
