//! The lines received, bounded in number and in memory.
//!
//! Text is stored in chunks of [`CHUNK_BYTES`], with 4 bytes beside each line and 48 for lines that arrived together. At a limit, the
//! oldest chunk is dropped, its lines are counted, and its memory is reused: WebAssembly memory never shrinks, so it must stop
//! growing.

use std::{borrow::Cow, collections::VecDeque};

use memchr::memchr_iter;

use super::{
    ansi::{AnsiReader, Link, StyledLine, rows::moves_rows},
    chunk::{Chunk, style_bytes},
    json::is_json_object,
    level::{Level, level_of},
    prefix::split_prefix,
    styles::LineStyles,
    text_columns::columns,
    timeline::Timeline,
    words::Words,
};

mod cleared;
mod earlier;
mod newest;
mod redrawing;
mod rows;

pub use self::{
    cleared::ClearedLines,
    redrawing::{MAX_REDRAWS, MAX_WRITERS},
    rows::MAX_UNDO_BYTES,
};
use self::{
    redrawing::{Redraws, Writer},
    rows::Rows,
};

/// Default limit of lines. At 20 px a row, they are far below the height at which browsers cut an element off.
pub const MAX_LINES: usize = 200_000;
/// Default limit of memory for text, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
/// Default limit of a line, in bytes; the rest is counted.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Bytes of text in a chunk. A longer line gets a chunk of its own.
pub const CHUNK_BYTES: usize = 64 << 10;
/// Lines in a chunk: bounds what is dropped at once when lines are short.
pub(crate) const MAX_CHUNK_LINES: usize = 4_096;
/// Fewest chunks into which a limit is divided, so that small limits do not drop everything at once.
const MIN_CHUNKS: usize = 16;

/// Limits of a [`LineStore`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// Lines; at least 1.
    pub lines: usize,
    /// Bytes of memory for text; at least 1 KiB. Beside each line come 4 bytes that are not counted, and 48 for
    /// those that arrived together.
    pub bytes: usize,
    /// Bytes of one line; at most a sixteenth of `bytes` is used.
    pub line_bytes: usize,
}

impl Default for StoreLimits {
    fn default() -> Self {
        Self { lines: MAX_LINES, bytes: MAX_BYTES, line_bytes: MAX_LINE_BYTES }
    }
}

/// Author of a line. A flag beside the text: no text can forge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Published to the group.
    Group,
    /// Sent by an application server, not through the group.
    Server,
    /// Read from a file that the user opened.
    File,
    /// The page itself: a gap, a reconnect.
    Notice,
}

impl LineKind {
    /// Returns the name of the kind in the page's markup.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Server => "server",
            Self::File => "file",
            Self::Notice => "notice",
        }
    }
}

/// Author and source of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Author.
    pub kind: LineKind,
    /// The number of its source, from 0.
    pub source: u16,
}

impl From<LineKind> for Origin {
    /// Of the first source.
    fn from(kind: LineKind) -> Self {
        Self { kind, source: 0 }
    }
}

/// Place of a line in the messages of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessagePlace {
    /// Sequence id of the message; `None` for lines without one.
    pub sequence_id: Option<u64>,
    /// Number of the line in the message, from 0.
    pub line: u32,
}

/// One line, borrowed from its store.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a> {
    /// Position in everything ever appended, from 0. Used again only after [`LineStore::make_room`].
    pub id: u64,
    /// The text without its line end and without escape sequences.
    pub text: &'a str,
    /// Its styles.
    pub styles: LineStyles<'a>,
    /// Its links.
    pub links: &'a [Link],
    /// Log level, by its own words.
    pub level: Option<Level>,
    /// Author.
    pub kind: LineKind,
    /// The number of its source, from 0.
    pub source: u16,
    /// When it arrived, in milliseconds since 1970.
    pub arrived_ms: f64,
    /// Its place in the messages of its source.
    pub place: MessagePlace,
    /// Count of bytes that were cut off at its end.
    pub cut_bytes: u64,
}

impl Line<'_> {
    /// Width in columns of a monospaced font, estimated for other than ASCII.
    #[must_use]
    pub fn columns(&self) -> u32 {
        columns(self.text)
    }

    /// Whether it is a JSON object, alone or behind a usual prefix.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json_object().is_some()
    }
}

impl<'a> Line<'a> {
    /// Returns the JSON object that it consists of, without the prefix that tools put before it.
    #[must_use]
    pub fn json_object(&self) -> Option<&'a str> {
        let may_be_json = self.kind != LineKind::Notice && self.cut_bytes == 0;
        let object = split_prefix(self.text).content;
        (may_be_json && is_json_object(object)).then_some(object)
    }
}

/// How many lines there are and were, notices left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// Ever received.
    pub received: u64,
    /// Still held.
    pub held: u64,
    /// Dropped to stay within the limits: `received - held`.
    pub dropped: u64,
}

