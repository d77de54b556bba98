//! What a reader looks for in a line: words as they stand, or a regular expression.
//!
//! Expressions run in time proportional to the line whatever they are (`regex-lite`), so none can hang the page. A literal
//! without regard to case folds ASCII letters only.

use std::ops::Range;

use memchr::{memchr2_iter, memmem};
use regex_lite::{Regex, RegexBuilder};

/// Longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1000;
/// Most memory for a compiled expression, in bytes.
const MAX_PROGRAM_BYTES: usize = 1 << 20;
/// Most matches that are marked in one line.
pub const MAX_MARKED: usize = 100;

/// What the reader typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The pattern; empty for no search.
    pub pattern: String,
    /// Whether it is a regular expression.
    pub is_regex: bool,
    /// Whether capitals matter.
    pub is_case_sensitive: bool,
}

/// Why a query finds nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Too long to be tried.
    #[error("the pattern is longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    /// Not an expression.
    #[error("{0}")]
    Regex(String),
}

/// A query that can be tried.
#[derive(Debug)]
pub enum Matcher {
    /// As it stands.
    Exact(Box<memmem::Finder<'static>>),
    /// As it stands, capitals or not.
    Folded(String),
    /// An expression.
    Regex(Regex),
}

impl Matcher {
    /// Prepares a query; `None` when there is nothing to look for.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn new(query: &Query) -> Result<Option<Self>, QueryError> {
        if query.pattern.is_empty() {
            return Ok(None);
        }
        if query.pattern.len() > MAX_PATTERN_BYTES {
            return Err(QueryError::TooLong);
        }
        Ok(Some(if query.is_regex {
            let expression = RegexBuilder::new(&query.pattern)
                .case_insensitive(!query.is_case_sensitive)
                .size_limit(MAX_PROGRAM_BYTES)
                .build();
            Self::Regex(expression.map_err(|error| QueryError::Regex(error.to_string()))?)
        } else if query.is_case_sensitive {
            Self::Exact(Box::new(memmem::Finder::new(query.pattern.as_bytes()).into_owned()))
        } else {
            Self::Folded(query.pattern.clone())
        }))
    }

    /// Whether it is in the line.
    #[must_use]
    pub fn is_match(&self, line: &str) -> bool {
        match self {
            Self::Exact(finder) => finder.find(line.as_bytes()).is_some(),
            Self::Folded(needle) => find_folded(line, needle, 0).is_some(),
            Self::Regex(regex) => regex.is_match(line),
        }
    }

    /// Where it is in the line: ascending, apart, not empty, [`MAX_MARKED`] at most.
    #[must_use]
    pub fn ranges(&self, line: &str) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        match self {
            Self::Exact(finder) => {
                let len = finder.needle().len();
                ranges.extend(finder.find_iter(line.as_bytes()).take(MAX_MARKED).map(|at| at..at + len));
            }
            Self::Folded(needle) => {
                let mut from = 0;
                while let Some(at) = find_folded(line, needle, from).filter(|_| ranges.len() < MAX_MARKED) {
                    from = at + needle.len();
                    ranges.push(at..from);
                }
            }
            Self::Regex(regex) => {
                let found = regex.find_iter(line).filter(|found| !found.is_empty());
                ranges.extend(found.take(MAX_MARKED).map(|found| found.range()));
            }
        }
        ranges
    }
}

/// The first place from `from` on where `needle` stands, ASCII capitals or not.
fn find_folded(line: &str, needle: &str, from: usize) -> Option<usize> {
    let (haystack, needle) = (line.as_bytes().get(from..)?, needle.as_bytes());
    let first = *needle.first()?;
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    let is_here = |at: &usize| {
        haystack.get(*at..*at + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle))
    };
    memchr2_iter(lower, upper, haystack).find(is_here).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(pattern: &str, is_regex: bool, is_case_sensitive: bool, line: &str) -> Vec<Range<usize>> {
        let query = Query { pattern: pattern.to_owned(), is_regex, is_case_sensitive };
        let matcher = Matcher::new(&query).unwrap().unwrap();
        let ranges = matcher.ranges(line);
        assert_eq!(matcher.is_match(line), !ranges.is_empty());
        ranges
    }

    #[test]
    fn a_literal_is_found_with_and_without_regard_to_case() {
        assert_eq!(ranges("err", false, false, "Error, ERR"), [0..3, 7..10]);
        assert_eq!(ranges("err", false, true, "Error, err").first(), Some(&(7..10)));
        assert_eq!(ranges("é", false, false, "café É").first(), Some(&(3..5)));
        assert_eq!(ranges("aa", false, true, "aaaaa"), [0..2, 2..4]);
        assert!(ranges("a.b", false, false, "axb").is_empty());
    }

    #[test]
    fn an_expression_is_found() {
        assert_eq!(ranges(r"\d+ms", true, false, "took 12ms, 7MS"), [5..9, 11..14]);
        assert_eq!(ranges(r"^\w+", true, true, "one two").first(), Some(&(0..3)));
        assert!(Matcher::new(&Query { pattern: "(".into(), is_regex: true, ..Query::default() }).is_err());
        assert!(Matcher::new(&Query::default()).unwrap().is_none());
        let long = Query { pattern: "x".repeat(MAX_PATTERN_BYTES + 1), ..Query::default() };
        assert_eq!(Matcher::new(&long).unwrap_err(), QueryError::TooLong);
    }

    #[test]
    fn marks_in_a_line_are_bounded_and_an_evil_expression_comes_to_an_end() {
        assert_eq!(ranges("x", false, false, &"x".repeat(5000)).len(), MAX_MARKED);
        let line = "a".repeat(20_000) + "!";
        assert!(ranges("(a+)+$", true, true, &line).is_empty());
    }
}
