//! Rows of an open line, one for each value in it.
//!
//! Their count is limited: a note takes the place of what is left out.

use std::ops::Range;

use super::scanner::{Scanner, Token};
use crate::model::grouped_number::counted;

/// Maximum count of rows of an open line, notes left out. Limits the page's elements.
pub const MAX_TREE_ROWS: usize = 300;
/// Maximum depth of values that have a row of their own.
pub const MAX_TREE_DEPTH: usize = 24;
/// Maximum length of a value that is shown, in bytes.
pub const MAX_VALUE_BYTES: usize = 2_000;

/// Kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A string.
    String,
    /// A number, `true`, `false`, `null`, or an empty object or array.
    Literal,
    /// The start of an object or array, whose values follow one level deeper.
    Container,
    /// A note about what is not shown.
    Note,
}

impl ValueKind {
    /// Returns the row's CSS classes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "value string",
            Self::Literal => "value",
            Self::Container => "value open",
            Self::Note => "value told",
        }
    }
}

/// Row below an open line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeRow {
    /// Depth, from 0.
    pub depth: usize,
    /// Name of the field, or index in the array; empty for a further line of a string.
    pub key: String,
    /// Text of the value.
    pub value: String,
    /// Kind of the value.
    pub kind: ValueKind,
}

/// Returns the rows of a line that is a JSON object: at least one, at most [`MAX_TREE_ROWS`] and a note.
#[must_use]
pub fn tree_rows(line: &str) -> Vec<TreeRow> {
    let mut tree = Tree { line, rows: Vec::new(), counts: Vec::new(), key: None };
    let mut scanner = Scanner::new(line);
    while let Some(token) = scanner.next() {
        if tree.rows.len() >= MAX_TREE_ROWS {
            tree.rows.truncate(MAX_TREE_ROWS);
            tree.push_note(0, format!("… only the first {MAX_TREE_ROWS} rows are shown"));
            return tree.rows;
        }
        match token {
            Ok(token) => tree.push_token(&token, &mut scanner),
            Err(error) => tree.push_note(0, format!("invalid JSON from byte {} on", error.at)),
        }
    }
    if tree.rows.is_empty() {
        tree.push_note(0, "{}".to_owned());
    }
    tree.rows
}

/// Builder of the rows of a line.
struct Tree<'a> {
    line: &'a str,
    rows: Vec<TreeRow>,
    /// For each object and array that is open, the count of its values so far.
    counts: Vec<usize>,
    /// Name of the field whose value comes next.
    key: Option<String>,
}

impl Tree<'_> {
    fn push_token(&mut self, token: &Token, scanner: &mut Scanner<'_>) {
        match token {
            Token::Key(range) => self.key = Some(unescaped(self.raw(range))),
            Token::Text(range) => self.push_string(range),
            Token::Word(range) => {
                self.push(cut(self.raw(range)).to_owned(), ValueKind::Literal);
                self.note_cut(range);
            }
            Token::Open { is_object, .. } => {
                // The outermost object is the line itself.
                if !self.counts.is_empty() {
                    self.push(if *is_object { "{" } else { "[" }.to_owned(), ValueKind::Container);
                }
                self.counts.push(0);
                if self.counts.len() > MAX_TREE_DEPTH {
                    self.skip(scanner);
                }
            }
            Token::Close { .. } => self.close(),
        }
    }

    /// Pushes a string, with a row for each of its lines.
    fn push_string(&mut self, range: &Range<usize>) {
        let text = unescaped(cut(self.raw(range)));
        let mut lines = text.split('\n');
        self.push(lines.next().unwrap_or_default().to_owned(), ValueKind::String);
        for line in lines.take(MAX_TREE_ROWS) {
            let (depth, key, value) = (self.depth(), String::new(), line.to_owned());
            self.rows.push(TreeRow { depth, key, value, kind: ValueKind::String });
        }
        self.note_cut(range);
    }

    /// Skips a value that is too deep.
    fn skip(&mut self, scanner: &mut Scanner<'_>) {
        let outside = scanner.depth() - 1;
        let mut deepest = scanner.depth();
        while scanner.depth() > outside
            && let Some(Ok(_)) = scanner.next()
        {
            deepest = deepest.max(scanner.depth());
        }
        self.counts.pop();
        let deeper = deepest - outside;
        self.push_note(
            self.depth() + 1,
            format!("… {}", counted(deeper as u64, "more level", "more levels")),
        );
    }

    fn close(&mut self) {
        let count = self.counts.pop();
        // It is empty: close it in its own row.
        if count == Some(0)
            && let Some(row) = self.rows.last_mut().filter(|row| row.kind == ValueKind::Container)
        {
            row.value.push(if row.value == "{" { '}' } else { ']' });
            row.kind = ValueKind::Literal;
        }
    }

    /// Pushes a value under its name or index.
    fn push(&mut self, value: String, kind: ValueKind) {
        let depth = self.depth();
        let index = self.counts.last_mut().map_or(0, |count| {
            *count += 1;
            *count - 1
        });
        let key = self.key.take().unwrap_or_else(|| index.to_string());
        self.rows.push(TreeRow { depth, key, value, kind });
    }

    fn push_note(&mut self, depth: usize, value: String) {
        self.rows.push(TreeRow { depth, key: String::new(), value, kind: ValueKind::Note });
    }

    /// Pushes a note if a value was cut.
    fn note_cut(&mut self, range: &Range<usize>) {
        let missing = range.len().saturating_sub(cut(self.raw(range)).len());
        if missing > 0 {
            self.push_note(self.depth(), format!("… {}", counted(missing as u64, "more byte", "more bytes")));
        }
    }

    fn depth(&self) -> usize {
        self.counts.len().saturating_sub(1)
    }

    fn raw(&self, range: &Range<usize>) -> &str {
        self.line.get(range.clone()).unwrap_or_default()
    }
}

