//! Lines of a message, stored as they arrive.

use std::borrow::Cow;

use memchr::{memchr, memrchr};

use super::{
    LineKind, LineStore, MessagePlace, Origin,
    limits::{MAX_CHUNK_LINES, MIN_CHUNKS},
    rows::Rows,
};
use crate::{
    ansi::{AnsiReader, StyledLine, find_control, rows::moves_rows},
    chunk::{Arrived, Chunk, style_bytes},
};

/// A line without its escape sequences, ready to be stored.
pub(super) struct ReadLine<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) styled: StyledLine,
    /// Count of bytes that are cut off at its end.
    pub(super) cut_bytes: u64,
}

impl LineStore {
    /// Begins a message: the lines that are appended from now on belong to it.
    pub fn begin_message(&mut self, sequence_id: Option<u64>) {
        self.place = MessagePlace { sequence_id, line: 0 };
    }

    /// Appends a message: its lines are joined by `\n`, and a `\r` at a line's end belongs to the end. A `\n` at the message's
    /// end ends its last line.
    ///
    /// Every message stands alone: no style carries over from the one before it.
    pub fn push_message(&mut self, origin: impl Into<Origin>, text: &str, arrived_ms: f64) {
        let origin = origin.into();
        self.message_reader.reset();
        let is_file = origin.kind == LineKind::File;
        let mut rows = std::mem::take(if is_file { &mut self.file_rows } else { &mut self.message_rows });
        self.push_lines(origin, without_last_feed(text), &mut rows, arrived_ms);
        if is_file {
            rows.settle(self.next_id);
            self.file_rows = rows;
        } else {
            rows.clear();
            self.message_rows = rows;
        }
    }

    /// Appends lines, which are separated by `\n`, below the rows of the same command. Lines without control characters are stored as
    /// they are, many at a time; the others are read one by one, in order.
    pub(super) fn push_lines(&mut self, origin: Origin, text: &str, rows: &mut Rows, arrived_ms: f64) {
        let mut rest = Some(text);
        while let Some(text) = rest {
            let (plain, others) =
                if self.is_at_rest(origin.kind, rows) { split_plain(text) } else { (None, Some(text)) };
            if let Some(plain) = plain {
                rows.appended(self.next_id);
                self.store_plain(origin, plain, arrived_ms);
            }
            rest = others.and_then(|others| {
                let (line, rest) = split_line(others);
                self.push_line(origin, without_return(line), rows, arrived_ms);
                rest
            });
        }
    }

    /// Whether a line without control characters would be stored as it is.
    fn is_at_rest(&self, kind: LineKind, rows: &Rows) -> bool {
        let reader = match kind {
            LineKind::Group | LineKind::Server => &self.message_reader,
            LineKind::File => &self.file_reader,
            LineKind::Notice => return false,
        };
        rows.is_at_end() && reader.is_at_rest()
    }

    /// Appends one line, which has no line end, below the rows of the same command.
    fn push_line(&mut self, origin: Origin, raw: &str, rows: &mut Rows, arrived_ms: f64) {
        let has_rows = origin.kind != LineKind::Notice;
        if has_rows && (!rows.is_at_end() || moves_rows(raw.as_bytes())) {
            return self.push_to_rows(origin, raw, rows, arrived_ms, None);
        }
        let line = self.read(origin.kind, raw);
        rows.appended(self.next_id);
        self.store(origin, line, arrived_ms);
    }

    pub(super) fn reader_of(&mut self, kind: LineKind) -> Option<&mut AnsiReader> {
        match kind {
            LineKind::Group | LineKind::Server => Some(&mut self.message_reader),
            LineKind::File => Some(&mut self.file_reader),
            LineKind::Notice => None,
        }
    }

