//! Lines that are overwritten after they were stored: their publishers had not finished them, or moved the cursor up.

use std::collections::VecDeque;

use super::{
    LineStore, Origin,
    rows::{Rows, Undo},
    storing::{ReadLine, without_last_feed, without_return},
};

/// Publishers whose lines can be overwritten. With more, those of the one that has not written for the longest time stay as they
/// are.
pub const MAX_WRITERS: usize = 64;
/// Changes of lines that are remembered for [`LineStore::redrawn_since`].
pub const MAX_REDRAWS: usize = 1024;

/// Publisher that names itself.
#[derive(Debug)]
pub(super) struct Writer {
    origin: Origin,
    publisher: Box<str>,
    rows: Rows,
    /// Effect of its unfinished line.
    unfinished: Option<Undo>,
}

impl Writer {
    /// Returns the count of rows that can be taken back.
    #[cfg(test)]
    pub(super) fn undo_rows(&self) -> usize {
        self.unfinished.as_ref().map_or(0, Undo::rows)
    }

    /// Forgets lines that are not held.
    pub(super) fn forget_lines(&mut self, first_id: u64, next_id: u64) {
        self.rows.retain(first_id, next_id);
    }
}

/// The latest replacements of lines.
#[derive(Default)]
pub(super) struct Redraws {
    ids: VecDeque<u64>,
    /// Count of replacements.
    count: u64,
}

impl Redraws {
    fn add(&mut self, id: u64) {
        self.ids.push_back(id);
        self.count += 1;
        if self.ids.len() > MAX_REDRAWS {
            self.ids.pop_front();
        }
    }
}

impl LineStore {
    /// Appends lines that a publisher has marked, joined as in [`Self::push_message`]. The first one replaces the unfinished line
    /// of the same publisher and origin. With `is_unfinished`, so can later lines replace the last one.
    ///
    /// A publisher that writes several lines of one origin at once is `PUBLISHER;NAME`.
    pub fn push_marked(
        &mut self,
        origin: Origin,
        publisher: &str,
        text: &str,
        is_unfinished: bool,
        arrived_ms: f64,
    ) {
        self.message_reader.reset();
        let mut writer = self.take_writer(origin, publisher);
        if let Some(undo) = writer.unfinished.take() {
            self.undo(undo, &mut writer.rows);
        }
        let text = without_last_feed(text);
        let (finished, unfinished) = match text.rsplit_once('\n') {
            _ if !is_unfinished => (Some(text), None),
            Some((finished, last)) => (Some(finished), Some(last)),
            None => (None, Some(text)),
        };
        if let Some(lines) = finished {
            self.push_lines(origin, lines, &mut writer.rows, arrived_ms);
        }
        if let Some(line) = unfinished {
            let mut undo = Undo::default();
            let line = without_return(line);
            self.push_to_rows(origin, line, &mut writer.rows, arrived_ms, Some(&mut undo));
            undo.limit();
            writer.unfinished = Some(undo);
        }
        writer.rows.settle(self.next_id);
        if self.writers.len() >= MAX_WRITERS {
            self.writers.pop_front();
        }
        self.writers.push_back(writer);
    }

    /// Leaves the unfinished lines of a publisher as they are: it has ended.
    pub fn close_lines_of(&mut self, publisher: &str) {
        self.writers.retain(|writer| writer.publisher.split(';').next() != Some(publisher));
    }

    /// Leaves all unfinished lines as they are: messages are missing.
    pub fn close_lines(&mut self) {
        self.writers.clear();
    }

    /// Returns the count of lines that were replaced so far.
    #[must_use]
    pub fn redraws(&self) -> u64 {
        self.redraws.count
    }

