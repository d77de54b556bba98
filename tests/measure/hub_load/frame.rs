//! Client side of WebSocket frames (RFC 6455), without allocations per frame, to minimize the load of the client.

/// Continuation frame.
pub const CONTINUATION: u8 = 0;
/// Text frame.
pub const TEXT: u8 = 1;
/// Binary frame.
pub const BINARY: u8 = 2;
/// Close frame.
pub const CLOSE: u8 = 8;
/// Ping frame.
pub const PING: u8 = 9;
/// Pong frame.
pub const PONG: u8 = 10;

/// Maximum size of the header of a server's frame.
const MAX_HEADER_BYTES: usize = 10;
/// Mask of all frames. It is not zero, so that the server must unmask; it is not random, as there is no proxy.
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// Appends a final, masked frame.
pub fn put_masked(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len @ ..126), _) => out.push(0x80 | len),
        (_, Ok(len)) => {
            out.push(0x80 | 126);
            out.extend(len.to_be_bytes());
        }
        _ => {
            out.push(0x80 | 127);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// Part of a frame's payload that was received at once.
#[derive(Debug)]
pub struct Part<'a> {
    /// Opcode of the frame.
    pub opcode: u8,
    /// Length of the whole payload.
    pub frame_len: u64,
    /// Bytes of the part.
    pub bytes: &'a [u8],
    /// Whether the part is the last one of the frame.
    pub is_last: bool,
}

/// Incremental parser of a server's frames.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// Partial header.
    head: [u8; MAX_HEADER_BYTES],
    head_filled: usize,
    opcode: u8,
    frame_len: u64,
    left: u64,
    is_inside: bool,
}

impl FrameReader {
    /// Removes the next part from `bytes`; `None` if they are used up.
    pub fn next_part<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Part<'a>> {
        if bytes.is_empty() {
            return None;
        }
        if !self.is_inside {
            (self.opcode, self.frame_len) = self.next_head(bytes)?;
            self.left = self.frame_len;
        }
        let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let (part, rest) = bytes.split_at(here);
        *bytes = rest;
        self.left -= here as u64;
        self.is_inside = self.left > 0;
        Some(Part { opcode: self.opcode, frame_len: self.frame_len, bytes: part, is_last: !self.is_inside })
    }

    fn next_head(&mut self, bytes: &mut &[u8]) -> Option<(u8, u64)> {
        if self.head_filled == 0
            && let Some((opcode, len, rest)) = parse_head(bytes)
        {
            *bytes = rest;
            return Some((opcode, len));
        }
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            *self.head.get_mut(self.head_filled)? = *byte;
            self.head_filled += 1;
            if let Some((opcode, len, _)) = parse_head(self.head.get(..self.head_filled)?) {
                self.head_filled = 0;
                return Some((opcode, len));
            }
        }
        None
    }
}

/// Parses a header. Returns opcode, payload length and the rest; `None` if the header is incomplete.
fn parse_head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let (len, rest) = match second & 0x7F {
        126 => {
            let (len, rest) = rest.split_first_chunk()?;
            (u64::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*len), rest)
        }
        len => (u64::from(len), rest),
    };
    Some((first & 0x0F, len, rest))
}
