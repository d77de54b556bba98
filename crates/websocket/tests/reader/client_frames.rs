//! Frames of a client, masked.

/// Masking key of all frames.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
/// Bit of the last frame of a message.
const FINAL: u8 = 0x80;

/// Encodes a frame with this first byte: the final bit, the reserved bits, and the opcode.
pub fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first_byte];
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(len @ ..126), _) => frame.push(0x80 | len),
        (_, Ok(len)) => {
            frame.push(0xFE);
            frame.extend(len.to_be_bytes());
        }
        _ => {
            frame.push(0xFF);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

pub fn text(payload: &[u8]) -> Vec<u8> {
    frame(FINAL | 0x1, payload)
}

pub fn binary(payload: &[u8]) -> Vec<u8> {
    frame(FINAL | 0x2, payload)
}

pub fn ping(payload: &[u8]) -> Vec<u8> {
    frame(FINAL | 0x9, payload)
}

pub fn pong(payload: &[u8]) -> Vec<u8> {
    frame(FINAL | 0xA, payload)
}

/// Encodes a close frame; `payload` consists of code and reason.
pub fn close(payload: &[u8]) -> Vec<u8> {
    frame(FINAL | 0x8, payload)
}

/// Encodes a close frame with a code, without a reason.
pub fn close_code(code: u16) -> Vec<u8> {
    close(&code.to_be_bytes())
}

/// Encodes the first fragment of a text.
pub fn text_start(payload: &[u8]) -> Vec<u8> {
    frame(0x1, payload)
}

/// Encodes the first fragment of a binary message.
pub fn binary_start(payload: &[u8]) -> Vec<u8> {
    frame(0x2, payload)
}

/// Encodes a further fragment.
pub fn part(payload: &[u8]) -> Vec<u8> {
    frame(0x0, payload)
}

/// Encodes the last fragment.
pub fn end(payload: &[u8]) -> Vec<u8> {
    frame(FINAL, payload)
}

/// Encodes `payload` as a message of fragments with `size` bytes.
pub fn fragmented(is_text: bool, payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let opcode = |at| match (at, is_text) {
        (0, true) => 0x1,
        (0, false) => 0x2,
        _ => 0x0,
    };
    let last = payload.len().div_ceil(size) - 1;
    let fragments = payload.chunks(size).enumerate();
    fragments.map(|(at, part)| frame(opcode(at) | if at == last { FINAL } else { 0 }, part)).collect()
}