    /// Returns the lines that were replaced since [`Self::redraws`] was `count`; a line can be among them more than once. `None`
    /// if there are more than are remembered.
    pub fn redrawn_since(&self, count: u64) -> Option<impl Iterator<Item = u64>> {
        let new = usize::try_from(self.redraws.count.checked_sub(count)?).ok()?;
        let skipped = self.redraws.ids.len().checked_sub(new)?;
        Some(self.redraws.ids.iter().skip(skipped).copied())
    }

    /// Removes a publisher from the list, or creates it.
    fn take_writer(&mut self, origin: Origin, publisher: &str) -> Writer {
        let is_it = |writer: &Writer| writer.origin == origin && &*writer.publisher == publisher;
        let at = self.writers.iter().position(is_it);
        at.and_then(|at| self.writers.remove(at)).unwrap_or_else(|| Writer {
            origin,
            publisher: publisher.into(),
            rows: Rows::default(),
            unfinished: None,
        })
    }

    pub(super) fn redraw(&mut self, id: u64, line: ReadLine<'_>) {
        let after = self.chunks.partition_point(|chunk| chunk.first_id() <= id);
        let Some(chunk) = after.checked_sub(1).and_then(|at| self.chunks.get_mut(at)) else { return };
        chunk.interpret_line(id, &mut self.timeline);
        let before = chunk.redrawn_bytes();
        let ReadLine { text, styled, cut_bytes } = line;
        let columns = chunk.redraw(id, text.into_owned(), styled, cut_bytes);
        self.reserved_bytes = self.reserved_bytes - before + chunk.redrawn_bytes();
        self.widest_columns = self.widest_columns.max(columns);
        self.redraws.add(id);
        while self.reserved_bytes > self.limits.bytes && self.free_some() {}
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::{
        super::{LineKind, StoreLimits},
        *,
    };
    use crate::{level::Level, words::Words};

    const ORIGIN: Origin = Origin { kind: LineKind::Group, source: 0 };

    fn texts(store: &LineStore) -> Vec<&str> {
        store.lines_from(0).map(|line| line.text).collect()
    }

    fn stored(messages: &[(&str, &str, bool)]) -> LineStore {
        let mut store = LineStore::new(StoreLimits::default());
        for (publisher, text, is_unfinished) in messages {
            store.push_marked(ORIGIN, publisher, text, *is_unfinished, 0.0);
        }
        store
    }

    #[test]
    fn an_unfinished_line_is_replaced_by_the_next_one_of_its_publisher() {
        let store = stored(&[("a", "start\n10%", true), ("a", "20%", true), ("a", "done\nnext", false)]);
        assert_eq!(texts(&store), ["start", "done", "next"]);
        assert_eq!((store.counts().received, store.redraws()), (3, 2));
        let store = stored(&[("a", "10%", true), ("a", "done", false), ("a", "another", false)]);
        assert_eq!(texts(&store), ["done", "another"], "a finished line stays");
    }

    #[test]
    fn lines_behind_a_replaced_one_have_their_place_in_the_message() {
        let mut store = LineStore::new(StoreLimits::default());
        store.begin_message(Some(1));
        store.push_marked(ORIGIN, "a", "10%", true, 0.0);
        store.begin_message(Some(2));
        store.push_marked(ORIGIN, "a", "done\nnext\nlast", false, 0.0);
        let places: Vec<_> =
            store.lines_from(0).map(|line| (line.place.sequence_id, line.place.line)).collect();
        assert_eq!(places, [(Some(1), 0), (Some(2), 1), (Some(2), 2)]);
    }

    #[test]
    fn publishers_and_sources_replace_only_their_own_lines() {
        let mut store = stored(&[("a", "a 1", true), ("b", "b 1", true), ("a", "a 2", true)]);
        store.push_marked(Origin { source: 1, ..ORIGIN }, "a", "other source", false, 0.0);
        store.push_message(LineKind::Group, "unmarked", 0.0);
        store.push_marked(ORIGIN, "b", "b 2\nb 3", false, 0.0);
        assert_eq!(texts(&store), ["a 2", "b 2", "other source", "unmarked", "b 3"]);
        store.close_lines_of("a");
        store.push_marked(ORIGIN, "a", "a 3", false, 0.0);
        assert_eq!(texts(&store).last(), Some(&"a 3"), "the publisher had ended");
    }

    #[test]
    fn a_replaced_line_has_its_own_level_style_and_width_and_is_searched() {
        let mut store = stored(&[("a", "ERROR first", true), ("a", "x", false)]);
        assert_eq!((store.level_count(Level::Error), store.line(0).unwrap().level()), (0, None));
        let link = "\u{1b}[31mWARN \u{1b}]8;;https://x/\u{7}needle, much wider\u{1b}]8;;\u{7}";
        store.push_marked(ORIGIN, "a", "10%", true, 0.0);
        store.push_marked(ORIGIN, "a", link, true, 0.0);
        let line = store.line(1).unwrap();
        assert_eq!(
            (line.text, line.level(), line.links.len()),
            ("WARN needle, much wider", Some(Level::Warning), 1)
        );
        assert!(!line.styles.is_plain() && store.line(0).unwrap().styles.is_plain());
        assert_eq!((store.widest_columns(), store.level_count(Level::Warning)), (23, 1));
        let mut found = Vec::new();
        store.lines_with(0, &Words::new("needle", true), |line| found.push(line.id), |_| false);
        store.lines_with(0, &Words::new("first", true), |line| found.push(line.id), |_| false);
        assert_eq!(found, [1]);
    }

    #[test]
    fn replaced_lines_are_reported_unless_there_were_too_many() {
        let mut store = stored(&[("a", "1", true), ("b", "2", true), ("b", "3", true), ("a", "4", true)]);
        let since = |store: &LineStore, count| store.redrawn_since(count).map(|ids| ids.collect::<Vec<_>>());
        assert_eq!(
            (since(&store, 0), since(&store, 1), since(&store, 2)),
            (Some(vec![1, 0]), Some(vec![0]), Some(vec![]))
        );
        for _ in 0..MAX_REDRAWS {
            store.push_marked(ORIGIN, "a", "x", true, 0.0);
        }
        assert_eq!((since(&store, 1), since(&store, 2).map(|ids| ids.len())), (None, Some(MAX_REDRAWS)));
    }

    #[test]
    fn a_line_that_was_dropped_or_cleared_is_appended_again() {
        let mut store = LineStore::new(StoreLimits { lines: 16, ..StoreLimits::default() });
        store.push_marked(ORIGIN, "a", "10%", true, 0.0);
        store.push_message(LineKind::Group, &["x"; 40].join("\n"), 0.0);
        store.push_marked(ORIGIN, "a", "20%", true, 0.0);
        assert_eq!(texts(&store).last(), Some(&"20%"));
        let cleared = store.clear();
        store.push_marked(ORIGIN, "a", "30%", true, 0.0);
        assert_eq!(texts(&store), ["30%"]);
        assert!(store.restore(cleared));
        assert_eq!(texts(&store)[texts(&store).len() - 2..], ["20%", "30%"]);
    }

    proptest! {
        #[test]
        fn a_line_replaced_many_times_is_the_last_one_within_the_memory(
            states in vec("[a-z]{0,200}", 1..40), bytes in 1_usize << 10..1 << 12,
        ) {
            let mut store = LineStore::new(StoreLimits { bytes, ..StoreLimits::default() });
            for (number, state) in states.iter().enumerate() {
                let is_unfinished = number + 1 < states.len();
                store.push_marked(ORIGIN, "a", state, is_unfinished, 0.0);
                prop_assert!(store.reserved_bytes() <= bytes);
                if let Some(line) = store.line(store.next_id() - 1) {
                    prop_assert!(state.starts_with(line.text));
                    prop_assert_eq!(line.cut_bytes, (state.len() - line.text.len()) as u64);
                }
            }
        }
    }
}
