//! Blocks of short frames that the outboxes of slow clients share.
//!
//! A publisher appends each of its frames to a block once; an outbox keeps a range of the block. Consecutive frames of
//! one publisher are one range, so a client that has stopped reading costs next to nothing, however many frames wait
//! for it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::memory::{MemoryBudget, SharedCharge};

/// Size of a block, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// Append-only buffer.
#[derive(Debug)]
pub(crate) struct Block {
    /// Held for the copy of one frame, or of one range.
    bytes: Mutex<Vec<u8>>,
    _charge: SharedCharge,
}

/// Range of consecutive frames in a block.
#[derive(Debug, Clone)]
pub(crate) struct SharedFrames {
    block: Arc<Block>,
    start: usize,
    end: usize,
}

impl SharedFrames {
    /// Returns the length of the frames, in bytes: at most that of a block, or of one frame.
    pub(super) fn len(&self) -> usize {
        self.end - self.start
    }

    /// Appends `next` if it follows directly in the same block. Returns whether it does.
    pub(super) fn append(&mut self, next: &Self) -> bool {
        let is_next = self.end == next.start && Arc::ptr_eq(&self.block, &next.block);
        if is_next {
            self.end = next.end;
        }
        is_next
    }

    /// Returns a copy of the frames.
    pub(super) fn to_vec(&self) -> Vec<u8> {
        let bytes = self.block.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.get(self.start..self.end).unwrap_or_default().to_vec()
    }
}

/// Current block of one publisher and wire format.
#[derive(Debug, Default)]
pub(crate) struct CurrentBlock(Option<Arc<Block>>);

/// Source of blocks for one frame.
#[derive(Debug)]
pub(crate) struct BlockSource<'s> {
    /// Block to append to.
    pub(crate) current: &'s mut CurrentBlock,
    /// Budget to charge a new block to.
    pub(crate) budget: &'s MemoryBudget,
    /// Whether no further frame is expected, so that a block holds one frame only.
    pub(crate) is_single: bool,
}

impl BlockSource<'_> {
    /// Copies a frame into the current block, or into a new one.
    pub(super) fn append(self, frame: &[u8]) -> SharedFrames {
        let CurrentBlock(current) = self.current;
        // Without outboxes that need its frames, the block is used from the start.
        if let Some(unused) = current.as_mut().and_then(Arc::get_mut) {
            unused.bytes.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        }
        if let Some(appended) = current.as_ref().and_then(|block| append(block, frame)) {
            return appended;
        }
        let capacity = if self.is_single { frame.len() } else { frame.len().max(BLOCK_BYTES) };
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(frame);
        let block = Arc::new(Block { bytes: Mutex::new(bytes), _charge: self.budget.charge(capacity) });
        *current = (!self.is_single).then(|| Arc::clone(&block));
        SharedFrames { block, start: 0, end: frame.len() }
    }
}

/// Appends a frame; `None` if the block is full.
fn append(block: &Arc<Block>, frame: &[u8]) -> Option<SharedFrames> {
    let mut bytes = block.bytes.lock().unwrap_or_else(PoisonError::into_inner);
    let start = bytes.len();
    if start + frame.len() > bytes.capacity() {
        return None;
    }
    bytes.extend_from_slice(frame);
    Some(SharedFrames { block: Arc::clone(block), start, end: bytes.len() })
}
