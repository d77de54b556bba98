//! Regular expressions with the classes, word boundaries and case variants of Unicode.
//!
//! `regex-lite` has those of ASCII. Its expressions are translated: classes to their ranges, characters to their case variants and
//! normalization forms. For word boundaries, a line gets a character at each, which the translated expression expects. This keeps
//! the time of a search proportional to the length of the line.

use std::{cell::OnceCell, iter::Peekable, ops::Range, str::Chars};

use regex_lite::{Regex, RegexBuilder};

use super::unicode::{Class, Form, class, contains, normalized, variants};

/// Maximum memory of a compiled expression, in bytes.
const MAX_PROGRAM_BYTES: usize = 1 << 20;
/// The same with the ranges of Unicode.
const MAX_UNICODE_PROGRAM_BYTES: usize = 4 << 20;
/// Maximum length of the name of a property.
const MAX_PROPERTY_BYTES: usize = 64;
/// Stands at the word boundaries of a line. It is for private use, and the last character of all.
const BOUNDARY: char = '\u{10fffd}';
/// Characters of words: UTS #18, annex C.
const WORD: &str = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}";

/// Compiled expression.
#[derive(Debug)]
pub struct Expression {
    /// For lines of ASCII.
    ascii: Regex,
    /// Source of the expression for other lines; `None` if `ascii` does for them.
    source: Option<Source>,
    unicode: OnceCell<Option<Unicode>>,
}

#[derive(Debug)]
struct Source {
    pattern: String,
    is_case_sensitive: bool,
}

/// Expression for lines that are not ASCII.
#[derive(Debug)]
struct Unicode {
    regex: Regex,
    /// Characters of words, if the expression has word boundaries.
    word: Option<Class>,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The reason for which the pattern is invalid.
    pub fn new(pattern: &str, is_case_sensitive: bool) -> Result<Self, String> {
        let pattern = normalized(pattern, Form::Nfc);
        let has_property = |pattern: &str| pattern.contains(r"\p") || pattern.contains(r"\P");
        let ascii = if has_property(&pattern) {
            Translation::of(&pattern, is_case_sensitive, true)?.pattern
        } else {
            pattern.clone()
        };
        let ascii = compiled(&ascii, is_case_sensitive, MAX_PROGRAM_BYTES)?;
        let needs_unicode = !pattern.is_ascii() || pattern.contains(['\\', '[']);
        let source = needs_unicode.then_some(Source { pattern, is_case_sensitive });
        Ok(Self { ascii, source, unicode: OnceCell::new() })
    }

    /// Whether a line matches.
    #[must_use]
    pub fn is_match(&self, line: &str) -> bool {
        match self.unicode_for(line) {
            None => self.ascii.is_match(line),
            Some(Unicode { regex, word: None }) => regex.is_match(line),
            Some(Unicode { regex, word: Some(word) }) => regex.is_match(&with_boundaries(line, word).0),
        }
    }

    /// Returns the byte ranges of the first `limit` matches that are not empty.
    #[must_use]
    pub fn ranges(&self, line: &str, limit: usize) -> Vec<Range<usize>> {
        let ranges_of = |regex: &Regex, line: &str| -> Vec<Range<usize>> {
            let found = regex.find_iter(line).map(|found| found.range()).filter(|range| !range.is_empty());
            found.take(limit).collect()
        };
        match self.unicode_for(line) {
            None => ranges_of(&self.ascii, line),
            Some(Unicode { regex, word: None }) => ranges_of(regex, line),
            Some(Unicode { regex, word: Some(word) }) => {
                let (marked, boundaries) = with_boundaries(line, word);
                let original = |at: usize| {
                    at - BOUNDARY.len_utf8() * boundaries.partition_point(|boundary| *boundary < at)
                };
                let ranges = ranges_of(regex, &marked).into_iter();
                ranges
                    .map(|range| original(range.start)..original(range.end))
                    .filter(|range| !range.is_empty())
                    .collect()
            }
        }
    }

    /// Returns the expression for a line that is not ASCII. It is compiled for the first such line, because that takes longer.
    fn unicode_for(&self, line: &str) -> Option<&Unicode> {
        let source = self.source.as_ref().filter(|_| !line.is_ascii())?;
        self.unicode.get_or_init(|| Unicode::new(source)).as_ref()
    }
}

