//! WebSocket frames (RFC 6455, section 5.2).

use bytes::BufMut;
use webpubsub_protocol::close::{Close, MAX_REASON_BYTES};

use crate::outbox::EncodedFrame;

/// Maximum payload of a control frame, in bytes (RFC 6455, section 5.5).
pub const MAX_CONTROL_BYTES: usize = 125;

/// Type of a frame (RFC 6455, section 11.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// Further part of a fragmented message.
    Continuation,
    /// Text message, or the first part of one.
    Text,
    /// Binary message, or the first part of one.
    Binary,
    /// Close frame.
    Close,
    /// Ping, to be answered with a pong.
    Ping,
    /// Pong, the answer to a ping.
    Pong,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    /// Returns whether this is a control frame.
    #[must_use]
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Header of a client's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientFrameHeader {
    /// `true` for the last frame of a message.
    pub is_final: bool,
    /// Type of the frame.
    pub opcode: Opcode,
    /// Masking key of the payload.
    pub mask: [u8; 4],
    /// Length of the payload, in bytes.
    pub payload_len: u64,
    /// Length of this header, in bytes.
    pub header_len: usize,
}

/// Violation of RFC 6455 by a frame, with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the frame violates RFC 6455: {0}")]
pub struct InvalidFrame(pub &'static str);

/// Parses the header of a client's frame at the start of `bytes`; `None` while it is incomplete.
///
/// # Errors
/// [`InvalidFrame`] if reserved bits are set, the opcode is unknown, the frame is not masked, or a control frame is
/// fragmented or too long.
pub fn parse_client_header(bytes: &[u8]) -> Result<Option<ClientFrameHeader>, InvalidFrame> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(InvalidFrame("reserved bits are set, and no extension was negotiated"));
    }
    let opcode = Opcode::from_bits(first & 0x0F).ok_or(InvalidFrame("unknown opcode"))?;
    if second & 0x80 == 0 {
        return Err(InvalidFrame("a client's frame must be masked"));
    }
    let is_final = first & 0x80 != 0;
    let short_len = second & 0x7F;
    if opcode.is_control() && (!is_final || usize::from(short_len) > MAX_CONTROL_BYTES) {
        return Err(InvalidFrame("a control frame must not be fragmented, nor have more than 125 bytes"));
    }
    let (payload_len, rest, len_bytes) = match short_len {
        126 => {
            let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (u64::from(u16::from_be_bytes(*len)), rest, 2)
        }
        127 => {
            let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
            (u64::from_be_bytes(*len), rest, 8)
        }
        len => (u64::from(len), rest, 0),
    };
    let Some((mask, _)) = rest.split_first_chunk() else { return Ok(None) };
    Ok(Some(ClientFrameHeader {
        is_final,
        opcode,
        mask: *mask,
        payload_len,
        header_len: 2 + len_bytes + mask.len(),
    }))
}

/// Unmasks a payload in place, eight bytes at a time.
pub fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = payload.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(bytes) = <[u8; 8]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ wide).to_ne_bytes());
        }
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// Maximum header of a frame that the service sends, in bytes: without a mask.
const MAX_HEADER_BYTES: usize = 10;

/// Encodes a whole frame of the service: final and unmasked.
#[must_use]
pub fn encode(opcode: Opcode, payload: &[u8]) -> EncodedFrame {
    let head = EncodedHeader::new(opcode, payload.len());
    EncodedFrame::from([&head[..], payload].concat())
}

/// Placeholder for the header, before the payload in the buffer of [`encode_in_place`].
pub const HEADER_PLACEHOLDER: &str = "\0\0\0\0\0\0\0\0\0\0";

/// Encodes a frame in `buffer`, which consists of [`HEADER_PLACEHOLDER`] and the payload. Copies only the header.
#[must_use]
pub fn encode_in_place(opcode: Opcode, mut buffer: Vec<u8>) -> EncodedFrame {
    let head = EncodedHeader::new(opcode, buffer.len().saturating_sub(MAX_HEADER_BYTES));
    let start = MAX_HEADER_BYTES - head.len();
    if let Some(room) = buffer.get_mut(start..MAX_HEADER_BYTES) {
        room.copy_from_slice(&head);
    }
    EncodedFrame::starting_at(start, buffer)
}

/// Encoded header of a frame that the service sends.
#[derive(Debug, Clone, Copy)]
pub struct EncodedHeader {
    bytes: [u8; MAX_HEADER_BYTES],
    len: usize,
}

