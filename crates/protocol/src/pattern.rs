//! Patterns with wildcards, for names of groups and events.
//!
//! `?` is one character but a dot, `*` any number of characters but dots, `**` any number of any characters; `\`
//! makes the next `\`, `*` or `?` literal. Source: the wildcard documentation of group roles.

/// Most wildcards in one pattern.
const MAX_WILDCARDS: usize = 5;
/// Longest pattern, in characters.
const MAX_PATTERN_CHARS: usize = 1024;

/// A pattern that was found valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Literal(char),
    OneButDot,
    ManyButDots,
    Many,
}

impl Pattern {
    /// Reads a pattern; `None` when it is invalid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.chars().count() > MAX_PATTERN_CHARS {
            return None;
        }
        let mut tokens = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            tokens.push(match c {
                '\\' => Token::Literal(chars.next().filter(|c| matches!(c, '\\' | '*' | '?'))?),
                '?' => Token::OneButDot,
                '*' if chars.next_if_eq(&'*').is_some() => {
                    while chars.next_if_eq(&'*').is_some() {}
                    Token::Many
                }
                '*' => Token::ManyButDots,
                other => Token::Literal(other),
            });
        }
        let wildcards = tokens.iter().filter(|token| !matches!(token, Token::Literal(_))).count();
        (wildcards <= MAX_WILDCARDS).then_some(Self(tokens))
    }

    /// Whether the whole of `text` fits.
    ///
    /// Walks all positions of the pattern at once, so the time is bounded by the product of both lengths whatever
    /// the pattern: no backtracking for a peer to provoke.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let Self(tokens) = self;
        let mut reached = vec![false; tokens.len() + 1];
        if let Some(start) = reached.first_mut() {
            *start = true;
        }
        spread_over_empty(tokens, &mut reached);
        for c in text.chars() {
            let mut next = vec![false; tokens.len() + 1];
            for (at, token) in tokens.iter().enumerate() {
                if !reached.get(at).copied().unwrap_or(false) {
                    continue;
                }
                let lands_on = match token {
                    Token::Literal(wanted) => (*wanted == c).then_some(at + 1),
                    Token::OneButDot => (c != '.').then_some(at + 1),
                    Token::ManyButDots => (c != '.').then_some(at),
                    Token::Many => Some(at),
                };
                if let Some(slot) = lands_on.and_then(|position| next.get_mut(position)) {
                    *slot = true;
                }
            }
            spread_over_empty(tokens, &mut next);
            reached = next;
        }
        reached.last().copied().unwrap_or(false)
    }
}

/// A wildcard that may stand for nothing is passed without a character.
fn spread_over_empty(tokens: &[Token], reached: &mut [bool]) {
    for (at, token) in tokens.iter().enumerate() {
        let passes =
            matches!(token, Token::ManyButDots | Token::Many) && reached.get(at).copied().unwrap_or(false);
        if passes && let Some(next) = reached.get_mut(at + 1) {
            *next = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_five_wildcards_are_no_pattern() {
        assert!(Pattern::parse("a*b*c*d*e*").is_some());
        assert!(Pattern::parse("a*b*c*d*e*?").is_none());
    }

    #[test]
    fn a_stray_escape_is_no_pattern() {
        assert!(Pattern::parse(r"a\b").is_none());
        assert!(Pattern::parse("a\\").is_none());
    }

    #[test]
    fn a_hostile_pattern_takes_linear_time() {
        let pattern = Pattern::parse("**a**a**a**a**b").unwrap();
        assert!(!pattern.matches(&"a".repeat(MAX_PATTERN_CHARS)));
    }
}
