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

use crate::{
    outbox::EncodedFrame,
    websocket::frame::{HEADER_PLACEHOLDER, Opcode, encode, encode_in_place},
};

/// Message to any number of clients. Each wire format is encoded when first used.
#[derive(Debug)]
pub struct Broadcast<'a> {
    message: Response<'a>,
    expires_at: Option<Instant>,
    /// Memory for the first frame.
    scratch: Scratch,
    simple: Option<EncodedFrame>,
    json: Option<EncodedFrame>,
    open_json: Option<Bytes>,
    protobuf: Option<EncodedFrame>,
    shared_protobuf: Option<Bytes>,
}

impl<'a> Broadcast<'a> {
    /// Creates a broadcast of `message` that never expires.
    #[must_use]
    pub fn new(message: Response<'a>) -> Self {
        Self::with_scratch(Scratch::default(), message)
    }

    /// Creates a broadcast that reuses the memory of an earlier one.
    #[must_use]
    pub fn with_scratch(scratch: Scratch, message: Response<'a>) -> Self {
        Self {
            message,
            expires_at: None,
            scratch,
            simple: None,
            json: None,
            open_json: None,
            protobuf: None,
            shared_protobuf: None,
        }
    }

    /// Returns the memory of the encoded frame, for the next broadcast. Empty if outboxes share it.
    #[must_use]
    pub fn into_scratch(self) -> Scratch {
        let frame = self.json.or(self.protobuf);
        frame.and_then(EncodedFrame::into_buffer).map_or(self.scratch, Scratch)
    }

    /// Sets the time to live, in seconds from `now`; 0 means no limit.
    pub fn expire_after(&mut self, seconds: u32, now: Instant) {
        self.expires_at = (seconds > 0).then(|| now + Duration::from_secs(u64::from(seconds)));
    }

    /// Returns the time after which the message is not delivered; `None` for no limit.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        self.expires_at
    }

    /// Returns the WebSocket frame for simple clients.
    pub fn simple(&mut self) -> &EncodedFrame {
        self.simple.get_or_insert_with(|| simple_frame(&self.message))
    }

    /// Returns the WebSocket frame for clients of the JSON subprotocol.
    pub fn json(&mut self) -> &EncodedFrame {
        let scratch = &mut self.scratch;
        self.json.get_or_insert_with(|| json_frame_in(scratch.take(), &self.message))
    }

    /// Returns the JSON object without its closing brace, to which the queue of a reliable client adds the sequence id.
    pub fn open_json(&mut self) -> &Bytes {
        let open = || {
            let mut object = encode_response(&self.message);
            object.pop();
            Bytes::from(object)
        };
        self.open_json.get_or_insert_with(open)
    }

    /// Returns the WebSocket frame for clients of the protobuf subprotocol.
    pub fn protobuf(&mut self) -> &EncodedFrame {
        let scratch = &mut self.scratch;
        self.protobuf.get_or_insert_with(|| protobuf_frame_in(scratch.take(), &self.message))
    }

    /// Returns the fields of the data message, to which the queue of a reliable client adds the sequence id.
    pub fn shared_protobuf(&mut self) -> &Bytes {
        let share = || Bytes::from(DataMessage::new(&self.message).shared);
        self.shared_protobuf.get_or_insert_with(share)
    }
}

/// Reusable memory for short frames: a client that publishes a million messages allocates once.
#[derive(Debug, Default)]
pub struct Scratch(Vec<u8>);

impl Scratch {
    /// Takes the memory, emptied.
    fn take(&mut self) -> Vec<u8> {
        let mut memory = std::mem::take(&mut self.0);
        memory.clear();
        memory
    }
}

/// Encodes `message` for clients of the protobuf subprotocol.
#[must_use]
pub fn protobuf_frame(message: &Response<'_>) -> EncodedFrame {
    protobuf_frame_in(Vec::new(), message)
}

fn protobuf_frame_in(mut frame: Vec<u8>, message: &Response<'_>) -> EncodedFrame {
    frame.reserve(HEADER_PLACEHOLDER.len() + likely_len(message));
    frame.extend_from_slice(HEADER_PLACEHOLDER.as_bytes());
    protobuf::append_response(&mut frame, message);
    encode_in_place(Opcode::Binary, frame)
}

/// Encodes `message` for clients of the JSON subprotocol.
#[must_use]
pub fn json_frame(message: &Response<'_>) -> EncodedFrame {
    json_frame_in(Vec::new(), message)
}

fn json_frame_in(memory: Vec<u8>, message: &Response<'_>) -> EncodedFrame {
    // Empty, hence valid UTF-8.
    let mut frame = String::from_utf8(memory).unwrap_or_default();
    frame.reserve(HEADER_PLACEHOLDER.len() + likely_len(message));
    frame.push_str(HEADER_PLACEHOLDER);
    append_response(&mut frame, message);
    encode_in_place(Opcode::Text, frame.into_bytes())
}

/// Encodes the payload of `message` for simple clients; empty for messages without a payload.
fn simple_frame(message: &Response<'_>) -> EncodedFrame {
    let (Response::GroupMessage { payload, .. } | Response::ServerMessage { payload, .. }) = message else {
        return EncodedFrame::from(Vec::new());
    };
    match payload {
        Payload::Text(text) | Payload::Json(text) => encode(Opcode::Text, text.as_bytes()),
        Payload::Binary(bytes) | Payload::Protobuf(bytes) => encode(Opcode::Binary, bytes),
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::message::Metadata;

    use super::*;

    #[test]
    fn all_clients_of_a_format_share_the_same_bytes() {
        let mut broadcast = Broadcast::new(Response::ServerMessage {
            payload: Payload::Text("hello".into()),
            sequence_id: None,
            metadata: Metadata::new(),
        });
        let first = broadcast.json().as_slice().as_ptr();
        assert_eq!(first, broadcast.json().as_slice().as_ptr());
        assert_eq!(broadcast.simple().as_slice(), b"\x81\x05hello");
    }
}
