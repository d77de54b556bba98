//! Parser of client messages: decodes frames, joins fragments (RFC 6455, section 5.4).

use bytes::{Buf, BytesMut};
use webpubsub_protocol::close::Close;

use super::frame::{ClientFrameHeader, Opcode, parse_client_header, unmask};

/// Maximum payload of a client's message, in bytes, over all fragments (limit of the cloud service).
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// Message or control frame of a client. [`MessageReader::payload`] returns its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceivedMessage {
    /// Text message, not yet validated as UTF-8.
    Text,
    /// Binary message.
    Binary,
    /// Ping, to be answered with a pong of the same payload.
    Ping,
    /// Pong.
    Pong,
    /// Close frame.
    Close {
        /// Close code, if there is one.
        code: Option<u16>,
        /// Close reason, often empty.
        reason: String,
    },
}

/// Maximum payload of a message of a client that may not publish, in bytes: its requests are short. Events, which every
/// client may send, have [`MAX_MESSAGE_BYTES`] if an event handler receives them.
pub const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// Incremental parser of client messages. Payloads are read in place; only fragments are copied.
#[derive(Debug)]
pub struct MessageReader {
    /// Maximum payload of a message, in bytes.
    limit: usize,
    buffer: BytesMut,
    /// Length of the frame at the start of the buffer that was returned last.
    consumed: usize,
    /// Offset of its payload in the buffer; `None` if the payload is in `message`.
    payload_start: Option<usize>,
    /// Opcode and payload so far of a fragmented message.
    fragments: Option<(Opcode, BytesMut)>,
    /// Payload of the last fragmented message.
    message: BytesMut,
    /// Number of whole frames in the buffer after the returned one; `None` until counted.
    whole_frames: Option<usize>,
}

impl Default for MessageReader {
    fn default() -> Self {
        Self {
            limit: MAX_MESSAGE_BYTES,
            buffer: BytesMut::new(),
            consumed: 0,
            payload_start: None,
            fragments: None,
            message: BytesMut::new(),
            whole_frames: None,
        }
    }
}

impl MessageReader {
    /// Sets the maximum payload of a message, in bytes; at most [`MAX_MESSAGE_BYTES`].
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(MAX_MESSAGE_BYTES);
    }

    /// Returns whether a message has begun, and is incomplete.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.fragments.is_some() || self.buffer.len() > self.consumed
    }

    /// Returns the memory of the buffers, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let fragments = self.fragments.as_ref().map_or(0, |(_, parts)| parts.capacity());
        self.buffer.capacity() + fragments + self.message.capacity()
    }

    /// Returns the buffer to append received bytes to, with space for at least `bytes`. Invalidates the last payload.
    pub fn reserve(&mut self, bytes: usize) -> &mut BytesMut {
        self.release();
        self.whole_frames = None;
        if self.buffer.is_empty() && self.buffer.capacity() > bytes {
            // Frees the memory of a large message, and that of an idle client.
            self.buffer = BytesMut::with_capacity(bytes);
        } else {
            self.buffer.reserve(bytes);
        }
        &mut self.buffer
    }

    /// Returns the payload of the last message.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match self.payload_start {
            Some(start) => self.buffer.get(start..self.consumed).unwrap_or_default(),
            None => &self.message,
        }
    }

    /// Returns the number of whole frames in the buffer behind the last message.
    #[must_use]
    pub fn frames_behind(&self) -> usize {
        self.whole_frames.unwrap_or_default()
    }

    /// Returns the next message; `None` if its bytes are incomplete. Invalidates the last payload.
    ///
    /// # Errors
    /// The close frame to send, if the bytes violate RFC 6455 or the message exceeds the limit.
    pub fn next_message(&mut self) -> Result<Option<ReceivedMessage>, Close> {
        loop {
            self.release();
            let Some(header) = parse_client_header(&self.buffer).map_err(|_| Close::INVALID_FRAME)? else {
                return Ok(None);
            };
            let collected = match &self.fragments {
                Some((_, parts)) if !header.opcode.is_control() => parts.len(),
                _ => 0,
            };
            let payload_len = usize::try_from(header.payload_len).map_err(|_| Close::TOO_LARGE)?;
            if payload_len > self.limit.saturating_sub(collected) {
                return Err(Close::TOO_LARGE);
            }
            let frame_len = header.header_len + payload_len;
            let Some(payload) = self.buffer.get_mut(header.header_len..frame_len) else { return Ok(None) };
            unmask(payload, header.mask);
            self.consumed = frame_len;
            let whole_frames = self.whole_frames.unwrap_or_else(|| count_frames(&self.buffer));
            self.whole_frames = Some(whole_frames.saturating_sub(1));
            self.payload_start = Some(header.header_len);
            if let Some(received) = self.accept_frame(&header)? {
                return Ok(Some(received));
            }
        }
    }

    /// Removes the last frame from the buffer.
    fn release(&mut self) {
        self.buffer.advance(std::mem::take(&mut self.consumed));
        if self.payload_start.take().is_none() {
            self.message = BytesMut::new();
        }
    }

    fn accept_frame(&mut self, header: &ClientFrameHeader) -> Result<Option<ReceivedMessage>, Close> {
        match (header.opcode, self.fragments.take()) {
            (Opcode::Ping, fragments) => {
                self.fragments = fragments;
                Ok(Some(ReceivedMessage::Ping))
            }
            (Opcode::Pong, fragments) => {
                self.fragments = fragments;
                Ok(Some(ReceivedMessage::Pong))
            }
            (Opcode::Close, _) => read_close(self.payload()).map(Some),
            (Opcode::Continuation, Some((kind, mut parts))) => {
                parts.extend_from_slice(self.payload());
                if !header.is_final {
                    self.fragments = Some((kind, parts));
                    return Ok(None);
                }
                self.message = parts;
                self.payload_start = None;
                Ok(Some(data_message(kind)))
            }
            (kind @ (Opcode::Text | Opcode::Binary), None) => {
                if header.is_final {
                    return Ok(Some(data_message(kind)));
                }
                self.fragments = Some((kind, self.payload().into()));
                Ok(None)
            }
            // A continuation without a first part, or a new message inside another.
            _ => Err(Close::INVALID_FRAME),
        }
    }
}