impl EncodedHeader {
    /// Encodes the header of a final frame with `payload_len` bytes of payload.
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

/// Header of a frame that the service sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceFrameHeader {
    /// Type of the frame.
    pub opcode: Opcode,
    /// Length of this header, in bytes.
    pub header_len: usize,
    /// Length of the payload, in bytes.
    pub payload_len: usize,
}

/// Parses the header of a frame that the service has encoded; `None` for other bytes.
#[must_use]
pub fn parse_service_header(bytes: &[u8]) -> Option<ServiceFrameHeader> {
    let ([first, len], rest) = bytes.split_first_chunk()?;
    let opcode = Opcode::from_bits(first & 0x0F)?;
    let (len_bytes, payload_len) = match len {
        126 => (2, usize::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (8, usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?),
        len => (0, usize::from(*len)),
    };
    Some(ServiceFrameHeader { opcode, header_len: 2 + len_bytes, payload_len })
}

/// Returns the payloads of frames that the service has encoded, one after the other.
pub fn payloads(frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = frames;
    std::iter::from_fn(move || {
        let header = parse_service_header(rest)?;
        let (frame, after) = rest.split_at_checked(header.header_len + header.payload_len)?;
        rest = after;
        frame.get(header.header_len..)
    })
}

/// Encodes a close frame. A reason that is too long is cut at a character boundary.
#[must_use]
pub fn encode_close(close: &Close) -> EncodedFrame {
    let mut reason = close.reason.as_ref();
    while reason.len() > MAX_REASON_BYTES {
        let mut chars = reason.chars();
        chars.next_back();
        reason = chars.as_str();
    }
    let mut payload = close.code.to_be_bytes().to_vec();
    payload.extend_from_slice(reason.as_bytes());
    encode(Opcode::Close, &payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_rfc_are_parsed_and_encoded() {
        // RFC 6455, section 5.7: a masked "Hello", and unmasked frames.
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let header = parse_client_header(&masked).unwrap().unwrap();
        assert_eq!((header.opcode, header.payload_len, header.header_len), (Opcode::Text, 5, 6));
        let mut payload = masked[6..].to_vec();
        unmask(&mut payload, header.mask);
        assert_eq!(payload, b"Hello");
        assert_eq!(encode(Opcode::Text, b"Hello").as_slice(), [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        assert_eq!(&encode(Opcode::Binary, &[0; 256]).as_slice()[..4], [0x82, 0x7E, 0x01, 0x00]);
        assert_eq!(
            &encode(Opcode::Binary, &vec![0; 65536]).as_slice()[..10],
            [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0]
        );
    }

    #[test]
    fn invalid_frames_are_rejected() {
        let broken: [&[u8]; 5] =
            [&[0xC1, 0x80], &[0x83, 0x80], &[0x81, 0x05], &[0x09, 0x80], &[0x89, 0xFE, 0, 126]];
        for bytes in broken {
            assert!(parse_client_header(bytes).is_err(), "{bytes:x?}");
        }
    }

    #[test]
    fn a_long_close_reason_is_cut_at_a_character_boundary() {
        let close = Close { code: 1000, reason: "é".repeat(100).into() };
        let frame = encode_close(&close);
        let frame = frame.as_slice();
        assert!(frame.len() <= 2 + MAX_CONTROL_BYTES && std::str::from_utf8(&frame[4..]).is_ok());
    }

    #[test]
    fn encoding_in_place_equals_encoding_a_copy() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = "x".repeat(len);
            let buffer = format!("{HEADER_PLACEHOLDER}{payload}").into_bytes();
            let (in_place, copied) =
                (encode_in_place(Opcode::Text, buffer), encode(Opcode::Text, payload.as_bytes()));
            assert_eq!(in_place.as_slice(), copied.as_slice());
        }
        assert_eq!(HEADER_PLACEHOLDER.len(), MAX_HEADER_BYTES);
    }

    proptest! {
        #[test]
        fn unmasking_equals_the_definition(payload in any::<Vec<u8>>(), mask in any::<[u8; 4]>()) {
            let expected: Vec<u8> = payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]).collect();
            let mut unmasked = payload;
            unmask(&mut unmasked, mask);
            prop_assert_eq!(unmasked, expected);
        }

        #[test]
        fn arbitrary_bytes_do_not_make_the_header_parser_panic(bytes in any::<Vec<u8>>()) {
            if let Ok(Some(header)) = parse_client_header(&bytes) {
                prop_assert!(header.header_len <= bytes.len());
            }
        }
    }
}
