//! Earlier lines: put before those that are held.

use std::collections::VecDeque;

use super::{Chunk, Line, LineStore, MessagePlace};

/// Id of the first line of a store that can take earlier lines: as many ids are below it.
const FIRST_ID: u64 = 1 << 40;

impl LineStore {
    /// Leaves ids for earlier lines, if the store has never had a line.
    pub fn reserve_earlier_ids(&mut self) {
        if self.next_id == 0 {
            (self.next_id, self.lowest_id, self.numbered_from.0) = (FIRST_ID, FIRST_ID, FIRST_ID);
        }
    }

    /// Returns an empty store for lines that [`Self::prepend`] puts before these. It is bounded by the memory that is left.
    #[must_use]
    pub fn for_earlier_lines(&self) -> Self {
        let mut limits = self.limits;
        limits.lines = limits.lines.saturating_sub(self.len()).max(1);
        limits.bytes = limits.bytes.saturating_sub(self.held_bytes());
        Self::new(limits)
    }

    /// Returns the lines at a place, of any source.
    pub fn lines_at(&self, place: MessagePlace) -> impl Iterator<Item = Line<'_>> {
        self.chunks.iter().flat_map(move |chunk| chunk.lines_at(place)).filter_map(|id| self.line(id))
    }

    /// Whether earlier lines of about `bytes` fit the limits.
    #[must_use]
    pub fn has_room_for(&self, bytes: usize) -> bool {
        self.len() < self.limits.lines && self.held_bytes().saturating_add(bytes) <= self.limits.bytes
    }

    /// Prepends the lines of another store. Their numbers count down from the first line; these retain theirs. Returns the
    /// count of lines, notices included.
    pub fn prepend(&mut self, mut earlier: Self) -> u64 {
        let count = earlier.len() as u64;
        let Some(first_id) = self.first_id().checked_sub(count).filter(|_| count > 0) else { return 0 };
        let shifted = |id: u64| id - earlier.first_id() + first_id;
        let notice_ids: VecDeque<u64> = earlier.notice_ids.iter().map(|id| shifted(*id)).collect();
        let firsts: Vec<u64> = earlier.chunks.iter().map(|chunk| shifted(chunk.first_id())).collect();
        for (chunk, first_id) in earlier.chunks.iter_mut().zip(firsts) {
            chunk.renumber(first_id);
            chunk.leave_timeline();
            chunk.seal();
        }
        // Lines that were dropped before and are back were counted already.
        let known = self.first_id().saturating_sub(self.lowest_id.max(first_id));
        self.received += (count - notice_ids.len() as u64).saturating_sub(known);
        self.lowest_id = self.lowest_id.min(first_id);
        self.dropped_notices -= (notice_ids.len() as u64).cast_signed();
        self.reserved_bytes +=
            earlier.chunks.iter().map(|chunk| chunk.capacity() + chunk.redrawn_bytes()).sum::<usize>();
        self.widest_columns = self.widest_columns.max(earlier.widest_columns);
        let later = std::mem::replace(&mut self.chunks, earlier.chunks);
        self.chunks.extend(later);
        let later = std::mem::replace(&mut self.notice_ids, notice_ids);
        self.notice_ids.extend(later);
        while self.reserved_bytes > self.limits.bytes && !self.spare.is_empty() {
            self.free_some();
        }
        count
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.chunks.iter().map(Chunk::capacity).sum()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::line_store::{LineKind, StoreLimits};

    const BASE: u64 = 1 << 40;

    fn store() -> LineStore {
        LineStore::starting_at(StoreLimits::default(), BASE)
    }

    fn push(store: &mut LineStore, id: u64, text: &str) {
        store.begin_message(Some(id));
        store.push_message(LineKind::Group, text, 0.0);
    }

    fn numbered(store: &LineStore) -> Vec<(u64, &str)> {
        let lines = store.lines_from(0).filter(|line| line.kind != LineKind::Notice);
        lines.map(|line| (store.number_of(line.id), line.text)).collect()
    }

    #[test]
    fn earlier_lines_come_first_and_later_ones_keep_ids_and_numbers() {
        let mut log = store();
        log.start_numbers_at(101);
        push(&mut log, 50, "c\nd");
        log.push_message(LineKind::Notice, "notice", 0.0);
        push(&mut log, 51, "e");
        let before: Vec<u64> = log.lines_from(0).map(|line| line.id).collect();
        let mut earlier = log.for_earlier_lines();
        push(&mut earlier, 48, "a");
        earlier.push_message(LineKind::Notice, "earlier notice", 0.0);
        push(&mut earlier, 49, "b");
        assert_eq!(log.prepend(earlier), 3);
        assert_eq!(numbered(&log), [(99, "a"), (100, "b"), (101, "c"), (102, "d"), (103, "e")]);
        assert_eq!(log.lines_from(BASE).map(|line| line.id).collect::<Vec<_>>(), before);
        assert_eq!((log.counts().received, log.counts().dropped), (5, 0));
        for (number, text) in [(99, "a"), (100, "b"), (103, "e")] {
            let id = log.id_of_number(number).unwrap();
            assert_eq!(log.line(id).unwrap().text, text);
        }
        assert_eq!((log.id_of_number(98), log.id_of_number(104)), (None, None));
        push(&mut log, 52, "f");
        assert_eq!(numbered(&log).last(), Some(&(104, "f")));
    }

    #[test]
    fn lines_know_their_place_in_the_messages() {
        let mut log = store();
        push(&mut log, 7, "a\nb");
        for id in [8, 9, 12] {
            push(&mut log, id, "single");
        }
        push(&mut log, 13, "c\nd");
        log.push_message(LineKind::Notice, "notice", 0.0);
        log.begin_message(None);
        log.push_message(LineKind::Group, "without", 0.0);
        let places: Vec<_> =
            log.lines_from(0).map(|line| (line.place.sequence_id, line.place.line)).collect();
        let expected = [
            (Some(7), 0),
            (Some(7), 1),
            (Some(8), 0),
            (Some(9), 0),
            (Some(12), 0),
            (Some(13), 0),
            (Some(13), 1),
        ];
        assert_eq!(places[..7], expected);
        assert_eq!((places[7], places[8]), ((None, 0), (None, 0)));
    }

    #[test]
    fn lines_that_were_dropped_and_are_back_count_once() {
        let limits = StoreLimits { lines: 160, ..StoreLimits::default() };
        let mut log = LineStore::starting_at(limits, BASE);
        for id in 0..200 {
            push(&mut log, id, &id.to_string());
        }
        let (counts, first) = (log.counts(), log.first_id());
        assert!(counts.received == 200 && counts.dropped >= 40, "{counts:?}");
        let mut earlier = log.for_earlier_lines();
        push(&mut earlier, first - BASE - 1, &(first - BASE - 1).to_string());
        log.prepend(earlier);
        assert_eq!(log.counts().received, 200);
        let first = numbered(&log)[0];
        assert_eq!(first.0, first.1.parse::<u64>().unwrap() + 1);
    }

    proptest! {
        #[test]
        fn places_and_numbers_are_those_of_the_messages_wherever_they_were_added(
            messages in vec((1..4_u64, "[a-z]{0,3}(\n[a-z]{0,3}){0,3}"), 1..40), split in any::<prop::sample::Index>(),
            is_noticed in any::<bool>(),
        ) {
            let mut id = 0;
            let messages: Vec<(u64, String)> = messages.into_iter().map(|(step, text)| { id += step; (id, text) }).collect();
            let expected: Vec<MessagePlace> = messages.iter().flat_map(|(id, text)| {
                let text = text.strip_suffix('\n').unwrap_or(text);
                (0..).zip(text.split('\n')).map(|(line, _)| MessagePlace { sequence_id: Some(*id), line })
            }).collect();
            let (earlier, later) = messages.split_at(split.index(messages.len() + 1).min(messages.len()));
            let mut log = store();
            log.start_numbers_at(1_000);
            for (id, text) in later {
                push(&mut log, *id, text);
            }
            let mut before = log.for_earlier_lines();
            for (id, text) in earlier {
                push(&mut before, *id, text);
                if is_noticed {
                    before.push_message(LineKind::Notice, "notice", 0.0);
                }
            }
            log.prepend(before);
            let lines: Vec<_> = log.lines_from(0).filter(|line| line.kind != LineKind::Notice).collect();
            prop_assert_eq!(lines.iter().map(|line| line.place).collect::<Vec<_>>(), expected);
            let numbers: Vec<u64> = lines.iter().map(|line| log.number_of(line.id)).collect();
            prop_assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{:?}", numbers);
            let first_later = lines.len() - lines.iter().filter(|line| line.id >= BASE).count();
            if let Some(number) = numbers.get(first_later) {
                prop_assert_eq!(*number, 1_000);
            }
            for line in &lines {
                prop_assert_eq!(log.lines_at(line.place).map(|line| line.id).collect::<Vec<_>>(), [line.id]);
                prop_assert_eq!(log.id_of_number(log.number_of(line.id)), Some(line.id));
            }
        }
    }
}
