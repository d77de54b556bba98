//! Rows of a command that it can overwrite: it moves the cursor up, as nested progress bars do.

use std::{borrow::Cow, collections::VecDeque};

use super::{
    LineStore, Origin,
    storing::{ReadLine, cut_at},
};
use crate::{
    ansi::{
        StyledLine,
        line_editor::{LineEditor, MAX_EDITED_BYTES},
        rows::MAX_ROWS_UP,
    },
    chunk::style_bytes,
};

/// Bytes of rows that are stored to take back what an unfinished line did to them. Beyond, the rows stay as they are.
pub const MAX_UNDO_BYTES: usize = 256 << 10;

/// The newest lines of one command, and the row of its cursor.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// Ids, at most [`MAX_ROWS_UP`].
    ids: VecDeque<u64>,
    /// Rows at and below the cursor. Without any, the next line is a new one.
    below: usize,
    /// Row whose content does not count any more: an unfinished line was taken back.
    void: Option<u64>,
    /// First of the lines that were appended since, which follow each other.
    appended_from: Option<u64>,
}

/// Effect of an unfinished line, to take it back.
#[derive(Debug, Default)]
pub(super) struct Undo {
    below: usize,
    /// Row that was new.
    appended: Option<u64>,
    /// Rows that were changed, as they were.
    changed: Vec<(u64, StyledLine, u64)>,
}

impl Undo {
    #[cfg(test)]
    pub(super) fn rows(&self) -> usize {
        self.changed.len()
    }

    /// Frees the rows if they take too much memory.
    pub(super) fn limit(&mut self) {
        let bytes: usize = self.changed.iter().map(|(_, line, _)| line.text.len() + style_bytes(line)).sum();
        if bytes > MAX_UNDO_BYTES {
            self.changed.clear();
        }
    }
}

impl Rows {
    /// Whether the next line is a new one.
    pub(super) fn is_at_end(&self) -> bool {
        self.below == 0
    }

    /// Notes that the line `id` was appended.
    pub(super) fn appended(&mut self, id: u64) {
        self.appended_from.get_or_insert(id);
    }

    /// Lists the lines that were appended since, of which `next_id` follows the last. No other lines may have been appended
    /// meanwhile.
    pub(super) fn settle(&mut self, next_id: u64) {
        let Some(first) = self.appended_from.take() else { return };
        let oldest = next_id.saturating_sub(MAX_ROWS_UP as u64);
        self.ids.extend(first.max(oldest)..next_id);
        self.shorten();
    }

    pub(super) fn clear(&mut self) {
        *self = Self { ids: std::mem::take(&mut self.ids), ..Self::default() };
        self.ids.clear();
    }

    /// Forgets lines that are not held.
    pub(super) fn retain(&mut self, first_id: u64, next_id: u64) {
        self.ids.retain(|id| (first_id..next_id).contains(id));
        self.below = self.below.min(self.ids.len());
    }

    fn shorten(&mut self) {
        let surplus = self.ids.len().saturating_sub(MAX_ROWS_UP);
        self.ids.drain(..surplus);
        self.below = self.below.min(self.ids.len());
    }
}

impl LineStore {
    /// Writes a line below the rows of its command, or over them. `undo` gets its effect.
    pub(super) fn push_to_rows(
        &mut self,
        origin: Origin,
        raw: &str,
        rows: &mut Rows,
        arrived_ms: f64,
        mut undo: Option<&mut Undo>,
    ) {
        rows.settle(self.next_id);
        rows.retain(self.first_id(), self.next_id);
        let kept = cut_at(raw, self.limits.line_bytes);
        let cut_bytes = (raw.len() - kept.len()) as u64;
        let own = rows.ids.len() - rows.below;
        let mut reader = self.reader_of(origin.kind).cloned().unwrap_or_default();
        let reach = reader.reach_of(kept);
        let (up, down) = (reach.start().unsigned_abs() as usize, reach.end().unsigned_abs() as usize);
        let first = own.saturating_sub(up);
        let ids: Vec<u64> = rows.ids.iter().skip(first).take(own + down + 1 - first).copied().collect();
        let void = rows.void.take();
        let editor_of = |id: &u64| {
            let is_void = void == Some(*id);
            if is_void { LineEditor::default() } else { LineEditor::of(self.content_of(*id).0) }
        };
        let mut editors: Vec<LineEditor> = ids.iter().map(editor_of).collect();
        let has_new_row = own == rows.ids.len();
        if has_new_row {
            editors.push(LineEditor::with_room(kept.len()));
        }
        let mut cursor = own - first;
        reader.read_rows(kept, &mut editors, &mut cursor);
        reader.end_line();
        if let Some(own_reader) = self.reader_of(origin.kind) {
            *own_reader = reader;
        }
        if let Some(undo) = &mut undo {
            // A void row is new again.
            undo.below = rows.below - usize::from(void.is_some()).min(rows.below);
        }
        let mut editors = editors.into_iter();
        for (row, id) in (first..).zip(&ids) {
            let is_void = void == Some(*id);
            let Some(editor) = editors.next().filter(|editor| is_void || !editor.is_unchanged()) else {
                continue;
            };
            let (before, cut_before) = self.content_of(*id);
            match &mut undo {
                Some(undo) if is_void => undo.appended = void,
                Some(undo) => undo.changed.push((*id, before, cut_before)),
                None => {}
            }
            let line = self.bounded(editor.finish(), if row == own { cut_bytes } else { cut_before });
            self.redraw(*id, line);
        }
        // In a terminal, the row of the cursor is there as well, even if nothing is written to it.
        match editors.next() {
            Some(editor) => {
                let line = self.bounded(editor.finish(), cut_bytes);
                if let Some(undo) = undo {
                    undo.appended = Some(self.next_id);
                }
                rows.ids.push_back(self.next_id);
                self.store(origin, line, arrived_ms);
            }
            // The lines behind it have their place in the message.
            None => self.place.line = self.place.line.saturating_add(1),
        }
        rows.below = rows.ids.len().saturating_sub(first + cursor + 1);
        rows.shorten();
    }

