//! Batches lines into messages: as many whole lines as fit, joined by line feeds, without a final line feed unless the last
//! line is empty.
//!
//! Every message stands alone: it begins with the style that its first line has, and ends every style. Where the source
//! changes, where an unfinished line is replaced, and once a source has moved the cursor, a [mark](webpubsub_protocol::marks)
//! names publisher and source.
//!
//! A message contains text, so invalid UTF-8 is replaced by U+FFFD. NUL is valid text and stays; viewers show a
//! replacement. Lines with either are counted, to warn the user.

use std::{borrow::Cow, collections::VecDeque, time::Instant};

use memchr::{memchr, memchr_iter, memchr2, memrchr};
use tailcast_lines::ansi::{
    AnsiReader,
    sgr::{RESET, link_sequence, sgr_sequence},
    style::Style,
};
use webpubsub_protocol::marks::without_marks;

use super::{input::CommandEnd, publisher::Publisher, source_lines::SourceLines};

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

/// Lines of one source that follow each other.
#[derive(Debug)]
struct Run {
    source: usize,
    /// End of the lines in the buffer, after their last line feed.
    end: usize,
    is_part: bool,
    redraws: bool,
}

/// Buffer that splits the bytes of sources into batches of lines.
#[derive(Debug)]
pub(super) struct LineBatcher {
    publisher: Publisher,
    sources: Vec<SourceLines>,
    /// Complete lines, each with a line feed; those before `start` are consumed.
    ready: Vec<u8>,
    start: usize,
    runs: VecDeque<Run>,
    /// Carries style from batch to batch, for each source.
    readers: Vec<AnsiReader>,
    /// Whether a source has moved the cursor: its rows may be overwritten from then on.
    moves_cursor: Vec<bool>,
    /// Lines at the end of the input that were published while they were unfinished.
    shown_lines: u64,
    warnings: InputWarnings,
}

impl LineBatcher {
    pub(super) fn new(publisher: Publisher) -> Self {
        let count = publisher.sources().len();
        Self {
            sources: std::iter::repeat_with(SourceLines::default).take(count).collect(),
            readers: vec![AnsiReader::default(); count],
            moves_cursor: vec![false; count],
            publisher,
            ready: Vec::new(),
            start: 0,
            runs: VecDeque::new(),
            shown_lines: 0,
            warnings: InputWarnings::default(),
        }
    }

    /// Appends bytes of a source. Returns the count of lines that end in them.
    pub(super) fn push(&mut self, source: usize, bytes: &[u8], now: Instant) -> u64 {
        self.drop_consumed();
        let Self { sources, moves_cursor, ready, runs, warnings, .. } = self;
        let Some(lines) = sources.get_mut(source) else { return 0 };
        lines.push(bytes, now, warnings, &mut |emission| add_run(ready, runs, source, emission));
        if let Some(moves) = moves_cursor.get_mut(source) {
            // A program that writes for a terminal may move the cursor up later, and overwrite these lines.
            *moves = *moves || lines.has_moved_rows() || memchr2(b'\r', 0x08, bytes).is_some();
        }
        memchr_iter(b'\n', bytes).count() as u64
    }

    /// Makes the unfinished line of a source that of another one, which has none.
    pub(super) fn move_line(&mut self, from: usize, to: usize) {
        let line = self.sources.get_mut(from).map(std::mem::take);
        if let (Some(line), Some(to)) = (line, self.sources.get_mut(to)) {
            *to = line;
        }
    }

    /// Ends the input. Returns the count of last lines without a line feed.
    pub(super) fn finish(&mut self) -> u64 {
        let Self { sources, ready, runs, warnings, .. } = self;
        let mut lines = 0;
        for (number, source) in sources.iter_mut().enumerate() {
            let mut emitted = 0;
            let is_shown = source.finish(warnings, &mut |emission| {
                emitted += u64::from(!emission.is_part);
                add_run(ready, runs, number, emission);
            });
            self.shown_lines += u64::from(is_shown);
            lines += emitted + u64::from(is_shown);
        }
        lines
    }

    /// Returns the count of last lines that were published by [`Self::next_update`] as they are, and resets it.
    pub(super) fn take_shown_lines(&mut self) -> u64 {
        std::mem::take(&mut self.shown_lines)
    }

