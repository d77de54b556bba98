//! A line opened: one row for each value in it.
//!
//! Rows are few however much there is: what is left out is told in a row of its own.

use std::ops::Range;

use super::scanner::{Scanner, Token};
use crate::model::grouped_number::counted;

/// Most rows of an opened line. Bounds the page's elements.
pub const MAX_TREE_ROWS: usize = 300;
/// Deepest values that get a row of their own.
pub const MAX_TREE_DEPTH: usize = 24;
/// Bytes of a value that are shown in a row.
pub const MAX_VALUE_BYTES: usize = 2_000;

/// What a row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A string.
    Text,
    /// A number, `true`, `false`, `null`, or something empty.
    Word,
    /// Values follow, one level deeper.
    Open,
    /// What is not shown.
    Told,
}

impl RowKind {
    /// The class in the page's markup.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "value string",
            Self::Word => "value",
            Self::Open => "value open",
            Self::Told => "value told",
        }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeRow {
    /// How deep, from 0.
    pub depth: usize,
    /// The name, or the place in a list; empty for a further line of a text.
    pub key: String,
    /// The value.
    pub value: String,
    /// What the value is.
    pub kind: RowKind,
}

/// The rows of a line that is a JSON object: never none, at most [`MAX_TREE_ROWS`] and one that tells what is missing.
#[must_use]
pub fn tree_rows(line: &str) -> Vec<TreeRow> {
    let mut tree = Tree { line, rows: Vec::new(), counts: Vec::new(), key: None };
    let mut scanner = Scanner::new(line);
    while let Some(token) = scanner.next() {
        if tree.rows.len() >= MAX_TREE_ROWS {
            tree.rows.truncate(MAX_TREE_ROWS);
            tree.tell(0, format!("… and more: {} are shown", counted(MAX_TREE_ROWS as u64, "row", "rows")));
            return tree.rows;
        }
        match token {
            Ok(token) => tree.take(&token, &mut scanner),
            Err(error) => tree.tell(0, format!("no JSON from byte {} on", error.at)),
        }
    }
    if tree.rows.is_empty() {
        tree.tell(0, "{}".to_owned());
    }
    tree.rows
}

struct Tree<'a> {
    line: &'a str,
    rows: Vec<TreeRow>,
    /// How many values there were so far in each that is open.
    counts: Vec<usize>,
    key: Option<String>,
}

