//! What waits for one client, in the order in which it is to be written: short frames side by side in buffers, long ones
//! by reference. So a thousand short frames are a few buffers, and one system call writes them.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::frame::{COPIED_BYTES, EncodedFrame, FrameParts};

/// How long a buffer of short frames grows before another is begun.
const BUFFER_BYTES: usize = 64 * 1024;
/// What a piece with a time to live counts for beside its bytes: it cannot share a buffer.
const ENTRY_BYTES: usize = 64;

/// Frames that wait, or are being written.
#[derive(Debug, Default)]
pub struct Backlog {
    pieces: VecDeque<Piece>,
    /// Short frames behind all `pieces`.
    open: Vec<u8>,
    cost: usize,
    may_expire: bool,
}

#[derive(Debug)]
struct Piece {
    bytes: Bytes,
    expires_at: Option<Instant>,
}

impl Backlog {
    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.open.is_empty()
    }

    /// What it counts for, in bytes.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// The bytes to write, in stretches of whole frames or of their parts. A frame's header is never cut.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let open = (!self.open.is_empty()).then_some(&self.open[..]);
        self.pieces.iter().map(|piece| &piece.bytes[..]).chain(open)
    }

    /// The same bytes in one piece: for looking at them, not for writing.
    #[must_use]
    pub fn concat(&self) -> Vec<u8> {
        self.slices().collect::<Vec<_>>().concat()
    }

    pub(super) fn push(&mut self, frame: &EncodedFrame, expires_at: Option<Instant>) {
        match frame {
            EncodedFrame::Short { .. } => self.copy(&[frame.as_slice()], expires_at),
            EncodedFrame::Long(bytes) => self.share(bytes.clone(), expires_at),
        }
    }

    pub(super) fn push_parts(&mut self, parts: FrameParts<'_>, expires_at: Option<Instant>) {
        if parts.len() <= COPIED_BYTES {
            return self.copy(&[parts.head, parts.body, parts.tail], expires_at);
        }
        self.copy(&[parts.head], expires_at);
        self.share(parts.body.clone(), expires_at);
        self.copy(&[parts.tail], expires_at);
    }

    fn copy(&mut self, parts: &[&[u8]], expires_at: Option<Instant>) {
        // What expires apart must be apart.
        if expires_at.is_some() {
            return self.share(parts.concat().into(), expires_at);
        }
        let len: usize = parts.iter().map(|part| part.len()).sum();
        if self.open.len() + len > BUFFER_BYTES {
            self.close_buffer();
        }
        for part in parts {
            self.open.extend_from_slice(part);
        }
        self.cost += len;
    }

    fn share(&mut self, bytes: Bytes, expires_at: Option<Instant>) {
        self.close_buffer();
        self.cost += bytes.len();
        if expires_at.is_some() {
            self.may_expire = true;
            self.cost += ENTRY_BYTES;
        }
        self.pieces.push_back(Piece { bytes, expires_at });
    }

    fn close_buffer(&mut self) {
        if !self.open.is_empty() {
            let bytes = std::mem::take(&mut self.open).into();
            self.pieces.push_back(Piece { bytes, expires_at: None });
        }
    }

    /// Drops what has expired by `now`.
    pub(super) fn drop_expired(&mut self, now: impl FnOnce() -> Instant) {
        if !self.may_expire {
            return;
        }
        let (now, mut gone) = (now(), 0);
        self.pieces.retain(|piece| {
            let is_kept = piece.expires_at.is_none_or(|expires_at| expires_at > now);
            gone += if is_kept { 0 } else { piece.bytes.len() + ENTRY_BYTES };
            is_kept
        });
        self.cost -= gone;
    }
}
