//! Lines of one source: complete ones, and what the unfinished line shows.
//!
//! | a line | is published |
//! | --- | --- |
//! | that is complete | as it is |
//! | that is unfinished for [`UPDATE_DELAY`] | as what it shows, at most once in [`UPDATE_INTERVAL`]; the next message replaces it |
//! | that was unfinished, or of more than [`MAX_LINE_BYTES`], with control characters | as what it shows |
//! | of a source that has moved the cursor to other rows, with control characters | as it is; one of more than [`ROWS_PART_BYTES`] in parts, each from where the one before ended |
//! | of more than [`MAX_LINE_BYTES`] without | in parts |

use std::time::{Duration, Instant};

use memchr::{memchr, memchr3, memrchr};
use tailcast_lines::ansi::{
    AnsiReader,
    rows::moves_rows,
    sgr::{RESET, sgr_sequence},
    style::Style,
};

use super::{
    line_batcher::{InputWarnings, MAX_LINE_BYTES, floor_char_boundary},
    screen_line::ScreenLine,
};

/// Time for which a line is unfinished before it is published.
pub(super) const UPDATE_DELAY: Duration = Duration::from_millis(50);
/// The same for a line of which parts were published: its text comes too fast to be read, or has no lines at all.
pub(super) const SPLIT_UPDATE_DELAY: Duration = Duration::from_secs(1);
/// Minimum time between two messages that show an unfinished line of the same source.
pub(super) const UPDATE_INTERVAL: Duration = Duration::from_millis(100);

/// Length of a line that moves the cursor to other rows, in bytes, from which on it is published in parts.
pub(super) const ROWS_PART_BYTES: usize = 4 * 1024;
/// Moves the cursor to the row above.
const ROW_ABOVE: &[u8] = b"\x1b[A";

/// Lines that are to be published.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Emission<'a> {
    /// Lines, joined by line feeds.
    pub(super) lines: &'a [u8],
    /// Whether this is a part of a line that continues.
    pub(super) is_part: bool,
    /// Whether the first line replaces the unfinished line that was published.
    pub(super) redraws: bool,
}

/// Consumer of lines.
pub(super) type LineSink<'a> = dyn FnMut(Emission<'_>) + 'a;

/// Buffer of the unfinished line of one source.
#[derive(Debug, Default)]
pub(super) struct SourceLines {
    /// Bytes of the unfinished line, after those that were read into `screen`.
    partial: Vec<u8>,
    /// The beginning of an unfinished line that is too long to be kept as it is.
    screen: Option<ScreenLine>,
    /// Carries style from line to line, up to the unfinished one.
    reader: AnsiReader,
    /// The unfinished line, as published.
    published: Option<String>,
    /// Whether parts of the unfinished line were emitted.
    is_split: bool,
    /// Whether the cursor was moved to another row. A line may then be written over what is in its row already.
    has_moved_rows: bool,
    /// First change of the unfinished line since it was published.
    changed_at: Option<Instant>,
    /// Time at which an unfinished line was published last.
    updated_at: Option<Instant>,
}

