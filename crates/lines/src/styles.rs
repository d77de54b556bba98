//! Styles of many lines, each stored once: programs use few, repeatedly.

use std::{fmt, ops::Range};

use super::ansi::{StyleRun, style::Style};

/// Count of styles that are compared with a new one, from the newest on. Programs use fewer, and this bounds the time for text
/// whose every character has another colour.
const STYLES_LOOKED_BACK: usize = 32;

/// Start of a style.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// Byte of the text of all lines.
    at: u32,
    /// Index of the style.
    style: u32,
}

/// Maximum memory of a run: its own, and that of a style which no other run has.
pub(crate) const MAX_RUN_BYTES: usize = size_of::<Run>() + size_of::<Style>();

/// Styles of the text of several lines.
#[derive(Debug, Default)]
pub(crate) struct Styles {
    styles: Vec<Style>,
    /// In the order of the text.
    runs: Vec<Run>,
}

impl Styles {
    /// Appends the styles of a line that begins at the byte `start`.
    pub(crate) fn push(&mut self, start: u32, runs: &[StyleRun]) {
        for run in runs {
            let style = self.index_of(run.style);
            self.runs.push(Run { at: start.saturating_add(run.start), style });
        }
    }

    /// Returns the index of a style, which is stored unless it was before.
    fn index_of(&mut self, style: Style) -> u32 {
        let before = self.styles.iter().rev().take(STYLES_LOOKED_BACK).position(|known| *known == style);
        let number = match before {
            Some(back) => self.styles.len() - 1 - back,
            None => {
                self.styles.push(style);
                self.styles.len() - 1
            }
        };
        // There are no more styles than bytes of text, of which a chunk has less than 4 GiB.
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// The styles of the line with these bytes, its line end included.
    pub(crate) fn of_line(&self, bytes: Range<u32>) -> LineStyles<'_> {
        if self.runs.is_empty() {
            return LineStyles::default();
        }
        let from = self.runs.partition_point(|run| run.at < bytes.start);
        let rest = self.runs.get(from..).unwrap_or_default();
        let len = rest.partition_point(|run| run.at < bytes.end);
        LineStyles { runs: rest.get(..len).unwrap_or_default(), styles: &self.styles, start: bytes.start }
    }

    /// Memory in use.
    pub(crate) fn bytes(&self) -> usize {
        self.styles.len() * size_of::<Style>() + self.runs.len() * size_of::<Run>()
    }

    /// Frees the memory that is not in use.
    pub(crate) fn seal(&mut self) {
        self.styles.shrink_to_fit();
        self.runs.shrink_to_fit();
    }

    /// Removes all styles, and retains the memory.
    pub(crate) fn clear(&mut self) {
        self.styles.clear();
        self.runs.clear();
    }
}

/// The styles of one line, borrowed from its store.
#[derive(Clone, Copy, Default)]
pub struct LineStyles<'a> {
    runs: &'a [Run],
    styles: &'a [Style],
    start: u32,
}

impl LineStyles<'_> {
    /// Whether all of the line is plain.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.runs.is_empty()
    }

    /// Its stretches of one style, in order.
    pub fn runs(&self) -> impl Iterator<Item = StyleRun> {
        self.runs.iter().map(|run| StyleRun { start: run.at - self.start, style: self.style_of(run) })
    }

    /// The style of the byte `at` of the line.
    #[must_use]
    pub fn at(&self, at: usize) -> Style {
        let after = self.runs.partition_point(|run| (run.at - self.start) as usize <= at);
        let run = after.checked_sub(1).and_then(|before| self.runs.get(before));
        run.map_or(Style::default(), |run| self.style_of(run))
    }

    fn style_of(&self, run: &Run) -> Style {
        self.styles.get(run.style as usize).copied().unwrap_or_default()
    }
}

impl PartialEq for LineStyles<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.runs().eq(other.runs())
    }
}

impl fmt::Debug for LineStyles<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.runs()).finish()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ansi::AnsiReader;

    fn style(number: u8) -> Style {
        let line = AnsiReader::default().read_line(&format!("\u{1b}[38;5;{number}mx"));
        line.runs.first().map(|run| run.style).unwrap_or_default()
    }

    proptest! {
        #[test]
        fn each_line_gets_back_its_own_styles(
            lines in prop::collection::vec(prop::collection::btree_map(0..20_u32, any::<u8>(), 0..6), 0..40)
        ) {
            let mut styles = Styles::default();
            let lines: Vec<Vec<StyleRun>> = lines
                .iter()
                .map(|runs| runs.iter().map(|(start, number)| StyleRun { start: *start, style: style(*number) }).collect())
                .collect();
            for (start, runs) in (0..).step_by(20).zip(&lines) {
                styles.push(start, runs);
            }
            for (start, runs) in (0..).step_by(20).zip(&lines) {
                let line = styles.of_line(start..start + 20);
                prop_assert_eq!(&line.runs().collect::<Vec<_>>(), runs);
                prop_assert_eq!(line.is_plain(), runs.is_empty());
                for run in runs {
                    prop_assert_eq!(line.at(run.start as usize), run.style);
                }
            }
            prop_assert!(styles.bytes() <= lines.iter().map(Vec::len).sum::<usize>() * MAX_RUN_BYTES);
        }
    }

    #[test]
    fn a_style_that_comes_again_takes_no_further_memory() {
        let mut styles = Styles::default();
        for line in 0..100 {
            styles.push(
                line * 10,
                &[StyleRun { start: 0, style: style(1) }, StyleRun { start: 5, style: style(2) }],
            );
        }
        assert_eq!(styles.bytes(), 200 * size_of::<Run>() + 2 * size_of::<Style>());
    }
}
