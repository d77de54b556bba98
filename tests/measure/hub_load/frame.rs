//! WebSocket frames (RFC 6455), the client's side, without an allocation for a frame: what is measured is the server.

/// The rest of a message whose first frame came before.
pub const CONTINUATION: u8 = 0;
/// A text message.
pub const TEXT: u8 = 1;
/// A binary message.
pub const BINARY: u8 = 2;
/// The end of the connection.
pub const CLOSE: u8 = 8;
/// To be answered with a pong.
pub const PING: u8 = 9;
/// The answer to a ping.
pub const PONG: u8 = 10;

/// Longest head of a server's frame, in bytes.
const LONGEST_HEAD: usize = 10;
/// Any mask but zero makes the server take it off. It need not be random: no proxy is in between.
const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

/// Appends a client's frame: final and masked.
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

/// A stretch of one frame's payload: all of it, or as much as one read brought.
#[derive(Debug)]
pub struct Part<'a> {
    /// What kind of frame.
    pub opcode: u8,
    /// Length of the whole payload.
    pub frame_len: u64,
    /// This stretch.
    pub bytes: &'a [u8],
    /// Whether the frame ends with it.
    pub is_last: bool,
}

/// Takes a server's frames apart, however the bytes are cut.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The beginning of a head that a read cut.
    head: [u8; LONGEST_HEAD],
    head_filled: usize,
    opcode: u8,
    frame_len: u64,
    left: u64,
    is_inside: bool,
}

impl FrameReader {
    /// Splits the next stretch off `bytes`; `None` when they are used up.
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

/// Opcode, payload length, and what follows the head; `None` while it is incomplete.
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
