//! Messages on their way: sent or waiting to be sent, and not acknowledged yet.

use std::collections::BTreeMap;

/// Most messages on their way at once. Enough to fill a round trip with small messages.
pub const MAX_IN_FLIGHT_MESSAGES: usize = 256;
/// Most bytes on their way at once, as encoded: what an unreachable service can make us hold. One message may stand
/// alone whatever its size.
pub const MAX_IN_FLIGHT_BYTES: usize = 8 * 1024 * 1024;

/// Frames by ack id, in the order they were given.
#[derive(Debug, Default)]
pub(crate) struct AckTable {
    entries: BTreeMap<u64, Entry>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    frame: String,
    was_sent: bool,
}

impl AckTable {
    /// Whether one more message may be put in.
    pub(crate) fn has_room(&self) -> bool {
        self.entries.is_empty()
            || (self.entries.len() < MAX_IN_FLIGHT_MESSAGES && self.bytes < MAX_IN_FLIGHT_BYTES)
    }

    /// Keeps `frame`, which was sent already or waits for a connection, until it is settled.
    pub(crate) fn insert(&mut self, ack_id: u64, frame: String, was_sent: bool) {
        self.bytes += frame.len();
        self.entries.insert(ack_id, Entry { frame, was_sent });
    }

    /// Drops the frame of `ack_id`; false when there is none: an ack that comes twice settles once.
    pub(crate) fn settle(&mut self, ack_id: u64) -> bool {
        let settled = self.entries.remove(&ack_id);
        self.bytes -= settled.as_ref().map_or(0, |entry| entry.frame.len());
        settled.is_some()
    }

    /// How many messages were sent and not settled: what a new connection sends again.
    pub(crate) fn sent_count(&self) -> usize {
        self.entries.values().filter(|entry| entry.was_sent).count()
    }

    /// All frames to be sent on a new connection, oldest first.
    pub(crate) fn send_all(&mut self) -> impl Iterator<Item = &str> {
        self.entries.values_mut().map(|entry| {
            entry.was_sent = true;
            entry.frame.as_str()
        })
    }

    /// Empties the table; gives the ids that were in it, oldest first.
    pub(crate) fn abandon_all(&mut self) -> Vec<u64> {
        self.bytes = 0;
        std::mem::take(&mut self.entries).into_keys().collect()
    }

    /// How many messages are on their way.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_full_by_count_or_by_bytes_and_takes_one_message_of_any_size() {
        let mut table = AckTable::default();
        table.insert(1, "x".repeat(MAX_IN_FLIGHT_BYTES + 1), true);
        assert!(!table.has_room());
        assert!(table.settle(1) && table.has_room());
        for id in 0..MAX_IN_FLIGHT_MESSAGES {
            assert!(table.has_room());
            table.insert(id as u64, String::new(), false);
        }
        assert!(!table.has_room());
    }

    #[test]
    fn an_ack_that_comes_twice_settles_once() {
        let mut table = AckTable::default();
        table.insert(9, "frame".into(), true);
        assert!(table.settle(9));
        assert!(!table.settle(9));
    }
}
