//! Requests in flight: sent or waiting to be sent, and not acknowledged yet.

use webpubsub_protocol::{message::Request, name::GroupName};

use crate::{limits::Limits, numbered::Numbered};

/// Most requests in flight at once. Enough to fill a round trip with small messages. The service remembers the last
/// 1000 ids that it carried out, so this must stay below: else a message sent again would not be known for what it is.
pub const MAX_IN_FLIGHT_MESSAGES: usize = 256;
/// Most bytes of payload in flight at once: the bound for an unreachable service. A single longer message is sent
/// nevertheless.
pub const MAX_IN_FLIGHT_BYTES: usize = 8 * 1024 * 1024;

/// Kind of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A message or an event.
    Message,
    /// Joining a group; `is_wish` when the application asked for it at run time and waits for the outcome.
    Join { group: GroupName, is_wish: bool },
    /// Leaving a group.
    Leave { group: GroupName },
}

/// A request that waits for its acknowledgement.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) request: Request<'static>,
    pub(crate) purpose: Purpose,
    bytes: usize,
    was_sent: bool,
}

/// Requests by ack id, in the order they were given.
#[derive(Debug)]
pub(crate) struct AckTable {
    entries: Numbered<Entry>,
    bytes: usize,
    max_entries: usize,
    max_bytes: usize,
}

impl AckTable {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (max_entries, max_bytes) = (limits.in_flight_messages, limits.in_flight_bytes);
        Self { entries: Numbered::default(), bytes: 0, max_entries, max_bytes }
    }

    /// Whether one more request may be put in.
    pub(crate) fn has_room(&self) -> bool {
        self.entries.is_empty() || (self.entries.len() < self.max_entries && self.bytes < self.max_bytes)
    }

    /// Keeps a request, which was sent already or waits for a connection, until it is settled.
    pub(crate) fn insert(
        &mut self,
        ack_id: u64,
        request: Request<'static>,
        purpose: Purpose,
        was_sent: bool,
    ) {
        let bytes = match &request {
            Request::SendToGroup { payload, .. } | Request::Event { payload, .. } => payload.len(),
            _ => 0,
        };
        self.bytes += bytes;
        self.entries.insert(ack_id, Entry { request, purpose, bytes, was_sent });
    }

    /// Drops the request of `ack_id`; `None` when there is none: an ack that comes twice settles once.
    pub(crate) fn settle(&mut self, ack_id: u64) -> Option<Entry> {
        let settled = self.entries.remove(ack_id)?;
        self.bytes -= settled.bytes;
        Some(settled)
    }

    /// Returns the number of messages that were sent and not settled, which a new connection sends again.
    pub(crate) fn sent_messages(&self) -> usize {
        self.entries.values().filter(|entry| entry.was_sent && entry.purpose == Purpose::Message).count()
    }

    /// All requests to be sent on a connection, oldest first. They count as sent from here on.
    pub(crate) fn send_all(&mut self) -> impl Iterator<Item = &Entry> {
        self.entries.values_mut().map(|entry| {
            entry.was_sent = true;
            &*entry
        })
    }

    /// Drops the requests that belong to a lost connection and are repeated on the next one: joins that nobody waits for.
    pub(crate) fn forget_automatic_joins(&mut self) {
        self.entries.retain(|entry| !matches!(entry.purpose, Purpose::Join { is_wish: false, .. }));
    }

    /// Whether a join of `group` is in flight.
    pub(crate) fn is_joining(&self, group: &GroupName) -> bool {
        self.entries
            .values()
            .any(|entry| matches!(&entry.purpose, Purpose::Join { group: joining, .. } if joining == group))
    }

    /// Empties the table; gives the ids that somebody waits for, oldest first.
    pub(crate) fn abandon_all(&mut self) -> Vec<u64> {
        self.forget_automatic_joins();
        self.bytes = 0;
        self.entries.take_numbers()
    }

    /// Returns the number of requests in flight.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::payload::Payload;

    use super::*;
    use crate::outgoing::Outgoing;

    fn message(text: String) -> Request<'static> {
        Outgoing::to_group(GroupName::new("g").unwrap(), Payload::Text(text.into())).into_request(None)
    }

    #[test]
    fn the_table_is_full_by_count_or_by_bytes_and_takes_one_message_of_any_size() {
        let mut table = AckTable::new(&Limits::default());
        table.insert(1, message("x".repeat(MAX_IN_FLIGHT_BYTES + 1)), Purpose::Message, true);
        assert!(!table.has_room());
        assert!(table.settle(1).is_some() && table.has_room());
        for id in 0..MAX_IN_FLIGHT_MESSAGES {
            assert!(table.has_room());
            table.insert(id as u64, message(String::new()), Purpose::Message, false);
        }
        assert!(!table.has_room());
    }

    #[test]
    fn an_ack_that_comes_twice_settles_once() {
        let mut table = AckTable::new(&Limits::default());
        table.insert(9, message("frame".into()), Purpose::Message, true);
        assert!(table.settle(9).is_some());
        assert!(table.settle(9).is_none());
    }
}