    /// Removes and returns the next batch; `None` if no complete line is buffered.
    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        self.runs.front()?;
        let (mut lines, mut last_source) = (0, None);
        let mut text = String::new();
        while let Some(run) = self.runs.front().filter(|_| text.len() < MAX_BATCH_BYTES) {
            let (source, is_part, redraws) = (run.source, run.is_part, run.redraws);
            let rest = self.ready.get(self.start..run.end).unwrap_or_default();
            // One byte more, to include the line feed of a line of maximum length.
            let budget = MAX_BATCH_BYTES - text.len();
            let Some(end) = memrchr(b'\n', rest.get(..=budget).unwrap_or(rest)) else { break };
            if last_source.is_some() {
                text.push('\n');
            }
            let bytes = self.ready.get(self.start..self.start + end).unwrap_or_default();
            let moves_cursor = self.moves_cursor.get(source) == Some(&true);
            if redraws || moves_cursor || !self.publisher.is_same(last_source, source) {
                self.publisher.write_mark(&mut text, source, false);
            }
            let feeds = memchr_iter(b'\n', bytes).count() as u64;
            if let Some(reader) = self.readers.get_mut(source) {
                append_lines(&mut text, &text_of(bytes, &mut self.warnings), reader);
            }
            lines += feeds + u64::from(!is_part);
            last_source = Some(source);
            self.start += end + 1;
            if !self.end_run() {
                break;
            }
        }
        if text.ends_with('\n') {
            // A line feed at the end of a message ends its last line: an empty last line needs one of its own.
            text.push('\n');
        }
        // Messages wait for their acknowledgement, and only their length counts for the window.
        if text.capacity() - text.len() > text.len() / 4 {
            text.shrink_to_fit();
        }
        Some(Batch { text, lines })
    }

    /// Removes the first run once it is consumed; the rest of a run replaces nothing. Returns whether it was consumed.
    fn end_run(&mut self) -> bool {
        let Some(run) = self.runs.front_mut() else { return true };
        run.redraws = false;
        let is_consumed = run.end <= self.start;
        if is_consumed {
            self.runs.pop_front();
        }
        is_consumed
    }

    /// Returns the time at which an unfinished line is to be published.
    pub(super) fn next_update_at(&self) -> Option<Instant> {
        self.sources.iter().filter_map(SourceLines::update_at).min()
    }

    /// Returns a message that shows an unfinished line, if one is due. All batches must have been taken.
    pub(super) fn next_update(&mut self, now: Instant) -> Option<Batch> {
        let shown = |(number, source): (usize, &mut SourceLines)| Some((number, source.update(now)?));
        let (source, shown) = self.sources.iter_mut().enumerate().find_map(shown)?;
        let mut text = String::new();
        self.publisher.write_mark(&mut text, source, true);
        text.push_str(&text_of(shown.as_bytes(), &mut InputWarnings::default()));
        Some(Batch { text, lines: 0 })
    }

    /// Returns the message that reports the start of the command, if there is one.
    pub(super) fn start_command(&self) -> Option<Batch> {
        Some(Batch { text: self.publisher.start_mark()?, lines: 0 })
    }

    /// Returns the message that reports the end of the command.
    pub(super) fn end_command(&self, end: CommandEnd) -> Batch {
        Batch { text: self.publisher.end_mark(end), lines: 0 }
    }

    /// Returns the warnings so far.
    pub(super) fn warnings(&self) -> InputWarnings {
        self.warnings
    }

    fn drop_consumed(&mut self) {
        if self.start > 0 {
            self.ready.drain(..self.start);
            self.runs.iter_mut().for_each(|run| run.end -= self.start);
            self.start = 0;
        }
    }
}

/// Appends complete lines to the buffer.
fn add_run(
    ready: &mut Vec<u8>,
    runs: &mut VecDeque<Run>,
    source: usize,
    emission: super::source_lines::Emission<'_>,
) {
    ready.extend_from_slice(emission.lines);
    ready.push(b'\n');
    let (is_part, redraws, end) = (emission.is_part, emission.redraws, ready.len());
    match runs.back_mut() {
        Some(last) if last.source == source && !last.is_part && !is_part && !redraws => last.end = end,
        _ => runs.push_back(Run { source, end, is_part, redraws }),
    }
}

/// Appends lines that begin with the style of `reader`, and ends their style.
fn append_lines(text: &mut String, lines: &str, reader: &mut AnsiReader) {
    let before = reader.style();
    if before == Style::default() && memchr(0x1b, lines.as_bytes()).is_none() {
        return text.push_str(lines);
    }
    if before != Style::default() {
        text.push_str(&sgr_sequence(before));
    }
    text.push_str(lines);
    reader.skip_lines(lines.as_bytes());
    if leaves_link(lines) {
        text.push_str(&link_sequence(None));
    }
    if reader.style() != Style::default() {
        text.push_str(RESET);
    }
}

/// Whether a link (OSC 8) is open at the end of lines: terminals would continue it in the next message.
fn leaves_link(lines: &str) -> bool {
    let last = lines.rfind("\u{1b}]8;").and_then(|at| lines.get(at + "\u{1b}]8;".len()..));
    let url = last.and_then(|rest| rest.split_once(';')).map_or("", |(_, url)| url);
    !url.is_empty() && !url.starts_with(['\u{7}', '\u{1b}'])
}

/// Returns bytes as text without marks. Counts lines that viewers show differently.
fn text_of<'a>(bytes: &'a [u8], warnings: &mut InputWarnings) -> Cow<'a, str> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            let is_invalid = |line: &&[u8]| std::str::from_utf8(line).is_err();
            warnings.invalid_lines += bytes.split(|byte| *byte == b'\n').filter(is_invalid).count() as u64;
            Cow::Owned(String::from_utf8_lossy(bytes).into_owned())
        }
    };
    if memchr(0, bytes).is_some() {
        let has_nul = |line: &&[u8]| line.contains(&0);
        warnings.nul_lines += bytes.split(|byte| *byte == b'\n').filter(has_nul).count() as u64;
    }
    match text {
        Cow::Borrowed(text) => without_marks(text),
        Cow::Owned(text) => Cow::Owned(without_marks(&text).into_owned()),
    }
}

/// Returns the largest position up to `limit` that does not split a UTF-8 character; `limit` itself in invalid UTF-8.
pub(super) fn floor_char_boundary(bytes: &[u8], limit: usize) -> usize {
    const MAX_CHARACTER_BYTES: usize = 4;
    let is_boundary = |at: &usize| bytes.get(*at).is_none_or(|byte| byte & 0xC0 != 0x80);
    (limit.saturating_sub(MAX_CHARACTER_BYTES - 1)..=limit).rev().find(is_boundary).unwrap_or(limit)
}

#[cfg(test)]
mod tests;
