//! Newest lines: dropped in favour of earlier ones, which the user reads now.

use super::{Chunk, Line, LineStore};

impl LineStore {
    /// Returns an empty store for lines that [`Self::make_room`] and [`Self::prepend`] put before these. It holds at most half as
    /// much as this one can.
    #[must_use]
    pub fn for_lines_in_place_of_newest(&self) -> Self {
        let mut limits = self.limits;
        limits.lines = (limits.lines / 2).max(1);
        limits.bytes /= 2;
        Self::new(limits)
    }

    /// Whether half of the lines are newer than all that cannot be received again: then [`Self::make_room`] can drop them.
    #[must_use]
    pub fn can_make_room(&self) -> bool {
        let held_after = self.newest_unique.map_or(self.next_id, |id| self.next_id - id.max(self.first_id()));
        held_after >= self.len() as u64 / 2 && self.chunks.len() > 1
    }

    /// Drops the newest lines until `earlier` fits. `dropped` gets each of these lines, the newest first. They do not count as
    /// received any more, and their ids are given again. The first line always stays.
    pub fn make_room(&mut self, earlier: &Self, mut dropped: impl FnMut(Line<'_>)) {
        while self.chunks.len() > 1 && !self.fits(earlier) {
            let Some(newest) = self.chunks.pop_back() else { return };
            let mut lines: Vec<Line<'_>> = newest.lines_from(0).collect();
            lines.reverse();
            lines.into_iter().for_each(&mut dropped);
            self.forget_newest(newest);
        }
    }

    /// Whether the lines of `earlier` fit the limits together with these.
    #[must_use]
    pub fn fits(&self, earlier: &Self) -> bool {
        self.len().saturating_add(earlier.len()) <= self.limits.lines
            && self.held_bytes().saturating_add(earlier.held_bytes()) <= self.limits.bytes
    }

    fn forget_newest(&mut self, mut newest: Chunk) {
        self.interpret_dropped(&mut newest);
        self.next_id = newest.first_id();
        let notices = newest.notices();
        self.received -= (newest.lines() as u64).saturating_sub(notices);
        for _ in 0..notices {
            self.notice_ids.pop_back();
        }
        self.widest_columns = self.chunks.iter().map(Chunk::widest_columns).max().unwrap_or(0);
        self.newest_unique = self.newest_unique.filter(|id| *id < self.next_id);
        let (first_id, next_id) = (self.first_id(), self.next_id);
        self.file_rows.retain(first_id, next_id);
        self.writers.iter_mut().for_each(|writer| writer.forget_lines(first_id, next_id));
        self.keep_spare(newest);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::line_store::{LineKind, StoreLimits};

    const BASE: u64 = 1 << 40;

    fn full_store(lines: u64) -> LineStore {
        let mut log = LineStore::starting_at(StoreLimits { lines: 160, ..StoreLimits::default() }, BASE);
        log.start_numbers_at(1_001);
        push(&mut log, 1_000..1_000 + lines);
        log
    }

    fn push(log: &mut LineStore, ids: std::ops::Range<u64>) {
        for id in ids {
            log.begin_message(Some(id));
            log.push_message(LineKind::Group, &format!("line {id}"), 0.0);
        }
    }

    fn numbered(log: &LineStore) -> Vec<(u64, String)> {
        log.lines_from(0).map(|line| (log.number_of(line.id), line.text.to_owned())).collect()
    }

    proptest! {
        #[test]
        fn earlier_lines_take_the_place_of_the_newest_and_numbers_stay(held in 100..400_u64, wanted in 1..200_u64) {
            let mut log = full_store(held);
            let first = log.line(log.first_id()).unwrap().place.sequence_id.unwrap();
            let mut earlier = log.for_lines_in_place_of_newest();
            push(&mut earlier, first.saturating_sub(wanted)..first);
            let (mut dropped, received) = (Vec::new(), log.counts().received);
            log.make_room(&earlier, |line| dropped.extend(line.place.sequence_id));
            log.prepend(earlier);
            prop_assert!(log.len() <= 160 && log.reserved_bytes() <= StoreLimits::default().bytes);
            prop_assert!(log.counts().received >= received - dropped.len() as u64);
            // Line n of the group is in message n - 1.
            let lines = numbered(&log);
            for (number, text) in &lines {
                prop_assert_eq!(text, &format!("line {}", number - 1));
            }
            prop_assert!(lines.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
            // The newest are received again.
            prop_assert!(dropped.windows(2).all(|pair| pair[0] == pair[1] + 1));
            let next = lines.last().unwrap().0;
            prop_assert_eq!(dropped.last().copied().unwrap_or(1_000 + held), next);
            push(&mut log, next..1_000 + held);
            let lines = numbered(&log);
            prop_assert_eq!(&lines.last().unwrap().1, &format!("line {}", 1_000 + held - 1));
            for (number, text) in &lines {
                prop_assert_eq!(text, &format!("line {}", number - 1));
            }
        }
    }

    #[test]
    fn lines_that_cannot_be_received_again_are_not_dropped() {
        let mut log = full_store(150);
        assert!(log.can_make_room());
        log.begin_message(None);
        log.push_message(LineKind::File, "of a file", 0.0);
        assert!(!log.can_make_room());
        push(&mut log, 2_000..2_100);
        assert!(log.can_make_room(), "it is old enough");
    }

    #[test]
    fn the_oldest_of_too_many_earlier_lines_are_left_out() {
        let mut log = full_store(150);
        let mut earlier = log.for_lines_in_place_of_newest();
        push(&mut earlier, 0..1_000);
        log.make_room(&earlier, |_| {});
        log.prepend(earlier);
        let lines = numbered(&log);
        assert!(lines.len() > 80 && lines.len() <= 160, "{}", lines.len());
        assert!(lines.iter().all(|(number, text)| *text == format!("line {}", number - 1)));
        assert!(lines.iter().any(|(number, _)| *number == 1_001), "the line at the top of the view stays");
    }
}