impl Unicode {
    /// Compiles an expression; `None` if it is too large.
    fn new(source: &Source) -> Option<Self> {
        let translation = Translation::of(&source.pattern, source.is_case_sensitive, false).ok()?;
        let regex =
            compiled(&translation.pattern, source.is_case_sensitive, MAX_UNICODE_PROGRAM_BYTES).ok()?;
        Some(Self { regex, word: if translation.has_boundaries { class(WORD) } else { None } })
    }
}

fn compiled(pattern: &str, is_case_sensitive: bool, limit: usize) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(!is_case_sensitive)
        .size_limit(limit)
        .build()
        .map_err(|error| error.to_string())
}

/// Returns a line with [`BOUNDARY`] twice at each word boundary, for a match that ends there and one that begins there, and the places
/// of these in it.
fn with_boundaries(line: &str, word: &Class) -> (String, Vec<usize>) {
    let (mut marked, mut boundaries) = (String::with_capacity(2 * line.len()), Vec::new());
    let mut was_word = false;
    for character in line.chars().map(Some).chain([None]) {
        let is_word = character.is_some_and(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => true,
            '\0'..='\u{7f}' => false,
            character => contains(word, character),
        });
        if is_word != was_word {
            for _ in 0..2 {
                boundaries.push(marked.len());
                marked.push(BOUNDARY);
            }
        }
        was_word = is_word;
        marked.extend(character);
    }
    (marked, boundaries)
}

/// Translator of an expression to one that `regex-lite` compiles.
struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    pattern: String,
    is_case_sensitive: bool,
    is_ascii: bool,
    has_boundaries: bool,
}

impl<'a> Translation<'a> {
    fn of(pattern: &'a str, is_case_sensitive: bool, is_ascii: bool) -> Result<Self, String> {
        let has_boundaries = !is_ascii && has_boundaries(pattern);
        let rest = pattern.chars().peekable();
        let mut translation =
            Self { rest, pattern: String::new(), is_case_sensitive, is_ascii, has_boundaries };
        while let Some(character) = translation.rest.next() {
            translation.token(character)?;
        }
        Ok(translation)
    }

    fn token(&mut self, character: char) -> Result<(), String> {
        match character {
            '\\' => self.escape()?,
            '[' => self.bracket()?,
            '(' => self.group(),
            '{' => self.copy_until('}', character),
            '.' if self.has_boundaries => self.class(vec!['\0'..='\u{9}', '\u{b}'..=char::MAX], false),
            '$' => {
                self.optional_boundary();
                self.pattern.push('$');
            }
            ')' | '|' | '*' | '+' | '?' | '^' | '.' => self.pattern.push(character),
            character => self.literal(character),
        }
        Ok(())
    }

    /// Copies the opening of a group: flags and names.
    fn group(&mut self) {
        self.pattern.push('(');
        if self.rest.next_if_eq(&'?').is_some() {
            self.pattern.push('?');
            for character in self.rest.by_ref() {
                self.pattern.push(character);
                if matches!(character, ':' | ')' | '>') {
                    break;
                }
            }
        }
    }

    fn copy_until(&mut self, end: char, first: char) {
        self.pattern.push(first);
        for character in self.rest.by_ref() {
            self.pattern.push(character);
            if character == end {
                break;
            }
        }
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(character) = self.rest.next() else {
            self.pattern.push('\\');
            return Ok(());
        };
        match character {
            'b' if self.has_boundaries && self.rest.peek() != Some(&'{') => self.pattern.push(BOUNDARY),
            'z' => {
                self.optional_boundary();
                self.pattern.push_str(r"\z");
            }
            'x' | 'u' | 'U' => match self.code(character) {
                Some(character) => self.literal(character),
                None => self.pattern.extend(['\\', character]),
            },
            'n' | 't' | 'r' | 'a' | 'f' | 'v' => {
                self.optional_boundary();
                self.pattern.extend(['\\', character]);
            }
            _ => match self.named_class(character)? {
                Some((class, is_negated)) => self.class(class, is_negated),
                None if character.is_ascii_alphanumeric() || matches!(character, '<' | '>') => {
                    self.pattern.extend(['\\', character]);
                }
                None => self.literal(character),
            },
        }
        Ok(())
    }

