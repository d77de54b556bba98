//! Rules for highlights: a few patterns, each with a colour.
//!
//! Their text has one rule on each line: `timeout`, `/5\d\d/`, or with a colour, `red: timeout`. Case does not matter.

use std::ops::Range;

use super::search::{Matcher, Query, QueryError, work::Work};

/// Maximum count of rules. Each is tested against every line shown; further ones are reported and ignored.
pub const MAX_RULES: usize = 8;
/// Names of the colours, in rules and in the style sheet. A rule without one takes the next.
pub const COLOURS: [&str; 6] = ["yellow", "blue", "green", "red", "orange", "purple"];

/// Byte range of a line, and the index of its colour in [`COLOURS`].
pub type Highlight = (Range<usize>, usize);

/// Error of a rule that is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HighlightError {
    /// The pattern of the rule on this line cannot be used.
    #[error("Line {line}: {error}")]
    Pattern {
        /// Number of the line.
        line: usize,
        /// Error of the pattern.
        error: QueryError,
    },
    /// The rule on this line and all below are beyond [`MAX_RULES`].
    #[error("Line {line}: only the first {MAX_RULES} rules are used")]
    TooManyRules {
        /// Number of the line.
        line: usize,
    },
}

/// Rules for highlights. See the [module](self).
#[derive(Debug, Default)]
pub struct HighlightRules {
    rules: Vec<(Matcher, usize)>,
}

impl HighlightRules {
    /// Parses rules. Returns those that can be used, and the error of one that cannot.
    #[must_use]
    pub fn parse(text: &str) -> (Self, Option<HighlightError>) {
        let (mut rules, mut error) = (Vec::new(), None);
        for (line, rule) in (1..).zip(text.lines()) {
            let rule = rule.trim();
            if rule.is_empty() {
                continue;
            }
            if rules.len() == MAX_RULES {
                error = Some(HighlightError::TooManyRules { line });
                break;
            }
            match parse_rule(rule, rules.len() % COLOURS.len()) {
                Ok(rule) => rules.extend(rule),
                Err(reason) => error = Some(HighlightError::Pattern { line, error: reason }),
            }
        }
        (Self { rules }, error)
    }

    /// Returns the highlights in a line that begin before `end`, as far as the work allows. Where matches of two rules overlap, the first
    /// rule has precedence.
    #[must_use]
    pub fn highlights_in(&self, text: &str, end: usize, work: &mut Work<'_>) -> Vec<Highlight> {
        let mut highlights: Vec<Highlight> = Vec::new();
        for (matcher, colour) in &self.rules {
            for range in matcher.ranges(text, 0..end, work) {
                if !highlights.iter().any(|(other, _)| range.start < other.end && other.start < range.end) {
                    highlights.push((range, *colour));
                }
            }
        }
        highlights
    }
}

/// Parses one rule; `None` if its pattern is empty.
fn parse_rule(line: &str, default_colour: usize) -> Result<Option<(Matcher, usize)>, QueryError> {
    let (colour, pattern) = colour_of(line).unwrap_or((default_colour, line));
    let regex = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    let query = Query {
        pattern: regex.unwrap_or(pattern).to_owned(),
        is_regex: regex.is_some(),
        is_case_sensitive: false,
    };
    Ok(Matcher::new(&query)?.map(|matcher| (matcher, colour)))
}

/// Splits a rule into the index of its colour and its pattern, if it starts with a colour.
fn colour_of(line: &str) -> Option<(usize, &str)> {
    let (name, pattern) = line.split_once(':')?;
    let colour = COLOURS.iter().position(|colour| colour.eq_ignore_ascii_case(name.trim()))?;
    Some((colour, pattern.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_expressions_have_their_colours_and_the_first_rule_has_precedence() {
        let (rules, error) = HighlightRules::parse("timeout\n\n/5\\d\\d/\nred: time\npink: x");
        assert_eq!(error, None);
        assert_eq!(
            rules.highlights_in("Timeout 503, time pink: x", 100, &mut Work::slice()),
            [(0..7, 0), (8..11, 1), (13..17, 3), (18..25, 3)]
        );
    }

    #[test]
    fn a_rule_that_cannot_be_used_is_reported_and_the_others_are_used() {
        let (rules, error) = HighlightRules::parse("a\n/(/\nb");
        let error = error.unwrap();
        assert!(
            matches!(error, HighlightError::Pattern { line: 2, error: QueryError::Regex(_) }),
            "{error:?}"
        );
        assert!(error.to_string().starts_with("Line 2: "), "{error}");
        assert_eq!(rules.highlights_in("ab", 100, &mut Work::slice()), [(0..1, 0), (1..2, 1)]);
    }

    #[test]
    fn the_count_of_rules_is_limited() {
        let text = "a\n".repeat(MAX_RULES) + "b";
        let (rules, error) = HighlightRules::parse(&text);
        assert_eq!(rules.rules.len(), MAX_RULES);
        let error = error.unwrap();
        assert_eq!(error, HighlightError::TooManyRules { line: MAX_RULES + 1 });
        assert_eq!(error.to_string(), "Line 9: only the first 8 rules are used");
    }
}
