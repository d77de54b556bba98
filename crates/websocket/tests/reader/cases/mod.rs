//! Cases of the Autobahn test suite 0.8.2, by its numbers: `cargo xtask autobahn` runs the suite itself.
//!
//! Each table has all cases of a group, as the frames of the client and the events that a server must see. Some cases
//! differ only in the division of the same bytes into reads. The groups 8 and 11 do not exist, and 12 and 13 test
//! compression, which is not supported.

mod closing;
mod fragmentation;
mod framing;
mod limits;
mod pings;
mod reserved;
mod text;

use crate::reading::{Delivery, Event, events};

/// A case: its number, the frames of the client, their division into reads, and the events.
struct Case {
    number: &'static str,
    frames: Vec<Vec<u8>>,
    delivery: Delivery,
    expected: Vec<Event>,
}

impl Case {
    fn new(number: &'static str, delivery: Delivery, frames: &[Vec<u8>], expected: &[Event]) -> Self {
        Self { number, frames: frames.to_vec(), delivery, expected: expected.to_vec() }
    }
}

/// Checks all `count` cases of a group, in their order.
fn check(group: &str, count: usize, cases: &[Case]) {
    assert_eq!(cases.len(), count, "cases of group {group}");
    for (at, case) in cases.iter().enumerate() {
        let number = case.number;
        assert_eq!(number, format!("{group}.{}", at + 1));
        assert!(events(&case.frames, case.delivery) == case.expected, "case {number} has other events");
    }
}

/// Close code of a violation of the protocol.
const PROTOCOL_ERROR: Event = Event::Failed(1002);
/// Close code of a text that is not UTF-8.
const INVALID_TEXT: Event = Event::Failed(1007);

fn text_event(payload: &[u8]) -> Event {
    Event::Text(payload.to_vec())
}

fn binary_event(payload: &[u8]) -> Event {
    Event::Binary(payload.to_vec())
}

fn ping_event(payload: &[u8]) -> Event {
    Event::Ping(payload.to_vec())
}

fn pong_event(payload: &[u8]) -> Event {
    Event::Pong(payload.to_vec())
}

fn close_event(code: u16) -> Event {
    Event::Close(Some(code), String::new())
}
