//! Frames of a client: headers and masks (RFC 6455, section 5.2).

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
    pub(crate) fn from_bits(bits: u8) -> Option<Self> {
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

    pub(crate) fn bits(self) -> u8 {
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

/// Violation of RFC 6455 by the header of a client's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Reserved bits are set, and no extension was negotiated.
    #[error("reserved bits of a frame are set, and no extension was negotiated")]
    ReservedBits,
    /// The opcode is reserved.
    #[error("a frame has the reserved opcode {0:#x}")]
    ReservedOpcode(u8),
    /// The payload is not masked.
    #[error("a frame is not masked, and every frame of a client must be")]
    Unmasked,
    /// A control frame is not final.
    #[error("a control frame is fragmented")]
    FragmentedControl,
    /// A control frame is longer than [`MAX_CONTROL_BYTES`].
    #[error("a control frame has more than {MAX_CONTROL_BYTES} bytes")]
    ControlTooLong,
}

/// Parses the header of a client's frame at the start of `bytes`; `None` while it is incomplete.
///
/// # Errors
/// [`FrameError`], as soon as the first two bytes are there.
pub fn parse_client_header(bytes: &[u8]) -> Result<Option<ClientFrameHeader>, FrameError> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    if first & 0x70 != 0 {
        return Err(FrameError::ReservedBits);
    }
    let opcode = Opcode::from_bits(first & 0x0F).ok_or(FrameError::ReservedOpcode(first & 0x0F))?;
    if second & 0x80 == 0 {
        return Err(FrameError::Unmasked);
    }
    let is_final = first & 0x80 != 0;
    let short_len = second & 0x7F;
    if opcode.is_control() && !is_final {
        return Err(FrameError::FragmentedControl);
    }
    if opcode.is_control() && usize::from(short_len) > MAX_CONTROL_BYTES {
        return Err(FrameError::ControlTooLong);
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

/// Unmasks a payload in place, eight bytes at a time. Masking is the same.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_parsed() {
        // RFC 6455, section 5.7: a masked "Hello".
        let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let header = parse_client_header(&masked).unwrap().unwrap();
        assert_eq!((header.opcode, header.payload_len, header.header_len), (Opcode::Text, 5, 6));
        let mut payload = masked[6..].to_vec();
        unmask(&mut payload, header.mask);
        assert_eq!(payload, b"Hello");
    }

    #[test]
    fn invalid_headers_are_rejected_with_the_reason() {
        let invalid: [(&[u8], FrameError); 5] = [
            (&[0xC1, 0x80], FrameError::ReservedBits),
            (&[0x83, 0x80], FrameError::ReservedOpcode(3)),
            (&[0x81, 0x05], FrameError::Unmasked),
            (&[0x09, 0x80], FrameError::FragmentedControl),
            (&[0x89, 0xFE], FrameError::ControlTooLong),
        ];
        for (bytes, error) in invalid {
            assert_eq!(parse_client_header(bytes), Err(error), "{bytes:x?}");
        }
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
