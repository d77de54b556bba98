//! Clearing a store, and restoring what was cleared.

use std::collections::VecDeque;

use super::{Chunk, LineStore, interpreting::interpret};

/// Lines taken out of a store by [`LineStore::clear`]. They retain their ids, and their memory until this is dropped.
pub struct ClearedLines {
    chunks: VecDeque<Chunk>,
    notice_ids: VecDeque<u64>,
    /// Id after the last of them.
    next_id: u64,
}

impl LineStore {
    /// Interprets lines that were cleared, as [`Self::interpret_some`] does: the timeline still counts them. Returns whether some
    /// remain.
    pub fn interpret_cleared(&mut self, cleared: &mut ClearedLines, budget: usize) -> bool {
        interpret(&mut cleared.chunks, budget, &mut self.timeline)
    }
}

impl LineStore {
    /// Takes every line out of the store. They count as dropped until [`Self::restore`] puts them back.
    pub fn clear(&mut self) -> ClearedLines {
        let mut chunks = std::mem::take(&mut self.chunks);
        if let Some(open) = chunks.back_mut() {
            open.seal();
        }
        self.reserved_bytes -=
            chunks.iter().map(|chunk| chunk.capacity() + chunk.redrawn_bytes()).sum::<usize>();
        self.dropped_notices += (self.notice_ids.len() as u64).cast_signed();
        self.widest_columns = 0;
        ClearedLines { chunks, notice_ids: std::mem::take(&mut self.notice_ids), next_id: self.next_id }
    }

    /// Puts cleared lines back before those received since. Drops the oldest ones if there is more than the limits allow.
    ///
    /// Returns whether the lines are back: they are not when a line received since was dropped already, because lines would be
    /// missing in the middle.
    pub fn restore(&mut self, mut cleared: ClearedLines) -> bool {
        if cleared.next_id != self.first_id() {
            self.interpret_cleared(&mut cleared, usize::MAX);
            return false;
        }
        self.reserved_bytes +=
            cleared.chunks.iter().map(|chunk| chunk.capacity() + chunk.redrawn_bytes()).sum::<usize>();
        self.dropped_notices -= (cleared.notice_ids.len() as u64).cast_signed();
        let later = std::mem::replace(&mut self.chunks, cleared.chunks);
        self.chunks.extend(later);
        let later = std::mem::replace(&mut self.notice_ids, cleared.notice_ids);
        self.notice_ids.extend(later);
        self.widest_columns = self.chunks.iter().map(Chunk::widest_columns).max().unwrap_or(0);
        while self.len() > self.limits.lines && self.drop_oldest() {}
        while self.reserved_bytes > self.limits.bytes && self.free_some() {}
        true
    }
}
