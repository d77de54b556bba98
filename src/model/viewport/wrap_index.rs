//! Rows of each line while long lines wrap, and the line at each row.
//!
//! A row breaks anywhere, so the count of a line's rows follows from its width without measuring. Measured counts replace it
//! where fonts decide the width, which is outside of ASCII. Sums over blocks of lines limit a lookup to a few hundred steps.

use std::collections::VecDeque;

/// Count of lines in a block.
const BLOCK_LINES: u64 = 256;

/// Rows of each line. See the [module](self).
#[derive(Debug)]
pub struct WrapIndex {
    row_columns: u32,
    first: u64,
    rows: VecDeque<u32>,
    /// Sums of the blocks. The first block may have lost lines.
    sums: VecDeque<u64>,
}

impl WrapIndex {
    /// Creates an empty index that starts at the line `first`, with rows of `row_columns`.
    #[must_use]
    pub fn new(row_columns: u32, first: u64) -> Self {
        Self { row_columns: row_columns.max(1), first, rows: VecDeque::new(), sums: VecDeque::new() }
    }

    /// Returns the width of a row in columns.
    #[must_use]
    pub fn row_columns(&self) -> u32 {
        self.row_columns
    }

    /// Returns the line that will be appended next.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.first + self.rows.len() as u64
    }

    /// Appends a line of this width in columns.
    pub fn append(&mut self, columns: u32) {
        let rows = columns.div_ceil(self.row_columns).max(1);
        if self.sums.is_empty() || self.next().is_multiple_of(BLOCK_LINES) {
            self.sums.push_back(0);
        }
        self.rows.push_back(rows);
        if let Some(sum) = self.sums.back_mut() {
            *sum += u64::from(rows);
        }
    }

    /// Removes the lines before `first`.
    pub fn drop_to(&mut self, first: u64) {
        while self.first < first
            && let Some(rows) = self.rows.pop_front()
        {
            if let Some(sum) = self.sums.front_mut() {
                *sum -= u64::from(rows);
            }
            self.first += 1;
            if self.first.is_multiple_of(BLOCK_LINES) || self.rows.is_empty() {
                self.sums.pop_front();
            }
        }
        self.first = self.first.max(first);
    }

    /// Sets the measured count of a line's rows. Returns whether it differs from before.
    pub fn set(&mut self, line: u64, rows: u32) -> bool {
        let block = self.block_of(line);
        let Some(known) = self.index_of(line).and_then(|index| self.rows.get_mut(index)) else {
            return false;
        };
        let old = std::mem::replace(known, rows.max(1));
        if let Some(sum) = self.sums.get_mut(block) {
            *sum = *sum - u64::from(old) + u64::from(rows.max(1));
        }
        old != rows.max(1)
    }

    /// Returns the count of rows before a line.
    #[must_use]
    pub fn rows_before(&self, line: u64) -> u64 {
        let line = line.clamp(self.first, self.next());
        let block = self.block_of(line);
        let before: u64 = self.sums.iter().take(block).sum();
        let from = self.block_start(block);
        before + (from..line).map(|line| self.rows_of(line)).sum::<u64>()
    }

    /// Returns the line at a row, and the row's index within it. Beyond the end, the last line.
    #[must_use]
    pub fn line_at(&self, row: u64) -> (u64, u64) {
        let (mut block, mut left) = (0, row);
        while let Some(sum) = self.sums.get(block).filter(|sum| **sum <= left && block + 1 < self.sums.len())
        {
            left -= sum;
            block += 1;
        }
        let mut line = self.block_start(block);
        while line + 1 < self.next() && self.rows_of(line) <= left {
            left -= self.rows_of(line);
            line += 1;
        }
        (line, left)
    }

    fn rows_of(&self, line: u64) -> u64 {
        self.index_of(line).and_then(|index| self.rows.get(index)).map_or(0, |rows| u64::from(*rows))
    }

    fn index_of(&self, line: u64) -> Option<usize> {
        usize::try_from(line.checked_sub(self.first)?).ok()
    }

    fn block_of(&self, line: u64) -> usize {
        let block = (line / BLOCK_LINES).saturating_sub(self.first / BLOCK_LINES);
        usize::try_from(block).unwrap_or(usize::MAX)
    }

    /// Returns the first line of a block that is held.
    fn block_start(&self, block: usize) -> u64 {
        ((self.first / BLOCK_LINES + block as u64) * BLOCK_LINES).max(self.first)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Append(u32),
        Drop(u64),
        Set(u64, u32),
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            8 => (0..1000_u32).prop_map(Step::Append),
            1 => (0..400_u64).prop_map(Step::Drop),
            1 => (0..2000_u64, 0..9_u32).prop_map(|(line, rows)| Step::Set(line, rows)),
        ]
    }

    proptest! {
        #[test]
        fn the_index_agrees_with_a_plain_list_of_counts(steps in prop::collection::vec(any_step(), 0..1500), start in 0..600_u64) {
            let mut index = WrapIndex::new(80, start);
            let mut plain: VecDeque<u64> = VecDeque::new();
            let mut first = start;
            for step in steps {
                match step {
                    Step::Append(columns) => {
                        index.append(columns);
                        plain.push_back(u64::from(columns.div_ceil(80).max(1)));
                    }
                    Step::Drop(lines) => {
                        let lines = lines.min(plain.len() as u64);
                        plain.drain(..usize::try_from(lines).unwrap());
                        first += lines;
                        index.drop_to(first);
                    }
                    Step::Set(line, rows) => {
                        let at = usize::try_from(line).unwrap();
                        let known = plain.get_mut(at);
                        let is_change = known.as_ref().is_some_and(|known| **known != u64::from(rows.max(1)));
                        prop_assert_eq!(index.set(first + line, rows), is_change);
                        if let Some(known) = known {
                            *known = u64::from(rows.max(1));
                        }
                    }
                }
            }
            prop_assert_eq!(index.next(), first + plain.len() as u64);
            let mut before = 0;
            for (at, rows) in plain.iter().enumerate() {
                let line = first + at as u64;
                prop_assert_eq!(index.rows_before(line), before);
                prop_assert_eq!(index.line_at(before), (line, 0));
                prop_assert_eq!(index.line_at(before + rows - 1), (line, rows - 1));
                before += rows;
            }
            prop_assert_eq!(index.rows_before(u64::MAX), before);
        }
    }
}
