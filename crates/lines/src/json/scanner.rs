//! Tokens of JSON, one after the other.
//!
//! Open objects and arrays are in a list, not on the call stack, so that no depth of nesting can end the page. Numbers and escapes
//! are not verified: all JSON is accepted, and a little more.
//!
//! Source: RFC 8259.

use std::ops::Range;

use memchr::memchr2;

/// A token. Ranges are bytes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// `{` or `[` at this place.
    Open {
        /// Byte of the text.
        at: usize,
        /// Whether it is `{`.
        is_object: bool,
    },
    /// The `}` or `]` of the newest that is open.
    Close {
        /// Byte of the text.
        at: usize,
    },
    /// The name of the value that follows, without its quotes.
    Key(Range<usize>),
    /// A string, without its quotes.
    Text(Range<usize>),
    /// A number, `true`, `false` or `null`.
    Word(Range<usize>),
}

/// Not JSON from this byte on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotJson {
    /// The byte.
    pub at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    /// A value, or the end of the list that has just begun.
    FirstValue,
    Key,
    /// A key, or the end of the object that has just begun.
    FirstKey,
    /// A comma, or the end of what is open.
    Further,
    /// Nothing but the end of the text.
    End,
}

/// Iterator over tokens, until the text ends, or until it is not JSON. See the [module](self).
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// For each that is open, whether it is an object. No longer than the text.
    open: Vec<bool>,
    expected: Expected,
    is_done: bool,
}

impl<'a> Scanner<'a> {
    /// A scanner of one value.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0, open: Vec::new(), expected: Expected::Value, is_done: false }
    }

    /// How many objects and lists are open.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.open.len()
    }

    fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        self.at += spaces;
        rest.get(spaces).copied()
    }

    fn token(&mut self) -> Option<Token> {
        let mut byte = self.peek()?;
        if self.expected == Expected::Further && byte == b',' {
            self.at += 1;
            let is_object = self.open.last() == Some(&true);
            self.expected = if is_object { Expected::Key } else { Expected::Value };
            byte = self.peek()?;
        }
        match (self.expected, byte) {
            (Expected::FirstValue | Expected::Further, b']') => self.close(false),
            (Expected::FirstKey | Expected::Further, b'}') => self.close(true),
            (Expected::Key | Expected::FirstKey, b'"') => {
                let key = self.string()?;
                if self.peek()? != b':' {
                    return None;
                }
                self.at += 1;
                self.expected = Expected::Value;
                Some(Token::Key(key))
            }
            (Expected::Value | Expected::FirstValue, _) => self.value(byte),
            _ => None,
        }
    }

    fn value(&mut self, byte: u8) -> Option<Token> {
        if matches!(byte, b'{' | b'[') {
            let (at, is_object) = (self.at, byte == b'{');
            self.open.push(is_object);
            self.expected = if is_object { Expected::FirstKey } else { Expected::FirstValue };
            self.at += 1;
            return Some(Token::Open { at, is_object });
        }
        let token = if byte == b'"' { Token::Text(self.string()?) } else { Token::Word(self.word()?) };
        self.after_value();
        Some(token)
    }

    fn close(&mut self, is_object: bool) -> Option<Token> {
        if self.open.pop()? != is_object {
            return None;
        }
        let at = self.at;
        self.at += 1;
        self.after_value();
        Some(Token::Close { at })
    }

    fn after_value(&mut self) {
        self.expected = if self.open.is_empty() { Expected::End } else { Expected::Further };
    }

    /// The string that begins here.
    fn string(&mut self) -> Option<Range<usize>> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut end = start;
        loop {
            end += memchr2(b'"', b'\\', bytes.get(end..)?)?;
            if bytes.get(end) == Some(&b'"') {
                self.at = end + 1;
                return Some(start..end);
            }
            // The character after a backslash. Of a longer one the rest is no quote.
            end += 2;
        }
    }

    /// The word or number that begins here.
    fn word(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..)?;
        let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
        let word = rest.get(..rest.find(|c| !is_inside(c)).unwrap_or(rest.len()))?;
        let is_number = word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        if !is_number && !matches!(word, "true" | "false" | "null") {
            return None;
        }
        let start = self.at;
        self.at += word.len();
        Some(start..self.at)
    }
}

impl Iterator for Scanner<'_> {
    type Item = Result<Token, NotJson>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        if self.expected == Expected::End && self.peek().is_none() {
            self.is_done = true;
            return None;
        }
        let token = self.token();
        self.is_done = token.is_none();
        Some(token.ok_or(NotJson { at: self.at }))
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Builds the value again from its tokens.
    fn rebuilt(text: &str) -> Option<Value> {
        let mut out = String::new();
        let mut scanner = Scanner::new(text);
        let mut kinds = Vec::new();
        while let Some(token) = scanner.next() {
            let needs_comma = !out.is_empty() && !out.ends_with(['{', '[', ':']);
            match token.ok()? {
                Token::Close { .. } => out.push(if kinds.pop()? { '}' } else { ']' }),
                other => {
                    if needs_comma {
                        out.push(',');
                    }
                    match other {
                        Token::Open { is_object, .. } => {
                            kinds.push(is_object);
                            out.push(if is_object { '{' } else { '[' });
                        }
                        Token::Key(range) => out.push_str(&format!("\"{}\":", &text[range])),
                        Token::Text(range) => out.push_str(&format!("\"{}\"", &text[range])),
                        Token::Word(range) => out.push_str(&text[range]),
                        Token::Close { .. } => {}
                    }
                }
            }
            assert_eq!(scanner.depth(), kinds.len());
        }
        serde_json::from_str(&out).ok()
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn all_json_is_read_as_what_it_is(value in any_json(), is_pretty: bool) {
            let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            prop_assert_eq!(rebuilt(&text.unwrap()), Some(value));
        }

        #[test]
        fn any_text_comes_to_an_end_within_itself(text in r#"([{}\[\]",:\\ 0-9a-zé]|null|"a":){0,200}"#) {
            let mut tokens = 0;
            for token in Scanner::new(&text) {
                tokens += 1;
                match token {
                    Ok(Token::Key(range) | Token::Text(range) | Token::Word(range)) => prop_assert!(text.get(range).is_some()),
                    Ok(Token::Open { at, .. } | Token::Close { at }) => prop_assert!(at < text.len()),
                    Err(NotJson { at }) => prop_assert!(at <= text.len() + 2),
                }
            }
            prop_assert!(tokens <= text.len() + 1);
            if serde_json::from_str::<Value>(&text).is_ok() {
                prop_assert!(Scanner::new(&text).all(|token| token.is_ok()));
            }
        }
    }

    #[test]
    fn nesting_has_no_end_that_matters() {
        let depth = 100_000;
        let text = format!("{}1{}", "{\"a\":[".repeat(depth), "]}".repeat(depth));
        assert_eq!(Scanner::new(&text).filter(Result::is_ok).count(), 5 * depth + 1);
        let unfinished = "[".repeat(depth);
        assert_eq!(Scanner::new(&unfinished).last(), Some(Err(NotJson { at: depth })));
    }
}
