//! Limits of a store.

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
pub(super) const MIN_CHUNKS: usize = 16;

/// Limits of a [`LineStore`](super::LineStore).
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
