//! Matching of a query against the text of a line: a literal, or a regular expression.
//!
//! Case is ignored by simple case folding, and texts that differ only in their normalization form (NFC, NFD) are equal. The time
//! of a match is proportional to the length of the line, whatever the expression.

use std::ops::Range;

use super::{
    expression::Expression,
    unicode::{Form, normalized, variants},
};
use crate::model::words::{Spellings, Words, required_literal};

/// Maximum length of a pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1000;
/// Maximum count of matches that are highlighted in one line.
pub const MAX_MATCHES_PER_LINE: usize = 100;
/// Minimum distance of matches in a line that the user steps to one by one.
pub const MIN_STOP_BYTES: usize = 200;

/// Query of a search, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Pattern to search for; empty for no search.
    pub pattern: String,
    /// Whether the pattern is a regular expression.
    pub is_regex: bool,
    /// Whether case matters.
    pub is_case_sensitive: bool,
}

/// Error of a query that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The pattern exceeds [`MAX_PATTERN_BYTES`].
    #[error("the pattern is longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    /// The pattern contains a line break, and matches are within a line.
    #[error("the pattern contains a line break, but matches are within one line")]
    LineBreak,
    /// The pattern is not a valid regular expression; the message is the parser's.
    #[error("{0}")]
    Regex(String),
}

/// Compiled query.
#[derive(Debug)]
pub enum Matcher {
    /// A literal.
    Literal(Words),
    /// A regular expression, and a literal that every match contains, if one is known.
    Regex(Box<Expression>, Option<Words>),
}

impl Matcher {
    /// Compiles a query. Returns `None` for an empty pattern.
    ///
    /// # Errors
    /// [`QueryError`]: the pattern is too long, spans lines or is not a valid expression.
    pub fn new(query: &Query) -> Result<Option<Self>, QueryError> {
        if query.pattern.is_empty() {
            return Ok(None);
        }
        if query.pattern.len() > MAX_PATTERN_BYTES {
            return Err(QueryError::TooLong);
        }
        if query.pattern.contains('\n') {
            return Err(QueryError::LineBreak);
        }
        if !query.is_regex {
            let literal = literal(&query.pattern, query.is_case_sensitive).whole();
            return Ok(Some(Self::Literal(literal)));
        }
        let expression =
            Expression::new(&query.pattern, query.is_case_sensitive).map_err(QueryError::Regex)?;
        let pattern = normalized(&query.pattern, Form::Nfc);
        let required = required_literal(&pattern).map(|required| literal(&required, query.is_case_sensitive));
        Ok(Some(Self::Regex(Box::new(expression), required)))
    }

    /// Returns a literal that every matching line contains, if one is known.
    #[must_use]
    pub fn literal(&self) -> Option<&Words> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Regex(_, required) => required.as_ref(),
        }
    }

    /// Whether every line that contains [`Self::literal`] matches.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// Whether a line matches.
    #[must_use]
    pub fn is_match(&self, line: &str) -> bool {
        match self {
            Self::Literal(literal) => literal.find(line, 0).is_some(),
            Self::Regex(regex, required) => {
                required.as_ref().is_none_or(|literal| literal.find(line, 0).is_some())
                    && regex.is_match(line)
            }
        }
    }

    /// Returns the byte ranges of the matches in a line: ascending, disjoint, not empty, at most
    /// [`MAX_MATCHES_PER_LINE`].
    #[must_use]
    pub fn ranges(&self, line: &str) -> Vec<Range<usize>> {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        match self {
            Self::Literal(literal) => {
                while let Some(found) = literal.find(line, ranges.last().map_or(0, |last| last.end))
                    && ranges.len() < MAX_MATCHES_PER_LINE
                {
                    ranges.push(found);
                }
            }
            Self::Regex(regex, _) => ranges = regex.ranges(line, MAX_MATCHES_PER_LINE),
        }
        ranges
    }
}

/// Returns the search for a literal, in any normalization form.
fn literal(text: &str, is_case_sensitive: bool) -> Words {
    let composed = normalized(text, Form::Nfc);
    let is_simple = composed.is_ascii() || is_case_sensitive && normalized(text, Form::Nfd) == composed;
    if is_simple {
        return Words::new(&composed, is_case_sensitive);
    }
    let spellings = |character: char| -> Spellings {
        let variants = if is_case_sensitive { vec![character] } else { variants(character) };
        let mut spellings: Vec<String> = variants.iter().map(char::to_string).collect();
        spellings.extend(variants.iter().map(|variant| normalized(&variant.to_string(), Form::Nfd)));
        spellings.sort_unstable();
        spellings.dedup();
        spellings.into_iter().map(Into::into).collect()
    };
    Words::spelled(composed.chars().map(spellings).collect())
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
    fn a_literal_matches_with_and_without_case() {
        assert_eq!(ranges("err", false, false, "Error, ERR"), [0..3, 7..10]);
        assert_eq!(ranges("err", false, true, "Error, err").first(), Some(&(7..10)));
        assert_eq!(ranges("é", false, false, "café É"), [3..5, 6..8]);
        assert_eq!(ranges("é", false, true, "CAFÉ e\u{301}").first(), Some(&(6..9)));
        assert_eq!(ranges("ошибка", false, false, "ОШИБКА Ошибка").len(), 2);
        assert_eq!(ranges("ändern", false, false, "Größe ÄNDERN A\u{308}ndern").len(), 2);
        assert_eq!(ranges("A\u{308}ndern", false, false, "ändern").len(), 1);
        assert_eq!(ranges("cafe", false, false, "cafe\u{301}").len(), 0);
        assert_eq!(ranges("가", false, false, "\u{1100}\u{1161} 각 \u{1100}\u{1161}\u{11a8}").len(), 1);
        assert_eq!(ranges("aa", false, true, "aaaaa"), [0..2, 2..4]);
        assert!(ranges("a.b", false, false, "axb").is_empty());
    }

    #[test]
    fn the_required_literal_of_an_expression_does_not_change_what_matches() {
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
    fn an_expression_matches_and_an_invalid_pattern_is_an_error() {
        assert_eq!(ranges(r"\d+ms", true, false, "took 12ms, 7MS"), [5..9, 11..14]);
        assert_eq!(ranges(r"^\w+", true, true, "one two").first(), Some(&(0..3)));
        assert!(Matcher::new(&Query { pattern: "(".into(), is_regex: true, ..Query::default() }).is_err());
        assert!(Matcher::new(&Query::default()).unwrap().is_none());
        let long = Query { pattern: "x".repeat(MAX_PATTERN_BYTES + 1), ..Query::default() };
        assert_eq!(Matcher::new(&long).unwrap_err(), QueryError::TooLong);
        let lines = Query { pattern: "a\nb".into(), ..Query::default() };
        assert_eq!(Matcher::new(&lines).unwrap_err(), QueryError::LineBreak);
    }

    #[test]
    fn matches_in_a_line_are_limited_and_a_pathological_expression_terminates() {
        assert_eq!(ranges("x", false, false, &"x".repeat(5000)).len(), MAX_MATCHES_PER_LINE);
        let line = "a".repeat(20_000) + "!";
        assert!(ranges("(a+)+$", true, true, &line).is_empty());
    }
}
