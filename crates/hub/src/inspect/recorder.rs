//! The last frames of a connection, for someone who looks at it.
//!
//! Frames out are noted where they are written, a batch at a time, so that a flood costs no more than its last few
//! frames do.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;

use crate::websocket::frame::{Opcode, service_header};

/// How many frames are kept of each connection.
pub const RECORDED_FRAMES: usize = 24;
/// How much of a frame is kept, in bytes.
pub const EXCERPT_BYTES: usize = 240;

/// Which way a frame went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client.
    In,
    /// To the client.
    Out,
}

/// A frame as it was seen.
#[derive(Debug, Clone)]
pub struct Record {
    /// When.
    pub at: SystemTime,
    /// Which way.
    pub direction: Direction,
    /// What kind.
    pub opcode: Opcode,
    /// How long its payload is, in bytes.
    pub payload_len: usize,
    /// The beginning of its payload, made printable, without tokens.
    pub excerpt: String,
}

/// Keeps the last frames, or nothing at all.
#[derive(Debug, Default)]
pub struct Recorder(Option<Mutex<Ring>>);

#[derive(Debug, Default)]
struct Ring {
    records: VecDeque<Record>,
    secret: Option<String>,
}

impl Recorder {
    /// One that records, and never shows `secret`.
    pub(crate) fn on(secret: Option<String>) -> Self {
        Self(Some(Mutex::new(Ring { records: VecDeque::new(), secret })))
    }

    /// What is kept, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let Some(ring) = &self.0 else { return Vec::new() };
        ring.lock().unwrap_or_else(PoisonError::into_inner).records.iter().cloned().collect()
    }

    /// The client sent this.
    pub(crate) fn received(&self, opcode: Opcode, payload: &[u8]) {
        let Some(ring) = &self.0 else { return };
        let excerpt = payload.get(..EXCERPT_BYTES).unwrap_or(payload);
        ring.lock().unwrap_or_else(PoisonError::into_inner).note(
            Direction::In,
            opcode,
            payload.len(),
            excerpt,
        );
    }

    /// These frames, in parts, go to the client.
    pub(crate) fn sent(&self, parts: &VecDeque<Bytes>) {
        let Some(ring) = &self.0 else { return };
        let mut newest: VecDeque<(Opcode, usize, Vec<u8>)> = VecDeque::new();
        let mut parts = parts.iter();
        while let Some(first) = parts.next() {
            // Frames are queued whole, so a batch begins with one.
            let Some(header) = service_header(first) else { break };
            let beginning = first.get(header.header_len..).unwrap_or_default();
            let mut excerpt = beginning.get(..EXCERPT_BYTES).unwrap_or(beginning).to_vec();
            let mut missing = header.payload_len.saturating_sub(beginning.len());
            while missing > 0 {
                let Some(part) = parts.next() else { break };
                missing = missing.saturating_sub(part.len());
                let room = EXCERPT_BYTES.saturating_sub(excerpt.len()).min(part.len());
                excerpt.extend_from_slice(part.get(..room).unwrap_or_default());
            }
            if newest.len() == RECORDED_FRAMES {
                newest.pop_front();
            }
            newest.push_back((header.opcode, header.payload_len, excerpt));
        }
        let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
        for (opcode, payload_len, excerpt) in newest {
            ring.note(Direction::Out, opcode, payload_len, &excerpt);
        }
    }
}

impl Ring {
    fn note(&mut self, direction: Direction, opcode: Opcode, payload_len: usize, excerpt: &[u8]) {
        let mut excerpt = match opcode {
            Opcode::Text => String::from_utf8_lossy(excerpt).into_owned(),
            _ => excerpt.escape_ascii().to_string(),
        };
        if let Some(secret) = &self.secret {
            excerpt = hidden(excerpt, secret);
        }
        if self.records.len() == RECORDED_FRAMES {
            self.records.pop_front();
        }
        self.records.push_back(Record { at: SystemTime::now(), direction, opcode, payload_len, excerpt });
    }
}

/// `excerpt` without `secret`, nor the beginning of it at its end, where it was cut.
fn hidden(excerpt: String, secret: &str) -> String {
    const SHORTEST: usize = 4;
    let mut shown = excerpt.replace(secret, "…");
    let cut =
        (SHORTEST..secret.len()).rev().find(|len| secret.get(..*len).is_some_and(|s| shown.ends_with(s)));
    if let Some(len) = cut {
        shown.truncate(shown.len() - len);
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::frame::{encode, encode_head};

    #[test]
    fn frames_in_one_part_or_several_are_told_apart() {
        let recorder = Recorder::on(None);
        let (head, body) = (encode_head(Opcode::Text, 6), Bytes::from_static(b"abc"));
        let parts = [head, body.clone(), body, encode(Opcode::Binary, &[7; 300])];
        recorder.sent(&parts.into());
        recorder.received(Opcode::Text, b"hello");
        let records = recorder.records();
        let seen: Vec<_> = records.iter().map(|r| (r.direction, r.payload_len, r.excerpt.len())).collect();
        let escaped = EXCERPT_BYTES * "\\x07".len();
        assert_eq!(seen, [(Direction::Out, 6, 6), (Direction::Out, 300, escaped), (Direction::In, 5, 5)]);
        assert_eq!(records[0].excerpt, "abcabc");
    }

    #[test]
    fn the_newest_are_kept_and_a_token_is_not_shown_even_in_part() {
        let secret = "0123456789abcdef".repeat(4);
        let recorder = Recorder::on(Some(secret.clone()));
        for number in 0..100 {
            recorder.received(Opcode::Text, number.to_string().as_bytes());
        }
        assert_eq!(recorder.records().len(), RECORDED_FRAMES);
        let padding = "x".repeat(EXCERPT_BYTES - 30);
        recorder.sent(&[encode(Opcode::Text, format!("{padding}{secret}").as_bytes())].into());
        recorder.sent(&[encode(Opcode::Text, format!("<{secret}>").as_bytes())].into());
        let records = recorder.records();
        assert!(records.iter().all(|record| !record.excerpt.contains("0123")), "{records:?}");
        assert_eq!(records.last().unwrap().excerpt, "<…>");
    }

    #[test]
    fn one_that_is_off_keeps_nothing() {
        let recorder = Recorder::default();
        recorder.received(Opcode::Text, b"x");
        assert!(recorder.records().is_empty());
    }
}