    /// Takes the escape sequences out of a line.
    fn read<'a>(&mut self, kind: LineKind, raw: &'a str) -> ReadLine<'a> {
        let kept = cut_at(raw, self.limits.line_bytes);
        let cut_bytes = (raw.len() - kept.len()) as u64;
        let reader = self.reader_of(kind);
        let Some(reader) = reader.filter(|reader| !reader.is_plain(kept)) else {
            return ReadLine { text: Cow::Borrowed(kept), styled: StyledLine::default(), cut_bytes };
        };
        let styled = reader.read_line(kept);
        self.bounded(styled, cut_bytes)
    }

    /// Stores a line. Drops the oldest chunk first when a limit asks for it.
    pub(super) fn store(&mut self, origin: Origin, line: ReadLine<'_>, arrived_ms: f64) {
        let (kind, ReadLine { text, styled, cut_bytes }) = (origin.kind, line);
        while self.len() >= self.limits.lines {
            self.drop_oldest();
        }
        let bytes = text.len() + style_bytes(&styled);
        let chunk_lines = self.chunk_lines();
        let open = self.chunks.back().is_some_and(|last| last.lines() < chunk_lines && last.fits(bytes));
        // A cut line has a chunk to itself: the chunk remembers how much is missing.
        if !open || cut_bytes > 0 {
            let fitting = if cut_bytes > 0 { bytes + 1 } else { (bytes + 1).max(self.chunk_bytes()) };
            self.open_chunk(fitting);
        }
        // Notices belong to no message.
        let place = if kind == LineKind::Notice { MessagePlace::default() } else { self.place };
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.push(&text, Arrived { origin, arrived_ms, place }, cut_bytes);
            if !styled.runs.is_empty() || !styled.links.is_empty() {
                chunk.style_last(styled);
            }
            self.count_stored(kind, 1, arrived_ms);
        }
    }

    /// Stores lines without control characters, which are separated by `\n`.
    fn store_plain(&mut self, origin: Origin, lines: &str, arrived_ms: f64) {
        let has_tabs = memchr(b'\t', lines.as_bytes()).is_some();
        let mut rest = Some(lines);
        while let Some(lines) = rest {
            while self.len() >= self.limits.lines {
                self.drop_oldest();
            }
            let arrived = Arrived { origin, arrived_ms, place: self.place };
            let room = self.limits.lines - self.len();
            let (chunk_lines, line_bytes) = (self.chunk_lines(), self.limits.line_bytes);
            let (count, bytes) = self.chunks.back_mut().map_or((0, 0), |last| {
                let most = room.min(chunk_lines.saturating_sub(last.lines()));
                last.push_lines(lines, (most, line_bytes), has_tabs, arrived)
            });
            rest = if count > 0 {
                self.count_stored(origin.kind, count, arrived_ms);
                lines.get(bytes..)
            } else {
                // It needs another chunk, or is cut.
                let (line, rest) = split_line(lines);
                let line = self.read(origin.kind, line);
                self.store(origin, line, arrived_ms);
                rest
            };
        }
    }

    /// Counts lines that were stored in the last chunk.
    fn count_stored(&mut self, kind: LineKind, lines: u32, arrived_ms: f64) {
        let widest = self.chunks.back().map_or(0, Chunk::widest_columns);
        self.widest_columns = self.widest_columns.max(widest);
        if kind == LineKind::Notice {
            self.notice_ids.push_back(self.next_id);
        }
        self.next_id += u64::from(lines);
        if kind == LineKind::Notice {
            return;
        }
        if kind.is_published() {
            self.timeline.count(lines, arrived_ms);
        }
        if self.place.sequence_id.is_none() {
            self.newest_unique = self.next_id.checked_sub(1);
        }
        self.received += u64::from(lines);
        self.place.line = self.place.line.saturating_add(lines);
    }

    fn chunk_lines(&self) -> usize {
        (self.limits.lines / MIN_CHUNKS).clamp(1, MAX_CHUNK_LINES)
    }

    /// Appends an empty chunk, from spare memory if there is any, within the limit if possible.
    fn open_chunk(&mut self, capacity: usize) {
        if let Some(full) = self.chunks.back_mut() {
            full.seal();
        }
        let usual = capacity == self.chunk_bytes();
        loop {
            if usual && let Some(spare) = self.spare.pop() {
                self.chunks.push_back(spare.reuse(self.next_id));
                return;
            }
            if self.reserved_bytes + capacity <= self.limits.bytes {
                break;
            }
            if !self.free_some() {
                break;
            }
        }
        self.reserved_bytes += capacity;
        self.chunks.push_back(Chunk::new(self.next_id, capacity));
    }
}

