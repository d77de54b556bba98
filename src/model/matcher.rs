//! What a reader looks for in a line: words as they stand, or a regular expression.
//!
//! Expressions run in time proportional to the line whatever they are (`regex-lite`), so none can hang the page. A literal
//! without regard to case folds ASCII letters only.

use std::ops::Range;

use regex_lite::{Regex, RegexBuilder};

use super::words::{Words, needed_by};

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
    /// No line holds a line end.
    #[error("the pattern holds a line end, and no line does")]
    LineEnd,
    /// Not an expression.
    #[error("{0}")]
    Regex(String),
}

/// A query that can be tried.
#[derive(Debug)]
pub enum Matcher {
    /// As it stands.
    Words(Words),
    /// An expression, and words without which it matches nothing.
    Regex(Regex, Option<Words>),
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
        if query.pattern.contains('\n') {
            return Err(QueryError::LineEnd);
        }
        if !query.is_regex {
            return Ok(Some(Self::Words(Words::new(&query.pattern, query.is_case_sensitive))));
        }
        let expression = RegexBuilder::new(&query.pattern)
            .case_insensitive(!query.is_case_sensitive)
            .size_limit(MAX_PROGRAM_BYTES)
            .build()
            .map_err(|error| QueryError::Regex(error.to_string()))?;
        let needed = needed_by(&query.pattern).map(|words| Words::new(&words, query.is_case_sensitive));
        Ok(Some(Self::Regex(expression, needed)))
    }

    /// Words that stand in every line that matches, if there are such words.
    #[must_use]
    pub fn words(&self) -> Option<&Words> {
        match self {
            Self::Words(words) => Some(words),
            Self::Regex(_, needed) => needed.as_ref(),
        }
    }

    /// Whether every line with the [`Self::words`] matches.
    #[must_use]
    pub fn is_words(&self) -> bool {
        matches!(self, Self::Words(_))
    }

    /// Whether it is in the line.
    #[must_use]
    pub fn is_match(&self, line: &str) -> bool {
        match self {
            Self::Words(words) => words.find(line, 0).is_some(),
            Self::Regex(regex, needed) => {
                needed.as_ref().is_none_or(|words| words.find(line, 0).is_some()) && regex.is_match(line)
            }
        }
    }

    /// Where it is in the line: ascending, apart, not empty, [`MAX_MARKED`] at most.
    #[must_use]
    pub fn ranges(&self, line: &str) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        match self {
            Self::Words(words) => {
                while let Some(found) = words.find(line, ranges.last().map_or(0, |last| last.end))
                    && ranges.len() < MAX_MARKED
                {
                    ranges.push(found);
                }
            }
            Self::Regex(regex, _) => {
                let found = regex.find_iter(line).filter(|found| !found.is_empty());
                ranges.extend(found.take(MAX_MARKED).map(|found| found.range()));
            }
        }
        ranges
    }
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
    fn an_expression_finds_the_same_with_the_words_that_it_needs() {
        for pattern in [r"took \d+ ?ms", "(a|b)+cd", r"x?yz\.", "ab{2,3}c", r"q\w*er"] {
            for line in ["took 12 ms", "TOOK 7ms", "abcd", "yz.", "xyz", "abbc", "abc", "quieter", "qe"] {
                for is_case_sensitive in [true, false] {
                    let query = Query { pattern: pattern.to_owned(), is_regex: true, is_case_sensitive };
                    let matcher = Matcher::new(&query).unwrap().unwrap();
                    let Matcher::Regex(alone, _) = &matcher else { unreachable!() };
                    assert_eq!(matcher.is_match(line), alone.is_match(line), "{pattern} {line}");
                }
            }
        }
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
