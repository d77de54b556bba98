//! Frames on their way into outboxes.

use bytes::Bytes;

/// Frames up to this long are copied into each outbox, side by side; longer ones are shared by all. Below it a reference
/// count, an entry in a queue, and a slice of its own in the vectored write cost more than the copy.
pub const COPIED_BYTES: usize = 1024;

/// A whole WebSocket frame, encoded once for any number of clients.
#[derive(Debug, Clone)]
pub enum EncodedFrame {
    /// Copied into each outbox.
    Short {
        /// The frame, and perhaps room before it that was not needed.
        buffer: Vec<u8>,
        /// Where it begins.
        start: usize,
    },
    /// Shared by all outboxes.
    Long(Bytes),
}

impl EncodedFrame {
    /// The frame that begins at `start` in `buffer`.
    #[must_use]
    pub fn starting_at(start: usize, buffer: Vec<u8>) -> Self {
        if buffer.len().saturating_sub(start) <= COPIED_BYTES {
            Self::Short { buffer, start }
        } else {
            Self::Long(Bytes::from(buffer).slice(start..))
        }
    }

    /// The memory that it is in; `None` when outboxes may share it.
    #[must_use]
    pub fn into_buffer(self) -> Option<Vec<u8>> {
        match self {
            Self::Short { buffer, .. } => Some(buffer),
            Self::Long(_) => None,
        }
    }

    /// Its bytes, header and all.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Self::Short { buffer, start } => buffer.get(*start..).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for EncodedFrame {
    fn from(buffer: Vec<u8>) -> Self {
        Self::starting_at(0, buffer)
    }
}

/// A frame that differs from client to client at its ends only.
#[derive(Debug, Clone, Copy)]
pub struct FrameParts<'a> {
    /// Header, and whatever else comes first.
    pub head: &'a [u8],
    /// What all clients get alike.
    pub body: &'a Bytes,
    /// The rest.
    pub tail: &'a [u8],
}

impl FrameParts<'_> {
    /// Length of the whole frame, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.head.len() + self.body.len() + self.tail.len()
    }

    /// Never: a frame has a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
