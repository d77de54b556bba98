//! What the reader always wants marked: a few patterns, each with a colour.
//!
//! In words, one rule a line: `timeout`, `/5\d\d/`, or with a colour of its own, `red: timeout`. Case does not matter.

use std::ops::Range;

use super::matcher::{Matcher, Query};

/// Most rules; further ones are told and not used. Each costs a look at every line drawn.
pub const MAX_RULES: usize = 8;
/// Colours, by the names that rules and the stylesheet use. A rule without one takes the next.
pub const COLOURS: [&str; 6] = ["yellow", "blue", "green", "red", "orange", "purple"];

/// A stretch of a line, and which of [`COLOURS`] it has.
pub type Mark = (Range<usize>, u8);

/// See the [module](self).
#[derive(Debug, Default)]
pub struct HighlightRules {
    rules: Vec<(Matcher, u8)>,
}

impl HighlightRules {
    /// Reads rules, and says what is wrong with those that cannot be used. The others are.
    #[must_use]
    pub fn read(words: &str) -> (Self, Option<String>) {
        let (mut rules, mut wrong) = (Vec::new(), None);
        for (number, line) in words.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
            if rules.len() == MAX_RULES {
                wrong = Some(format!("line {}: there may be {MAX_RULES} rules at most", number + 1));
                break;
            }
            let (colour, pattern) = colour_of(line).unwrap_or((rules.len() % COLOURS.len(), line));
            let expression = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
            let query = Query {
                pattern: expression.unwrap_or(pattern).to_owned(),
                is_regex: expression.is_some(),
                is_case_sensitive: false,
            };
            match Matcher::new(&query) {
                // There are few colours.
                Ok(Some(matcher)) => rules.push((matcher, u8::try_from(colour).unwrap_or_default())),
                Ok(None) => {}
                Err(error) => wrong = Some(format!("line {}: {error}", number + 1)),
            }
        }
        (Self { rules }, wrong)
    }

    /// What to mark in a line. Where rules meet, the first wins.
    #[must_use]
    pub fn marks_in(&self, text: &str) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        for (matcher, colour) in &self.rules {
            for range in matcher.ranges(text) {
                if !marks.iter().any(|(other, _)| range.start < other.end && other.start < range.end) {
                    marks.push((range, *colour));
                }
            }
        }
        marks
    }
}

/// The colour that a rule begins with, and the rest.
fn colour_of(line: &str) -> Option<(usize, &str)> {
    let (name, pattern) = line.split_once(':')?;
    let colour = COLOURS.iter().position(|colour| colour.eq_ignore_ascii_case(name.trim()))?;
    Some((colour, pattern.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_expressions_are_marked_in_their_colours_and_the_first_rule_wins() {
        let (rules, wrong) = HighlightRules::read("timeout\n\n/5\\d\\d/\nred: time\npink: x");
        assert_eq!(wrong, None);
        assert_eq!(
            rules.marks_in("Timeout 503, time pink: x"),
            [(0..7, 0), (8..11, 1), (13..17, 3), (18..25, 3)]
        );
    }

    #[test]
    fn a_rule_that_cannot_be_used_is_told_and_the_others_are_used() {
        let (rules, wrong) = HighlightRules::read("a\n/(/\nb");
        assert!(wrong.unwrap().starts_with("line 2: "));
        assert_eq!(rules.marks_in("ab"), [(0..1, 0), (1..2, 1)]);
    }

    #[test]
    fn rules_are_bounded() {
        let words = "a\n".repeat(MAX_RULES) + "b";
        let (rules, wrong) = HighlightRules::read(&words);
        assert_eq!(rules.rules.len(), MAX_RULES);
        assert_eq!(wrong.unwrap(), "line 9: there may be 8 rules at most");
    }
}
