//! Messages that wait until what came before them has been loaded.

use std::collections::VecDeque;

use webpubsub_protocol::payload::Payload;

/// Size of the messages of a group that are held, in bytes. Beyond it, they are dropped, and loaded from the history.
pub const MAX_HELD_BYTES: usize = 4 * 1024 * 1024;
/// Overhead of a message, in bytes. Bounds the number of empty messages.
const ENTRY_BYTES: usize = 64;

/// Message that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldMessage<T> {
    /// Sequence id, if it has one.
    pub sequence_id: Option<u64>,
    /// Payload.
    pub payload: Payload<'static>,
    /// Time of its arrival.
    pub arrived: T,
}

impl<T> HeldMessage<T> {
    fn bytes(&self) -> usize {
        self.payload.len() + ENTRY_BYTES
    }
}

/// Messages that wait, in order of arrival.
#[derive(Debug)]
pub(crate) struct HeldMessages<T> {
    messages: VecDeque<HeldMessage<T>>,
    bytes: usize,
    has_overflowed: bool,
}

impl<T> Default for HeldMessages<T> {
    fn default() -> Self {
        Self { messages: VecDeque::new(), bytes: 0, has_overflowed: false }
    }
}

impl<T> HeldMessages<T> {
    pub(super) fn push(&mut self, message: HeldMessage<T>) {
        if self.has_overflowed {
            return;
        }
        self.bytes += message.bytes();
        self.messages.push_back(message);
        if self.bytes > MAX_HELD_BYTES {
            *self = Self { has_overflowed: true, ..Self::default() };
        }
    }

    /// Returns whether messages were dropped.
    pub(super) fn has_overflowed(&self) -> bool {
        self.has_overflowed
    }

    /// Takes the messages behind a sequence id, and those without one.
    pub(super) fn take_behind(&mut self, shown: u64) -> Vec<HeldMessage<T>> {
        let is_new = |message: &HeldMessage<T>| message.sequence_id.is_none_or(|id| id > shown);
        self.bytes = 0;
        self.messages.drain(..).filter(is_new).collect()
    }
}
