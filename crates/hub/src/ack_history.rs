//! Which requests of a connection were carried out, so that a repeated one is not carried out twice.

use std::collections::{HashSet, VecDeque};

/// How many ack ids are remembered per connection; the oldest is forgotten first. The cloud service keeps as many.
pub const REMEMBERED_ACKS: usize = 1000;

/// The ack ids of the latest requests that succeeded. Failed ones may be tried again under the same id.
#[derive(Debug, Default)]
pub(crate) struct AckHistory {
    known: HashSet<u64>,
    oldest_first: VecDeque<u64>,
}

impl AckHistory {
    /// Whether a request with this id was carried out.
    pub(crate) fn contains(&self, ack_id: u64) -> bool {
        self.known.contains(&ack_id)
    }

    /// Remembers a request that was carried out.
    pub(crate) fn insert(&mut self, ack_id: u64) {
        if self.known.insert(ack_id) {
            self.oldest_first.push_back(ack_id);
        }
        if self.oldest_first.len() > REMEMBERED_ACKS
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
    fn the_latest_thousand_are_remembered_and_the_oldest_forgotten() {
        let mut history = AckHistory::default();
        for id in 0..=REMEMBERED_ACKS as u64 {
            history.insert(id);
        }
        assert!(!history.contains(0));
        assert!(history.contains(1) && history.contains(REMEMBERED_ACKS as u64));
        assert_eq!(history.known.len(), REMEMBERED_ACKS);
    }
}
