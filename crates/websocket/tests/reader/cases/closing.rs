//! Group 7: close frames, their codes and reasons.

use super::{Case, PROTOCOL_ERROR, check, close_event, text_event};
use crate::{
    client_frames::{close, close_code, end, ping, text, text_start},
    reading::{Delivery::AtOnce, Event},
};

/// Encodes a close frame with code 1000 and a reason.
fn close_reason(reason: &[u8]) -> Vec<u8> {
    close(&[&1000_u16.to_be_bytes(), reason].concat())
}

fn reason_event(reason: &str) -> Event {
    Event::Close(Some(1000), reason.to_owned())
}

#[test]
fn bytes_after_a_close_frame_are_ignored() {
    let normal = [close_event(1000)];
    let long = vec![b'x'; 256 * 1024];
    let cases = [
        Case::new(
            "7.1.1",
            AtOnce,
            &[text(b"last"), close_code(1000)],
            &[text_event(b"last"), close_event(1000)],
        ),
        Case::new("7.1.2", AtOnce, &[close_code(1000), close(b"")], &normal),
        Case::new("7.1.3", AtOnce, &[close_code(1000), ping(b"")], &normal),
        Case::new("7.1.4", AtOnce, &[close_code(1000), text(b"late")], &normal),
        Case::new("7.1.5", AtOnce, &[text_start(b"one"), close_code(1000), end(b"two")], &normal),
        Case::new(
            "7.1.6",
            AtOnce,
            &[text(&long), text(b"last"), close_code(1000), ping(b"")],
            &[text_event(&long), text_event(b"last"), close_event(1000)],
        ),
    ];
    check("7.1", 6, &cases);
}

#[test]
fn a_close_frame_is_empty_or_has_a_code_and_a_reason() {
    let (longest, too_long) = ("x".repeat(123), "x".repeat(124));
    let cases = [
        Case::new("7.3.1", AtOnce, &[close(b"")], &[Event::Close(None, String::new())]),
        Case::new("7.3.2", AtOnce, &[close(b"x")], &[PROTOCOL_ERROR]),
        Case::new("7.3.3", AtOnce, &[close_code(1000)], &[close_event(1000)]),
        Case::new("7.3.4", AtOnce, &[close_reason(b"done")], &[reason_event("done")]),
        Case::new("7.3.5", AtOnce, &[close_reason(longest.as_bytes())], &[reason_event(&longest)]),
        Case::new("7.3.6", AtOnce, &[close_reason(too_long.as_bytes())], &[PROTOCOL_ERROR]),
    ];
    check("7.3", 6, &cases);
}

#[test]
fn a_reason_that_is_not_utf_8_is_rejected() {
    let reason = b"\xCE\xBA\xE1\xBD\xB9\xED\xA0\x80";
    check("7.5", 1, &[Case::new("7.5.1", AtOnce, &[close_reason(reason)], &[PROTOCOL_ERROR])]);
}

#[test]
fn codes_of_the_rfc_and_of_applications_are_accepted() {
    let codes = [
        ("7.7.1", 1000),
        ("7.7.2", 1001),
        ("7.7.3", 1002),
        ("7.7.4", 1003),
        ("7.7.5", 1007),
        ("7.7.6", 1008),
        ("7.7.7", 1009),
        ("7.7.8", 1010),
        ("7.7.9", 1011),
        ("7.7.10", 3000),
        ("7.7.11", 3999),
        ("7.7.12", 4000),
        ("7.7.13", 4999),
    ];
    let cases =
        codes.map(|(number, code)| Case::new(number, AtOnce, &[close_code(code)], &[close_event(code)]));
    check("7.7", 13, &cases);
}

#[test]
fn reserved_codes_are_rejected() {
    let codes = [
        ("7.9.1", 0),
        ("7.9.2", 999),
        ("7.9.3", 1004),
        ("7.9.4", 1005),
        ("7.9.5", 1006),
        ("7.9.6", 1016),
        ("7.9.7", 1100),
        ("7.9.8", 2000),
        ("7.9.9", 2999),
    ];
    let cases = codes.map(|(number, code)| Case::new(number, AtOnce, &[close_code(code)], &[PROTOCOL_ERROR]));
    check("7.9", 9, &cases);
}

#[test]
fn codes_beyond_the_range_of_the_rfc_are_rejected() {
    // The suite only reports these.
    let codes = [("7.13.1", 5000), ("7.13.2", 65_535)];
    let cases = codes.map(|(number, code)| Case::new(number, AtOnce, &[close_code(code)], &[PROTOCOL_ERROR]));
    check("7.13", 2, &cases);
}
