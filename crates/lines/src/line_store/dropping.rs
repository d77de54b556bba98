//! Oldest lines: dropped to stay within the limits.

use super::{
    LineStore,
    limits::{CHUNK_BYTES, MIN_CHUNKS},
};
use crate::chunk::Chunk;

impl LineStore {
    /// Drops the oldest chunk; `false` if there is none.
    pub(super) fn drop_oldest(&mut self) -> bool {
        let Some(mut oldest) = self.chunks.pop_front() else { return false };
        self.interpret_dropped(&mut oldest);
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
    pub(super) fn keep_spare(&mut self, dropped: Chunk) {
        self.reserved_bytes -= dropped.redrawn_bytes();
        if dropped.capacity() == self.chunk_bytes() {
            self.spare.push(dropped);
        } else {
            self.reserved_bytes -= dropped.capacity();
        }
    }

    /// Frees a spare chunk, or else drops the oldest one. Returns whether there was one.
    pub(super) fn free_some(&mut self) -> bool {
        match self.spare.pop() {
            Some(spare) => {
                self.reserved_bytes -= spare.capacity();
                true
            }
            None => self.drop_oldest(),
        }
    }

    pub(super) fn chunk_bytes(&self) -> usize {
        (self.limits.bytes / MIN_CHUNKS).min(CHUNK_BYTES)
    }
}
