//! Lines of a message, stored as they arrive.

use std::borrow::Cow;

use memchr::memchr_iter;

use super::{
    LineKind, LineStore, MessagePlace, Origin,
    limits::{MAX_CHUNK_LINES, MIN_CHUNKS},
    rows::Rows,
};
use crate::{
    ansi::{AnsiReader, StyledLine, rows::moves_rows},
    chunk::{Chunk, style_bytes},
    level::level_of,
    text_columns::columns,
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
        for line in lines_of(text) {
            self.push_line(origin, line, &mut rows, arrived_ms);
        }
        if is_file {
            rows.settle(self.next_id);
            self.file_rows = rows;
        } else {
            rows.clear();
            self.message_rows = rows;
        }
    }

    /// Appends one line, which has no line end, below the rows of the same command.
    pub(super) fn push_line(&mut self, origin: Origin, raw: &str, rows: &mut Rows, arrived_ms: f64) {
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
        let chunk_lines = (self.limits.lines / MIN_CHUNKS).clamp(1, MAX_CHUNK_LINES);
        let open = self.chunks.back().is_some_and(|last| last.lines() < chunk_lines && last.fits(bytes));
        // A cut line has a chunk to itself: the chunk remembers how much is missing.
        if !open || cut_bytes > 0 {
            let fitting = if cut_bytes > 0 { bytes + 1 } else { (bytes + 1).max(self.chunk_bytes()) };
            self.open_chunk(fitting);
        }
        let columns = columns(&text);
        self.widest_columns = self.widest_columns.max(columns);
        if kind == LineKind::Notice {
            self.notice_ids.push_back(self.next_id);
        }
        if let Some(chunk) = self.chunks.back_mut() {
            let level = if kind == LineKind::Notice { None } else { level_of(&text) };
            if matches!(kind, LineKind::Group | LineKind::Server) {
                self.timeline.count(level, arrived_ms);
            }
            // Notices belong to no message.
            let place = if kind == LineKind::Notice { MessagePlace::default() } else { self.place };
            chunk.push(&text, origin, level, columns, (arrived_ms, place), cut_bytes);
            if kind != LineKind::Notice && place.sequence_id.is_none() {
                self.newest_unique = Some(self.next_id);
            }
            if kind != LineKind::Notice {
                self.received += 1;
                self.place.line = self.place.line.saturating_add(1);
            }
            if !styled.runs.is_empty() || !styled.links.is_empty() {
                chunk.style_last(styled);
            }
            self.next_id += 1;
        }
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

/// Returns the lines of a message without their line ends.
pub(super) fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut start = 0;
    memchr_iter(b'\n', text.as_bytes()).chain([text.len()]).map(move |end| {
        let line = text.get(start..end).unwrap_or_default();
        start = end + 1;
        line.strip_suffix('\r').unwrap_or(line)
    })
}

/// The longest beginning of `text` with at most `limit` bytes.
pub(super) fn cut_at(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
