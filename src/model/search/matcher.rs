//! Matching of a query against the text of a line: a literal, or a regular expression.
//!
//! Case is ignored by simple case folding, and texts that differ only in their normalization form (NFC, NFD) are equal. The time
//! of a match is proportional to the length of the line and the size of the query, whatever both contain.

use std::ops::Range;

use super::{
    expression::Expression,
    unicode::{Form, normalized, variants},
    work::{Step, Window, Work, char_start},
};
use crate::model::words::{Spellings, Words, required_literal};

/// Maximum length of a pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 1000;
/// Maximum count of matches that are highlighted in one line.
pub const MAX_MATCHES_PER_LINE: usize = 100;
/// Maximum length of a literal that whole chunks of the store are searched for, in bytes.
const MAX_SCANNED_BYTES: usize = 64;
/// Work of a literal for each byte of text, and for each byte of the literal besides.
const LITERAL_WORK: usize = 8;
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
    Literal(Literal),
    /// A regular expression, and a literal that every match contains, if one is known.
    Regex(Box<Expression>, Option<Literal>),
}

/// Literal to search for, and its length in bytes.
#[derive(Debug)]
pub struct Literal {
    words: Words,
    bytes: usize,
}

impl Literal {
    /// Returns the search for the literal.
    #[must_use]
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// Returns its bound of the work for each byte of text.
    #[must_use]
    pub fn work(&self) -> usize {
        LITERAL_WORK * (1 + self.bytes)
    }

    /// Returns the time of a scan for it, relative to that for a few bytes.
    #[must_use]
    pub fn scan_cost(&self) -> usize {
        1 + self.bytes / LITERAL_WORK
    }

    fn step(&self, line: &str, from: usize, work: &mut Work<'_>) -> Step {
        let window = Window::new(line, from, self.work());
        work.spend(self.work(), window.range.len());
        let found = line.get(..window.range.end).and_then(|text| self.words.find(text, from));
        found.map_or_else(|| window.without_match(line), Step::Match)
    }
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
            let literal = literal(&query.pattern, query.is_case_sensitive);
            return Ok(Some(Self::Literal(Literal { words: literal.words.whole(), ..literal })));
        }
        let expression =
            Expression::new(&query.pattern, query.is_case_sensitive).map_err(QueryError::Regex)?;
        let pattern = normalized(&query.pattern, Form::Nfc);
        let required = required_literal(&pattern).map(|required| {
            let beginning = required.get(..char_start(&required, MAX_SCANNED_BYTES)).unwrap_or_default();
            literal(beginning, query.is_case_sensitive)
        });
        Ok(Some(Self::Regex(Box::new(expression), required)))
    }

    /// Returns a literal that every matching line contains, if one is known that is short enough to scan much text for it at once.
    #[must_use]
    pub fn scanned_literal(&self) -> Option<&Literal> {
        match self {
            Self::Literal(literal) => Some(literal).filter(|literal| literal.bytes <= MAX_SCANNED_BYTES),
            Self::Regex(_, required) => required.as_ref(),
        }
    }

    /// Whether every line that contains the literal matches.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// Tests whether a line matches, from byte `at` on. Returns `None` once the work is spent; `at` is then where to continue.
    #[must_use]
    pub fn test(&self, line: &str, at: &mut usize, work: &mut Work<'_>) -> Option<bool> {
        loop {
            match self.step(line, *at, true, work) {
                Step::Match(_) => return Some(true),
                Step::End => return Some(false),
                Step::Next(next) => *at = next,
            }
            if work.is_spent() {
                return None;
            }
        }
    }

    /// Returns the byte ranges of the matches in a line that begin in a part of it, as far as the work allows: ascending, disjoint, not
    /// empty, at most [`MAX_MATCHES_PER_LINE`].
    #[must_use]
    pub fn ranges(&self, line: &str, part: Range<usize>, work: &mut Work<'_>) -> Vec<Range<usize>> {
        let (mut ranges, mut from) = (Vec::new(), part.start);
        while ranges.len() < MAX_MATCHES_PER_LINE
            && let Some(range) = self.first(line, from..part.end, work)
        {
            from = range.end;
            ranges.push(range);
        }
        ranges
    }

    /// Returns the first match that begins in a part of a line, as far as the work allows, and is not empty.
    #[must_use]
    pub fn first(&self, line: &str, part: Range<usize>, work: &mut Work<'_>) -> Option<Range<usize>> {
        let mut from = part.start;
        while from < part.end.min(line.len()) && !work.is_spent() {
            match self.step(line, from, false, work) {
                Step::Match(range) if range.is_empty() => {
                    let next = line.get(range.end..).and_then(|rest| rest.chars().next());
                    from = range.end + next.map_or(1, char::len_utf8);
                }
                Step::Match(range) => return Some(range).filter(|range| range.start < part.end),
                Step::Next(next) => from = next,
                Step::End => return None,
            }
        }
        None
    }

    /// Searches a line from a byte on, as far as little work allows. With `is_test`, the range of a match is not computed.
    fn step(&self, line: &str, from: usize, is_test: bool, work: &mut Work<'_>) -> Step {
        match self {
            Self::Literal(literal) => literal.step(line, from, work),
            Self::Regex(regex, required) => {
                if let Some(required) = required {
                    match required.step(line, from, work) {
                        Step::Match(found) => {
                            if let Some(next) = regex.window_with(line, from, found.end) {
                                return Step::Next(next);
                            }
                        }
                        without => return without,
                    }
                }
                if is_test { regex.test(line, from, work) } else { regex.step(line, from, work) }
            }
        }
    }
}

/// Returns the search for a literal, in any normalization form.
fn literal(text: &str, is_case_sensitive: bool) -> Literal {
    Literal { words: words(text, is_case_sensitive), bytes: text.len() }
}

fn words(text: &str, is_case_sensitive: bool) -> Words {
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
        let ranges = matcher.ranges(line, 0..line.len(), &mut Work::while_true(&|| true));
        assert_eq!(is_match(&matcher, line), !ranges.is_empty());
        ranges
    }

    fn is_match(matcher: &Matcher, line: &str) -> bool {
        matcher.test(line, &mut 0, &mut Work::while_true(&|| true)).unwrap()
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
                    let with_literal = is_match(&matcher, line);
                    let Matcher::Regex(alone, _) = matcher else { unreachable!() };
                    let alone = Matcher::Regex(alone, None);
                    assert_eq!(with_literal, is_match(&alone, line), "{pattern} {line}");
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
