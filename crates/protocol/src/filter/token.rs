//! A filter's words.

use super::FilterError;

/// One word, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) position: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// An operator, identifier, function or named literal, in lower case: case does not matter.
    Word(String),
    Text(String),
    Number(i64),
    Open,
    Close,
    Comma,
}

/// Takes a filter apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, FilterError> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((position, c)) = chars.next() {
        let kind = match c {
            c if c.is_whitespace() => continue,
            '(' => Kind::Open,
            ')' => Kind::Close,
            ',' => Kind::Comma,
            '\'' => Kind::Text(quoted(&mut chars, position)?),
            '-' | '0'..='9' => {
                let mut digits = String::from(c);
                while let Some((_, digit)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
                    digits.push(digit);
                }
                Kind::Number(digits.parse().map_err(|_| FilterError {
                    position,
                    message: format!("`{digits}` is no whole number of 64 bits"),
                })?)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let mut word = String::from(c.to_ascii_lowercase());
                while let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_alphanumeric() || *c == '_') {
                    word.push(c.to_ascii_lowercase());
                }
                Kind::Word(word)
            }
            other => return Err(FilterError { position, message: format!("`{other}` is not expected") }),
        };
        tokens.push(Token { kind, position });
    }
    Ok(tokens)
}

/// The rest of a quoted text; two quotes in a row are one in the text.
fn quoted(
    chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>,
    position: usize,
) -> Result<String, FilterError> {
    let mut text = String::new();
    while let Some((_, c)) = chars.next() {
        match c {
            '\'' if chars.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
            '\'' => return Ok(text),
            c => text.push(c),
        }
    }
    Err(FilterError { position, message: "the text has no closing quote".to_owned() })
}
