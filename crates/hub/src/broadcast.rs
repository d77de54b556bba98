//! Messages to many clients: encoded once per wire format, with shared bytes.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use webpubsub_protocol::{
    json::{append_response, encode_response, likely_len},
    message::Response,
    payload::Payload,
    protobuf::{self, DataMessage},
};
use webpubsub_websocket::{encode::HEADER_PLACEHOLDER, frame::Opcode};

use crate::{
    memory::MemoryBudget,
    outbox::{Backpressure, BlockSource, CurrentBlock, EncodedFrame, Outbox, ShareableFrame},
};

/// Message to any number of clients. Each wire format is encoded when first used.
#[derive(Debug)]
pub(crate) struct Broadcast<'a> {
    message: &'a Response<'a>,
    position: u64,
    sent_at: Instant,
    expires_at: Option<Instant>,
    has_one_receiver: bool,
    scratch: Scratch,
    simple: Option<ShareableFrame>,
    json: Option<ShareableFrame>,
    open_json: Option<Bytes>,
    protobuf: Option<ShareableFrame>,
    shared_protobuf: Option<Bytes>,
}

impl<'a> Broadcast<'a> {
    /// Creates a broadcast of `message`, sent at `now`, that never expires.
    #[must_use]
    pub(crate) fn new(message: &'a Response<'a>, now: Instant) -> Self {
        Self::with_scratch(Scratch::default(), message, now)
    }

    /// Creates a broadcast that reuses the memory of an earlier one.
    #[must_use]
    pub(crate) fn with_scratch(scratch: Scratch, message: &'a Response<'a>, now: Instant) -> Self {
        Self {
            message,
            position: 0,
            sent_at: now,
            expires_at: None,
            has_one_receiver: false,
            scratch,
            simple: None,
            json: None,
            open_json: None,
            protobuf: None,
            shared_protobuf: None,
        }
    }

    /// Sets the budget that the memory shared by outboxes is charged to, unless the memory of an earlier broadcast has
    /// one already.
    pub(crate) fn charge_to(&mut self, budget: &MemoryBudget) {
        self.scratch.budget.get_or_insert_with(|| budget.clone());
    }

    /// Sets whether there is only one receiver, with whose queue no other one shares memory.
    pub(crate) fn set_one_receiver(&mut self, has_one_receiver: bool) {
        self.has_one_receiver = has_one_receiver;
    }

    /// Sets the position of the message in its hub.
    pub(crate) fn set_position(&mut self, position: u64) {
        self.position = position;
    }

    /// Returns the position of the message in its hub.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Returns the message.
    pub(crate) fn message(&self) -> &'a Response<'a> {
        self.message
    }

    /// Returns the memory of the encoded frame, for the next broadcast. Empty if outboxes share it.
    #[must_use]
    pub(crate) fn into_scratch(mut self) -> Scratch {
        let frame = self.json.as_mut().or(self.protobuf.as_mut()).or(self.simple.as_mut());
        if let Some(memory) = frame.and_then(ShareableFrame::take_buffer) {
            self.scratch.memory = memory;
        }
        self.scratch.is_reused = true;
        self.scratch
    }

    /// Sets the time to live, in seconds; 0 means no limit.
    pub(crate) fn expire_after(&mut self, seconds: u32) {
        self.expires_at = (seconds > 0).then(|| self.sent_at + Duration::from_secs(u64::from(seconds)));
    }

    /// Returns the time at which the message was sent.
    #[must_use]
    pub(crate) fn sent_at(&self) -> Instant {
        self.sent_at
    }

    /// Returns the time after which the message is not delivered; `None` for no limit.
    #[must_use]
    pub(crate) fn expires_at(&self) -> Option<Instant> {
        self.expires_at
    }

    /// Queues the payload for a simple client.
    pub(crate) fn push_simple(&mut self, outbox: &Outbox) -> Backpressure {
        let (message, scratch) = (self.message, &mut self.scratch);
        let frame = self.simple.get_or_insert_with(|| {
            let frame = simple_frame_in(scratch.take_memory(), message);
            scratch.shareable(frame)
        });
        let blocks = (!self.has_one_receiver).then(|| scratch.blocks(|blocks| &mut blocks.simple));
        outbox.push_shareable(frame, blocks, self.expires_at)
    }

    /// Queues the message for a client of the JSON subprotocol.
    pub(crate) fn push_json(&mut self, outbox: &Outbox) -> Backpressure {
        let (message, scratch) = (self.message, &mut self.scratch);
        let frame = self.json.get_or_insert_with(|| {
            let frame = json_frame_in(scratch.take_memory(), message);
            scratch.shareable(frame)
        });
        let blocks = (!self.has_one_receiver).then(|| scratch.blocks(|blocks| &mut blocks.json));
        outbox.push_shareable(frame, blocks, self.expires_at)
    }

    /// Queues the message for a client of the protobuf subprotocol.
    pub(crate) fn push_protobuf(&mut self, outbox: &Outbox) -> Backpressure {
        let (message, scratch) = (self.message, &mut self.scratch);
        let frame = self.protobuf.get_or_insert_with(|| {
            let frame = protobuf_frame_in(scratch.take_memory(), message);
            scratch.shareable(frame)
        });
        let blocks = (!self.has_one_receiver).then(|| scratch.blocks(|blocks| &mut blocks.protobuf));
        outbox.push_shareable(frame, blocks, self.expires_at)
    }

    /// Returns the JSON object without its closing brace, to which the queue of a reliable client adds the sequence id.
    pub(crate) fn open_json(&mut self) -> &Bytes {
        let (message, scratch) = (self.message, &mut self.scratch);
        let open = || {
            let mut object = encode_response(message);
            object.pop();
            scratch.budget().charged(Bytes::from(object))
        };
        self.open_json.get_or_insert_with(open)
    }

