//! Records of the lines held: which lines belong together, and the level of each record.
//!
//! Lines are interpreted and grouped in slices when nobody waits for a flood, or when a filter needs it: nothing is done when a line
//! arrives.

use std::collections::VecDeque;

pub use tailcast_lines::records::{MAX_RECORD_LINES, RecordGrouper, RecordPlace};

use super::{
    level::Level,
    line_store::{Line, LineKind, LineStore},
};

/// Bytes of text that one slice groups: a few milliseconds.
const SLICE_BYTES: usize = 1 << 20;
/// Bytes that a line counts beside its text: many lines are empty.
const LINE_BYTES: usize = 64;
/// Bytes of text that one slice interprets: a few milliseconds, too.
pub const INTERPRETED_SLICE_BYTES: usize = 256 << 10;
/// Maximum count of sources whose lines are grouped apart.
const MAX_GROUPERS: usize = 256;
/// Maximum count of lines of other sources between two lines of a record.
const MAX_LINES_BETWEEN: u64 = 1_000;

/// Place of a line in its record.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Distance from the first line of the record.
    back: u16,
    level: Option<Level>,
}

/// Records of the lines held. See the [module](self).
#[derive(Debug, Default)]
pub struct Records {
    first_id: u64,
    entries: VecDeque<Entry>,
    groupers: Vec<SourceGrouper>,
}

/// Grouper of the lines of one source.
#[derive(Debug)]
struct SourceGrouper {
    kind: LineKind,
    source: u16,
    grouper: RecordGrouper,
    /// First line of the newest record, and its level.
    first_id: u64,
    level: Option<Level>,
    last_id: u64,
}

impl Records {
    /// Groups all lines again: some were inserted.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Interprets a slice of the lines, groups a slice of those that are not grouped yet, and forgets those that the store has dropped.
    /// Returns whether some of the slice continue a record.
    pub fn advance(&mut self, store: &mut LineStore) -> bool {
        store.interpret_some(INTERPRETED_SLICE_BYTES);
        self.forget_before(store.first_id());
        if self.next_id() > store.next_id() {
            // Newest lines were dropped, and ids are given again.
            self.restart();
            self.first_id = store.first_id();
        }
        let (mut bytes, mut has_continuation) = (0, false);
        let end = store.interpreted_id();
        for line in store.lines_from(self.next_id()).take_while(|line| line.id < end) {
            let entry = self.group(&line);
            has_continuation |= entry.back > 0;
            self.entries.push_back(entry);
            bytes += line.text.len() + LINE_BYTES;
            if bytes >= SLICE_BYTES {
                break;
            }
        }
        has_continuation
    }

    fn forget_before(&mut self, first_id: u64) {
        if self.entries.is_empty() {
            self.first_id = first_id;
        }
        while self.first_id < first_id && self.entries.pop_front().is_some() {
            self.first_id += 1;
        }
        self.first_id = self.first_id.max(first_id);
    }

    fn group(&mut self, line: &Line<'_>) -> Entry {
        let level = line.level();
        let alone = Entry { back: 0, level };
        if line.kind == LineKind::Notice {
            return alone;
        }
        let is_same = |of: &SourceGrouper| (of.kind, of.source) == (line.kind, line.source);
        let at = self.groupers.iter().position(is_same).unwrap_or_else(|| {
            if self.groupers.len() < MAX_GROUPERS {
                self.groupers.push(SourceGrouper::new(line));
            }
            self.groupers.len() - 1
        });
        let Some(of) = self.groupers.get_mut(at).filter(|of| is_same(of)) else { return alone };
        if line.id - of.last_id > MAX_LINES_BETWEEN {
            of.grouper = RecordGrouper::default();
        }
        of.last_id = line.id;
        match (of.grouper.place(line.text, level), u16::try_from(line.id - of.first_id)) {
            (RecordPlace::Continuation, Ok(back)) => Entry { back, level: of.level },
            (RecordPlace::Continuation, Err(_)) => alone,
            (RecordPlace::First(level), _) => {
                (of.first_id, of.level) = (line.id, level);
                Entry { back: 0, level }
            }
        }
    }

    /// Returns the id of the first line that is not grouped.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.first_id + self.entries.len() as u64
    }

    fn entry(&self, id: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(id.checked_sub(self.first_id)?).ok()?)
    }

    /// Returns the first line of a line's record: the line itself if it is not grouped yet.
    #[must_use]
    pub fn first_of(&self, id: u64) -> u64 {
        self.entry(id).map_or(id, |entry| id - u64::from(entry.back))
    }

    /// Whether a line continues a record.
    #[must_use]
    pub fn is_continuation(&self, id: u64) -> bool {
        self.first_of(id) < id
    }

    /// Returns the level of a line's record.
    #[must_use]
    pub fn level_of(&self, line: &Line<'_>) -> Option<Level> {
        match self.entry(line.id) {
            Some(entry) if entry.back > 0 => entry.level,
            // The line may have been replaced since.
            Some(entry) => line.level().or(entry.level),
            None => line.level(),
        }
    }

    /// Returns the other lines of the record that begins with a line, as far as they follow it without lines of other records between.
    #[must_use]
    pub fn rest_of(&self, first: u64) -> std::ops::Range<u64> {
        let is_of_record = |id: &u64| self.is_continuation(*id) && self.first_of(*id) == first;
        let count = (first + 1..self.next_id()).take_while(is_of_record).count();
        first + 1..first + 1 + count as u64
    }
}

impl SourceGrouper {
    fn new(line: &Line<'_>) -> Self {
        Self {
            kind: line.kind,
            source: line.source,
            grouper: RecordGrouper::default(),
            first_id: line.id,
            level: None,
            last_id: line.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::line_store::{Origin, StoreLimits};

    fn store_of(lines: &[(u16, &str)]) -> LineStore {
        let mut store = LineStore::new(StoreLimits { lines: 160, ..StoreLimits::default() });
        for (source, line) in lines {
            store.push_message(Origin { kind: LineKind::Group, source: *source }, line, 0.0);
        }
        store
    }

    #[test]
    fn lines_of_other_sources_do_not_end_a_record() {
        let mut store =
            store_of(&[(0, "ERROR a"), (1, "b"), (0, "  at c"), (1, " d"), (0, "  at e"), (0, "f")]);
        let mut records = Records::default();
        assert!(records.advance(&mut store));
        let firsts: Vec<u64> = (0..6).map(|id| records.first_of(id)).collect();
        assert_eq!(firsts, [0, 1, 0, 1, 0, 5]);
        assert_eq!(records.level_of(&store.line(4).unwrap()), Some(Level::Error));
        assert_eq!((records.rest_of(0), records.rest_of(1)), (1..1, 2..2), "others are between");
        assert_eq!(records.next_id(), 6);
    }

    #[test]
    fn dropped_lines_are_forgotten_and_later_ones_are_grouped() {
        let mut store = store_of(&[(0, "ERROR a"), (0, "\tat b")]);
        let mut records = Records::default();
        records.advance(&mut store);
        assert_eq!(records.rest_of(0), 1..2);
        for number in 0..400 {
            store.push_message(LineKind::Group, &format!("WARN {number}\n more"), 0.0);
        }
        records.advance(&mut store);
        assert_eq!(records.next_id(), store.next_id());
        let last = store.next_id() - 1;
        assert_eq!((records.first_of(last), records.first_of(0)), (last - 1, 0));
        assert!(records.entries.len() <= 160);
    }
}