    /// Takes back the effect of an unfinished line, whose row is then the next one.
    pub(super) fn undo(&mut self, undo: Undo, rows: &mut Rows) {
        rows.settle(self.next_id);
        rows.retain(self.first_id(), self.next_id);
        for (id, styled, cut_bytes) in undo.changed {
            if rows.ids.contains(&id) {
                let line = self.bounded(styled, cut_bytes);
                self.redraw(id, line);
            }
        }
        rows.below = undo.below.min(rows.ids.len());
        if let Some(id) = undo.appended.filter(|id| rows.ids.back() == Some(id)) {
            rows.void = Some(id);
            rows.below = (undo.below + 1).min(rows.ids.len());
        }
    }

    /// Returns a line as it is stored, and the count of bytes that were cut off. A line that is too long to be edited is empty: it
    /// is overwritten as a whole.
    fn content_of(&self, id: u64) -> (StyledLine, u64) {
        let Some(line) = self.line(id).filter(|line| line.text.len() <= MAX_EDITED_BYTES) else {
            return (StyledLine::default(), 0);
        };
        let runs = line.styles.runs().collect();
        (StyledLine { text: line.text.to_owned(), runs, links: line.links.to_vec() }, line.cut_bytes)
    }

    /// Bounds a line that was edited: overwriting may have made it longer.
    pub(super) fn bounded(&self, mut styled: StyledLine, cut_bytes: u64) -> ReadLine<'static> {
        let mut text = std::mem::take(&mut styled.text);
        text.truncate(cut_at(&text, self.limits.line_bytes).len());
        if style_bytes(&styled) > self.limits.line_bytes {
            // Its styles take more memory than its text may: the text is what counts.
            styled = StyledLine::default();
        }
        ReadLine { text: Cow::Owned(text), styled, cut_bytes }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::{
        level::Level,
        line_store::{LineKind, StoreLimits},
    };

    const ORIGIN: Origin = Origin { kind: LineKind::Group, source: 0 };

    fn texts(store: &LineStore) -> Vec<String> {
        store.lines_from(0).map(|line| line.text.to_owned()).collect()
    }

