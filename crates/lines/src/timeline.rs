//! Counts of lines over time, by level: few bars, however long the page is open.
//!
//! A bar is an interval. When the newest line is beyond the last bar, neighbours merge and every bar stands for twice
//! the time. Each merging halves the bars and doubles the time until the next, so that a line costs the same however long
//! the page is open.

use super::level::Level;

/// Most bars.
pub const MAX_BARS: usize = 120;
/// Time of a bar at first, in milliseconds.
const FIRST_BAR_MS: f64 = 1_000.0;
/// Lines without a level, and one for each level.
const KINDS: usize = Level::ALL.len() + 1;
/// Lines a second are counted by the second.
const SECOND_MS: f64 = 1_000.0;
/// Lines a second that nobody can read any more: hundreds in each frame.
const FLOOD_LINES: u32 = 10_000;
/// Time without lines that ends a flood, in milliseconds.
pub const FLOOD_PAUSE_MS: f64 = 500.0;
/// How far the time of a line can be ahead of the reader's, in milliseconds: that of another clock.
const MAX_AHEAD_MS: f64 = 1_000.0;

/// Counts of lines in an interval: those of each level, most severe first, then those without.
pub type Bar = [u32; KINDS];

/// See the [module](self).
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    start_ms: f64,
    bar_ms: f64,
    bars: Vec<Bar>,
    /// Second of the newest line, and the counts of lines in it and in the one before.
    second: f64,
    in_second: u32,
    in_second_before: u32,
    /// Time of the newest line.
    newest_ms: f64,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            start_ms: 0.0,
            bar_ms: FIRST_BAR_MS,
            bars: Vec::new(),
            second: 0.0,
            in_second: 0,
            in_second_before: 0,
            newest_ms: 0.0,
        }
    }
}

impl Timeline {
    /// Counts lines that arrive at the same time, as lines without a level. Those from before the first one count as arriving with it:
    /// clocks are set back.
    pub fn count(&mut self, lines: u32, unix_ms: f64) {
        self.count_second(lines, unix_ms);
        if self.bars.is_empty() {
            self.start_ms = (unix_ms / FIRST_BAR_MS).floor() * FIRST_BAR_MS;
        }
        let mut at = self.bar_at(unix_ms);
        while at >= MAX_BARS {
            self.merge();
            at = self.bar_at(unix_ms);
        }
        if self.bars.len() <= at {
            self.bars.resize(at + 1, [0; KINDS]);
        }
        if let Some(count) = self.bars.get_mut(at).and_then(|bar| bar.last_mut()) {
            *count = count.saturating_add(lines);
        }
    }

    /// Adds the level of a line that was counted at this time. Bars that were merged since count it as well.
    pub fn add_level(&mut self, level: Level, unix_ms: f64) {
        let at = self.bar_at(unix_ms);
        let Some([levels @ .., without]) = self.bars.get_mut(at) else { return };
        if let Some(count) = levels.get_mut(level as usize) {
            *count = count.saturating_add(1);
            *without = without.saturating_sub(1);
        }
    }

    fn count_second(&mut self, lines: u32, unix_ms: f64) {
        let second = (unix_ms / SECOND_MS).floor();
        if second != self.second {
            self.in_second_before = if second == self.second + 1.0 { self.in_second } else { 0 };
            (self.second, self.in_second) = (second, 0);
        }
        self.in_second = self.in_second.saturating_add(lines);
        self.newest_ms = unix_ms;
    }

    /// Returns the count of lines in the last whole second.
    #[must_use]
    pub fn rate(&self, unix_ms: f64) -> u32 {
        match self.seconds_ago(unix_ms) {
            0.0..1.0 => self.in_second_before,
            1.0..2.0 => self.in_second,
            _ => 0,
        }
    }

    /// Whether lines come in a flood: more in the second of the newest, or in the one before, than anybody follows, and the newest
    /// came less than [`FLOOD_PAUSE_MS`] ago.
    #[must_use]
    pub fn is_flood(&self, unix_ms: f64) -> bool {
        self.in_second.max(self.in_second_before) > FLOOD_LINES
            && (-MAX_AHEAD_MS..FLOOD_PAUSE_MS).contains(&(unix_ms - self.newest_ms))
    }

    /// Whole seconds since the newest line; negative after the clock was set back.
    fn seconds_ago(&self, unix_ms: f64) -> f64 {
        (unix_ms / SECOND_MS).floor() - self.second
    }

    /// Whether [`Self::rate`] changes by time alone.
    #[must_use]
    pub fn is_running_out(&self, unix_ms: f64) -> bool {
        (0.0..3.0).contains(&self.seconds_ago(unix_ms))
    }

    fn merge(&mut self) {
        for at in 0..self.bars.len().div_ceil(2) {
            let mut both = [0; KINDS];
            for bar in self.bars.iter().skip(2 * at).take(2) {
                both.iter_mut().zip(bar).for_each(|(sum, count)| *sum = u32::saturating_add(*sum, *count));
            }
            if let Some(bar) = self.bars.get_mut(at) {
                *bar = both;
            }
        }
        self.bars.truncate(self.bars.len().div_ceil(2));
        self.bar_ms *= 2.0;
    }

    /// A float becomes an integer by saturating.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn bar_at(&self, unix_ms: f64) -> usize {
        ((unix_ms - self.start_ms) / self.bar_ms) as usize
    }

    /// The bars, oldest first.
    #[must_use]
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }

    /// When bars `from` to `to` begin and end, in milliseconds since 1970.
    #[must_use]
    pub fn range_of(&self, from: usize, to: usize) -> (f64, f64) {
        let (first, last) = (from.min(to), from.max(to));
        // There are few bars.
        #[allow(clippy::cast_precision_loss)]
        let at = |bar: usize| self.start_ms + bar as f64 * self.bar_ms;
        (at(first), at(last + 1))
    }
}

