//! Batches lines into messages: as many whole lines as fit, joined by line feeds, without a final line feed.
//!
//! A message contains text, so invalid UTF-8 is replaced by U+FFFD. NUL is valid text and stays; viewers show a
//! replacement. Lines with either are counted, to warn the user.

use memchr::{memchr_iter, memrchr};

/// Maximum text of a message, in bytes. JSON can escape one byte as six (`\u0001`), and a message is limited to 1 MiB.
pub(super) const MAX_BATCH_BYTES: usize = 64 * 1024;
/// Maximum length of an unsplit line, in bytes without its line feed. A longer line is split between characters and
/// continues in the next message.
pub(super) const MAX_LINE_BYTES: usize = MAX_BATCH_BYTES;

/// Lines of one message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) text: String,
    /// Count of lines that end in the message.
    pub(super) lines: u64,
}

/// Counts of lines that were changed, or that viewers show differently.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct InputWarnings {
    /// Count of lines with invalid UTF-8.
    pub(super) invalid_lines: u64,
    /// Count of lines with NUL characters.
    pub(super) nul_lines: u64,
    /// Count of lines that were split.
    pub(super) split_lines: u64,
}

/// Buffer that splits bytes into batches of lines.
#[derive(Debug, Default)]
pub(super) struct LineBatcher {
    /// Buffered bytes; those before `start` are consumed.
    pending: Vec<u8>,
    start: usize,
    is_inside_split_line: bool,
    has_ended: bool,
    warnings: InputWarnings,
}

impl LineBatcher {
    /// Appends bytes. Returns the count of lines that end in them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> u64 {
        if self.start > 0 {
            self.pending.drain(..self.start);
            self.start = 0;
        }
        self.pending.extend_from_slice(bytes);
        memchr_iter(b'\n', bytes).count() as u64
    }

    /// Ends the input. Returns 1 if its last line has no line feed, otherwise 0.
    pub(super) fn finish(&mut self) -> u64 {
        self.has_ended = true;
        u64::from(!self.rest().is_empty() && !self.rest().ends_with(b"\n"))
    }

    /// Removes and returns the next batch; `None` if no whole line is buffered.
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        let rest = self.rest();
        // One byte more, to include the line feed of a line of maximum length.
        let window = rest.get(..=MAX_BATCH_BYTES).unwrap_or(rest);
        if let Some(end) = memrchr(b'\n', window) {
            return Some(self.take(end, 1));
        }
        if window.len() > MAX_LINE_BYTES {
            // The rest of the line has at least one byte, so a split line always has another part.
            let end = floor_char_boundary(window, MAX_LINE_BYTES);
            self.warnings.split_lines += u64::from(!self.is_inside_split_line);
            let batch = self.take(end, 0);
            self.is_inside_split_line = true;
            return Some(batch);
        }
        if self.has_ended && !window.is_empty() {
            let batch = self.take(window.len(), 0);
            return Some(Batch { lines: batch.lines + 1, ..batch });
        }
        None
    }

    /// Returns the warnings so far.
    pub(super) fn warnings(&self) -> InputWarnings {
        self.warnings
    }

    fn rest(&self) -> &[u8] {
        self.pending.get(self.start..).unwrap_or_default()
    }

    /// Removes `length` bytes as text, and `feed` bytes of line feed after them.
    fn take(&mut self, length: usize, feed: usize) -> Batch {
        let bytes = self.rest().get(..length).unwrap_or_default();
        let lines = memchr_iter(b'\n', bytes).count() as u64 + feed as u64;
        let mut warnings = self.warnings;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => {
                let is_invalid = |line: &&[u8]| std::str::from_utf8(line).is_err();
                warnings.invalid_lines +=
                    bytes.split(|byte| *byte == b'\n').filter(is_invalid).count() as u64;
                String::from_utf8_lossy(bytes).into_owned()
            }
        };
        if memchr::memchr(0, bytes).is_some() {
            let has_nul = |line: &&[u8]| line.contains(&0);
            warnings.nul_lines += bytes.split(|byte| *byte == b'\n').filter(has_nul).count() as u64;
        }
        self.warnings = warnings;
        self.start += length + feed;
        self.is_inside_split_line = false;
        Batch { text, lines }
    }
}

/// Returns the largest position up to `limit` that does not split a UTF-8 character; `limit` itself in invalid UTF-8.
pub(super) fn floor_char_boundary(bytes: &[u8], limit: usize) -> usize {
    const MAX_CHARACTER_BYTES: usize = 4;
    let is_boundary = |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0xC0 != 0x80);
    (limit.saturating_sub(MAX_CHARACTER_BYTES - 1)..=limit).rev().find(is_boundary).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn batches(chunks: &[&[u8]]) -> (Vec<Batch>, InputWarnings) {
        let mut batcher = LineBatcher::default();
        let mut batches = Vec::new();
        for chunk in chunks {
            batcher.push(chunk);
            batches.extend(std::iter::from_fn(|| batcher.next_batch()));
        }
        batcher.finish();
        batches.extend(std::iter::from_fn(|| batcher.next_batch()));
        (batches, batcher.warnings())
    }

    fn batch(text: &str, lines: u64) -> Batch {
        Batch { text: text.into(), lines }
    }

    #[test]
    fn whole_lines_are_sent_immediately_and_partial_lines_are_buffered() {
        let (batches, _) = batches(&[b"one\n", b"two\nthr", b"ee\n", b"four"]);
        assert_eq!(batches, [batch("one", 1), batch("two", 1), batch("three", 1), batch("four", 1)]);
    }

    #[test]
    fn empty_lines_are_counted_as_lines() {
        assert_eq!(batches(&[b"\n"]).0, [batch("", 1)]);
        assert_eq!(batches(&[b"\n\na\n\n"]).0, [batch("\n\na\n", 4)]);
        assert_eq!(batches(&[b""]).0, []);
    }

    #[test]
    fn lines_over_the_limit_are_split_between_characters() {
        let exact = "x".repeat(MAX_LINE_BYTES);
        let (whole, warnings) = batches(&[format!("{exact}\n").as_bytes()]);
        assert_eq!((whole, warnings.split_lines), (vec![batch(&exact, 1)], 0));
        let long = "é".repeat(MAX_LINE_BYTES);
        let (pieces, warnings) = batches(&[long.as_bytes()]);
        assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), long);
        assert_eq!((pieces.iter().map(|piece| piece.lines).sum::<u64>(), warnings.split_lines), (1, 1));
        assert_eq!(warnings.invalid_lines, 0);
    }

    #[test]
    fn invalid_utf8_is_replaced_and_counted_by_line() {
        let (batches, warnings) = batches(&[b"ok\nbad \xff\xfe\nalso \xff\nnul \0\n"]);
        assert_eq!(batches, [batch("ok\nbad \u{fffd}\u{fffd}\nalso \u{fffd}\nnul \0", 4)]);
        assert_eq!((warnings.invalid_lines, warnings.nul_lines), (2, 1));
    }

    proptest! {
        #[test]
        fn lines_are_complete_for_any_chunking_of_the_input(
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
        fn long_lines_keep_all_bytes(length in 0..400_000_usize, feed in any::<bool>()) {
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
