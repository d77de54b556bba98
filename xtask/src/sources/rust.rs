//! Scanner that separates the prose of Rust source (comments and string literals) from its code.

use std::iter;

/// Attributes of items that only tests contain.
const TEST_ATTRIBUTES: [&str; 2] = ["#[cfg(test)]", "#[cfg(all(test"];

/// Kinds of prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `///` or `//!`.
    Doc,
    /// Any other comment.
    Comment,
    /// String literal.
    Literal,
    /// File of Markdown.
    Document,
}

/// Consecutive line comments of one kind without their markers, or a single literal or block comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prose {
    /// Kind of all lines.
    pub kind: Kind,
    /// Number of the first line.
    pub line: usize,
    /// Lines, separated by `\n`.
    pub text: String,
}

/// Contents of one Rust file.
#[derive(Debug, Default)]
pub struct RustSource {
    /// Comments and literals, from top to bottom.
    pub prose: Vec<Prose>,
    /// Lines of code. Comments are left out, and literals are empty.
    pub code: String,
}

impl RustSource {
    /// Scans the text of a file. Text that does not compile gives an arbitrary result.
    pub fn scan(text: &str) -> Self {
        let mut scanner = Scanner { rest: text, line: 1, source: Self::default() };
        while scanner.step().is_some() {}
        scanner.source
    }

    /// Returns the code in which items for tests are blank.
    pub fn code_without_tests(&self) -> String {
        let (mut kept, mut rest) = (String::new(), self.code.as_str());
        while let Some(at) = TEST_ATTRIBUTES.iter().filter_map(|attribute| rest.find(attribute)).min() {
            let (before, item) = split(rest, at);
            let (item, after) = split(item, item_length(item));
            kept.push_str(before);
            kept.extend(item.matches('\n'));
            rest = after;
        }
        kept + rest
    }
}

/// Returns the bytes up to the end of the item with which `code` begins: a closing brace, or a semicolon outside of brackets.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, symbol) in code.char_indices() {
        match symbol {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' if depth == 0 => return at,
            '}' if depth == 1 => return at + 1,
            '}' | ')' | ']' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    code.len()
}

struct Scanner<'a> {
    rest: &'a str,
    line: usize,
    source: RustSource,
}

impl<'a> Scanner<'a> {
    /// Consumes one comment, literal, identifier or symbol. `None` at the end of the text.
    fn step(&mut self) -> Option<()> {
        let first = self.rest.chars().next()?;
        if self.rest.starts_with("//") {
            let text = self.take(self.rest.find('\n').unwrap_or(self.rest.len()));
            self.add_line_comment(text);
        } else if self.rest.starts_with("/*") {
            self.block_comment();
        } else if first == '"' {
            self.literal();
        } else if first == '\'' {
            self.quote();
        } else if is_in_identifier(first) {
            self.identifier();
        } else {
            let symbol = self.take(first.len_utf8());
            self.source.code.push_str(symbol);
        }
        Some(())
    }

    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = split(self.rest, length);
        self.rest = rest;
        self.line += taken.matches('\n').count();
        taken
    }

    /// Adds a comment, to the comment of the line above if both are of one kind.
    fn add_line_comment(&mut self, comment: &str) {
        let is_outer_doc = comment.starts_with("///") && !comment.starts_with("////");
        let is_doc = is_outer_doc || comment.starts_with("//!");
        let (kind, marker) = if is_doc { (Kind::Doc, 3) } else { (Kind::Comment, 2) };
        let text = split(comment, marker).1;
        let text = text.strip_prefix(' ').unwrap_or(text);
        let line = self.line;
        let is_continued = |above: &&mut Prose| {
            above.kind == kind && above.line + above.text.matches('\n').count() + 1 == line
        };
        match self.source.prose.last_mut().filter(is_continued) {
            Some(above) => {
                above.text.push('\n');
                above.text.push_str(text);
            }
            None => self.source.prose.push(Prose { kind, line, text: text.to_owned() }),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        let mut length = 0;
        let mut symbols = self.rest.char_indices().zip(self.rest.chars().skip(1)).peekable();
        while let Some(((at, first), second)) = symbols.next() {
            match (first, second) {
                ('/', '*') => depth += 1,
                ('*', '/') => depth -= 1,
                _ => continue,
            }
            length = at + 2;
            if depth == 0 {
                break;
            }
            symbols.next();
        }
        self.add_blanked(Kind::Comment, length);
    }

    /// Consumes a literal from its opening quotation mark on.
    fn literal(&mut self) {
        let mut is_escaped = false;
        let end = self.rest.char_indices().skip(1).find(|&(_, symbol)| {
            let ends = symbol == '"' && !is_escaped;
            is_escaped = symbol == '\\' && !is_escaped;
            ends
        });
        self.take_literal(1, end.map(|(at, _)| at), 1);
    }

    /// Consumes a raw literal from its first hash or quotation mark on, if there is one.
    fn raw_literal(&mut self) {
        let hashes = self.rest.chars().take_while(|&symbol| symbol == '#').count();
        if !split(self.rest, hashes).1.starts_with('"') {
            return;
        }
        let closing: String = iter::once('"').chain(iter::repeat_n('#', hashes)).collect();
        let opening = closing.len();
        let end = split(self.rest, opening).1.find(&closing).map(|at| at + opening);
        self.take_literal(opening, end, closing.len());
    }

    fn take_literal(&mut self, opening: usize, end: Option<usize>, closing: usize) {
        self.take(opening);
        self.source.code.push('"');
        self.add_blanked(Kind::Literal, end.map_or(self.rest.len(), |end| end - opening));
        self.take(closing);
        self.source.code.push('"');
    }

    fn add_blanked(&mut self, kind: Kind, length: usize) {
        let line = self.line;
        let text = self.take(length);
        self.source.code.extend(text.matches('\n'));
        self.source.prose.push(Prose { kind, line, text: text.to_owned() });
    }

    /// Consumes a character literal, or the quotation mark of a lifetime.
    fn quote(&mut self) {
        let mut symbols = self.rest.char_indices().skip(1);
        let content = symbols.next().map(|(_, symbol)| symbol);
        let end = match content {
            // The symbol after the backslash may be a quotation mark.
            Some('\\') => symbols.skip(1).find(|&(_, symbol)| symbol == '\''),
            _ => symbols.next().filter(|&(_, symbol)| symbol == '\''),
        };
        self.take(end.map_or(1, |(at, _)| at + 1));
        self.source.code.push('\'');
    }

    /// Consumes an identifier or a number, and the raw literal of which it is the prefix.
    fn identifier(&mut self) {
        let length = self.rest.find(|symbol| !is_in_identifier(symbol)).unwrap_or(self.rest.len());
        let word = self.take(length);
        self.source.code.push_str(word);
        if matches!(word, "r" | "br" | "cr") {
            self.raw_literal();
        }
    }
}