/// Height of the chart, in its own units; each bar is one wide.
pub const CHART_HEIGHT: u32 = 100;

/// Returns the outline of the bars of a kind of line: an SVG path, stacked upon the kinds before it, scaled so that the highest
/// bar fills the height.
#[must_use]
pub fn outline(bars: &[Bar], kind: usize) -> String {
    use std::fmt::Write;
    let sum = |counts: &[u32]| counts.iter().map(|count| u64::from(*count)).sum::<u64>();
    let highest = bars.iter().map(|bar| sum(bar)).max().unwrap_or(0).max(1);
    let scaled = |lines: u64| lines * u64::from(CHART_HEIGHT) / highest;
    let mut path = String::new();
    for (at, bar) in bars.iter().enumerate() {
        let below = scaled(sum(bar.get(..kind).unwrap_or_default()));
        let above = scaled(sum(bar.get(..=kind).unwrap_or_default()));
        let count = bar.get(kind).copied().unwrap_or(0);
        // Few lines are visible, too: errors are few among many.
        let height = (above - below).max(if count > 0 { 6 } else { 0 });
        if height > 0 {
            let bottom = u64::from(CHART_HEIGHT).saturating_sub(below);
            // Writing to a string cannot fail.
            write!(path, "M{at} {bottom}h.8v-{height}h-.8z").unwrap_or_default();
        }
    }
    path
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: f64 = 1_700_057_000_400.0;

    proptest! {
        #[test]
        fn every_line_is_in_some_bar_and_bars_are_few(pauses in prop::collection::vec(0..400_000_u32, 1..400)) {
            let (mut timeline, mut now) = (Timeline::default(), START);
            for (number, pause) in pauses.iter().enumerate() {
                now += f64::from(*pause);
                timeline.count(1, now);
                if number % 3 == 0 {
                    timeline.add_level(Level::Error, now);
                }
                prop_assert!(timeline.bars().len() <= MAX_BARS);
                let (from, to) = timeline.range_of(timeline.bars().len() - 1, 0);
                prop_assert!(from <= START + f64::from(pauses[0]) && now < to && to <= now + timeline.bar_ms);
            }
            let lines: u32 = timeline.bars().iter().flatten().sum();
            let errors: u32 = timeline.bars().iter().map(|bar| bar[0]).sum();
            prop_assert_eq!((lines as usize, errors as usize), (pauses.len(), pauses.len().div_ceil(3)));
        }
    }

    #[test]
    fn the_rate_is_that_of_the_last_whole_second() {
        let mut timeline = Timeline::default();
        for ms in [0, 100, 200, 1_000, 1_999] {
            timeline.count(1, f64::from(ms));
        }
        assert_eq!([1_999.0, 2_000.0, 2_999.0, 3_000.0].map(|ms| timeline.rate(ms)), [3, 2, 2, 0]);
        assert!(timeline.is_running_out(2_999.0) && !timeline.is_running_out(5_000.0));
    }

    #[test]
    fn a_flood_is_one_from_its_first_second_until_half_a_second_without() {
        let mut timeline = Timeline::default();
        for at in 0..=FLOOD_LINES {
            let now = f64::from(at) * 0.05;
            assert!(!timeline.is_flood(now));
            timeline.count(1, now);
        }
        assert!(timeline.is_flood(500.0) && timeline.is_flood(999.0));
        assert!(!timeline.is_flood(1_000.0), "nothing has come for half a second");
        timeline.count(1, 1_500.0);
        assert!(timeline.is_flood(1_500.0));
        timeline.count(1, 2_500.0);
        assert!(!timeline.is_flood(2_500.0));
    }

    #[test]
    fn a_clock_that_is_set_back_or_far_ahead_loses_no_line() {
        let mut timeline = Timeline::default();
        for ms in [START, START - 5e9, START + 3e12, START] {
            timeline.count(1, ms);
        }
        assert_eq!(timeline.bars().iter().flatten().sum::<u32>(), 4);
        assert!(timeline.bars().len() <= MAX_BARS);
    }

    #[test]
    fn after_a_clock_was_set_back_no_rate_and_no_flood_remains() {
        let mut timeline = Timeline::default();
        for at in 0..=FLOOD_LINES {
            timeline.count(1, START + f64::from(at) * 0.05);
        }
        assert!(timeline.is_flood(START + 900.0) && timeline.rate(START + 1_000.0) > 0);
        let set_back = START - 3_600_000.0;
        assert!(!timeline.is_flood(set_back) && !timeline.is_running_out(set_back));
        assert_eq!(timeline.rate(set_back), 0);
        timeline.count(1, set_back);
        assert_eq!((timeline.rate(set_back), timeline.rate(set_back + 1_000.0)), (0, 1));
    }

    #[test]
    fn few_errors_among_many_lines_are_drawn() {
        let bars = [[1, 0, 0, 0, 0, 9_999], [0; KINDS], [0, 0, 0, 0, 0, 5_000]];
        assert_eq!(outline(&bars, 0), "M0 100h.8v-6h-.8z");
        assert_eq!(outline(&bars, 5), "M0 100h.8v-100h-.8zM2 100h.8v-50h-.8z");
        assert_eq!(outline(&[], 0), "");
    }
}
