//! Acks that are sent after a delay, for clients that lose an ack that arrives before they wait for it.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;
use webpubsub_protocol::message::Response;

/// Maximum number of acks that wait. A further one is sent at once.
const MAX_DELAYED_ACKS: usize = 1000;

/// Acks of one client that wait to be sent, in their order.
#[derive(Debug, Default)]
pub(super) struct DelayedAcks {
    delay: Duration,
    waiting: VecDeque<(Instant, Response<'static>)>,
}

impl DelayedAcks {
    /// Creates an empty queue. A `delay` of 0 delays nothing.
    pub(super) fn new(delay: Duration) -> Self {
        Self { delay, waiting: VecDeque::new() }
    }

    /// Adds an ack at `now`. Returns it if it must be sent at once.
    pub(super) fn add(&mut self, ack: Response<'static>, now: Instant) -> Option<Response<'static>> {
        if self.delay.is_zero() || self.waiting.len() >= MAX_DELAYED_ACKS {
            return Some(ack);
        }
        self.waiting.push_back((now + self.delay, ack));
        None
    }

    /// Returns the time at which the first ack is due.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|(due, _)| *due)
    }

    /// Removes the first ack that is due at `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Response<'static>> {
        if self.next_deadline().is_none_or(|due| due > now) {
            return None;
        }
        self.waiting.pop_front().map(|(_, ack)| ack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(ack_id: u64) -> Response<'static> {
        Response::Ack { ack_id, outcome: Ok(()) }
    }

    #[test]
    fn acks_are_due_after_the_delay_in_their_order() {
        let (mut acks, start, delay) =
            (DelayedAcks::new(Duration::from_millis(5)), Instant::now(), Duration::from_millis(5));
        assert_eq!((acks.add(ack(1), start), acks.add(ack(2), start + delay)), (None, None));
        assert_eq!(acks.next_deadline(), Some(start + delay));
        assert_eq!((acks.take_due(start + delay), acks.take_due(start + delay)), (Some(ack(1)), None));
        assert_eq!(acks.take_due(start + delay * 2), Some(ack(2)));
        assert_eq!(acks.next_deadline(), None);
    }

    #[test]
    fn without_a_delay_or_a_free_place_an_ack_is_sent_at_once() {
        let now = Instant::now();
        assert_eq!(DelayedAcks::default().add(ack(1), now), Some(ack(1)));
        let mut acks = DelayedAcks::new(Duration::from_secs(1));
        for number in 0..MAX_DELAYED_ACKS as u64 {
            assert_eq!(acks.add(ack(number), now), None);
        }
        assert_eq!(acks.add(ack(0), now), Some(ack(0)));
    }
}
