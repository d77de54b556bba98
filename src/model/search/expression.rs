//! Regular expressions with the classes, word boundaries and case variants of Unicode.
//!
//! `regex-lite` has those of ASCII. Its expressions are [translated](super::translation). For word boundaries, a line gets a character at
//! each, which the translated expression expects. This keeps the time of a search proportional to the length of the line.

use std::{cell::OnceCell, ops::Range};

use regex_lite::{Regex, RegexBuilder};

use super::{
    translation::{BOUNDARY, Translation, WORD},
    unicode::{Class, Form, class, contains, normalized},
};

/// Maximum memory of a compiled expression, in bytes.
const MAX_PROGRAM_BYTES: usize = 1 << 20;
/// The same with the ranges of Unicode.
const MAX_UNICODE_PROGRAM_BYTES: usize = 4 << 20;

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
            (r"é$\b", "é café", vec!["é"]),
            (r"\b\z\b|\b^é", "é café", vec!["é"]),
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
            pattern in r"(\^|\\b){0,2}(\\w|\\d|\\s|\\b|[a-c]|\.|\[a-b\]|\[\^a\]|a\?|b\*|c\+|\(a\|b\)){1,6}(\$|\\b){0,2}", line in "[a-cA-C1 _é]{0,12}",
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
