//! Translation of expressions to the ones that `regex-lite` compiles.

use std::{iter::Peekable, str::Chars};

use super::{BOUNDARY, TOO_LARGE, WORD};
use crate::model::search::unicode::{Class, Form, class, normalized, variants};

/// Maximum length of the name of a property.
const MAX_PROPERTY_BYTES: usize = 64;
/// Maximum count of properties in an expression: the browser takes tens of milliseconds for each.
const MAX_PROPERTIES: usize = 4;
/// Maximum length of a translation, in bytes. The ranges of a class of Unicode are up to 15 KiB.
const MAX_TRANSLATION_BYTES: usize = 512 << 10;
/// Maximum count of characters in ranges of classes whose case variants are looked up: all that have any, twice.
const MAX_FOLDED_CHARS: usize = 1 << 18;

/// Translator of an expression to one that `regex-lite` compiles.
pub(super) struct Translation<'a> {
    rest: Peekable<Chars<'a>>,
    pub(super) pattern: String,
    is_case_sensitive: bool,
    is_ascii: bool,
    pub(super) has_boundaries: bool,
    /// Names of the properties so far.
    properties: Vec<String>,
    /// Count of characters whose case variants may still be looked up.
    foldable_chars: usize,
}

impl<'a> Translation<'a> {
    /// Translates an expression, for lines of ASCII or for others.
    ///
    /// # Errors
    /// The reason for which the pattern is invalid, or too large.
    pub(super) fn of(pattern: &'a str, is_case_sensitive: bool, is_ascii: bool) -> Result<Self, String> {
        let mut translation = Self {
            rest: pattern.chars().peekable(),
            pattern: String::new(),
            is_case_sensitive,
            is_ascii,
            has_boundaries: !is_ascii && has_boundaries(pattern),
            properties: Vec::new(),
            foldable_chars: MAX_FOLDED_CHARS,
        };
        loop {
            translation.assertions();
            let Some(character) = translation.rest.next() else { return Ok(translation) };
            translation.token(character)?;
            if translation.pattern.len() > MAX_TRANSLATION_BYTES {
                return Err(TOO_LARGE.to_owned());
            }
        }
    }

    /// Translates assertions that follow each other, in whatever order: a line has its first boundary behind its start, and its last one
    /// before its end.
    fn assertions(&mut self) {
        if !self.has_boundaries {
            return;
        }
        let (mut is_start, mut is_boundary, mut is_end) = (false, false, false);
        let mut ahead = self.rest.clone();
        while let Some(assertion) = assertion(&mut ahead) {
            match assertion {
                Assertion::Start => is_start = true,
                Assertion::Boundary => is_boundary = true,
                Assertion::End => is_end = true,
            }
            self.rest = ahead.clone();
        }
        self.pattern.extend(is_start.then_some('^'));
        self.pattern.extend(is_boundary.then_some(BOUNDARY));
        if is_end {
            self.optional_boundary();
            self.pattern.push('$');
        }
    }

    fn token(&mut self, character: char) -> Result<(), String> {
        match character {
            '\\' => self.escape()?,
            '[' => self.bracket()?,
            '(' => self.group(),
            '{' => self.copy_until('}', character),
            '.' if self.has_boundaries => self.class(vec!['\0'..='\u{9}', '\u{b}'..=char::MAX], false),
            ')' | '|' | '*' | '+' | '?' | '^' | '$' | '.' => self.pattern.push(character),
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
        if !is_name {
            return Err("invalid name of a property".to_owned());
        }
        if !self.properties.contains(&name) {
            if self.properties.len() == MAX_PROPERTIES {
                return Err(format!("more than {MAX_PROPERTIES} properties of characters"));
            }
            self.properties.push(name.clone());
        }
        Ok(format!(r"\p{{{name}}}"))
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
        let (mut ranges, mut classes, mut named) = (Class::new(), Class::new(), String::new());
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
                '\\' => match self.class_escape(&mut classes)? {
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
                    Some('\\') => self.class_escape(&mut classes)?.unwrap_or('-'),
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
            self.add_variants(&mut ranges)?;
        }
        ranges.extend(classes);
        self.char_class(&ranges, &named, is_negated);
        Ok(())
    }

    /// Reads an escape in a class: a character, or a class that is added to `classes`.
    fn class_escape(&mut self, classes: &mut Class) -> Result<Option<char>, String> {
        let Some(character) = self.rest.next() else { return Ok(None) };
        if let Some((class, is_negated)) = self.named_class(character)? {
            classes.extend(if is_negated { complement(&class) } else { class });
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

    /// Adds the case variants of the characters of a class. Of ranges beyond those that have any, none is added.
    fn add_variants(&mut self, class: &mut Class) -> Result<(), String> {
        /// Last character with case variants (Adlam), rounded up.
        const LAST: char = '\u{1efff}';
        let mut found: Vec<char> = Vec::new();
        for range in class.iter() {
            let end = (*range.end()).min(LAST);
            let count = (u32::from(end) + 1).saturating_sub(u32::from(*range.start())) as usize;
            self.foldable_chars = self.foldable_chars.checked_sub(count).ok_or(TOO_LARGE)?;
            for character in (*range.start()..=end).filter(|character| character.is_alphabetic()) {
                let mut lower = character.to_lowercase();
                let mut upper = character.to_uppercase();
                if lower.next() != Some(character) || upper.next() != Some(character) {
                    found.extend(variants(character));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|variant| !class.iter().any(|range| range.contains(variant)));
        class.extend(found.into_iter().map(|variant| variant..=variant));
        Ok(())
    }

    fn optional_boundary(&mut self) {
        if self.has_boundaries {
            self.pattern.push(BOUNDARY);
            self.pattern.push_str("{0,2}");
        }
    }
}

/// Assertion about a place in a line.
enum Assertion {
    Start,
    Boundary,
    End,
}

/// Reads an assertion, if one comes next.
fn assertion(rest: &mut Peekable<Chars<'_>>) -> Option<Assertion> {
    match rest.next()? {
        '^' => Some(Assertion::Start),
        '$' => Some(Assertion::End),
        '\\' => match rest.next()? {
            'A' => Some(Assertion::Start),
            'b' if rest.peek() != Some(&'{') => Some(Assertion::Boundary),
            'z' => Some(Assertion::End),
            _ => None,
        },
        _ => None,
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
