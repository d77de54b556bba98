//! Group 1: messages of one frame, with lengths around the limits of each form of header.

use super::{Case, binary_event, check, text_event};
use crate::{
    client_frames::{binary, text},
    reading::Delivery::{self, AtOnce, Pieces},
};

const LENGTHS: [(usize, Delivery); 8] = [
    (0, AtOnce),
    (125, AtOnce),
    (126, AtOnce),
    (127, AtOnce),
    (128, AtOnce),
    (65_535, AtOnce),
    (65_536, AtOnce),
    (65_536, Pieces(997)),
];

#[test]
fn texts_of_every_length_are_read() {
    let numbers = ["1.1.1", "1.1.2", "1.1.3", "1.1.4", "1.1.5", "1.1.6", "1.1.7", "1.1.8"];
    let cases = numbers.into_iter().zip(LENGTHS).map(|(number, (len, delivery))| {
        let payload = vec![b'*'; len];
        Case::new(number, delivery, &[text(&payload)], &[text_event(&payload)])
    });
    check("1.1", 8, &cases.collect::<Vec<_>>());
}

#[test]
fn binary_messages_of_every_length_are_read() {
    let numbers = ["1.2.1", "1.2.2", "1.2.3", "1.2.4", "1.2.5", "1.2.6", "1.2.7", "1.2.8"];
    let cases = numbers.into_iter().zip(LENGTHS).map(|(number, (len, delivery))| {
        let payload = vec![0xFE; len];
        Case::new(number, delivery, &[binary(&payload)], &[binary_event(&payload)])
    });
    check("1.2", 8, &cases.collect::<Vec<_>>());
}
