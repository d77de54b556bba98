//! Interpretation of lines after they were stored: levels, which the page counts by kind and over time.
//!
//! Storing a line costs a fraction of its interpretation, so that a flood is stored first and interpreted when nobody waits for it.
//! The result is the same in any slices: lines that are dropped, and lines whose content is replaced, are interpreted before.

use std::collections::VecDeque;

use super::LineStore;
use crate::{chunk::Chunk, level::Level, timeline::Timeline};

impl LineStore {
    /// Interprets the oldest lines that were not interpreted, about `budget` bytes of text. Returns whether some remain.
    pub fn interpret_some(&mut self, budget: usize) -> bool {
        interpret(&mut self.chunks, budget, &mut self.timeline)
    }

    /// Whether all lines held were interpreted.
    #[must_use]
    pub fn is_interpreted(&self) -> bool {
        self.chunks.iter().all(Chunk::is_interpreted)
    }

    /// Returns the id of the oldest line that was not interpreted; [`Self::next_id`] if there is none.
    #[must_use]
    pub fn interpreted_id(&self) -> u64 {
        let first = self.chunks.iter().find(|chunk| !chunk.is_interpreted());
        first.map_or(self.next_id, Chunk::interpreted_id)
    }

    /// Returns the count of the lines held that have this level, of those that were interpreted.
    #[must_use]
    pub fn level_count(&self, level: Level) -> u64 {
        self.chunks.iter().map(|chunk| chunk.level_count(level)).sum()
    }

    /// Interprets lines that are not held any more: the timeline counts them.
    pub(super) fn interpret_dropped(&mut self, dropped: &mut Chunk) {
        if dropped.is_in_timeline() {
            dropped.interpret(usize::MAX, &mut self.timeline);
        }
    }
}

