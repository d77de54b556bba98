//! Ack ids of completed requests, which must not be carried out twice.

use std::collections::{HashSet, VecDeque};

/// Maximum number of ack ids per connection; the oldest is dropped first. The cloud service has the same limit.
pub(crate) const MAX_ACK_IDS: usize = 1000;

/// Ack ids of the latest requests that succeeded. Failed requests may be retried with the same id.
#[derive(Debug, Default)]
pub(crate) struct AckHistory {
    known: HashSet<u64>,
    oldest_first: VecDeque<u64>,
}

impl AckHistory {
    /// Returns whether a request with this id has succeeded.
    pub(crate) fn contains(&self, ack_id: u64) -> bool {
        self.known.contains(&ack_id)
    }

    /// Adds the id of a request that has succeeded.
    pub(crate) fn insert(&mut self, ack_id: u64) {
        if self.known.insert(ack_id) {
            self.oldest_first.push_back(ack_id);
        }
        if self.oldest_first.len() > MAX_ACK_IDS
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_thousand_ids_are_kept_and_the_oldest_is_dropped() {
        let mut history = AckHistory::default();
        for id in 0..=MAX_ACK_IDS as u64 {
            history.insert(id);
        }
        assert!(!history.contains(0));
        assert!(history.contains(1) && history.contains(MAX_ACK_IDS as u64));
        assert_eq!(history.known.len(), MAX_ACK_IDS);
    }
}