/// A bounded list of lines. See the [module](self).
pub struct LineStore {
    limits: StoreLimits,
    chunks: VecDeque<Chunk>,
    /// Empty chunks of the usual size, for reuse: WebAssembly returns no memory.
    spare: Vec<Chunk>,
    /// Sum of the capacity of `chunks` and `spare`.
    reserved_bytes: usize,
    next_id: u64,
    /// Id and number of the first line that was appended.
    numbered_from: (u64, u64),
    /// Lowest id that a line ever had.
    lowest_id: u64,
    /// Lines ever received, notices left out.
    received: u64,
    /// Place of the next line that is appended.
    place: MessagePlace,
    /// Ids of the notices held, ascending.
    notice_ids: VecDeque<u64>,
    /// Notices that were dropped, less those among earlier lines.
    dropped_notices: i64,
    /// Id of the newest line that cannot be received again.
    newest_unique: Option<u64>,
    widest_columns: u32,
    /// Counts of lines over time, without those of files and notices.
    timeline: Timeline,
    /// Carries style from line to line of a message.
    message_reader: AnsiReader,
    /// Carries style from line to line of a file.
    file_reader: AnsiReader,
    /// Rows of the message that is being appended.
    message_rows: Rows,
    /// Rows of the file that is being appended.
    file_rows: Rows,
    /// Publishers that name themselves, whose rows and unfinished lines may be overwritten; the one that wrote last is last.
    writers: VecDeque<Writer>,
    redraws: Redraws,
}

/// A line without its escape sequences, ready to be stored.
struct ReadLine<'a> {
    text: Cow<'a, str>,
    styled: StyledLine,
    /// Count of bytes that are cut off at its end.
    cut_bytes: u64,
}

impl LineStore {
    /// An empty store.
    #[must_use]
    pub fn new(limits: StoreLimits) -> Self {
        Self::starting_at(limits, 0)
    }

    /// An empty store whose first line has this id: as many earlier ones can be added before it.
    #[must_use]
    pub fn starting_at(limits: StoreLimits, first_id: u64) -> Self {
        let bytes = limits.bytes.max(1 << 10);
        let limits = StoreLimits {
            lines: limits.lines.max(1),
            bytes,
            // One byte less: the line end.
            line_bytes: limits.line_bytes.clamp(1, bytes / MIN_CHUNKS - 1),
        };
        Self {
            limits,
            chunks: VecDeque::new(),
            spare: Vec::new(),
            reserved_bytes: 0,
            next_id: first_id,
            numbered_from: (first_id, 1),
            lowest_id: first_id,
            received: 0,
            place: MessagePlace::default(),
            notice_ids: VecDeque::new(),
            dropped_notices: 0,
            newest_unique: None,
            widest_columns: 0,
            timeline: Timeline::default(),
            message_reader: AnsiReader::default(),
            file_reader: AnsiReader::default(),
            message_rows: Rows::default(),
            file_rows: Rows::default(),
            writers: VecDeque::new(),
            redraws: Redraws::default(),
        }
    }

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
    fn push_line(&mut self, origin: Origin, raw: &str, rows: &mut Rows, arrived_ms: f64) {
        let has_rows = origin.kind != LineKind::Notice;
        if has_rows && (!rows.is_at_end() || moves_rows(raw.as_bytes())) {
            return self.push_to_rows(origin, raw, rows, arrived_ms, None);
        }
        let line = self.read(origin.kind, raw);
        rows.appended(self.next_id);
        self.store(origin, line, arrived_ms);
    }

    fn reader_of(&mut self, kind: LineKind) -> Option<&mut AnsiReader> {
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
    fn store(&mut self, origin: Origin, line: ReadLine<'_>, arrived_ms: f64) {
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

    /// Drops the oldest chunk; `false` if there is none.
    fn drop_oldest(&mut self) -> bool {
        let Some(oldest) = self.chunks.pop_front() else { return false };
        // There are far fewer than 2^63.
        self.dropped_notices += oldest.notices().cast_signed();
        for _ in 0..oldest.notices() {
            self.notice_ids.pop_front();
        }
        if oldest.widest_columns() == self.widest_columns {
            self.widest_columns = self.chunks.iter().map(Chunk::widest_columns).max().unwrap_or(0);
        }
        self.keep_spare(oldest);
        true
    }

    /// Retains the memory of a chunk that was dropped, if it has the usual size.
    fn keep_spare(&mut self, dropped: Chunk) {
        self.reserved_bytes -= dropped.redrawn_bytes();
        if dropped.capacity() == self.chunk_bytes() {
            self.spare.push(dropped);
        } else {
            self.reserved_bytes -= dropped.capacity();
        }
    }

    /// Frees a spare chunk, or else drops the oldest one. Returns whether there was one.
    fn free_some(&mut self) -> bool {
        match self.spare.pop() {
            Some(spare) => {
                self.reserved_bytes -= spare.capacity();
                true
            }
            None => self.drop_oldest(),
        }
    }

    fn chunk_bytes(&self) -> usize {
        (self.limits.bytes / MIN_CHUNKS).min(CHUNK_BYTES)
    }

    /// The line with this id, if it is held.
    #[must_use]
    pub fn line(&self, id: u64) -> Option<Line<'_>> {
        let after = self.chunks.partition_point(|chunk| chunk.first_id() <= id);
        self.chunks.get(after.checked_sub(1)?)?.line(id)
    }

    /// The lines from `id` on, or from the oldest one held if that is later.
    pub fn lines_from(&self, id: u64) -> impl Iterator<Item = Line<'_>> {
        let after = self.chunks.partition_point(|chunk| chunk.first_id() <= id);
        self.chunks
            .iter()
            .skip(after.saturating_sub(1))
            .flat_map(Chunk::lines_of)
            .skip_while(move |line| line.id < id)
    }

