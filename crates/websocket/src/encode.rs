//! Frames of the server: final and unmasked (RFC 6455, section 5.2).

use bytes::BufMut;

use crate::frame::{MAX_CONTROL_BYTES, Opcode};

/// Maximum header of a frame of the server, in bytes: without a mask.
const MAX_HEADER_BYTES: usize = 10;

/// Maximum close reason, in bytes of UTF-8: the code takes two bytes of the control frame.
pub const MAX_REASON_BYTES: usize = MAX_CONTROL_BYTES - 2;

/// Encoded header of a frame.
#[derive(Debug, Clone, Copy)]
pub struct EncodedHeader {
    bytes: [u8; MAX_HEADER_BYTES],
    len: usize,
}

impl EncodedHeader {
    /// Encodes the header of a frame with `payload_len` bytes of payload.
    #[must_use]
    pub fn new(opcode: Opcode, payload_len: usize) -> Self {
        let mut bytes = [0; MAX_HEADER_BYTES];
        let mut rest = &mut bytes[..];
        rest.put_u8(0x80 | opcode.bits());
        match (u8::try_from(payload_len), u16::try_from(payload_len)) {
            (Ok(len @ ..126), _) => rest.put_u8(len),
            (_, Ok(len)) => {
                rest.put_u8(126);
                rest.put_u16(len);
            }
            _ => {
                rest.put_u8(127);
                // A length in memory fits 64 bits.
                rest.put_u64(payload_len as u64);
            }
        }
        let len = MAX_HEADER_BYTES - rest.len();
        Self { bytes, len }
    }
}

impl std::ops::Deref for EncodedHeader {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Encodes a whole frame.
#[must_use]
pub fn encode(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let head = EncodedHeader::new(opcode, payload.len());
    [&head[..], payload].concat()
}

/// Placeholder for the header, before the payload in the buffer of [`encode_in_place`].
pub const HEADER_PLACEHOLDER: &str = "\0\0\0\0\0\0\0\0\0\0";

/// Encodes a frame in `buffer`, which consists of [`HEADER_PLACEHOLDER`] and the payload, without copying the payload.
/// Returns the offset of the frame: headers differ in length.
#[must_use]
pub fn encode_in_place(opcode: Opcode, buffer: &mut [u8]) -> usize {
    let head = EncodedHeader::new(opcode, buffer.len().saturating_sub(MAX_HEADER_BYTES));
    let start = MAX_HEADER_BYTES - head.len();
    if let Some(room) = buffer.get_mut(start..MAX_HEADER_BYTES) {
        room.copy_from_slice(&head);
    }
    start
}

/// Encodes a close frame. A reason that is too long is cut at a character boundary.
#[must_use]
pub fn encode_close(code: u16, mut reason: &str) -> Vec<u8> {
    while reason.len() > MAX_REASON_BYTES {
        let mut chars = reason.chars();
        chars.next_back();
        reason = chars.as_str();
    }
    encode(Opcode::Close, &[&code.to_be_bytes(), reason.as_bytes()].concat())
}

/// Header of a frame of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerFrameHeader {
    /// Type of the frame.
    pub opcode: Opcode,
    /// Length of this header, in bytes.
    pub header_len: usize,
    /// Length of the payload, in bytes.
    pub payload_len: usize,
}

/// Parses the header of a frame that [`encode`] or [`encode_in_place`] has encoded; `None` for other bytes.
#[must_use]
pub fn parse_server_header(bytes: &[u8]) -> Option<ServerFrameHeader> {
    let ([first, len], rest) = bytes.split_first_chunk()?;
    let opcode = Opcode::from_bits(first & 0x0F)?;
    let (len_bytes, payload_len) = match len {
        126 => (2, usize::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (8, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?),
        len => (0, usize::from(*len)),
    };
    Some(ServerFrameHeader { opcode, header_len: 2 + len_bytes, payload_len })
}

/// Returns the payloads of frames that were encoded one after the other.
pub fn payloads(frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frames;
    std::iter::from_fn(move || {
        let header = parse_server_header(rest)?;
        let (frame, after) = rest.split_at_checked(header.header_len.saturating_add(header.payload_len))?;
        rest = after;
        frame.get(header.header_len..)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_encoded() {
        // RFC 6455, section 5.7: unmasked frames.
        assert_eq!(encode(Opcode::Text, b"Hello"), [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        assert_eq!(encode(Opcode::Binary, &[0; 256])[..4], [0x82, 0x7E, 0x01, 0x00]);
        assert_eq!(encode(Opcode::Binary, &vec![0; 65536])[..10], [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn a_long_close_reason_is_cut_at_a_character_boundary() {
        let frame = encode_close(1000, &"é".repeat(100));
        assert!(frame.len() <= 2 + MAX_CONTROL_BYTES && std::str::from_utf8(&frame[4..]).is_ok());
    }

    #[test]
    fn encoding_in_place_equals_encoding_a_copy() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = "x".repeat(len);
            let mut buffer = format!("{HEADER_PLACEHOLDER}{payload}").into_bytes();
            let start = encode_in_place(Opcode::Text, &mut buffer);
            assert_eq!(buffer[start..], encode(Opcode::Text, payload.as_bytes()));
        }
        assert_eq!(HEADER_PLACEHOLDER.len(), MAX_HEADER_BYTES);
    }

    proptest! {
        #[test]
        fn encoded_frames_are_parsed_again(payloads_sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)) {
            let frames: Vec<u8> = payloads_sent.iter().flat_map(|payload| encode(Opcode::Binary, payload)).collect();
            prop_assert_eq!(payloads(&frames).collect::<Vec<_>>(), payloads_sent);
        }
    }
}
