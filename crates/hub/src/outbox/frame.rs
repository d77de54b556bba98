//! Encoded frames, shared by the outboxes of their receivers.

use bytes::Bytes;
use webpubsub_websocket::{encode, frame::Opcode};

use super::shared::{BlockSource, SharedFrames};
use crate::memory::MemoryBudget;

/// Maximum length of a frame that is copied into the outboxes of clients that keep up, in bytes; longer ones are shared. For a short frame, a
/// reference count, a queue entry and a slice of the vectored write cost more than the copy.
pub(crate) const COPIED_BYTES: usize = 1024;

/// Whole WebSocket frame, encoded once for any number of clients.
#[derive(Debug, Clone)]
pub(crate) enum EncodedFrame {
    /// Frame to copy into each outbox.
    Short {
        /// Unused bytes up to `start`, then the frame.
        buffer: Vec<u8>,
        /// Offset of the frame in `buffer`.
        start: usize,
    },
    /// Frame shared by all outboxes.
    Long(Bytes),
}

impl EncodedFrame {
    /// Encodes a frame with a copy of `payload`.
    #[must_use]
    pub(crate) fn new(opcode: Opcode, payload: &[u8]) -> Self {
        Self::from(encode::encode(opcode, payload))
    }

    /// Encodes a frame in `buffer`, which consists of [`encode::HEADER_PLACEHOLDER`] and the payload.
    #[must_use]
    pub(crate) fn in_place(opcode: Opcode, mut buffer: Vec<u8>) -> Self {
        let start = encode::encode_in_place(opcode, &mut buffer);
        Self::starting_at(start, buffer)
    }

    /// Creates a frame of the bytes of `buffer` from `start` on.
    fn starting_at(start: usize, buffer: Vec<u8>) -> Self {
        if buffer.len().saturating_sub(start) <= COPIED_BYTES {
            Self::Short { buffer, start }
        } else {
            Self::Long(Bytes::from(buffer).slice(start..))
        }
    }

    /// Returns the bytes of the frame, header included.
    #[must_use]
    pub(crate) fn as_slice(&self) -> &[u8] {
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

/// Frame for many clients, with its place in a block of shared frames once a slow client needs it.
#[derive(Debug)]
pub(crate) struct ShareableFrame {
    encoded: EncodedFrame,
    shared: Option<SharedFrames>,
}

impl ShareableFrame {
    /// Creates a frame whose shared memory is charged to `budget`.
    pub(crate) fn new(encoded: EncodedFrame, budget: &MemoryBudget) -> Self {
        let encoded = match encoded {
            EncodedFrame::Long(bytes) => EncodedFrame::Long(budget.charged(bytes)),
            short @ EncodedFrame::Short { .. } => short,
        };
        Self { encoded, shared: None }
    }

    pub(crate) fn encoded(&self) -> &EncodedFrame {
        &self.encoded
    }

    /// Takes the buffer of the frame, for reuse; `None` if outboxes may share it.
    pub(crate) fn take_buffer(&mut self) -> Option<Vec<u8>> {
        match &mut self.encoded {
            EncodedFrame::Short { buffer, .. } => Some(std::mem::take(buffer)),
            EncodedFrame::Long(_) => None,
        }
    }

    /// Returns the frame in a block, copied there at the first call.
    pub(super) fn shared(&mut self, blocks: BlockSource<'_>) -> &SharedFrames {
        let Self { encoded, shared } = self;
        shared.get_or_insert_with(|| blocks.append(encoded.as_slice()))
    }
}

/// Frame whose beginning and end differ from client to client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameParts<'a> {
    /// Frame header, and the beginning of the payload if that differs.
    pub(crate) head: &'a [u8],
    /// Bytes that all clients share.
    pub(crate) body: &'a Bytes,
    /// End of the payload.
    pub(crate) tail: &'a [u8],
}

impl FrameParts<'_> {
    /// Returns the length of the frame, in bytes.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.body.len() + self.tail.len()
    }
}
