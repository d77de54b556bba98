//! Queued frames of one socket, in write order. A thousand short frames are a few buffers, written with one system
//! call.
//!
//! The first short frames of a queue are copied side by side into its own buffer, which is the fastest for a client
//! that keeps up. Once this buffer is full, the client is behind: further frames stay in the blocks of their publishers
//! ([`shared`](super::shared)). Long frames are always shared.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    frame::{COPIED_BYTES, EncodedFrame, FrameParts, ShareableFrame},
    shared::{BlockSource, SharedFrames},
};

/// Maximum size of a buffer of short frames, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// Memory of an entry of the queue, in bytes.
const ENTRY_BYTES: usize = 64;
/// Size at which a batch ends, in bytes. Copies of shared frames are memory of this client alone, and a batch that has
/// been written is the smallest sign that a client reads.
pub(super) const BATCH_BYTES: usize = 128 * 1024;
/// Maximum number of slices in one vectored write. Linux accepts 1024, but more than this many bring no further gain.
const SLICES_PER_WRITE: usize = 256;

/// Frames that are queued, or being written.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    pieces: VecDeque<Piece>,
    /// Short frames after all `pieces`.
    open: Vec<u8>,
    cost: usize,
    /// Memory that is not shared with other outboxes, in bytes.
    own_bytes: usize,
    may_expire: bool,
    /// Length that the buffer of short frames will likely reach, in bytes, after those that were written: it need not grow step by
    /// step.
    expected_len: usize,
}

#[derive(Debug)]
struct Piece {
    content: Content,
    expires_at: Option<Instant>,
}

#[derive(Debug)]
enum Content {
    /// Frames, or parts of a frame, of this outbox alone.
    Own(Bytes),
    /// Long frame that outboxes share.
    Long(Bytes),
    /// Short frames that outboxes share.
    Shared(SharedFrames),
}

impl Content {
    fn len(&self) -> usize {
        match self {
            Self::Own(bytes) | Self::Long(bytes) => bytes.len(),
            Self::Shared(frames) => frames.len(),
        }
    }

    /// Returns the memory that is not shared, in bytes.
    fn own_bytes(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len() + ENTRY_BYTES,
            Self::Long(_) | Self::Shared(_) => ENTRY_BYTES,
        }
    }
}

impl Piece {
    /// Returns the size that counts toward the limits of an outbox: a piece with a time to live cannot share an entry.
    fn cost(&self) -> usize {
        self.content.len() + if self.expires_at.is_some() { ENTRY_BYTES } else { 0 }
    }
}

/// Frames that are written next.
#[derive(Debug, Default)]
pub(crate) struct WriteBatch {
    pieces: Vec<Bytes>,
    last: Vec<u8>,
    /// Size of the frames, in bytes, as in [`Backlog::cost`].
    pub(super) cost: usize,
    /// Memory that writing them frees, in bytes.
    pub(super) own_bytes: usize,
}

impl WriteBatch {
    /// Returns the bytes to write, in slices of whole frames or parts of frames. The header of a frame is never split.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let last = (!self.last.is_empty()).then_some(&self.last[..]);
        self.pieces.iter().map(|piece| &piece[..]).chain(last)
    }
}

impl Backlog {
    /// Takes all frames.
    pub(super) fn take(&mut self) -> Self {
        let expected_len =
            if self.pieces.is_empty() { self.open.len().max(self.expected_len / 2) } else { BUFFER_BYTES };
        std::mem::replace(self, Self { expected_len, ..Self::default() })
    }

