//! Queued frames of one socket, in write order: short frames side by side in buffers, long ones by reference. A
//! thousand short frames are a few buffers, written with one system call.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::frame::{COPIED_BYTES, EncodedFrame, FrameParts};

/// Maximum size of a buffer of short frames, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// Overhead of a piece with a time to live, in bytes: it cannot share a buffer.
const ENTRY_BYTES: usize = 64;

/// Frames that are queued, or being written.
#[derive(Debug, Default)]
pub struct Backlog {
    pieces: VecDeque<Piece>,
    /// Short frames after all `pieces`.
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
    /// Returns whether there are no frames.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.open.is_empty()
    }

    /// Returns the size of the frames, in bytes, overhead included.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.cost
    }

    /// Returns the bytes to write, in slices of whole frames or parts of frames. The header of a frame is never split.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        let open = (!self.open.is_empty()).then_some(&self.open[..]);
        self.pieces.iter().map(|piece| &piece.bytes[..]).chain(open)
    }

    /// Copies all bytes into one vector. For tests and inspection; writing uses [`Backlog::slices`].
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
        // A frame that expires cannot share a buffer with others.
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

    /// Drops frames that have expired by `now`.
    pub(super) fn drop_expired(&mut self, now: impl FnOnce() -> Instant) {
        if !self.may_expire {
            return;
        }
        let (now, mut expired_bytes) = (now(), 0);
        self.pieces.retain(|piece| {
            let is_kept = piece.expires_at.is_none_or(|expires_at| expires_at > now);
            expired_bytes += if is_kept { 0 } else { piece.bytes.len() + ENTRY_BYTES };
            is_kept
        });
        self.cost -= expired_bytes;
    }
}