/// Counts the whole, valid frames at the start of `bytes`.
fn count_frames(mut bytes: &[u8]) -> usize {
    let mut frames = 0;
    while let Ok(Some(header)) = parse_client_header(bytes)
        && let Ok(payload_len) = usize::try_from(header.payload_len)
        && let Some(rest) = bytes.get(header.header_len.saturating_add(payload_len)..)
    {
        frames += 1;
        bytes = rest;
    }
    frames
}

fn data_message(kind: Opcode) -> ReceivedMessage {
    if kind == Opcode::Text { ReceivedMessage::Text } else { ReceivedMessage::Binary }
}

/// Parses the payload of a close frame (RFC 6455, sections 5.5.1 and 7.4).
fn read_close(payload: &[u8]) -> Result<ReceivedMessage, Close> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        let is_bare = payload.is_empty();
        return is_bare
            .then(|| ReceivedMessage::Close { code: None, reason: String::new() })
            .ok_or(Close::INVALID_FRAME);
    };
    let code = u16::from_be_bytes(*code);
    let is_allowed = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    match std::str::from_utf8(reason) {
        Ok(reason) if is_allowed => {
            Ok(ReceivedMessage::Close { code: Some(code), reason: reason.to_owned() })
        }
        _ => Err(Close::INVALID_FRAME),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Encodes a frame of a client.
    fn masked(first_byte: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut frame = vec![first_byte];
        match payload.len() {
            len @ 0..126 => frame.push(0x80 | u8::try_from(len).unwrap()),
            len @ 126..65536 => {
                frame.push(0xFE);
                frame.extend(u16::try_from(len).unwrap().to_be_bytes());
            }
            len => {
                frame.push(0xFF);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend(mask);
        let mut payload = payload.to_vec();
        unmask(&mut payload, mask);
        frame.extend(payload);
        frame
    }

    fn read_all(bytes: &[u8]) -> Result<Vec<(ReceivedMessage, Vec<u8>)>, Close> {
        let mut reader = MessageReader::default();
        reader.reserve(0).extend_from_slice(bytes);
        let mut messages_read = Vec::new();
        while let Some(received) = reader.next_message()? {
            messages_read.push((received, reader.payload().to_vec()));
        }
        Ok(messages_read)
    }

    #[test]
    fn fragments_are_joined_and_pings_between_them_are_returned() {
        let bytes =
            [masked(0x01, b"Hel"), masked(0x89, b"?"), masked(0x80, b"lo"), masked(0x82, b"whole")].concat();
        let expected = [
            (ReceivedMessage::Ping, b"?".to_vec()),
            (ReceivedMessage::Text, b"Hello".to_vec()),
            (ReceivedMessage::Binary, b"whole".to_vec()),
        ];
        assert_eq!(read_all(&bytes).unwrap(), expected);
    }

    #[test]
    fn whole_frames_behind_a_message_are_counted() {
        let bytes = [masked(0x82, b"one"), masked(0x82, &[2; 300]), masked(0x89, b"?"), masked(0x82, b"cut")]
            .concat();
        let mut reader = MessageReader::default();
        reader.reserve(0).extend_from_slice(bytes.get(..bytes.len() - 1).unwrap());
        for behind in [2, 1, 0] {
            assert!(reader.next_message().unwrap().is_some());
            assert_eq!(reader.frames_behind(), behind);
        }
        assert!(reader.next_message().unwrap().is_none());
        reader.reserve(0).extend_from_slice(bytes.last_chunk::<1>().unwrap());
        assert_eq!(
            (reader.next_message().unwrap(), reader.frames_behind()),
            (Some(ReceivedMessage::Binary), 0)
        );
    }

    #[test]
    fn messages_beyond_the_size_limit_are_rejected() {
        let whole = masked(0x82, &vec![7; MAX_MESSAGE_BYTES]);
        assert!(
            matches!(&read_all(&whole).unwrap()[..], [(ReceivedMessage::Binary, bytes)] if bytes.len() == MAX_MESSAGE_BYTES)
        );
        assert_eq!(read_all(&masked(0x82, &vec![7; MAX_MESSAGE_BYTES + 1])), Err(Close::TOO_LARGE));
        let in_parts = [masked(0x02, &vec![7; MAX_MESSAGE_BYTES]), masked(0x80, b"1")].concat();
        assert_eq!(read_all(&in_parts), Err(Close::TOO_LARGE));
    }

    #[test]
    fn an_excessive_length_is_rejected_before_memory_is_allocated() {
        let header = [0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
        assert_eq!(read_all(&header), Err(Close::TOO_LARGE));
    }

    #[test]
    fn stray_continuations_and_interrupted_messages_are_rejected() {
        assert_eq!(read_all(&masked(0x80, b"x")), Err(Close::INVALID_FRAME));
        assert_eq!(read_all(&[masked(0x01, b"x"), masked(0x81, b"y")].concat()), Err(Close::INVALID_FRAME));
    }

    #[test]
    fn reserved_close_codes_are_rejected() {
        assert_eq!(
            read_all(&masked(0x88, b"")).unwrap(),
            [(ReceivedMessage::Close { code: None, reason: String::new() }, Vec::new())]
        );
        assert_eq!(
            read_all(&masked(0x88, &1000_u16.to_be_bytes())).unwrap(),
            [(
                ReceivedMessage::Close { code: Some(1000), reason: String::new() },
                1000_u16.to_be_bytes().to_vec()
            )]
        );
        for code in [0_u16, 999, 1004, 1005, 1006, 1015, 2999, 5000] {
            assert_eq!(read_all(&masked(0x88, &code.to_be_bytes())), Err(Close::INVALID_FRAME), "{code}");
        }
    }

    proptest! {
        #[test]
        fn messages_do_not_depend_on_the_boundaries_of_reads(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..8),
            cuts in prop::collection::vec(1..64_usize, 1..50),
        ) {
            let bytes: Vec<u8> = messages.iter().flat_map(|payload| masked(0x82, payload)).collect();
            let mut reader = MessageReader::default();
            let mut messages_read = Vec::new();
            let (mut rest, mut cuts) = (&bytes[..], cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (now, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                reader.reserve(now.len()).extend_from_slice(now);
                while let Some(received) = reader.next_message().unwrap() {
                    messages_read.push((received, reader.payload().to_vec()));
                }
                rest = later;
            }
            let expected: Vec<_> = messages.into_iter().map(|payload| (ReceivedMessage::Binary, payload)).collect();
            prop_assert_eq!(messages_read, expected);
        }

        #[test]
        fn arbitrary_bytes_do_not_make_the_reader_panic(bytes in any::<Vec<u8>>()) {
            drop(read_all(&bytes));
        }
    }
}
