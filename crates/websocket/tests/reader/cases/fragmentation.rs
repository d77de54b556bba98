//! Group 5: messages of several frames, and control frames between them.

use super::{Case, PROTOCOL_ERROR, check, ping_event, text_event};
use crate::{
    client_frames::{end, frame, part, ping, text, text_start},
    reading::Delivery::{AtOnce, FrameByFrame, Pieces},
};

/// A fragmented ping or pong, by its opcode.
fn fragmented_control(opcode: u8) -> [Vec<u8>; 2] {
    [frame(opcode, b"one"), end(b"two")]
}

#[test]
fn fragments_are_joined_in_order() {
    let two = [text_start(b"one"), end(b"two")];
    let with_ping = [text_start(b"one"), ping(b"?"), end(b"two")];
    let joined = [text_event(b"onetwo")];
    let joined_after_ping = [ping_event(b"?"), text_event(b"onetwo")];
    let stray_end = [end(b"stray"), text(b"text")];
    let stray_part = [part(b"stray"), text(b"text")];
    let after_a_message = [text_start(b"one"), end(b"two"), part(b"stray"), text(b"text")];
    let stray_before_message = |stray: Vec<u8>| vec![[stray, text_start(b"one"), end(b"two")]; 2].concat();
    let with_two_pings =
        [text_start(b"1"), part(b"2"), ping(b"first"), part(b"3"), part(b"4"), ping(b"second"), end(b"5")];
    let joined_after_two_pings = [ping_event(b"first"), ping_event(b"second"), text_event(b"12345")];
    let cases = [
        Case::new("5.1", AtOnce, &fragmented_control(0x9), &[PROTOCOL_ERROR]),
        Case::new("5.2", AtOnce, &fragmented_control(0xA), &[PROTOCOL_ERROR]),
        Case::new("5.3", AtOnce, &two, &joined),
        Case::new("5.4", FrameByFrame, &two, &joined),
        Case::new("5.5", Pieces(1), &two, &joined),
        Case::new("5.6", AtOnce, &with_ping, &joined_after_ping),
        Case::new("5.7", FrameByFrame, &with_ping, &joined_after_ping),
        Case::new("5.8", Pieces(1), &with_ping, &joined_after_ping),
        Case::new("5.9", AtOnce, &stray_end, &[PROTOCOL_ERROR]),
        Case::new("5.10", FrameByFrame, &stray_end, &[PROTOCOL_ERROR]),
        Case::new("5.11", Pieces(1), &stray_end, &[PROTOCOL_ERROR]),
        Case::new("5.12", AtOnce, &stray_part, &[PROTOCOL_ERROR]),
        Case::new("5.13", FrameByFrame, &stray_part, &[PROTOCOL_ERROR]),
        Case::new("5.14", Pieces(1), &stray_part, &[PROTOCOL_ERROR]),
        Case::new("5.15", AtOnce, &after_a_message, &[text_event(b"onetwo"), PROTOCOL_ERROR]),
        Case::new("5.16", AtOnce, &stray_before_message(part(b"stray")), &[PROTOCOL_ERROR]),
        Case::new("5.17", AtOnce, &stray_before_message(end(b"stray")), &[PROTOCOL_ERROR]),
        Case::new("5.18", AtOnce, &[text_start(b"one"), text(b"two")], &[PROTOCOL_ERROR]),
        Case::new("5.19", AtOnce, &with_two_pings, &joined_after_two_pings),
        Case::new("5.20", FrameByFrame, &with_two_pings, &joined_after_two_pings),
    ];
    check("5", 20, &cases);
}