    /// Passes the lines from `id` on that contain `words` to `found`, chunk by chunk until `is_enough` returns true for the count of
    /// bytes searched so far. Returns the id of the first line that was not searched.
    pub fn lines_with<'a>(
        &'a self,
        id: u64,
        words: &Words,
        mut found: impl FnMut(Line<'a>),
        mut is_enough: impl FnMut(usize) -> bool,
    ) -> u64 {
        let (mut next, mut bytes) = (id, 0);
        let after = self.chunks.partition_point(|chunk| chunk.first_id() <= id);
        for chunk in self.chunks.iter().skip(after.saturating_sub(1)) {
            if is_enough(bytes) {
                break;
            }
            chunk.lines_with(next, words, &mut found);
            bytes += chunk.text_bytes();
            next = next.max(chunk.next_id());
        }
        next
    }

    /// How many of the lines held have this level.
    #[must_use]
    pub fn level_count(&self, level: Level) -> u64 {
        self.chunks.iter().map(|chunk| chunk.level_count(level)).sum()
    }

    /// Id of the oldest line held; [`Self::next_id`] if there is none.
    #[must_use]
    pub fn first_id(&self) -> u64 {
        self.chunks.front().map_or(self.next_id, Chunk::first_id)
    }

    /// Id that the next line will get.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Lines held, notices included.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.next_id - self.first_id()).unwrap_or(usize::MAX)
    }

    /// Whether no line is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of a line that users see: lines count up from the first one that was appended, and earlier ones
    /// down from it; a notice has the number of the line behind it. At least 1.
    #[must_use]
    pub fn number_of(&self, id: u64) -> u64 {
        let (base, first_number) = self.numbered_from;
        let notices = self.notice_ids.partition_point(|notice| *notice < id) as u64;
        let lines = id.cast_signed() - base.cast_signed() - notices.cast_signed() - self.dropped_notices;
        lines.saturating_add(first_number.cast_signed()).max(1).cast_unsigned()
    }

    /// Sets the number of the first line. Does nothing once there is a line.
    pub fn start_numbers_at(&mut self, number: u64) {
        if self.received == 0 {
            self.numbered_from.1 = number.max(1);
        }
    }

    /// The id of the line with this number. `None` for lines to come, and for those before the first one that was ever held.
    #[must_use]
    pub fn id_of_number(&self, number: u64) -> Option<u64> {
        let (mut from, mut to) = (self.lowest_id, self.next_id);
        if number < self.number_of(from) {
            return None;
        }
        while from < to {
            let middle = from + (to - from) / 2;
            if self.number_of(middle + 1) > number {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        (from < self.next_id).then_some(from)
    }

    /// Returns the counts of lines.
    #[must_use]
    pub fn counts(&self) -> LineCounts {
        let held = (self.len() - self.notice_ids.len()) as u64;
        LineCounts { received: self.received, held, dropped: self.received.saturating_sub(held) }
    }

    /// Returns the counts of lines over time, dropped ones included.
    #[must_use]
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Columns of the widest line held.
    #[must_use]
    pub fn widest_columns(&self) -> u32 {
        self.widest_columns
    }

    /// Bytes of memory taken for text.
    #[must_use]
    pub fn reserved_bytes(&self) -> usize {
        self.reserved_bytes
    }
}

/// Returns the lines of a message without their line ends.
fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let mut start = 0;
    memchr_iter(b'\n', text.as_bytes()).chain([text.len()]).map(move |end| {
        let line = text.get(start..end).unwrap_or_default();
        start = end + 1;
        line.strip_suffix('\r').unwrap_or(line)
    })
}

/// The longest beginning of `text` with at most `limit` bytes.
fn cut_at(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
