//! Sequence ids of the messages of a reliable connection, and their acknowledgements.
//!
//! The service numbers what it sends, keeps each message until it is acknowledged, and sends what is not again when the
//! connection is recovered. At most 1000 messages or 16 MB may be unacknowledged there before it ends the connection.

use std::time::Duration;

use webpubsub_protocol::message::Sequence;

use crate::{moment::Moment, options::ClientOptions};

/// After as many messages an acknowledgement is sent at once: a tenth of what the service keeps.
pub const ACK_AFTER_MESSAGES: usize = 100;
/// After as many bytes, as they came, an acknowledgement is sent at once: a sixteenth of what the service keeps.
pub const ACK_AFTER_BYTES: usize = 1024 * 1024;
/// An acknowledgement is sent at most this long after the message. Short enough that a recovery repeats little, long
/// enough that a trickle of messages does not double the traffic.
pub const ACK_DELAY: Duration = Duration::from_millis(500);
/// The number of a connection's first message.
const FIRST_ID: u64 = 1;

/// Place of a message in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It is the next one.
    Next,
    /// Numbers are missing before it.
    AfterGap { missing: u64 },
    /// It came before.
    Replay,
}

/// Follows one connection's numbers. Lives as long as the connection, over recoveries.
#[derive(Debug)]
pub(crate) struct SequenceTracker {
    /// The largest number seen. `None` is not zero: a service that counts from zero has its message 0 acknowledged.
    largest: Option<u64>,
    /// Count of the last message, where the service counts the messages of a connection.
    last_count: u64,
    unacknowledged_messages: usize,
    unacknowledged_bytes: usize,
    ack_due: Option<Moment>,
    rules: AckRules,
}

/// When received messages are acknowledged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AckRules {
    pub(crate) after_messages: usize,
    pub(crate) after_bytes: usize,
    pub(crate) delay: Duration,
}

impl AckRules {
    pub(crate) fn of(options: &ClientOptions) -> Self {
        let (limits, timeouts) = (&options.limits, &options.timeouts);
        Self {
            after_messages: limits.ack_after_messages,
            after_bytes: limits.ack_after_bytes,
            delay: timeouts.ack_delay,
        }
    }
}

impl SequenceTracker {
    pub(crate) fn new(rules: AckRules) -> Self {
        Self {
            largest: None,
            last_count: 0,
            unacknowledged_messages: 0,
            unacknowledged_bytes: 0,
            ack_due: None,
            rules,
        }
    }

    /// Takes the number of a message of `bytes`.
    pub(crate) fn arrived(&mut self, sequence: impl Into<Sequence>, bytes: usize, now: Moment) -> Arrival {
        let Sequence { id, count } = sequence.into();
        // A replay is acknowledged too: the service has not heard the acknowledgement before.
        self.ack_due.get_or_insert(now + self.rules.delay);
        self.unacknowledged_messages += 1;
        self.unacknowledged_bytes = self.unacknowledged_bytes.saturating_add(bytes);
        if self.unacknowledged_messages >= self.rules.after_messages
            || self.unacknowledged_bytes >= self.rules.after_bytes
        {
            self.ack_due = Some(now);
        }
        let expected = match self.largest {
            Some(largest) if id <= largest => return Arrival::Replay,
            Some(largest) => largest.saturating_add(1),
            None => FIRST_ID,
        };
        self.largest = Some(id);
        // Ids of a hub jump over the messages of others; the count does not.
        let skipped = match count {
            Some(count) => {
                let last = std::mem::replace(&mut self.last_count, count);
                count.saturating_sub(last.saturating_add(1))
            }
            None => id.saturating_sub(expected),
        };
        match skipped {
            0 => Arrival::Next,
            missing => Arrival::AfterGap { missing },
        }
    }

    /// When an acknowledgement is due.
    pub(crate) fn ack_due(&self) -> Option<Moment> {
        self.ack_due
    }

    /// The number to acknowledge, once it is due. It counts as acknowledged from here on.
    pub(crate) fn take_due_ack(&mut self, now: Moment) -> Option<u64> {
        if self.ack_due.is_none_or(|due| due > now) {
            return None;
        }
        self.ack_due = None;
        self.unacknowledged_messages = 0;
        self.unacknowledged_bytes = 0;
        self.largest
    }