    /// Returns the fields of the data message, to which the queue of a reliable client adds the sequence id.
    pub(crate) fn shared_protobuf(&mut self) -> &Bytes {
        let (message, scratch) = (self.message, &mut self.scratch);
        let share = || scratch.budget().charged(Bytes::from(DataMessage::new(message).shared));
        self.shared_protobuf.get_or_insert_with(share)
    }
}

/// Reusable memory for the frames of one publisher: a client that publishes a million short messages allocates once.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    memory: Vec<u8>,
    blocks: Blocks,
    budget: Option<MemoryBudget>,
    /// Whether a further broadcast is likely.
    is_reused: bool,
}

/// Blocks that slow clients share, by wire format.
#[derive(Debug, Default)]
struct Blocks {
    simple: CurrentBlock,
    json: CurrentBlock,
    protobuf: CurrentBlock,
}

impl Scratch {
    /// Takes the memory of the encoded frame, emptied.
    fn take_memory(&mut self) -> Vec<u8> {
        let mut memory = std::mem::take(&mut self.memory);
        memory.clear();
        memory
    }

    fn budget(&mut self) -> &MemoryBudget {
        self.budget.get_or_insert_default()
    }

    fn shareable(&mut self, frame: EncodedFrame) -> ShareableFrame {
        ShareableFrame::new(frame, self.budget())
    }

    fn blocks(&mut self, select: impl FnOnce(&mut Blocks) -> &mut CurrentBlock) -> BlockSource<'_> {
        let budget = self.budget.get_or_insert_default();
        BlockSource { current: select(&mut self.blocks), budget, is_single: !self.is_reused }
    }
}

/// Encodes `message` for clients of the protobuf subprotocol.
#[must_use]
pub(crate) fn protobuf_frame(message: &Response<'_>) -> EncodedFrame {
    protobuf_frame_in(Vec::new(), message)
}

fn protobuf_frame_in(mut frame: Vec<u8>, message: &Response<'_>) -> EncodedFrame {
    frame.reserve(HEADER_PLACEHOLDER.len() + likely_len(message));
    frame.extend_from_slice(HEADER_PLACEHOLDER.as_bytes());
    protobuf::append_response(&mut frame, message);
    EncodedFrame::in_place(Opcode::Binary, frame)
}

/// Encodes `message` for clients of the JSON subprotocol.
#[must_use]
pub(crate) fn json_frame(message: &Response<'_>) -> EncodedFrame {
    json_frame_in(Vec::new(), message)
}

fn json_frame_in(memory: Vec<u8>, message: &Response<'_>) -> EncodedFrame {
    // Empty, hence valid UTF-8.
    let mut frame = String::from_utf8(memory).unwrap_or_default();
    frame.reserve(HEADER_PLACEHOLDER.len() + likely_len(message));
    frame.push_str(HEADER_PLACEHOLDER);
    append_response(&mut frame, message);
    EncodedFrame::in_place(Opcode::Text, frame.into_bytes())
}

/// Encodes the payload of `message` for simple clients; empty for messages without a payload.
fn simple_frame_in(mut frame: Vec<u8>, message: &Response<'_>) -> EncodedFrame {
    let (Response::GroupMessage { payload, .. } | Response::ServerMessage { payload, .. }) = message else {
        return EncodedFrame::from(Vec::new());
    };
    let (opcode, payload) = match payload {
        Payload::Text(text) | Payload::Json(text) => (Opcode::Text, text.as_bytes()),
        Payload::Binary(bytes) | Payload::Protobuf(bytes) => (Opcode::Binary, &bytes[..]),
    };
    frame.reserve(HEADER_PLACEHOLDER.len() + payload.len());
    frame.extend_from_slice(HEADER_PLACEHOLDER.as_bytes());
    frame.extend_from_slice(payload);
    EncodedFrame::in_place(opcode, frame)
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::message::Metadata;

    use super::*;

    #[tokio::test]
    async fn slow_clients_of_a_format_share_the_same_memory() {
        let budget = MemoryBudget::default();
        let clients: Vec<_> = (0..10).map(|_| budget.client(false)).collect();
        let outboxes: Vec<Outbox> = clients.iter().map(Outbox::new).collect();
        let mut scratch = Scratch::default();
        let payload = "x".repeat(100);
        let messages = 20_000;
        let text = Payload::Text(payload.as_str().into());
        let message = Response::ServerMessage { payload: text, sequence: None, metadata: Metadata::new() };
        for _ in 0..messages {
            let mut broadcast = Broadcast::with_scratch(scratch, &message, Instant::now());
            broadcast.charge_to(&budget);
            for outbox in &outboxes {
                broadcast.push_simple(outbox);
            }
            scratch = broadcast.into_scratch();
        }
        let bytes = messages * (payload.len() + 2);
        let own = outboxes.len() * 96 * 1024;
        assert!(budget.used() < bytes + bytes / 10 + own, "{} bytes for {bytes}", budget.used());
        let frame = [b"\x81\x64", payload.as_bytes()].concat();
        for (outbox, client) in outboxes.iter().zip(&clients) {
            assert!(client.weight() >= bytes, "the shared messages do not count");
            let mut written = Vec::new();
            let mut queued = outbox.take().await;
            while let Some(batch) = queued.take_batch() {
                written.extend(batch.slices().flatten().copied());
                outbox.complete_write(&batch);
            }
            assert!(written == frame.repeat(messages), "other bytes were queued");
            assert_eq!(client.weight(), 0);
        }
        drop((outboxes, scratch));
        assert_eq!(budget.used(), 0);
    }
}
