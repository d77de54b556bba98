//! Groups 9 and 10: large messages, small fragments, small reads, and many messages.

use super::{Case, binary_event, check, text_event};
use crate::{
    client_frames::{binary, fragmented, text},
    reading::{
        Delivery::{self, Pieces},
        Event,
    },
};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// Reads of a busy server.
const READS: Delivery = Pieces(64 * KIB);
/// Payload of all messages, of one byte: text and binary.
const TEXT_BYTE: u8 = b'*';
const BINARY_BYTE: u8 = 0xFE;

fn message(is_text: bool, len: usize) -> (Vec<u8>, Event) {
    if is_text {
        let payload = vec![TEXT_BYTE; len];
        (text(&payload), text_event(&payload))
    } else {
        let payload = vec![BINARY_BYTE; len];
        (binary(&payload), binary_event(&payload))
    }
}

/// A message of one frame.
fn whole(number: &'static str, is_text: bool, len: usize, delivery: Delivery) -> Case {
    let (frame, event) = message(is_text, len);
    Case::new(number, delivery, &[frame], &[event])
}

/// A message of 4 MiB in fragments.
fn in_fragments(number: &'static str, is_text: bool, size: usize) -> Case {
    let payload = vec![if is_text { TEXT_BYTE } else { BINARY_BYTE }; 4 * MIB];
    let event = if is_text { text_event(&payload) } else { binary_event(&payload) };
    Case::new(number, READS, &fragmented(is_text, &payload, size), &[event])
}

/// A thousand messages.
fn many(number: &'static str, is_text: bool, len: usize) -> Case {
    let (frame, event) = message(is_text, len);
    Case::new(number, READS, &vec![frame; 1000], &vec![event; 1000])
}

#[test]
fn messages_of_up_to_sixteen_mebibytes_are_read() {
    let sizes = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
    let texts = ["9.1.1", "9.1.2", "9.1.3", "9.1.4", "9.1.5", "9.1.6"];
    let binaries = ["9.2.1", "9.2.2", "9.2.3", "9.2.4", "9.2.5", "9.2.6"];
    for (group, numbers, is_text) in [("9.1", texts, true), ("9.2", binaries, false)] {
        let cases = numbers.into_iter().zip(sizes).map(|(number, len)| whole(number, is_text, len, READS));
        check(group, 6, &cases.collect::<Vec<_>>());
    }
}

#[test]
fn fragments_of_every_size_are_joined() {
    let sizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
    let texts = ["9.3.1", "9.3.2", "9.3.3", "9.3.4", "9.3.5", "9.3.6", "9.3.7", "9.3.8", "9.3.9"];
    let binaries = ["9.4.1", "9.4.2", "9.4.3", "9.4.4", "9.4.5", "9.4.6", "9.4.7", "9.4.8", "9.4.9"];
    for (group, numbers, is_text) in [("9.3", texts, true), ("9.4", binaries, false)] {
        let cases = numbers.into_iter().zip(sizes).map(|(number, size)| in_fragments(number, is_text, size));
        check(group, 9, &cases.collect::<Vec<_>>());
    }
}

#[test]
fn a_mebibyte_in_small_reads_is_joined() {
    let sizes = [64, 128, 256, 512, 1024, 2048];
    let texts = ["9.5.1", "9.5.2", "9.5.3", "9.5.4", "9.5.5", "9.5.6"];
    let binaries = ["9.6.1", "9.6.2", "9.6.3", "9.6.4", "9.6.5", "9.6.6"];
    for (group, numbers, is_text) in [("9.5", texts, true), ("9.6", binaries, false)] {
        let cases =
            numbers.into_iter().zip(sizes).map(|(number, size)| whole(number, is_text, MIB, Pieces(size)));
        check(group, 6, &cases.collect::<Vec<_>>());
    }
}

#[test]
fn a_thousand_messages_are_read() {
    let lengths = [0, 16, 64, 256, 1024, 4096];
    let texts = ["9.7.1", "9.7.2", "9.7.3", "9.7.4", "9.7.5", "9.7.6"];
    let binaries = ["9.8.1", "9.8.2", "9.8.3", "9.8.4", "9.8.5", "9.8.6"];
    for (group, numbers, is_text) in [("9.7", texts, true), ("9.8", binaries, false)] {
        let cases = numbers.into_iter().zip(lengths).map(|(number, len)| many(number, is_text, len));
        check(group, 6, &cases.collect::<Vec<_>>());
    }
}

#[test]
fn a_message_that_its_sender_fragments_is_joined() {
    let payload = vec![TEXT_BYTE; 64 * KIB];
    let fragments = fragmented(true, &payload, 1300);
    check("10.1", 1, &[Case::new("10.1.1", READS, &fragments, &[text_event(&payload)])]);
}
