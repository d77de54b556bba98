//! Stops in a line: matches that the user steps to one by one, because they are too far apart to be seen together. The first match is
//! one, and then each that is [`MIN_STOP_BYTES`] behind the one before.

use std::ops::Range;

use super::{Matcher, matcher::MIN_STOP_BYTES, work::Work};
use crate::model::navigation::Direction;

/// Returns the stop after or before the current one; the first or the last one without. `None` if there is none, or the work does not
/// reach it.
#[must_use]
pub fn next_stop(
    matcher: &Matcher,
    line: &str,
    current: Option<&Range<usize>>,
    direction: Direction,
    work: &mut Work<'_>,
) -> Option<Range<usize>> {
    match direction {
        Direction::Forward => first_after(matcher, line, current, line.len(), work),
        Direction::Backward => {
            last_before(matcher, line, current.map_or(line.len(), |stop| stop.start), work)
        }
    }
}

/// Returns the stop that follows another one, and begins before `end`.
fn first_after(
    matcher: &Matcher,
    line: &str,
    stop: Option<&Range<usize>>,
    end: usize,
    work: &mut Work<'_>,
) -> Option<Range<usize>> {
    let from = stop.map_or(0, |stop| stop.end.max(stop.start + MIN_STOP_BYTES));
    matcher.first(line, char_end(line, from)..end, work)
}

/// Returns the last stop before a byte: stops count from the first match of the line.
fn last_before(matcher: &Matcher, line: &str, end: usize, work: &mut Work<'_>) -> Option<Range<usize>> {
    let mut last: Option<Range<usize>> = None;
    while let Some(stop) = first_after(matcher, line, last.as_ref(), end, work) {
        last = Some(stop);
    }
    last
}

fn char_end(line: &str, at: usize) -> usize {
    (at..line.len()).find(|at| line.is_char_boundary(*at)).unwrap_or(line.len())
}

#[cfg(test)]
mod tests {
    use super::{super::Query, *};

    fn matcher(pattern: &str, is_regex: bool) -> Matcher {
        Matcher::new(&Query { pattern: pattern.into(), is_regex, ..Query::default() }).unwrap().unwrap()
    }

    fn next(
        matcher: &Matcher,
        line: &str,
        current: Option<&Range<usize>>,
        direction: Direction,
    ) -> Option<Range<usize>> {
        next_stop(matcher, line, current, direction, &mut Work::while_true(&|| true))
    }

    #[test]
    fn matches_that_are_near_to_each_other_are_one_stop() {
        let line = format!("xx{}x{}x", "-".repeat(MIN_STOP_BYTES), "-".repeat(9));
        let second = 2 + MIN_STOP_BYTES;
        for matcher in [matcher("x", false), matcher("[xy]", true)] {
            let next = |current, direction| next(&matcher, &line, current, direction);
            let (first, second) = (0..1, second..second + 1);
            assert_eq!(next(None, Direction::Forward).as_ref(), Some(&first));
            assert_eq!(next(Some(&first), Direction::Forward).as_ref(), Some(&second));
            assert_eq!(next(Some(&second), Direction::Forward), None);
            assert_eq!(next(Some(&second), Direction::Backward).as_ref(), Some(&first));
            assert_eq!(next(Some(&first), Direction::Backward), None);
            assert_eq!(next(None, Direction::Backward).as_ref(), Some(&second));
        }
    }

    #[test]
    fn a_line_with_more_matches_than_are_highlighted_has_stops_to_its_end() {
        let (matcher, line) = (matcher("x", false), "xé".repeat(10 * MIN_STOP_BYTES));
        let mut stops: Vec<Range<usize>> = Vec::new();
        while let Some(stop) = next(&matcher, &line, stops.last(), Direction::Forward) {
            stops.push(stop);
        }
        assert_eq!(stops.len(), 30);
        assert_eq!(next(&matcher, &line, None, Direction::Backward).as_ref(), stops.last());
    }

    #[test]
    fn the_search_for_a_stop_ends_with_its_work() {
        let line = "ab ".repeat(1 << 18);
        let large = matcher("([a-c ]{0,25}){0,25}z", true);
        for direction in [Direction::Forward, Direction::Backward] {
            let mut work = Work::slice();
            assert_eq!(next_stop(&large, &line, None, direction, &mut work), None);
            assert!(work.is_spent());
        }
    }
}
