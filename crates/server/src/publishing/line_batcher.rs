//! Lines into messages: as many whole lines as fit, joined by line feeds, without the last line's own.
//!
//! A message holds text, so bytes that are not UTF-8 are replaced by U+FFFD, and counted. NUL is legal text and is
//! passed on; it is counted too, because readers show a replacement.

use memchr::{memchr_iter, memrchr};

/// Most bytes of text in one message. JSON may spell one byte with six (`\u0001`), and a message may hold 1 MiB.
pub(super) const MAX_BATCH_BYTES: usize = 64 * 1024;
/// Longest line that is sent whole, in bytes without its line feed. A longer one is cut, between characters, and goes
/// on in the next message.
pub(super) const MAX_LINE_BYTES: usize = MAX_BATCH_BYTES;

/// A message's worth of lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) text: String,
    /// How many lines end in it.
    pub(super) lines: u64,
}

/// What was unusual about the input.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Oddities {
    /// Lines with bytes that are not UTF-8.
    pub(super) invalid_lines: u64,
    /// Lines with NUL characters.
    pub(super) nul_lines: u64,
    /// Lines that were cut.
    pub(super) cut_lines: u64,
}

/// Collects bytes, and gives batches.
#[derive(Debug, Default)]
pub(super) struct LineBatcher {
    /// Bytes not given yet; what lies before `start` has been.
    pending: Vec<u8>,
    start: usize,
    is_inside_cut_line: bool,
    has_ended: bool,
    oddities: Oddities,
}

impl LineBatcher {
    /// Takes bytes; gives how many lines end in them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> u64 {
        if self.start > 0 {
            self.pending.drain(..self.start);
            self.start = 0;
        }
        self.pending.extend_from_slice(bytes);
        memchr_iter(b'\n', bytes).count() as u64
    }

    /// The input has ended: its last line may have no line feed. Gives how many lines that makes, one or none.
    pub(super) fn finish(&mut self) -> u64 {
        self.has_ended = true;
        u64::from(!self.rest().is_empty() && !self.rest().ends_with(b"\n"))
    }

    /// The next batch; `None` when no whole line is left.
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        let rest = self.rest();
        // One byte more, so that a line of exactly the limit is seen to end there.
        let window = rest.get(..=MAX_BATCH_BYTES).unwrap_or(rest);
        if let Some(end) = memrchr(b'\n', window) {
            return Some(self.take(end, 1));
        }
        if window.len() > MAX_LINE_BYTES {
            // What is left of the line holds at least one byte, so a cut line always has another piece.
            let end = floor_char_boundary(window, MAX_LINE_BYTES);
            self.oddities.cut_lines += u64::from(!self.is_inside_cut_line);
            let batch = self.take(end, 0);
            self.is_inside_cut_line = true;
            return Some(batch);
        }
        if self.has_ended && !window.is_empty() {
            let batch = self.take(window.len(), 0);
            return Some(Batch { lines: batch.lines + 1, ..batch });
        }
        None
    }

    /// What was unusual so far.
    pub(super) fn oddities(&self) -> Oddities {
        self.oddities
    }

    fn rest(&self) -> &[u8] {
        self.pending.get(self.start..).unwrap_or_default()
    }

    /// Takes `length` bytes as text and skips `feed` bytes of line end.
    fn take(&mut self, length: usize, feed: usize) -> Batch {
        let bytes = self.rest().get(..length).unwrap_or_default();
        let lines = memchr_iter(b'\n', bytes).count() as u64 + feed as u64;
        let mut oddities = self.oddities;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                let is_invalid = |line: &&[u8]| std::str::from_utf8(line).is_err();
                oddities.invalid_lines +=
                    bytes.split(|byte| *byte == b'\n').filter(is_invalid).count() as u64;
                String::from_utf8_lossy(bytes).into_owned()
            }
        };
        if memchr::memchr(0, bytes).is_some() {
            let has_nul = |line: &&[u8]| line.contains(&0);
            oddities.nul_lines += bytes.split(|byte| *byte == b'\n').filter(has_nul).count() as u64;
        }
        self.oddities = oddities;
        self.start += length + feed;
        self.is_inside_cut_line = false;
        Batch { text, lines }
    }
}

