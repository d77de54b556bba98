//! Bounds of the time that a search takes at once.
//!
//! The time to search text grows with its length and with the size of the program that an expression was compiled to, whatever
//! both contain. The product is the work. A long line is searched in windows, so that each takes little of it.

use std::ops::Range;

/// Work of a slice of the search: a few milliseconds, and 40 at worst.
const SLICE_WORK: usize = 16 << 20;
/// Work of the test of a line, whatever it is tested for.
const LINE_WORK: usize = 1 << 10;
/// Work after which a clock is looked at.
const CLOCK_WORK: usize = 1 << 20;
/// Minimum size of a window, in bytes.
const MIN_WINDOW_BYTES: usize = 512;
/// Maximum size of a window, in bytes.
const MAX_WINDOW_BYTES: usize = 256 << 10;

/// Work that may still be done.
pub struct Work<'a> {
    left: usize,
    has_time: &'a dyn Fn() -> bool,
}

impl Work<'static> {
    /// Returns the work of a slice.
    #[must_use]
    pub fn slice() -> Self {
        Self { left: SLICE_WORK, has_time: &|| false }
    }
}

impl<'a> Work<'a> {
    /// Returns work without an end while `has_time`.
    #[must_use]
    pub fn while_true(has_time: &'a dyn Fn() -> bool) -> Self {
        Self { left: CLOCK_WORK, has_time }
    }

    /// Records that a program of `program_bytes` has searched `bytes` of text.
    pub fn spend(&mut self, program_bytes: usize, bytes: usize) {
        self.left = self.left.saturating_sub(program_bytes.saturating_mul(bytes));
        if self.left == 0 && (self.has_time)() {
            self.left = CLOCK_WORK;
        }
    }

    /// Records that a line was tested, whatever for.
    pub fn spend_line(&mut self) {
        self.spend(LINE_WORK, 1);
    }

    /// Whether nothing more may be done.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }
}

/// Outcome of the search of a window of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It has a match. The range is empty where only the existence of a match was asked for.
    Match(Range<usize>),
    /// It has none; the next window begins here.
    Next(usize),
    /// Neither it nor the rest of the line has one.
    End,
}

/// Part of a line that is searched at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Byte range of the line.
    pub range: Range<usize>,
    /// Whether the line ends with it.
    pub is_last: bool,
}

impl Window {
    /// Returns the window from a byte of a line on, for a program of `program_bytes`.
    #[must_use]
    pub fn new(line: &str, from: usize, program_bytes: usize) -> Self {
        let size = SLICE_WORK / program_bytes.max(1);
        let end = char_start(line, from.saturating_add(size.clamp(MIN_WINDOW_BYTES, MAX_WINDOW_BYTES)));
        Self { range: from..end, is_last: end == line.len() }
    }

    /// Returns what follows a window without a match. The next one begins in its middle: a match of half a window is whole in one.
    #[must_use]
    pub fn without_match(&self, line: &str) -> Step {
        if self.is_last {
            return Step::End;
        }
        Step::Next(char_start(line, self.range.start + self.range.len() / 2))
    }
}

/// Returns the start of the character that a byte of a line is of; the end of the line beyond it.
#[must_use]
pub fn char_start(line: &str, at: usize) -> usize {
    let at = at.min(line.len());
    (0..=at).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_slice_ends_when_its_work_is_spent_and_other_work_when_its_time_is_over() {
        let mut work = Work::slice();
        work.spend(SLICE_WORK, 1);
        assert!(work.is_spent());
        let calls = Cell::new(0);
        let has_time = || calls.replace(calls.get() + 1) < 2;
        let mut work = Work::while_true(&has_time);
        for is_spent in [false, false, true] {
            work.spend(CLOCK_WORK, usize::MAX);
            assert_eq!(work.is_spent(), is_spent);
        }
    }

    #[test]
    fn windows_overlap_by_half_and_end_with_the_line() {
        let line = "é".repeat(MAX_WINDOW_BYTES);
        let (mut from, mut ends) = (0, vec![]);
        loop {
            let window = Window::new(&line, from, 1);
            assert!(line.get(window.range.clone()).is_some());
            ends.push(window.range.end);
            match window.without_match(&line) {
                Step::Next(next) => from = next,
                _ => break,
            }
        }
        assert_eq!(ends, [2, 3, 4].map(|half| half * MAX_WINDOW_BYTES / 2));
        assert_eq!(Window::new(&line, 0, usize::MAX).range.len(), MIN_WINDOW_BYTES);
    }
}