    /// Returns whether there are no frames.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.open.is_empty()
    }

    /// Returns the size of the frames, in bytes, overhead included.
    #[must_use]
    pub(crate) fn cost(&self) -> usize {
        self.cost
    }

    /// Returns the memory that is not shared with other outboxes, in bytes.
    #[must_use]
    pub(crate) fn own_bytes(&self) -> usize {
        self.own_bytes
    }

    /// Returns whether frames of other blocks must be copied for a write.
    pub(super) fn has_shared(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece.content, Content::Shared(_)))
    }

    /// Removes the frames to write next; `None` if there are none.
    pub(crate) fn take_batch(&mut self) -> Option<WriteBatch> {
        if self.is_empty() {
            return None;
        }
        let mut batch = WriteBatch::default();
        while batch.cost < BATCH_BYTES
            && batch.pieces.len() < SLICES_PER_WRITE - 1
            && let Some(piece) = self.pieces.pop_front()
        {
            batch.cost += piece.cost();
            batch.own_bytes += piece.content.own_bytes();
            batch.pieces.push(match piece.content {
                Content::Own(bytes) | Content::Long(bytes) => bytes,
                Content::Shared(frames) => frames.to_vec().into(),
            });
        }
        if self.pieces.is_empty() {
            batch.last = std::mem::take(&mut self.open);
            batch.cost += batch.last.len();
            batch.own_bytes += batch.last.len();
        }
        self.cost -= batch.cost;
        self.own_bytes -= batch.own_bytes;
        Some(batch)
    }

    /// Joins all bytes.
    #[cfg(test)]
    pub(crate) fn concat(mut self) -> Vec<u8> {
        let batches = std::iter::from_fn(|| self.take_batch());
        batches.flat_map(|batch| batch.slices().collect::<Vec<_>>().concat()).collect()
    }

    /// Queues a frame for this client alone.
    pub(super) fn push(&mut self, frame: &EncodedFrame, expires_at: Option<Instant>) {
        match frame {
            EncodedFrame::Short { .. } => self.copy(&[frame.as_slice()], expires_at),
            EncodedFrame::Long(bytes) => self.push_piece(Content::Own(bytes.clone()), expires_at),
        }
    }

    /// Queues a frame for many clients, or, without `blocks`, for this one only.
    pub(super) fn push_shareable(
        &mut self,
        frame: &mut ShareableFrame,
        blocks: Option<BlockSource<'_>>,
        expires_at: Option<Instant>,
    ) {
        let Some(blocks) = blocks else { return self.push(frame.encoded(), expires_at) };
        let bytes = match frame.encoded() {
            EncodedFrame::Long(bytes) => {
                return self.push_piece(Content::Long(bytes.clone()), expires_at);
            }
            EncodedFrame::Short { .. } => frame.encoded().as_slice(),
        };
        if expires_at.is_none() && !self.is_behind(bytes.len()) {
            return self.copy(&[bytes], None);
        }
        let shared = frame.shared(blocks);
        let last = self.pieces.back_mut().filter(|piece| piece.expires_at.is_none() && expires_at.is_none());
        if self.open.is_empty()
            && let Some(Piece { content: Content::Shared(last), .. }) = last
            && last.append(shared)
        {
            self.cost += shared.len();
        } else {
            self.push_piece(Content::Shared(shared.clone()), expires_at);
        }
    }

    /// Returns whether the client has fallen behind so far that a frame of `len` bytes is shared, not copied.
    fn is_behind(&self, len: usize) -> bool {
        let is_sharing = self.open.is_empty()
            && matches!(self.pieces.back(), Some(Piece { content: Content::Shared(_), expires_at: None }));
        is_sharing || self.own_bytes + len > BUFFER_BYTES
    }

    pub(super) fn push_parts(&mut self, parts: FrameParts<'_>, expires_at: Option<Instant>) {
        if parts.len() <= COPIED_BYTES {
            return self.copy(&[parts.head, parts.body, parts.tail], expires_at);
        }
        self.copy(&[parts.head], expires_at);
        self.push_piece(Content::Long(parts.body.clone()), expires_at);
        self.copy(&[parts.tail], expires_at);
    }

    fn copy(&mut self, parts: &[&[u8]], expires_at: Option<Instant>) {
        // A frame that expires cannot share a buffer with others.
        if expires_at.is_some() {
            return self.push_piece(Content::Own(parts.concat().into()), expires_at);
        }
        let len: usize = parts.iter().map(|part| part.len()).sum();
        if self.open.len() + len > BUFFER_BYTES {
            self.close_buffer();
        }
        if self.open.is_empty() {
            self.open.reserve(self.expected_len.max(len));
        }
        for part in parts {
            self.open.extend_from_slice(part);
        }
        self.cost += len;
        self.own_bytes += len;
    }

    fn push_piece(&mut self, content: Content, expires_at: Option<Instant>) {
        self.close_buffer();
        let piece = Piece { content, expires_at };
        self.cost += piece.cost();
        self.own_bytes += piece.content.own_bytes();
        self.may_expire |= expires_at.is_some();
        self.pieces.push_back(piece);
    }

    fn close_buffer(&mut self) {
        if !self.open.is_empty() {
            let content = Content::Own(std::mem::take(&mut self.open).into());
            self.own_bytes += ENTRY_BYTES;
            self.pieces.push_back(Piece { content, expires_at: None });
        }
    }

    /// Drops frames that have expired by `now`.
    pub(super) fn drop_expired(&mut self, now: impl FnOnce() -> Instant) {
        if !self.may_expire {
            return;
        }
        let (now, mut expired_cost, mut expired_bytes) = (now(), 0, 0);
        self.pieces.retain(|piece| {
            let is_kept = piece.expires_at.is_none_or(|expires_at| expires_at > now);
            if !is_kept {
                expired_cost += piece.cost();
                expired_bytes += piece.content.own_bytes();
            }
            is_kept
        });
        self.cost -= expired_cost;
        self.own_bytes -= expired_bytes;
    }
}