/// The largest position up to `limit` that does not split a UTF-8 character; `limit` itself in bytes that are none.
pub(super) fn floor_char_boundary(bytes: &[u8], limit: usize) -> usize {
    const LONGEST_CHARACTER: usize = 4;
    let is_boundary = |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0xC0 != 0x80);
    (limit.saturating_sub(LONGEST_CHARACTER - 1)..=limit).rev().find(is_boundary).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn batches(chunks: &[&[u8]]) -> (Vec<Batch>, Oddities) {
        let mut batcher = LineBatcher::default();
        let mut batches = Vec::new();
        for chunk in chunks {
            batcher.push(chunk);
            batches.extend(std::iter::from_fn(|| batcher.next_batch()));
        }
        batcher.finish();
        batches.extend(std::iter::from_fn(|| batcher.next_batch()));
        (batches, batcher.oddities())
    }

    fn batch(text: &str, lines: u64) -> Batch {
        Batch { text: text.into(), lines }
    }

    #[test]
    fn what_is_there_leaves_at_once_and_a_begun_line_waits_for_its_end() {
        let (batches, _) = batches(&[b"one\n", b"two\nthr", b"ee\n", b"four"]);
        assert_eq!(batches, [batch("one", 1), batch("two", 1), batch("three", 1), batch("four", 1)]);
    }

    #[test]
    fn empty_lines_are_lines() {
        assert_eq!(batches(&[b"\n"]).0, [batch("", 1)]);
        assert_eq!(batches(&[b"\n\na\n\n"]).0, [batch("\n\na\n", 4)]);
        assert_eq!(batches(&[b""]).0, []);
    }

    #[test]
    fn a_line_of_exactly_the_limit_stays_whole_and_a_longer_one_is_cut_between_characters() {
        let exact = "x".repeat(MAX_LINE_BYTES);
        let (whole, oddities) = batches(&[format!("{exact}\n").as_bytes()]);
        assert_eq!((whole, oddities.cut_lines), (vec![batch(&exact, 1)], 0));
        let long = "é".repeat(MAX_LINE_BYTES);
        let (pieces, oddities) = batches(&[long.as_bytes()]);
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), long);
        assert_eq!((pieces.iter().map(|piece| piece.lines).sum::<u64>(), oddities.cut_lines), (1, 1));
        assert_eq!(oddities.invalid_lines, 0);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_counted_by_line() {
        let (batches, oddities) = batches(&[b"ok\nbad \xff\xfe\nalso \xff\nnul \0\n"]);
        assert_eq!(batches, [batch("ok\nbad \u{fffd}\u{fffd}\nalso \u{fffd}\nnul \0", 4)]);
        assert_eq!((oddities.invalid_lines, oddities.nul_lines), (2, 1));
    }

    proptest! {
        #[test]
        fn no_line_is_lost_or_changed_however_the_input_is_cut(
            lines in prop::collection::vec("[a-zé]{0,12}", 0..40),
            cuts in prop::collection::vec(1..30_usize, 1..20),
            ends_with_feed in any::<bool>(),
        ) {
            let mut input = lines.join("\n");
            if ends_with_feed && !lines.is_empty() {
                input.push('\n');
            }
            let mut chunks = Vec::new();
            let (mut rest, mut cuts) = (input.as_bytes(), cuts.into_iter().cycle());
            while !rest.is_empty() {
                let (chunk, later) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                chunks.push(chunk);
                rest = later;
            }
            let (batches, _) = batches(&chunks);
            let seen: Vec<&str> = batches.iter().flat_map(|batch| batch.text.split('\n')).collect();
            let expected: Vec<&str> = input.split_terminator('\n').collect();
            prop_assert_eq!(seen, expected.clone());
            prop_assert_eq!(batches.iter().map(|batch| batch.lines).sum::<u64>(), expected.len() as u64);
        }

        #[test]
        fn no_byte_is_lost_from_a_long_line(length in 0..400_000_usize, feed in any::<bool>()) {
            let mut input = "z".repeat(length);
            if feed {
                input.push('\n');
            }
            let (batches, _) = batches(&[input.as_bytes()]);
            prop_assert!(batches.iter().all(|batch| batch.text.len() <= MAX_BATCH_BYTES));
            prop_assert_eq!(batches.iter().map(|batch| batch.text.len()).sum::<usize>(), length);
            prop_assert_eq!(batches.iter().map(|batch| batch.lines).sum::<u64>(), u64::from(feed || length > 0));
        }
    }
}