    /// The connection was recovered: whether the last acknowledgement arrived is not known, so it is due again.
    pub(crate) fn recovered(&mut self, now: Moment) {
        self.ack_due = self.largest.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::after_start(Duration::from_millis(ms))
    }

    #[test]
    fn the_largest_id_is_acknowledged_after_the_delay_and_not_again() {
        let mut tracker = SequenceTracker::new(AckRules::of(&ClientOptions::default()));
        assert_eq!(tracker.take_due_ack(at(0)), None);
        assert_eq!(tracker.arrived(1, 10, at(0)), Arrival::Next);
        assert_eq!(tracker.arrived(2, 10, at(400)), Arrival::Next);
        assert_eq!(tracker.take_due_ack(at(499)), None);
        assert_eq!(tracker.take_due_ack(at(500)), Some(2));
        assert_eq!((tracker.ack_due(), tracker.take_due_ack(at(9_000))), (None, None));
    }

    #[test]
    fn sequence_id_zero_is_a_number_like_any_other() {
        let mut tracker = SequenceTracker::new(AckRules::of(&ClientOptions::default()));
        assert_eq!(tracker.arrived(0, 1, at(0)), Arrival::Next);
        assert_eq!(tracker.take_due_ack(at(1_000)), Some(0));
        assert_eq!(tracker.arrived(0, 1, at(1_000)), Arrival::Replay);
        assert_eq!(tracker.arrived(1, 1, at(1_000)), Arrival::Next);
    }

    #[test]
    fn many_messages_or_many_bytes_are_acknowledged_at_once() {
        let mut tracker = SequenceTracker::new(AckRules::of(&ClientOptions::default()));
        for id in 1..ACK_AFTER_MESSAGES as u64 {
            tracker.arrived(id, 1, at(0));
            assert_eq!(tracker.take_due_ack(at(0)), None, "{id}");
        }
        tracker.arrived(100, 1, at(0));
        assert_eq!(tracker.take_due_ack(at(0)), Some(100));
        tracker.arrived(101, ACK_AFTER_BYTES, at(0));
        assert_eq!(tracker.take_due_ack(at(0)), Some(101));
    }

    #[test]
    fn a_jump_tells_how_many_ids_were_skipped_and_a_replay_is_acknowledged_again() {
        let mut tracker = SequenceTracker::new(AckRules::of(&ClientOptions::default()));
        assert_eq!(tracker.arrived(3, 1, at(0)), Arrival::AfterGap { missing: 2 });
        assert_eq!(tracker.take_due_ack(at(500)), Some(3));
        assert_eq!(tracker.arrived(2, 1, at(600)), Arrival::Replay);
        assert_eq!(tracker.take_due_ack(at(1_100)), Some(3));
    }

    #[test]
    fn where_messages_are_counted_jumps_of_the_id_are_no_gaps() {
        let mut tracker = SequenceTracker::new(AckRules::of(&ClientOptions::default()));
        let numbers = |id, count| Sequence { id, count: Some(count) };
        assert_eq!(tracker.arrived(numbers(40, 1), 1, at(0)), Arrival::Next);
        assert_eq!(tracker.arrived(numbers(90, 2), 1, at(0)), Arrival::Next);
        assert_eq!(tracker.arrived(numbers(40, 1), 1, at(0)), Arrival::Replay);
        assert_eq!(tracker.arrived(numbers(95, 5), 1, at(0)), Arrival::AfterGap { missing: 2 });
    }

    proptest! {
        #[test]
        fn each_number_is_new_at_most_once_and_in_order_and_the_ack_is_never_late(
            ids in prop::collection::vec((0..200_u64, 0..300_u64), 0..300),
        ) {
            let (mut tracker, mut now, mut last_new) = (SequenceTracker::new(AckRules::of(&ClientOptions::default())), 0, None);
            for (id, pause) in ids {
                now += pause;
                if tracker.arrived(id, 1, at(now)) == Arrival::Replay {
                    prop_assert!(last_new.is_some_and(|last| id <= last));
                } else {
                    prop_assert!(last_new.is_none_or(|last| id > last));
                    last_new = Some(id);
                }
                prop_assert!(tracker.ack_due().is_some_and(|due| due <= at(now) + ACK_DELAY));
                if let Some(acked) = tracker.take_due_ack(at(now)) {
                    prop_assert_eq!(Some(acked), last_new);
                }
            }
        }
    }
}