    /// Returns the class of `\w`, `\d`, `\s` and `\p{…}`, whose letter was read, and whether it is negated.
    fn named_class(&mut self, letter: char) -> Result<Option<(Class, bool)>, String> {
        let body = match letter.to_ascii_lowercase() {
            'w' => WORD.to_owned(),
            'd' => r"\p{Nd}".to_owned(),
            's' => r"\p{White_Space}".to_owned(),
            'p' => self.property()?,
            _ => return Ok(None),
        };
        let found = class(&body).or_else(|| class(&body.replace(r"\p{", r"\p{Script=")));
        let mut class = found.ok_or_else(|| format!("unknown property {body}"))?;
        if self.is_ascii {
            class.retain(|range| range.start().is_ascii());
        }
        Ok(Some((class, letter.is_ascii_uppercase())))
    }

    /// Reads `{Name}`, or a letter.
    fn property(&mut self) -> Result<String, String> {
        let name: String = match self.rest.next() {
            Some('{') => self.rest.by_ref().take_while(|character| *character != '}').collect(),
            other => other.into_iter().collect(),
        };
        let is_name = !name.is_empty()
            && name.len() <= MAX_PROPERTY_BYTES
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'='));
        if is_name { Ok(format!(r"\p{{{name}}}")) } else { Err("invalid name of a property".to_owned()) }
    }

    /// Reads the number of a character behind its letter: `x41`, `u0041`, `x{1F600}`.
    fn code(&mut self, letter: char) -> Option<char> {
        let has_braces = self.rest.peek() == Some(&'{');
        let digits: String = if has_braces {
            self.rest.clone().skip(1).take_while(|character| *character != '}').collect()
        } else {
            let count = match letter {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            self.rest.clone().take(count).collect()
        };
        let character = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)?;
        for _ in 0..digits.len() + if has_braces { 2 } else { 0 } {
            self.rest.next();
        }
        Some(character)
    }

    /// Translates a class in brackets.
    fn bracket(&mut self) -> Result<(), String> {
        let is_negated = self.rest.next_if_eq(&'^').is_some();
        let (mut ranges, mut named) = (Class::new(), String::new());
        let mut is_first = true;
        loop {
            let Some(character) = self.rest.next() else { return Err("unclosed character class".to_owned()) };
            let was_first = std::mem::take(&mut is_first);
            let start = match character {
                ']' if !was_first => break,
                '[' if self.rest.peek() == Some(&':') => {
                    named.push('[');
                    named.extend(self.rest.by_ref().take_while(|character| *character != ']'));
                    named.push(']');
                    continue;
                }
                '\\' => match self.class_escape(&mut ranges)? {
                    Some(character) => character,
                    None => continue,
                },
                character => character,
            };
            let mut ahead = self.rest.clone();
            let is_range = ahead.next() == Some('-') && ahead.peek().is_some_and(|end| *end != ']');
            let end = if is_range {
                self.rest.next();
                match self.rest.next() {
                    Some('\\') => self.class_escape(&mut ranges)?.unwrap_or('-'),
                    end => end.unwrap_or('-'),
                }
            } else {
                start
            };
            if start > end {
                return Err("invalid range in a character class".to_owned());
            }
            ranges.push(start..=end);
        }
        if !self.is_case_sensitive && !self.is_ascii {
            add_variants(&mut ranges);
        }
        self.char_class(&ranges, &named, is_negated);
        Ok(())
    }

    /// Reads an escape in a class: a character, or a class that is added to `ranges`.
    fn class_escape(&mut self, ranges: &mut Class) -> Result<Option<char>, String> {
        let Some(character) = self.rest.next() else { return Ok(None) };
        if let Some((class, is_negated)) = self.named_class(character)? {
            ranges.extend(if is_negated { complement(&class) } else { class });
            return Ok(None);
        }
        Ok(Some(match character {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'x' | 'u' | 'U' => self.code(character).unwrap_or(character),
            character => character,
        }))
    }

    fn class(&mut self, class: Class, is_negated: bool) {
        self.char_class(&class, "", is_negated);
    }

    fn char_class(&mut self, class: &Class, named: &str, is_negated: bool) {
        if self.has_boundaries {
            self.pattern.push_str("(?:");
            self.optional_boundary();
        }
        self.pattern.push_str(if is_negated { "[^" } else { "[" });
        self.pattern.push_str(named);
        if is_negated && self.has_boundaries {
            self.pattern.push(BOUNDARY);
        }
        if class.is_empty() && named.is_empty() {
            // Nothing matches, or everything.
            self.pattern.push_str(if self.is_ascii { r"\x{80}" } else { r"\x{10fffe}" });
        }
        for range in class {
            let end =
                if self.has_boundaries && *range.end() >= BOUNDARY { '\u{10fffc}' } else { *range.end() };
            if *range.start() <= end {
                self.class_char(*range.start());
                self.pattern.push('-');
                self.class_char(end);
            }
        }
        self.pattern.push_str(if self.has_boundaries { "])" } else { "]" });
    }

    fn class_char(&mut self, character: char) {
        // With escapes of letters that ignore case, `regex-lite` finds no range.
        if character.is_ascii_alphanumeric() {
            self.pattern.push(character);
        } else {
            self.pattern.push_str(&format!(r"\x{{{:x}}}", u32::from(character)));
        }
    }

    /// Translates a character to its case variants, in both normalization forms.
    fn literal(&mut self, character: char) {
        let variants =
            if self.is_case_sensitive || self.is_ascii { vec![character] } else { variants(character) };
        let mut spellings: Vec<String> = variants.iter().map(char::to_string).collect();
        if !self.is_ascii {
            spellings.extend(variants.iter().map(|variant| normalized(&variant.to_string(), Form::Nfd)));
        }
        spellings.sort_unstable();
        spellings.dedup();
        self.pattern.push_str("(?:");
        self.optional_boundary();
        let spellings: Vec<String> = spellings.iter().map(|spelling| regex_lite::escape(spelling)).collect();
        self.pattern.push_str("(?:");
        self.pattern.push_str(&spellings.join("|"));
        self.pattern.push_str("))");
    }

    fn optional_boundary(&mut self) {
        if self.has_boundaries {
            self.pattern.push(BOUNDARY);
            self.pattern.push_str("{0,2}");
        }
    }
}