impl Tree<'_> {
    fn take(&mut self, token: &Token, scanner: &mut Scanner<'_>) {
        match token {
            Token::Key(range) => self.key = Some(unescaped(self.raw(range))),
            Token::Text(range) => {
                let text = unescaped(cut(self.raw(range)));
                let mut lines = text.split('\n');
                self.push(lines.next().unwrap_or_default().to_owned(), RowKind::Text);
                for line in lines.take(MAX_TREE_ROWS) {
                    let depth = self.depth();
                    let (key, value) = (String::new(), line.to_owned());
                    self.rows.push(TreeRow { depth, key, value, kind: RowKind::Text });
                }
                self.tell_cut(range);
            }
            Token::Word(range) => {
                self.push(cut(self.raw(range)).to_owned(), RowKind::Word);
                self.tell_cut(range);
            }
            Token::Open { is_object, .. } => {
                // The line itself is the outermost.
                if !self.counts.is_empty() {
                    self.push(if *is_object { "{" } else { "[" }.to_owned(), RowKind::Open);
                }
                self.counts.push(0);
                if self.counts.len() > MAX_TREE_DEPTH {
                    self.skip(scanner);
                }
            }
            Token::Close { .. } => self.close(),
        }
    }

    /// Passes over what is too deep, up to where it ends.
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
        self.tell(self.depth() + 1, format!("… {}", counted(deeper as u64, "more level", "more levels")));
    }

    fn close(&mut self) {
        let count = self.counts.pop();
        // Nothing was in it: its own row says so.
        if count == Some(0)
            && let Some(row) = self.rows.last_mut().filter(|row| row.kind == RowKind::Open)
        {
            row.value.push(if row.value == "{" { '}' } else { ']' });
            row.kind = RowKind::Word;
        }
    }

    fn push(&mut self, value: String, kind: RowKind) {
        let depth = self.depth();
        let place = self.counts.last_mut().map_or(0, |count| {
            *count += 1;
            *count - 1
        });
        let key = self.key.take().unwrap_or_else(|| place.to_string());
        self.rows.push(TreeRow { depth, key, value, kind });
    }

    fn tell(&mut self, depth: usize, value: String) {
        self.rows.push(TreeRow { depth, key: String::new(), value, kind: RowKind::Told });
    }

    fn tell_cut(&mut self, range: &Range<usize>) {
        let missing = range.len().saturating_sub(cut(self.raw(range)).len());
        if missing > 0 {
            self.tell(self.depth(), format!("… {}", counted(missing as u64, "more byte", "more bytes")));
        }
    }

    fn depth(&self) -> usize {
        self.counts.len().saturating_sub(1)
    }

    fn raw(&self, range: &Range<usize>) -> &str {
        self.line.get(range.clone()).unwrap_or_default()
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_VALUE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A string of JSON as the text that it stands for (RFC 8259, section 7). What is no escape stays as it is.
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

/// The character of `u00e9…`, or of two such that are one together; and the bytes that it takes.
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

    fn drawn(line: &str) -> Vec<String> {
        let indented = |row: TreeRow| {
            let between = if row.key.is_empty() { "" } else { ": " };
            format!("{}{}{between}{}", "  ".repeat(row.depth), row.key, row.value)
        };
        tree_rows(line).into_iter().map(indented).collect()
    }

    #[test]
    fn each_value_has_a_row_under_its_name_or_place() {
        let line =
            r#"{"level":"error","at":{"host":"db-1","tags":["a",{"b":null}],"none":{},"no":[]},"n":-1.5e3}"#;
        assert_eq!(
            drawn(line),
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
        assert_eq!(drawn("{}"), ["{}"]);
    }

    #[test]
    fn texts_are_shown_as_what_they_stand_for_line_by_line() {
        let line = r#"{"stack":"Error: \"x\"\n\tat a\\b","caf\u00e9":"\ud83d\ude00\ud800 \q"}"#;
        assert_eq!(drawn(line), ["stack: Error: \"x\"", "\tat a\\b", "café: 😀\u{fffd} \\q"]);
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_told() {
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        let rows = drawn(&deep);
        assert_eq!(rows.len(), MAX_TREE_DEPTH + 1);
        assert_eq!(
            rows.last().unwrap().trim(),
            format!("… {} more levels", grouped(10_000 - MAX_TREE_DEPTH))
        );
        let many: String = (0..5_000).map(|number| format!("\"k{number}\":0,")).collect();
        let rows = drawn(&format!("{{{many}\"z\":1}}"));
        assert_eq!(
            (rows.len(), rows.last().unwrap().as_str()),
            (MAX_TREE_ROWS + 1, "… and more: 300 rows are shown")
        );
        let long = format!("{{\"a\":\"{}\",\"b\":1}}", "é".repeat(MAX_VALUE_BYTES));
        assert_eq!(drawn(&long)[1..], ["… 2,000 more bytes", "b: 1"]);
        let lines = format!("{{\"a\":\"{}\"}}", "\\n".repeat(MAX_VALUE_BYTES));
        assert_eq!(drawn(&lines).len(), MAX_TREE_ROWS + 1);
    }

    #[test]
    fn after_what_is_too_deep_the_rest_is_shown() {
        let levels = MAX_TREE_DEPTH + 5;
        let line = format!("{{\"deep\":{}{},\"after\":[1]}}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(drawn(&line)[MAX_TREE_DEPTH + 1..], ["after: [", "  0: 1"]);
    }

    #[test]
    fn what_stops_being_json_is_told() {
        assert_eq!(drawn(r#"{"a":1,"b" 2}"#), ["a: 1", "no JSON from byte 11 on"]);
    }

    fn grouped(number: usize) -> String {
        crate::model::grouped_number::grouped(number as u64)
    }
}