impl SourceLines {
    /// Appends bytes, and emits the lines that end in them.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        now: Instant,
        warnings: &mut InputWarnings,
        emit: &mut LineSink<'_>,
    ) {
        if memchr(b'\n', bytes).is_some() {
            self.changed_at = None;
        }
        for piece in bytes.chunks(MAX_LINE_BYTES) {
            self.push_piece(piece, warnings, emit);
        }
        self.has_moved_rows = self.has_moved_rows || moves_rows(&self.partial);
        if self.is_at_line_start() {
            return;
        }
        match &mut self.changed_at {
            Some(changed_at) if self.is_split => *changed_at = now,
            changed_at => {
                changed_at.get_or_insert(now);
            }
        }
    }

    /// Whether the source has moved the cursor to another row.
    pub(super) fn has_moved_rows(&self) -> bool {
        self.has_moved_rows
    }

    /// Ends the source. Emits its unfinished line, if any, unless it was published as it is now. Returns whether it was.
    pub(super) fn finish(&mut self, warnings: &mut InputWarnings, emit: &mut LineSink<'_>) -> bool {
        if self.is_at_line_start() {
            return false;
        }
        let is_published = self.published.is_some() && self.shown() == self.published;
        if is_published {
            *self = Self { reader: std::mem::take(&mut self.reader), ..Self::default() };
        } else {
            self.end_line(warnings, emit);
        }
        is_published
    }

    /// Returns the time at which the unfinished line is to be published.
    pub(super) fn update_at(&self) -> Option<Instant> {
        let settled = self.changed_at? + if self.is_split { SPLIT_UPDATE_DELAY } else { UPDATE_DELAY };
        Some(self.updated_at.map_or(settled, |updated| settled.max(updated + UPDATE_INTERVAL)))
    }

    /// Returns what the unfinished line shows, if that is due and was not published yet. Lines emitted before must be published
    /// before.
    pub(super) fn update(&mut self, now: Instant) -> Option<String> {
        if self.update_at().is_none_or(|at| at > now) {
            return None;
        }
        self.changed_at = None;
        let shown = self.shown()?;
        let is_news = match &self.published {
            Some(published) => *published != shown,
            None => !shown.is_empty(),
        };
        if !is_news {
            return None;
        }
        self.updated_at = Some(now);
        self.published = Some(shown.clone());
        Some(shown)
    }

    fn is_at_line_start(&self) -> bool {
        self.partial.is_empty() && self.screen.is_none()
    }

    fn push_piece(&mut self, piece: &[u8], warnings: &mut InputWarnings, emit: &mut LineSink<'_>) {
        let mut rest = piece;
        if !self.is_at_line_start()
            && let Some(end) = memchr(b'\n', rest)
        {
            self.extend(rest.get(..end).unwrap_or_default(), warnings, emit);
            self.end_line(warnings, emit);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        if self.is_at_line_start()
            && let Some(end) = memrchr(b'\n', rest)
        {
            self.emit(rest.get(..end).unwrap_or_default(), false, emit);
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        self.extend(rest, warnings, emit);
    }

    /// Emits lines that are complete or too long.
    fn emit(&mut self, lines: &[u8], is_part: bool, emit: &mut LineSink<'_>) {
        self.reader.skip_lines(lines);
        self.has_moved_rows = self.has_moved_rows || moves_rows(lines);
        emit(Emission { lines, is_part, redraws: self.published.take().is_some() });
    }

    fn end_line(&mut self, warnings: &mut InputWarnings, emit: &mut LineSink<'_>) {
        let rest = std::mem::take(&mut self.partial);
        self.is_split = false;
        // The states of a line that were published need not come again.
        let is_redrawn =
            self.published.is_some() && !is_plain(&rest) && !self.has_moved_rows && !moves_rows(&rest);
        let screen = self.screen.take().or_else(|| is_redrawn.then(|| ScreenLine::after(&self.reader)));
        match screen {
            None => self.emit(&rest, false, emit),
            Some(mut screen) => {
                screen.read(&text_of(&rest, warnings));
                screen.take_parts(false, |part, is_part| self.emit(part.as_bytes(), is_part, emit));
            }
        }
    }

    /// Appends bytes to the unfinished line. If it becomes too long, emits its beginning, or replaces it by what it shows.
    fn extend(&mut self, bytes: &[u8], warnings: &mut InputWarnings, emit: &mut LineSink<'_>) {
        self.partial.extend_from_slice(bytes);
        while self.partial.len() > ROWS_PART_BYTES && self.screen.is_none() && self.emit_rows(emit) {}
        while self.partial.len() > MAX_LINE_BYTES {
            let end = floor_char_boundary(&self.partial, MAX_LINE_BYTES);
            let rest = self.partial.split_off(end);
            let block = std::mem::replace(&mut self.partial, rest);
            if self.screen.is_none() && is_plain(&block) {
                self.count_split(warnings);
                self.emit(&block, true, emit);
                continue;
            }
            let mut screen = self.screen.take().unwrap_or_else(|| ScreenLine::after(&self.reader));
            screen.read(&text_of(&block, warnings));
            if screen.is_too_long() {
                self.count_split(warnings);
                screen.take_parts(true, |part, is_part| self.emit(part.as_bytes(), is_part, emit));
            }
            self.screen = Some(screen);
        }
    }

    /// Emits the beginning of a line that moves the cursor to other rows, up to the last carriage return. Returns whether there is
    /// one.
    fn emit_rows(&mut self, emit: &mut LineSink<'_>) -> bool {
        let limit = self.partial.len().min(MAX_LINE_BYTES);
        let beginning = self.partial.get(..limit).unwrap_or_default();
        let Some(end) = memrchr(b'\r', beginning).filter(|end| *end > ROW_ABOVE.len()) else { return false };
        self.has_moved_rows = self.has_moved_rows || moves_rows(beginning);
        if !self.has_moved_rows {
            return false;
        }
        // The line feed behind a part moves the cursor down.
        let rest = [ROW_ABOVE, self.partial.get(end + 1..).unwrap_or_default()].concat();
        let part = std::mem::replace(&mut self.partial, rest);
        self.emit(part.get(..end).unwrap_or_default(), true, emit);
        true
    }

    fn count_split(&mut self, warnings: &mut InputWarnings) {
        warnings.split_lines += u64::from(!std::mem::replace(&mut self.is_split, true));
    }

    /// Returns what the unfinished line shows, as text that stands alone; `None` if that is too long.
    fn shown(&self) -> Option<String> {
        let complete = complete_characters(&self.partial);
        if self.screen.is_none() && is_plain(complete) && self.reader.style() == Style::default() {
            return Some(String::from_utf8_lossy(complete).into_owned());
        }
        if self.screen.is_none() && self.has_moved_rows {
            let style = Some(self.reader.style()).filter(|style| *style != Style::default());
            let text = String::from_utf8_lossy(complete);
            return Some(format!("{}{text}{RESET}", style.map(sgr_sequence).unwrap_or_default()));
        }
        let mut screen = self.screen.clone().unwrap_or_else(|| ScreenLine::after(&self.reader));
        screen.read(&String::from_utf8_lossy(complete));
        Some(screen.shown()).filter(|text| text.len() <= MAX_LINE_BYTES)
    }
}

/// Whether a line shows all of its characters, in order.
fn is_plain(line: &[u8]) -> bool {
    memchr3(b'\r', 0x08, 0x1b, line).is_none()
}

fn text_of(bytes: &[u8], warnings: &mut InputWarnings) -> String {
    warnings.invalid_lines += u64::from(std::str::from_utf8(bytes).is_err());
    String::from_utf8_lossy(bytes).into_owned()
}

/// Returns the bytes without a character at their end of which bytes are missing.
fn complete_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.get(..error.valid_up_to()).unwrap_or_default(),
        _ => bytes,
    }
}