/// Whether a pattern has a word boundary.
fn has_boundaries(pattern: &str) -> bool {
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && characters.next() == Some('b') {
            return true;
        }
    }
    false
}

/// Adds the case variants of the characters of a class. Of ranges beyond those that have any, none is added.
fn add_variants(class: &mut Class) {
    /// Last character with case variants (Adlam), rounded up.
    const LAST: char = '\u{1efff}';
    let mut found: Vec<char> = Vec::new();
    for range in class.iter() {
        let end = (*range.end()).min(LAST);
        for character in (*range.start()..=end).filter(|character| character.is_alphabetic()) {
            let mut lower = character.to_lowercase();
            let mut upper = character.to_uppercase();
            if lower.next() != Some(character) || upper.next() != Some(character) {
                found.extend(variants(character));
            }
        }
    }
    found.retain(|variant| !class.iter().any(|range| range.contains(variant)));
    found.sort_unstable();
    found.dedup();
    class.extend(found.into_iter().map(|variant| variant..=variant));
}

/// Returns the characters that a class, in order, does not have.
fn complement(class: &Class) -> Class {
    let mut rest = Class::new();
    let mut next = Some('\0');
    for range in class {
        if let Some(start) = next
            && start < *range.start()
        {
            // The range is empty if it ends where it starts, which the comparison excludes.
            rest.extend(('\0'..*range.start()).next_back().map(|end| start..=end));
        }
        next = (*range.end()..=char::MAX).nth(1);
    }
    rest.extend(next.map(|start| start..=char::MAX));
    rest
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn found<'a>(pattern: &str, line: &'a str) -> Vec<&'a str> {
        let expression = Expression::new(pattern, false).unwrap();
        let ranges = expression.ranges(line, 10);
        assert_eq!(expression.is_match(line), !ranges.is_empty(), "{pattern} {line}");
        ranges.into_iter().map(|range| &line[range]).collect()
    }

    #[test]
    fn classes_and_boundaries_are_those_of_unicode() {
        for (pattern, line, expected) in [
            (r"\w+", "Ошибка: файл é", vec!["Ошибка", "файл", "é"]),
            (r"\bфайл\b", "файлы файл", vec!["файл"]),
            (r"\berr\b", "не err, ошибка_err", vec!["err"]),
            (r"^\w+\b", "größe 1", vec!["größe"]),
            (r"\bé$", "café é", vec!["é"]),
            (r"\b.\b", "я и ты", vec!["я", " ", "и", " "]),
            (r"\d+", "٣٤ und 56", vec!["٣٤", "56"]),
            (r"a\sb", "a\u{3000}b", vec!["a\u{3000}b"]),
            (r"\p{Lu}\p{Ll}+", "Москва", vec!["Москва"]),
            (r"\p{Greek}+", "abc πρσ", vec!["πρσ"]),
            (r"\pL+", "abc", vec!["abc"]),
            (r"\P{L}+", "abc123", vec!["123"]),
            (r"[\p{L}_]+", "a_b-é", vec!["a_b", "é"]),
            (r"[^\W\d]+", "é1ы", vec!["é", "ы"]),
            (r"[а-я]+", "ОШИБКА ё", vec!["ОШИБКА"]),
            (r"[^a-z]", "äZ", vec!["ä"]),
            (r"[]é]+", "É]", vec!["É]"]),
            (r"[[:digit:]é]+", "É12", vec!["É12"]),
            (r"\u0448+", "ШШ", vec!["ШШ"]),
            (r"\x{448}{2}", "Шш", vec!["Шш"]),
        ] {
            assert_eq!(found(pattern, line), expected, "{pattern} {line}");
        }
    }

    #[test]
    fn case_and_normalization_forms_are_ignored() {
        for (pattern, line) in [
            ("ändern", "A\u{308}NDERN"),
            ("a\u{308}ndern", "ÄNDERN"),
            ("Größ+e", "grösse GRÖẞE"),
            ("(?:ошибка|x)!", "ОШИБКА!"),
            ("ΣΑΣ", "σας"),
            ("caf(é|x)+", "cafe\u{301}é"),
            (".ё", "xе\u{308}"),
        ] {
            assert_eq!(found(pattern, line).len(), 1, "{pattern} {line}");
        }
        let sensitive = Expression::new("ä", true).unwrap();
        assert!(sensitive.is_match("a\u{308}") && !sensitive.is_match("Ä"));
    }

    #[test]
    fn invalid_and_hostile_expressions_are_bounded() {
        for pattern in [r"\p{Nope}", r"\p{", r"[a", r"[z-a]", "(", r"\p{a-z}", r"\p{L}{1000}{1000}"] {
            assert!(Expression::new(pattern, false).is_err(), "{pattern}");
        }
        let line = "й".repeat(5_000) + "!";
        for pattern in [r"(\w+)+$", r"(й+)+\b$", r"(й|й)+$"] {
            let expression = Expression::new(pattern, false).unwrap();
            assert!(!expression.is_match(&line), "{pattern}");
        }
        let large = Expression::new(r"\w{900}", false).unwrap();
        assert!(
            !large.is_match(&line),
            "with the ranges of Unicode it is too large: then that of ASCII counts"
        );
    }

    #[cfg(not(target_arch = "wasm32"))]
    proptest::proptest! {
        #[test]
        fn lines_of_ascii_match_as_in_the_untranslated_expression(
            pattern in r"\^?(\\w|\\d|\\s|\\b|[a-c]|\.|\[a-b\]|\[\^a\]|a\?|b\*|c\+|\(a\|b\)){1,6}\$?", line in "[a-cA-C1 _é]{0,12}",
        ) {
            let Ok(plain) = RegexBuilder::new(&pattern).case_insensitive(true).build() else { return Ok(()) };
            let ours = Expression::new(&pattern, false).unwrap();
            if line.is_ascii() {
                proptest::prop_assert_eq!(ours.is_match(&line), plain.is_match(&line));
                let unicode = Unicode::new(ours.source.as_ref().unwrap_or(&Source { pattern: pattern.clone(), is_case_sensitive: false })).unwrap();
                let is_match = match &unicode.word {
                    Some(word) => unicode.regex.is_match(&with_boundaries(&line, word).0),
                    None => unicode.regex.is_match(&line),
                };
                proptest::prop_assert_eq!(is_match, plain.is_match(&line), "{}", pattern);
            }
        }
    }
}
