//! The lines received, bounded in number and in memory.
//!
//! Text is stored in chunks of [`CHUNK_BYTES`], with 4 bytes beside each line and 48 for lines that arrived together. At a limit, the
//! oldest chunk is dropped, its lines are counted, and its memory is reused: WebAssembly memory never shrinks, so it must stop
//! growing.
//!
//! | module | concept |
//! | --- | --- |
//! | `limits` | limits |
//! | `line` | a line as readers get it |
//! | `storing` | lines of a message, stored as they arrive |
//! | `interpreting` | levels, found after lines were stored |
//! | `redrawing`, `rows` | lines that are overwritten |
//! | `dropping` | the oldest lines, dropped at a limit |
//! | `newest` | the newest lines, dropped in favour of earlier ones |
//! | `earlier` | lines put before the others |
//! | `cleared` | lines that can be restored |
//! | `numbers` | numbers that users see |

use std::collections::VecDeque;

use super::{ansi::AnsiReader, chunk::Chunk, timeline::Timeline, words::Words};

mod cleared;
mod dropping;
mod earlier;
mod interpreting;
mod limits;
mod line;
mod newest;
mod numbers;
mod redrawing;
mod rows;
mod storing;

pub(crate) use self::limits::MAX_CHUNK_LINES;
pub use self::{
    cleared::ClearedLines,
    limits::{CHUNK_BYTES, MAX_BYTES, MAX_LINE_BYTES, MAX_LINES, StoreLimits},
    line::{Line, LineCounts, LineKind, MessagePlace, Origin},
    redrawing::{MAX_REDRAWS, MAX_WRITERS},
    rows::MAX_UNDO_BYTES,
};
use self::{
    limits::MIN_CHUNKS,
    redrawing::{Redraws, Writer},
    rows::Rows,
};

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

    /// The line with this id, if it is held.
    #[must_use]
    pub fn line(&self, id: u64) -> Option<Line<'_>> {
        let after = self.chunks.partition_point(|chunk| chunk.first_id() <= id);
        self.chunks.get(after.checked_sub(1)?)?.line(id)
    }

    /// The lines from `id` on, or from the oldest one held if that is later.
    pub fn lines_from(&self, id: u64) -> impl Iterator<Item = Line<'_>> {
        let after = self.chunks.partition_point(|chunk| chunk.first_id() <= id);
        self.chunks.iter().skip(after.saturating_sub(1)).flat_map(move |chunk| chunk.lines_from(id))
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
