//! Groups 3 and 4: reserved bits and reserved opcodes.

use super::{Case, PROTOCOL_ERROR, check, text_event};
use crate::{
    client_frames::{frame, ping, text},
    reading::Delivery::{AtOnce, FrameByFrame, Pieces},
};

const PAYLOAD: &[u8] = b"payload";

/// Encodes a final frame with reserved bits, as a number from 0 to 7.
fn with_bits(bits: u8, opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame(0x80 | bits << 4 | opcode, payload)
}

/// A valid text, a frame that is not, and a ping that must not be answered.
fn around(invalid: Vec<u8>) -> [Vec<u8>; 3] {
    [text(PAYLOAD), invalid, ping(b"")]
}

#[test]
fn reserved_bits_are_rejected_after_the_messages_before_them() {
    let expected = [text_event(PAYLOAD), PROTOCOL_ERROR];
    let cases = [
        Case::new("3.1", AtOnce, &[with_bits(1, 0x1, PAYLOAD)], &[PROTOCOL_ERROR]),
        Case::new("3.2", AtOnce, &around(with_bits(2, 0x1, PAYLOAD)), &expected),
        Case::new("3.3", FrameByFrame, &around(with_bits(3, 0x1, PAYLOAD)), &expected),
        Case::new("3.4", Pieces(1), &around(with_bits(4, 0x1, PAYLOAD)), &expected),
        Case::new("3.5", AtOnce, &[with_bits(5, 0x2, PAYLOAD)], &[PROTOCOL_ERROR]),
        Case::new("3.6", AtOnce, &[with_bits(6, 0x9, PAYLOAD)], &[PROTOCOL_ERROR]),
        Case::new("3.7", AtOnce, &[with_bits(7, 0x8, b"")], &[PROTOCOL_ERROR]),
    ];
    check("3", 7, &cases);
}

#[test]
fn reserved_opcodes_of_messages_are_rejected() {
    let expected = [text_event(PAYLOAD), PROTOCOL_ERROR];
    let cases = [
        Case::new("4.1.1", AtOnce, &[frame(0x83, b"")], &[PROTOCOL_ERROR]),
        Case::new("4.1.2", AtOnce, &[frame(0x84, PAYLOAD)], &[PROTOCOL_ERROR]),
        Case::new("4.1.3", AtOnce, &around(frame(0x85, b"")), &expected),
        Case::new("4.1.4", AtOnce, &around(frame(0x86, PAYLOAD)), &expected),
        Case::new("4.1.5", Pieces(1), &around(frame(0x87, PAYLOAD)), &expected),
    ];
    check("4.1", 5, &cases);
}

#[test]
fn reserved_opcodes_of_control_frames_are_rejected() {
    let expected = [text_event(PAYLOAD), PROTOCOL_ERROR];
    let cases = [
        Case::new("4.2.1", AtOnce, &[frame(0x8B, b"")], &[PROTOCOL_ERROR]),
        Case::new("4.2.2", AtOnce, &[frame(0x8C, PAYLOAD)], &[PROTOCOL_ERROR]),
        Case::new("4.2.3", AtOnce, &around(frame(0x8D, b"")), &expected),
        Case::new("4.2.4", AtOnce, &around(frame(0x8E, PAYLOAD)), &expected),
        Case::new("4.2.5", Pieces(1), &around(frame(0x8F, PAYLOAD)), &expected),
    ];
    check("4.2", 5, &cases);
}