/// Interprets the first lines of `chunks` that were not interpreted. Returns whether some remain.
pub(super) fn interpret(chunks: &mut VecDeque<Chunk>, mut budget: usize, timeline: &mut Timeline) -> bool {
    for chunk in chunks.iter_mut().filter(|chunk| !chunk.is_interpreted()) {
        budget = budget.saturating_sub(chunk.interpret(budget, timeline));
        if !chunk.is_interpreted() {
            return true;
        }
    }
    false
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::line_store::{ClearedLines, LineKind, MAX_BYTES, MAX_LINE_BYTES, Origin, StoreLimits};

    /// Something that happens to a store.
    #[derive(Debug, Clone)]
    enum Event {
        Message(LineKind, String),
        /// From a publisher that overwrites its lines, perhaps without an end.
        Marked(String, bool),
        Clear,
        Restore,
        Prepend(String),
        MakeRoom(String),
    }

    fn any_text() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            "(ERROR|WARN |INFO|x){1,3}",
            "\\{\"level\":\"(debug|error)\"\\}",
            "[a-z\t\r\u{1b}日]{0,6}",
            "\u{1b}\\[(31m|A|2A)WARN",
        ];
        vec(line, 1..6).prop_map(|lines| lines.join("\n"))
    }

    fn any_event() -> impl Strategy<Value = Event> {
        let kind =
            prop::sample::select(vec![LineKind::Group, LineKind::Server, LineKind::File, LineKind::Notice]);
        prop_oneof![
            6 => (kind, any_text()).prop_map(|(kind, text)| Event::Message(kind, text)),
            4 => (any_text(), any::<bool>()).prop_map(|(text, is_unfinished)| Event::Marked(text, is_unfinished)),
            1 => Just(Event::Clear),
            1 => Just(Event::Restore),
            1 => any_text().prop_map(Event::Prepend),
            1 => any_text().prop_map(Event::MakeRoom),
        ]
    }

    struct Log {
        store: LineStore,
        cleared: Option<ClearedLines>,
        time: f64,
    }

    impl Log {
        fn new(lines: usize) -> Self {
            let limits = StoreLimits { lines, bytes: MAX_BYTES, line_bytes: MAX_LINE_BYTES };
            Self { store: LineStore::starting_at(limits, 1 << 40), cleared: None, time: 0.0 }
        }

        fn handle(&mut self, event: &Event) {
            self.time += 700.0;
            match event {
                Event::Message(kind, text) => self.store.push_message(*kind, text, self.time),
                Event::Marked(text, is_unfinished) => {
                    let origin = Origin { kind: LineKind::Group, source: 1 };
                    self.store.push_marked(origin, "a", text, *is_unfinished, self.time);
                }
                Event::Clear => {
                    self.restore();
                    self.cleared = Some(self.store.clear());
                }
                Event::Restore => self.restore(),
                Event::Prepend(text) => {
                    let mut earlier = self.store.for_earlier_lines();
                    earlier.push_message(LineKind::Group, text, 0.0);
                    self.prepend(earlier);
                }
                Event::MakeRoom(text) => {
                    let mut earlier = self.store.for_lines_in_place_of_newest();
                    earlier.push_message(LineKind::Group, text, 0.0);
                    self.store.make_room(&earlier, |_| {});
                    self.prepend(earlier);
                }
            }
        }

        fn prepend(&mut self, earlier: LineStore) {
            if self.store.fits(&earlier) && self.cleared.is_none() {
                self.store.prepend(earlier);
            }
        }

        fn restore(&mut self) {
            if let Some(cleared) = self.cleared.take() {
                self.store.restore(cleared);
            }
        }

        fn interpret(&mut self, budget: usize) {
            self.store.interpret_some(budget);
            if let Some(cleared) = &mut self.cleared {
                self.store.interpret_cleared(cleared, budget);
            }
        }

        fn levels(&self) -> Vec<(u64, &str, Option<Level>)> {
            self.store.lines_from(0).map(|line| (line.id, line.text, line.level())).collect()
        }

        fn counts(&self) -> [u64; Level::ALL.len()] {
            Level::ALL.map(|level| self.store.level_count(level))
        }
    }

    proptest! {
        #[test]
        fn lines_are_interpreted_alike_in_any_slices_whatever_happens_between(
            events in vec((any_event(), prop::option::of(0..60_usize)), 1..40), max_lines in 1..80_usize,
        ) {
            let (mut at_once, mut in_slices) = (Log::new(max_lines), Log::new(max_lines));
            for (event, budget) in &events {
                at_once.handle(event);
                at_once.interpret(usize::MAX);
                in_slices.handle(event);
                budget.iter().for_each(|budget| in_slices.interpret(*budget));
                prop_assert!(at_once.store.is_interpreted());
                prop_assert_eq!(at_once.levels(), in_slices.levels());
                let bars = |log: &Log| log.store.timeline().bars().iter().map(|bar| bar.iter().sum()).collect::<Vec<u32>>();
                prop_assert_eq!(bars(&at_once), bars(&in_slices), "lines are counted as they arrive");
                if in_slices.store.is_interpreted() {
                    prop_assert_eq!(at_once.counts(), in_slices.counts());
                }
            }
            in_slices.interpret(usize::MAX);
            prop_assert_eq!(at_once.counts(), in_slices.counts());
            prop_assert_eq!(at_once.store.timeline(), in_slices.store.timeline());
            let levels = at_once.levels();
            prop_assert_eq!(at_once.counts(), Level::ALL.map(|level| {
                levels.iter().filter(|(.., of_line)| *of_line == Some(level)).count() as u64
            }));
        }
    }

    #[test]
    fn a_slice_ends_with_its_budget_and_the_next_one_goes_on() {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, &["ERROR 789"; 100].join("\n"), 0.0);
        assert!(!store.is_interpreted() && store.level_count(Level::Error) == 0);
        assert!(store.interpret_some(95));
        assert_eq!((store.level_count(Level::Error), store.interpreted_id()), (10, 10));
        assert!(!store.interpret_some(usize::MAX));
        assert_eq!((store.level_count(Level::Error), store.interpreted_id()), (100, 100));
        assert_eq!(store.timeline().bars(), [[100, 0, 0, 0, 0, 0]]);
    }
}
