//! Stops in a line: matches that the user steps to one by one, because they are too far apart to be seen together.

use std::ops::Range;

use super::{
    Matcher,
    matcher::{MAX_MATCHES_PER_LINE, MIN_STOP_BYTES},
};
use crate::model::navigation::Direction;

/// Maximum count of stops in a line.
const MAX_STOPS: usize = 10_000;

/// Returns the stops in a line: its first match, and then each that is [`MIN_STOP_BYTES`] behind the one before.
#[must_use]
pub fn stops(matcher: &Matcher, line: &str) -> Vec<Range<usize>> {
    let mut stops: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    while let Some(rest) = line.get(from..).filter(|_| stops.len() < MAX_STOPS) {
        let matches = matcher.ranges(rest);
        for range in &matches {
            let range = from + range.start..from + range.end;
            if stops.last().is_none_or(|last| range.start >= last.start + MIN_STOP_BYTES) {
                stops.push(range);
            }
        }
        match matches.last() {
            Some(last) if matches.len() >= MAX_MATCHES_PER_LINE => from += last.end,
            _ => break,
        }
    }
    stops
}

/// Returns the stop after or before the one at `start`; the first or the last one without.
#[must_use]
pub fn next_stop(stops: &[Range<usize>], start: Option<usize>, direction: Direction) -> Option<Range<usize>> {
    match (direction, start) {
        (Direction::Forward, None) => stops.first(),
        (Direction::Backward, None) => stops.last(),
        (Direction::Forward, Some(start)) => stops.iter().find(|stop| stop.start > start),
        (Direction::Backward, Some(start)) => stops.iter().rfind(|stop| stop.start < start),
    }
    .cloned()
}

#[cfg(test)]
mod tests {
    use super::{super::Query, *};

    #[test]
    fn matches_that_are_near_to_each_other_are_one_stop() {
        let query = Query { pattern: "x".into(), ..Query::default() };
        let matcher = Matcher::new(&query).unwrap().unwrap();
        let line = format!("xx{}x{}x", "-".repeat(MIN_STOP_BYTES), "-".repeat(9));
        let second = 2 + MIN_STOP_BYTES;
        let stops = stops(&matcher, &line);
        assert_eq!(stops, [0..1, second..second + 1]);
        assert_eq!(next_stop(&stops, None, Direction::Forward), Some(0..1));
        assert_eq!(next_stop(&stops, Some(0), Direction::Forward), Some(second..second + 1));
        assert_eq!(next_stop(&stops, Some(second), Direction::Forward), None);
        assert_eq!(next_stop(&stops, Some(second), Direction::Backward), Some(0..1));
        assert_eq!(next_stop(&stops, None, Direction::Backward), Some(second..second + 1));
    }

    #[test]
    fn a_line_with_more_matches_than_are_highlighted_has_stops_to_its_end() {
        let query = Query { pattern: "x".into(), ..Query::default() };
        let matcher = Matcher::new(&query).unwrap().unwrap();
        let line = "x".repeat(10 * MIN_STOP_BYTES);
        assert_eq!(stops(&matcher, &line).len(), 10);
    }
}