    fn shown(text: &str) -> Vec<String> {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, text, 0.0);
        texts(&store)
    }

    /// Output of nested bars, as tqdm writes it.
    fn nested_bars() -> String {
        let inner: String = (0..30).map(|step| format!("\n\rinner: {step}/30\u{1b}[A")).collect();
        format!("start\n\router: 0/2{inner}\router: 1/2{inner}\n\r          \u{1b}[A\router: 2/2\n")
    }

    #[test]
    fn nested_bars_are_two_rows() {
        assert_eq!(shown(&nested_bars()), ["start", "outer: 2/2", "          30"]);
    }

    #[test]
    fn layers_of_a_pull_are_overwritten_in_place() {
        let mut text = "latest: Pulling\na1: Waiting\nb2: Waiting\nc3: Waiting\n".to_owned();
        for step in ["10 %", "50 %", "done"] {
            for (up, name) in [(3, "a1"), (2, "b2"), (1, "c3")] {
                text.push_str(&format!("\u{1b}[{up}A\u{1b}[2K\r{name}: {step}\r\u{1b}[{up}B"));
            }
        }
        text.push_str("Digest: x\n");
        assert_eq!(shown(&text), ["latest: Pulling", "a1: done", "b2: done", "c3: done", "Digest: x"]);
    }

    #[test]
    fn a_list_that_is_written_again_is_overwritten() {
        let frame = |state: &str| format!("{state} one\n{state} two\n");
        let again = "\u{1b}[2K\u{1b}[1A\u{1b}[2K\u{1b}[1A\u{1b}[2K\u{1b}[G";
        let text = ["-", "\\", "✔"].map(frame).join(again);
        assert_eq!(shown(&text), ["✔ one", "✔ two", ""]);
        let cleared = ["-", "✔"].map(frame).join("\u{1b}[2A\u{1b}[J");
        assert_eq!(shown(&format!("{cleared}end")), ["✔ one", "✔ two", "end"]);
    }

    #[test]
    fn rows_of_others_and_of_other_messages_are_not_overwritten() {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, "one", 0.0);
        store.push_message(LineKind::Group, "\u{1b}[AX", 0.0);
        store.push_marked(ORIGIN, "a", "two", false, 0.0);
        store.push_marked(ORIGIN, "b", "\u{1b}[AY", false, 0.0);
        store.push_marked(Origin { source: 1, ..ORIGIN }, "a", "\u{1b}[AZ", false, 0.0);
        store.push_message(LineKind::Notice, "\u{1b}[AN", 0.0);
        store.push_marked(ORIGIN, "a", "\u{1b}[A2", false, 0.0);
        assert_eq!(texts(&store), ["one", "X", "2wo", "Y", "Z", "\u{1b}[AN", ""]);
    }

    #[test]
    fn rows_of_a_file_are_overwritten() {
        let mut store = LineStore::new(StoreLimits::default());
        for line in nested_bars().trim_end().split('\n') {
            store.push_message(LineKind::File, line, 0.0);
        }
        assert_eq!(texts(&store), ["start", "outer: 2/2", "          30"]);
    }

    #[test]
    fn an_overwritten_row_has_its_own_level_and_style() {
        let mut store = LineStore::new(StoreLimits::default());
        store.push_message(LineKind::Group, "ERROR x\n\u{1b}[A\u{1b}[32mINFO \u{1b}[mx\n\u{1b}[31mred", 0.0);
        assert_eq!((store.level_count(Level::Error), store.level_count(Level::Info)), (0, 1));
        assert!(!store.line(0).unwrap().styles.is_plain());
        assert_eq!(texts(&store), ["INFO xx", "red"]);
    }

    #[test]
    fn the_cursor_stops_at_the_highest_row() {
        let lines: Vec<String> = (0..2 * MAX_ROWS_UP).map(|number| format!("{number:03}")).collect();
        let rows = shown(&format!("{}\n\u{1b}[999AX", lines.join("\n")));
        assert_eq!(rows.len(), lines.len() + 1);
        assert_eq!(rows[MAX_ROWS_UP], "X64");
        assert_eq!(shown("\u{1b}[5Aa\n\u{1b}[5Ab"), ["b", ""]);
    }

    #[test]
    fn rows_that_are_dropped_or_too_large_do_no_harm() {
        let mut store = LineStore::new(StoreLimits { lines: 16, ..StoreLimits::default() });
        store.push_marked(ORIGIN, "a", "one\ntwo\n\u{1b}[Athree", true, 0.0);
        store.push_message(LineKind::Group, &["x"; 40].join("\n"), 0.0);
        store.push_marked(ORIGIN, "a", "\u{1b}[2A\u{1b}[Bnew", true, 0.0);
        assert_eq!(texts(&store).last().unwrap(), "new");
        let mut store = LineStore::new(StoreLimits::default());
        let long = "x".repeat(MAX_UNDO_BYTES / 4);
        store.push_marked(ORIGIN, "a", &[&*long; 8].join("\n"), false, 0.0);
        let up = "\u{1b}[8A\ry\n\ry\n\ry\n\ry\n\ry\n\ry\n\ry\n\ry";
        store.push_marked(ORIGIN, "a", &up.replace('\n', "\u{1b}[B"), true, 0.0);
        assert!(store.writers.iter().all(|writer| writer.undo_rows() == 0));
    }

    fn any_output() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            "[a-c日é\t ]{0,5}",
            Just("\n".to_owned()),
            Just("\r".to_owned()),
            "\u{1b}\\[[0-9]{0,2}[ABCDEFGIJKPXZ@bmsu]",
            "\u{1b}[78M]",
        ];
        vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_split_of_the_output_gives_the_same_rows(output in any_output(), cuts in vec(any::<prop::sample::Index>(), 0..6)) {
            let whole = {
                let mut store = LineStore::new(StoreLimits::default());
                store.push_marked(ORIGIN, "a", &output, false, 0.0);
                texts(&store)
            };
            // A publisher sends whole lines, and between them its unfinished line as far as it goes.
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(output.len() + 1)).collect();
            ends.retain(|end| output.is_char_boundary(*end));
            ends.sort_unstable();
            let (mut store, mut sent) = (LineStore::new(StoreLimits::default()), 0);
            for end in ends {
                let lines_end = output[..end].rfind('\n').map_or(0, |at| at + 1);
                if lines_end > sent {
                    store.push_marked(ORIGIN, "a", &output[sent..lines_end], false, 0.0);
                    sent = lines_end;
                }
                if end > sent {
                    store.push_marked(ORIGIN, "a", &output[sent..end], true, 0.0);
                }
            }
            if output.len() > sent || sent == 0 {
                store.push_marked(ORIGIN, "a", &output[sent..], false, 0.0);
            }
            prop_assert_eq!(texts(&store), whole);
        }
    }
}