/// Cuts a value to [`MAX_VALUE_BYTES`].
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_VALUE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Replaces the escapes in a JSON string (RFC 8259, section 7). Invalid ones stay as they are.
fn unescaped(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let simple = match escape.as_bytes().first() {
            Some(b'n') => Some('\n'),
            Some(b't') => Some('\t'),
            Some(b'r') => Some('\r'),
            Some(b'b') => Some('\u{8}'),
            Some(b'f') => Some('\u{c}'),
            Some(b'"') => Some('"'),
            Some(b'\\') => Some('\\'),
            Some(b'/') => Some('/'),
            _ => None,
        };
        let (character, taken) = match simple {
            Some(character) => (character, 1),
            None => unicode_escape(escape).unwrap_or(('\\', 0)),
        };
        text.push(character);
        rest = escape.get(taken..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// Returns the character of `u00e9…`, or of a surrogate pair, and the count of bytes that it takes.
fn unicode_escape(escape: &str) -> Option<(char, usize)> {
    let unit = |text: &str| u32::from_str_radix(text.strip_prefix('u')?.get(..4)?, 16).ok();
    let high = unit(escape)?;
    if let Some(character) = char::from_u32(high) {
        return Some((character, 5));
    }
    let low = escape.get(5..).and_then(|rest| unit(rest.strip_prefix('\\')?));
    let both = low.filter(|low| (0xdc00..0xe000).contains(low) && high < 0xdc00);
    match both.and_then(|low| char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))) {
        Some(character) => Some((character, 11)),
        None => Some((char::REPLACEMENT_CHARACTER, 5)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Vec<String> {
        let indented = |row: TreeRow| {
            let separator = if row.key.is_empty() { "" } else { ": " };
            format!("{}{}{separator}{}", "  ".repeat(row.depth), row.key, row.value)
        };
        tree_rows(line).into_iter().map(indented).collect()
    }

    #[test]
    fn each_value_has_a_row_with_its_name_or_index() {
        let line =
            r#"{"level":"error","at":{"host":"db-1","tags":["a",{"b":null}],"none":{},"no":[]},"n":-1.5e3}"#;
        assert_eq!(
            shown(line),
            [
                "level: error",
                "at: {",
                "  host: db-1",
                "  tags: [",
                "    0: a",
                "    1: {",
                "      b: null",
                "  none: {}",
                "  no: []",
                "n: -1.5e3",
            ]
        );
        assert_eq!(shown("{}"), ["{}"]);
    }

    #[test]
    fn strings_are_unescaped_and_shown_line_by_line() {
        let line = r#"{"stack":"Error: \"x\"\n\tat a\\b","caf\u00e9":"\ud83d\ude00\ud800 \q"}"#;
        assert_eq!(shown(line), ["stack: Error: \"x\"", "\tat a\\b", "café: 😀\u{fffd} \\q"]);
    }

    #[test]
    fn notes_replace_what_is_too_deep_or_too_much() {
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        let rows = shown(&deep);
        assert_eq!(rows.len(), MAX_TREE_DEPTH + 1);
        assert_eq!(
            rows.last().unwrap().trim(),
            format!("… {} more levels", grouped(10_000 - MAX_TREE_DEPTH))
        );
        let many: String = (0..5_000).map(|number| format!("\"k{number}\":0,")).collect();
        let rows = shown(&format!("{{{many}\"z\":1}}"));
        assert_eq!(
            (rows.len(), rows.last().unwrap().as_str()),
            (MAX_TREE_ROWS + 1, "… only the first 300 rows are shown")
        );
        let long = format!("{{\"a\":\"{}\",\"b\":1}}", "é".repeat(MAX_VALUE_BYTES));
        assert_eq!(shown(&long)[1..], ["… 2,000 more bytes", "b: 1"]);
        let lines = format!("{{\"a\":\"{}\"}}", "\\n".repeat(MAX_VALUE_BYTES));
        assert_eq!(shown(&lines).len(), MAX_TREE_ROWS + 1);
    }

    #[test]
    fn values_after_one_that_is_too_deep_are_shown() {
        let levels = MAX_TREE_DEPTH + 5;
        let line = format!("{{\"deep\":{}{},\"after\":[1]}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(shown(&line)[MAX_TREE_DEPTH + 1..], ["after: [", "  0: 1"]);
    }

    #[test]
    fn a_note_reports_invalid_json() {
        assert_eq!(shown(r#"{"a":1,"b" 2}"#), ["a: 1", "invalid JSON from byte 11 on"]);
    }

    fn grouped(number: usize) -> String {
        crate::model::grouped_number::grouped(number as u64)
    }
}
