//! Recorder of the most recent frames of a connection, for the inspector.
//!
//! Recording copies the start of a frame over the oldest one; escaping and redaction happen when the frames are shown.
//! Frames are recorded in batches, as they are read and written, so that a flood costs no more than its last few
//! frames.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use webpubsub_websocket::{
    encode::{ServerFrameHeader, parse_server_header},
    frame::Opcode,
};

/// Number of recorded frames per connection.
pub(crate) const RECORDED_FRAMES: usize = 24;
/// Maximum length of a recorded payload, in bytes.
pub(crate) const EXCERPT_BYTES: usize = 240;

/// Direction of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameDirection {
    /// From the client to the service.
    In,
    /// From the service to the client.
    Out,
}

/// Recorded frame.
#[derive(Debug, Clone)]
pub(crate) struct RecordedFrame {
    /// Time at which it was read or written.
    pub(crate) at: SystemTime,
    /// Direction.
    pub(crate) direction: FrameDirection,
    /// Type.
    pub(crate) opcode: Opcode,
    /// Length of the whole payload, in bytes.
    pub(crate) payload_len: usize,
    /// Start of the payload, escaped, without tokens.
    pub(crate) excerpt: String,
}

/// Recorder of the most recent frames. The default records nothing.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Option<Mutex<Ring>>);

#[derive(Debug, Default)]
struct Ring {
    frames: VecDeque<RawFrame>,
    secret: Option<String>,
}

/// Start of a frame, unprocessed.
#[derive(Debug)]
struct RawFrame {
    at: SystemTime,
    direction: FrameDirection,
    opcode: Opcode,
    payload_len: usize,
    prefix: Vec<u8>,
}

impl Recorder {
    /// Creates a recorder that redacts `secret`.
    pub(crate) fn recording(secret: Option<String>) -> Self {
        Self(Some(Mutex::new(Ring { frames: VecDeque::new(), secret })))
    }

    /// Returns the recorded frames, oldest first.
    #[must_use]
    pub(crate) fn records(&self) -> Vec<RecordedFrame> {
        let Some(ring) = &self.0 else { return Vec::new() };
        let ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.frames.iter().map(|frame| frame.to_recorded(ring.secret.as_deref())).collect()
    }

    /// Records a frame of the client, read at `at`.
    pub(crate) fn record_received(&self, opcode: Opcode, payload: &[u8], at: SystemTime) {
        let Some(ring) = &self.0 else { return };
        let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.push(FrameDirection::In, opcode, payload.len(), [payload], at);
    }

    /// Records frames to the client, written at the time of `clock`. They are consecutive in `slices`, and no header is split.
    pub(crate) fn record_sent<'s>(
        &self,
        slices: impl Iterator<Item = &'s [u8]>,
        clock: impl FnOnce() -> SystemTime,
    ) {
        let Some(ring) = &self.0 else { return };
        let slices: Vec<&[u8]> = slices.collect();
        // Header, slice and offset of the newest frames.
        let mut newest: VecDeque<(ServerFrameHeader, usize, usize)> =
            VecDeque::with_capacity(RECORDED_FRAMES);
        let (mut at, mut offset) = (0, 0);
        while let Some(header) =
            slices.get(at).and_then(|slice| slice.get(offset..)).and_then(parse_server_header)
        {
            if newest.len() == RECORDED_FRAMES {
                newest.pop_front();
            }
            newest.push_back((header, at, offset));
            offset += header.header_len + header.payload_len;
            while let Some(slice) = slices.get(at)
                && offset >= slice.len()
            {
                offset -= slice.len();
                at += 1;
            }
        }
        let now = clock();
        let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
        for (header, first, offset) in newest {
            let pieces = slices.iter().skip(first).enumerate().map(|(index, slice)| {
                let from = if index == 0 { offset + header.header_len } else { 0 };
                slice.get(from..).unwrap_or_default()
            });
            ring.push(FrameDirection::Out, header.opcode, header.payload_len, pieces, now);
        }
    }
}

