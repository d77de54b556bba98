//! Group 2: pings and pongs.

use super::{Case, PROTOCOL_ERROR, check, close_event, ping_event, pong_event};
use crate::{
    client_frames::{close_code, ping, pong},
    reading::Delivery::{AtOnce, Pieces},
};

/// Bytes that are not UTF-8.
const NO_TEXT: &[u8] = b"\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF";

#[test]
fn pings_are_returned_with_their_payload() {
    let longest = [0xFE; 125];
    let many: [_; 10] = std::array::from_fn(|at| format!("number {at}").into_bytes());
    let many_pings = many.each_ref().map(|payload| ping(payload));
    let many_events = many.each_ref().map(|payload| ping_event(payload));
    let cases = [
        Case::new("2.1", AtOnce, &[ping(b"")], &[ping_event(b"")]),
        Case::new("2.2", AtOnce, &[ping(b"still there?")], &[ping_event(b"still there?")]),
        Case::new("2.3", AtOnce, &[ping(NO_TEXT)], &[ping_event(NO_TEXT)]),
        Case::new("2.4", AtOnce, &[ping(&longest)], &[ping_event(&longest)]),
        Case::new("2.5", AtOnce, &[ping(&[0xFE; 126])], &[PROTOCOL_ERROR]),
        Case::new("2.6", Pieces(1), &[ping(&longest)], &[ping_event(&longest)]),
        Case::new("2.7", AtOnce, &[pong(b""), close_code(1000)], &[pong_event(b""), close_event(1000)]),
        Case::new(
            "2.8",
            AtOnce,
            &[pong(b"unasked"), close_code(1000)],
            &[pong_event(b"unasked"), close_event(1000)],
        ),
        Case::new(
            "2.9",
            AtOnce,
            &[pong(b"unasked"), ping(b"?")],
            &[pong_event(b"unasked"), ping_event(b"?")],
        ),
        Case::new("2.10", AtOnce, &many_pings, &many_events),
        Case::new("2.11", Pieces(1), &many_pings, &many_events),
    ];
    check("2", 11, &cases);
}