fn is_in_identifier(symbol: char) -> bool {
    symbol == '_' || symbol.is_alphanumeric()
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prose(text: &str) -> Vec<(Kind, usize, String)> {
        let source = RustSource::scan(text);
        source.prose.into_iter().map(|prose| (prose.kind, prose.line, prose.text)).collect()
    }

    #[test]
    fn adjacent_line_comments_of_one_kind_are_joined() {
        let text = "//! One\n//! two.\n\n/// Three\n// four\nfn a() {} // five\n// six\n";
        let expected = [
            (Kind::Doc, 1, "One\ntwo.".to_owned()),
            (Kind::Doc, 4, "Three".to_owned()),
            (Kind::Comment, 5, "four\nfive\nsix".to_owned()),
        ];
        assert_eq!(prose(text), expected);
    }

    #[test]
    fn comment_markers_in_literals_are_text() {
        let text = "let a = \"// \\\" b\";\nlet c = br#\"/* \" */\"#; let d = '\"'; let e = '\\''; // f";
        let expected = [
            (Kind::Literal, 1, "// \\\" b".to_owned()),
            (Kind::Literal, 2, "/* \" */".to_owned()),
            (Kind::Comment, 2, "f".to_owned()),
        ];
        assert_eq!(prose(text), expected);
        let source = RustSource::scan(text);
        assert_eq!(source.code, "let a = \"\";\nlet c = br\"\"; let d = '; let e = '; ");
    }

    #[test]
    fn lifetimes_raw_identifiers_and_nested_comments_are_code_and_comments() {
        let source = RustSource::scan("fn r#a<'a>(b: &'a str) /* c /* d */ \n */ {}\nlet e = \"f\\\\\";");
        assert_eq!(source.code, "fn r#a<'a>(b: &'a str) \n {}\nlet e = \"\";");
        assert_eq!(source.prose.first().map(|prose| prose.line), Some(1));
        assert_eq!(source.prose.last().map(|prose| prose.line), Some(3));
    }

    #[test]
    fn items_for_tests_are_blank_and_keep_their_lines() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { [1] }\n}\n#[cfg(test)]\nuse c::{d};\nfn e() {}\n";
        let code = RustSource::scan(text).code_without_tests();
        assert_eq!(code, "fn a() {}\n\n\n\n\n\n;\nfn e() {}\n");
    }
}