/// Returns a message without the line end that ends its last line.
pub(super) fn without_last_feed(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// Returns a line without the `\r` of its line end.
pub(super) fn without_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

/// Splits the first line off.
fn split_line(lines: &str) -> (&str, Option<&str>) {
    let end = memchr(b'\n', lines.as_bytes()).unwrap_or(lines.len());
    (lines.get(..end).unwrap_or_default(), lines.get(end + 1..))
}

/// Splits lines into those before the first one with a control character, and the others.
fn split_plain(lines: &str) -> (Option<&str>, Option<&str>) {
    let Some(control) = find_control(lines) else { return (Some(lines), None) };
    match lines.as_bytes().get(..control).and_then(|before| memrchr(b'\n', before)) {
        Some(feed) => (lines.get(..feed), lines.get(feed + 1..)),
        None => (None, Some(lines)),
    }
}

/// The longest beginning of `text` with at most `limit` bytes.
pub(super) fn cut_at(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::line_store::StoreLimits;

    fn any_text() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            5 => "[a-z ]{0,30}",
            1 => "[a-zé日\t]{0,30}",
            1 => "[a-z]{0,9}(\r|\u{8}|\u{1b}\\[(31m|m|A|2K)|\u{1b})[a-z]{0,9}",
            1 => "[a-z]{100,200}\r?",
        ];
        vec(line, 1..12).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn many_lines_at_a_time_are_stored_as_line_by_line(
            messages in vec((any_text(), prop::option::of(0..3_u64), any::<bool>()), 1..30),
            lines in 1..60_usize, bytes in 1_usize << 10..1 << 14, line_bytes in 1..150_usize,
        ) {
            let limits = StoreLimits { lines, bytes, line_bytes };
            let (mut together, mut apart) = (LineStore::new(limits), LineStore::new(limits));
            let mut next_id = 0;
            for (text, step, is_file) in &messages {
                let origin = Origin::from(if *is_file { LineKind::File } else { LineKind::Group });
                let sequence_id = step.map(|step| { next_id += step; next_id });
                together.begin_message(sequence_id);
                together.push_message(origin, text, 5.0);
                apart.begin_message(sequence_id);
                apart.message_reader.reset();
                let mut rows = if *is_file { std::mem::take(&mut apart.file_rows) } else { Rows::default() };
                for line in without_last_feed(text).split('\n') {
                    apart.push_line(origin, without_return(line), &mut rows, 5.0);
                }
                if *is_file {
                    rows.settle(apart.next_id);
                    apart.file_rows = rows;
                }
                let lines = |store: &LineStore| format!("{:?}", store.lines_from(0).collect::<Vec<_>>());
                prop_assert_eq!(lines(&together), lines(&apart));
                prop_assert_eq!(together.counts(), apart.counts());
                prop_assert_eq!(together.widest_columns(), apart.widest_columns());
                prop_assert_eq!(together.reserved_bytes(), apart.reserved_bytes());
                prop_assert_eq!((together.timeline(), together.newest_unique), (apart.timeline(), apart.newest_unique));
                for line in apart.lines_from(0) {
                    let at = |store: &LineStore| store.lines_at(line.place).map(|line| line.id).collect::<Vec<_>>();
                    prop_assert_eq!(at(&together), at(&apart));
                }
            }
        }
    }
}