impl Ring {
    /// Records a frame whose payload starts with `pieces`.
    fn push<'p>(
        &mut self,
        direction: FrameDirection,
        opcode: Opcode,
        payload_len: usize,
        pieces: impl IntoIterator<Item = &'p [u8]>,
        at: SystemTime,
    ) {
        let oldest = if self.frames.len() == RECORDED_FRAMES { self.frames.pop_front() } else { None };
        let mut prefix = oldest.map(|frame| frame.prefix).unwrap_or_default();
        prefix.clear();
        let wanted = payload_len.min(EXCERPT_BYTES);
        for piece in pieces {
            let left = wanted - prefix.len();
            prefix.extend_from_slice(piece.get(..left).unwrap_or(piece));
            if prefix.len() >= wanted {
                break;
            }
        }
        self.frames.push_back(RawFrame { at, direction, opcode, payload_len, prefix });
    }
}

impl RawFrame {
    fn to_recorded(&self, secret: Option<&str>) -> RecordedFrame {
        let excerpt = match self.opcode {
            Opcode::Text => String::from_utf8_lossy(&self.prefix).into_owned(),
            _ => self.prefix.escape_ascii().to_string(),
        };
        RecordedFrame {
            at: self.at,
            direction: self.direction,
            opcode: self.opcode,
            payload_len: self.payload_len,
            excerpt: secret.map_or_else(|| excerpt.clone(), |secret| redact(&excerpt, secret)),
        }
    }
}

/// Replaces `secret`, and a cut secret at the end, by an ellipsis.
fn redact(excerpt: &str, secret: &str) -> String {
    const SHORTEST: usize = 4;
    let mut redacted = excerpt.replace(secret, "…");
    let cut =
        (SHORTEST..secret.len()).rev().find(|len| secret.get(..*len).is_some_and(|s| redacted.ends_with(s)));
    if let Some(len) = cut {
        redacted.truncate(redacted.len() - len);
        redacted.push('…');
    }
    redacted
}

#[cfg(test)]
mod tests {
    use webpubsub_websocket::encode::{EncodedHeader, encode};

    use super::*;

    #[test]
    fn frames_in_one_slice_or_several_are_recorded_separately() {
        let recorder = Recorder::recording(None);
        let (head, long) = (EncodedHeader::new(Opcode::Text, 6), encode(Opcode::Binary, &[7; 300]));
        // One frame behind another in a slice, and one across three slices, the last of which contains the next frame,
        // too.
        let first = [&encode(Opcode::Text, b"first")[..], &head, b"abc"].concat();
        let second = [b"abc", &long[..]].concat();
        recorder.record_sent([&first[..], &second[..]].into_iter(), SystemTime::now);
        recorder.record_received(Opcode::Text, b"hello", SystemTime::now());
        let records = recorder.records();
        let seen: Vec<_> = records.iter().map(|r| (r.direction, r.payload_len, r.excerpt.len())).collect();
        let escaped = EXCERPT_BYTES * "\\x07".len();
        let out = |len, excerpt| (FrameDirection::Out, len, excerpt);
        assert_eq!(seen, [out(5, 5), out(6, 6), out(300, escaped), (FrameDirection::In, 5, 5)]);
        assert_eq!(records[1].excerpt, "abcabc");
    }

    #[test]
    fn the_newest_frames_are_kept_and_tokens_are_redacted_even_in_part() {
        let secret = "0123456789abcdef".repeat(4);
        let recorder = Recorder::recording(Some(secret.clone()));
        for number in 0..100 {
            recorder.record_received(Opcode::Text, number.to_string().as_bytes(), SystemTime::now());
        }
        assert_eq!(recorder.records().len(), RECORDED_FRAMES);
        let padding = "x".repeat(EXCERPT_BYTES - 30);
        recorder.record_sent(
            [&encode(Opcode::Text, format!("{padding}{secret}").as_bytes())[..]].into_iter(),
            SystemTime::now,
        );
        recorder.record_sent(
            [&encode(Opcode::Text, format!("<{secret}>").as_bytes())[..]].into_iter(),
            SystemTime::now,
        );
        let records = recorder.records();
        assert!(records.iter().all(|record| !record.excerpt.contains("0123")), "{records:?}");
        assert_eq!(records.last().unwrap().excerpt, "<…>");
    }

    #[test]
    fn a_disabled_recorder_keeps_nothing() {
        let recorder = Recorder::default();
        recorder.record_received(Opcode::Text, b"x", SystemTime::now());
        assert!(recorder.records().is_empty());
    }
}
