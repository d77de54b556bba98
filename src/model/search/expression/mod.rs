//! Regular expressions with the classes, word boundaries and case variants of Unicode.
//!
//! `regex-lite` has those of ASCII. Its expressions are translated: classes to their ranges, characters to their case variants and
//! normalization forms. For word boundaries, a line gets a character at each, which the translated expression expects. This keeps
//! the time of a search proportional to the length of the line.

use std::{cell::OnceCell, ops::Range};

use regex_lite::{Regex, RegexBuilder};

use super::{
    unicode::{Class, Form, class, contains, normalized},
    work::{Step, Window, Work, char_start},
};

mod translation;

use self::translation::Translation;

/// Minimum limit of the memory of a compiled expression, in bytes. It is doubled until the expression fits.
const MIN_PROGRAM_BYTES: usize = 128;
/// Maximum memory of a compiled expression, in bytes.
const MAX_PROGRAM_BYTES: usize = 64 << 10;
/// The same with the ranges of Unicode.
const MAX_UNICODE_PROGRAM_BYTES: usize = 256 << 10;
/// Error of an expression that would take too long.
const TOO_LARGE: &str = "the expression is too large: repeat less, or with smaller counts";
/// Stands at the word boundaries of a line. It is for private use, and the last character of all.
const BOUNDARY: char = '\u{10fffd}';
/// Characters of words: UTS #18, annex C.
const WORD: &str = r"\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}";

/// Compiled expression.
#[derive(Debug)]
pub struct Expression {
    /// For text of ASCII.
    ascii: Program,
    /// Source of the expression for other text; `None` if `ascii` does for it.
    source: Option<Source>,
    unicode: OnceCell<Option<Program>>,
    /// Whether a match depends on what follows it.
    has_end: bool,
}

#[derive(Debug)]
struct Source {
    pattern: String,
    is_case_sensitive: bool,
}

/// Program that an expression was compiled to.
#[derive(Debug)]
struct Program {
    regex: Regex,
    /// Bound of its memory. The time of a search is proportional to it.
    bytes: usize,
    /// Characters of words, if it expects [`BOUNDARY`].
    word: Option<Class>,
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The reason for which the pattern is invalid, or too large.
    pub fn new(pattern: &str, is_case_sensitive: bool) -> Result<Self, String> {
        let pattern = normalized(pattern, Form::Nfc);
        let has_property = |pattern: &str| pattern.contains(r"\p") || pattern.contains(r"\P");
        let ascii = if has_property(&pattern) {
            Translation::of(&pattern, is_case_sensitive, true)?.pattern
        } else {
            pattern.clone()
        };
        let ascii = Program::new(&ascii, is_case_sensitive, MAX_PROGRAM_BYTES)?;
        let has_end = ["$", r"\z", r"\b", r"\B", r"\>"].iter().any(|end| pattern.contains(end));
        let needs_unicode = !pattern.is_ascii() || pattern.contains(['\\', '[']);
        let source = needs_unicode.then_some(Source { pattern, is_case_sensitive });
        Ok(Self { ascii, source, unicode: OnceCell::new(), has_end })
    }

    /// Searches a line from a byte on, as far as little work allows.
    #[must_use]
    pub fn step(&self, line: &str, from: usize, work: &mut Work<'_>) -> Step {
        let (program, window) = self.window(line, from);
        work.spend(program.bytes, window.range.len());
        match program.find(line, &window.range) {
            Some(found) if !self.is_uncertain(&window, &found) => Step::Match(found),
            _ => window.without_match(line),
        }
    }

    /// Does the same, but does not look for the range of a match.
    #[must_use]
    pub fn test(&self, line: &str, from: usize, work: &mut Work<'_>) -> Step {
        if self.has_end {
            return self.step(line, from, work);
        }
        let (program, window) = self.window(line, from);
        work.spend(program.bytes, window.range.len());
        if program.is_match(line, &window.range) {
            Step::Match(from..from)
        } else {
            window.without_match(line)
        }
    }

    /// Returns where the window from a byte on has to begin instead, for a match that contains a text which ends at `end`; `None` if it
    /// can begin there.
    #[must_use]
    pub fn window_with(&self, line: &str, from: usize, end: usize) -> Option<usize> {
        let (_, Window { range, .. }) = self.window(line, from);
        let is_beyond = end > range.end;
        is_beyond.then(|| char_start(line, end.saturating_sub(range.len() / 2)))
    }

    /// Returns the window to search from a byte of a line on, and the program for it.
    fn window(&self, line: &str, from: usize) -> (&Program, Window) {
        let window = Window::new(line, from, self.ascii.bytes);
        let unicode = self.unicode_for(line.get(before(line, from)..window.range.end).unwrap_or_default());
        match unicode {
            Some(unicode) => (unicode, Window::new(line, from, unicode.bytes)),
            None => (&self.ascii, window),
        }
    }

    /// Whether a match may only be one because its window ends there.
    fn is_uncertain(&self, window: &Window, found: &Range<usize>) -> bool {
        self.has_end && !window.is_last && found.end == window.range.end
    }

    /// Returns the program for text that is not ASCII. It is compiled for the first such text, because that takes longer.
    fn unicode_for(&self, text: &str) -> Option<&Program> {
        let source = self.source.as_ref().filter(|_| !text.is_ascii())?;
        self.unicode.get_or_init(|| Program::for_unicode(source)).as_ref()
    }
}

impl Program {
    /// Compiles an expression, in the least memory of some.
    fn new(pattern: &str, is_case_sensitive: bool, max_bytes: usize) -> Result<Self, String> {
        let build = |limit| {
            let mut builder = RegexBuilder::new(pattern);
            builder.case_insensitive(!is_case_sensitive).size_limit(limit).build()
        };
        let mut bytes = max_bytes;
        let mut regex = build(bytes).map_err(|error| {
            let reason = error.to_string();
            if reason.contains("size limit") { TOO_LARGE.to_owned() } else { reason }
        })?;
        while bytes > MIN_PROGRAM_BYTES
            && let Ok(smaller) = build(bytes / 2)
        {
            (regex, bytes) = (smaller, bytes / 2);
        }
        Ok(Self { regex, bytes, word: None })
    }

    /// Compiles an expression for text that is not ASCII; `None` if it is too large.
    fn for_unicode(source: &Source) -> Option<Self> {
        let translation = Translation::of(&source.pattern, source.is_case_sensitive, false).ok()?;
        let word = if translation.has_boundaries { class(WORD) } else { None };
        let program = Self::new(&translation.pattern, source.is_case_sensitive, MAX_UNICODE_PROGRAM_BYTES);
        Some(Self { word, ..program.ok()? })
    }

    /// Returns the first match in a part of a line.
    fn find(&self, line: &str, part: &Range<usize>) -> Option<Range<usize>> {
        let start = before(line, part.start);
        let text = line.get(start..part.end)?;
        let found = match &self.word {
            None => self.regex.find_at(text, part.start - start)?.range(),
            Some(word) => Marked::new(text, word).find(&self.regex, part.start - start)?,
        };
        Some(start + found.start..start + found.end)
    }

    /// Whether a part of a line has a match. For expressions without word boundaries.
    fn is_match(&self, line: &str, part: &Range<usize>) -> bool {
        let start = before(line, part.start);
        let text = line.get(start..part.end);
        text.is_some_and(|text| self.regex.is_match_at(text, part.start - start))
    }
}

/// Returns the start of the character before a byte of a line: what may begin there depends on it.
fn before(line: &str, at: usize) -> usize {
    at.checked_sub(1).map_or(0, |before| char_start(line, before))
}

/// Text with [`BOUNDARY`] twice at each word boundary, for a match that ends there and one that begins there.
struct Marked {
    text: String,
    /// Places of these characters in it.
    boundaries: Vec<usize>,
}

impl Marked {
    fn new(text: &str, word: &Class) -> Self {
        let (text, boundaries) = with_boundaries(text, word);
        Self { text, boundaries }
    }

    /// Returns the first match that begins at a byte of the original text or behind it.
    fn find(&self, regex: &Regex, from: usize) -> Option<Range<usize>> {
        let marks_before = if from > 0 && self.boundaries.first() == Some(&0) { 2 } else { 0 };
        let found = regex.find_at(&self.text, from + marks_before * BOUNDARY.len_utf8())?;
        Some(self.original(found.start())..self.original(found.end()))
    }

    fn original(&self, at: usize) -> usize {
        at - BOUNDARY.len_utf8() * self.boundaries.partition_point(|boundary| *boundary < at)
    }
}

/// Returns text with [`BOUNDARY`] twice at each word boundary, and the places of these in it.
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

    /// Whether a line matches.
    fn is_match(expression: &Expression, line: &str) -> bool {
        let mut from = 0;
        loop {
            match expression.test(line, from, &mut Work::slice()) {
                Step::Match(_) => return true,
                Step::Next(next) => from = next,
                Step::End => return false,
            }
        }
    }

    /// Returns the matches in a line that are not empty.
    fn ranges(expression: &Expression, line: &str) -> Vec<Range<usize>> {
        let (mut ranges, mut from) = (Vec::new(), 0);
        loop {
            match expression.step(line, from, &mut Work::slice()) {
                Step::Match(range) if range.is_empty() => {
                    let Some(next) = line.get(range.end..).and_then(|rest| rest.chars().next()) else {
                        break;
                    };
                    from = range.end + next.len_utf8();
                }
                Step::Match(range) => {
                    from = range.end;
                    ranges.push(range);
                }
                Step::Next(next) => from = next,
                Step::End => break,
            }
        }
        ranges
    }

    fn found<'a>(pattern: &str, line: &'a str) -> Vec<&'a str> {
        let expression = Expression::new(pattern, false).unwrap();
        let ranges = ranges(&expression, line);
        assert_eq!(is_match(&expression, line), !ranges.is_empty(), "{pattern} {line}");
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
            (r"é$\b", "é café", vec!["é"]),
            (r"\b\z\b|\b^é", "é café", vec!["é"]),
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
        assert!(is_match(&sensitive, "a\u{308}") && !is_match(&sensitive, "Ä"));
    }

    #[test]
    fn invalid_and_hostile_expressions_are_bounded() {
        for pattern in [r"\p{Nope}", r"\p{", r"[a", r"[z-a]", "(", r"\p{a-z}", r"\pL\pM\pN\pP\pS"] {
            assert!(Expression::new(pattern, false).is_err(), "{pattern}");
        }
        for pattern in
            [r"\p{L}{1000}{1000}", r"\w{5000}", &"(a|b|c|d){0,40}".repeat(40), "((a{0}){1000}){1000}"]
        {
            assert_eq!(Expression::new(pattern, false).unwrap_err(), TOO_LARGE, "{pattern}");
        }
        let line = "й".repeat(5_000) + "!";
        for pattern in [r"(\w+)+$", r"(й+)+\b$", r"(й|й)+$"] {
            let expression = Expression::new(pattern, false).unwrap();
            assert!(!is_match(&expression, &line), "{pattern}");
        }
        for pattern in [r"\w{900}", &r"\w".repeat(400), &"[!-\u{1efff}]".repeat(100)] {
            let large = Expression::new(pattern, false).unwrap();
            let with_ranges = large.source.as_ref().and_then(Program::for_unicode);
            assert!(
                with_ranges.is_none(),
                "with the ranges of Unicode it is too large: then that of ASCII counts"
            );
        }
    }

    #[test]
    fn the_work_of_a_window_is_bounded_whatever_the_expression() {
        let (ascii, other) = ("a".repeat(1 << 20), "й".repeat(1 << 19));
        for pattern in
            ["([a-c ]{0,25}){0,25}z", "a", r"(\w+\s?){30}z", r"\w{30}z", "(a|b|c|d|e|f){100}z", r"\bй{200}z"]
        {
            for line in [&ascii, &other] {
                let expression = Expression::new(pattern, false).unwrap();
                let (program, window) = expression.window(line, 1 << 12);
                let work = program.bytes * window.range.len();
                assert!(work <= 128 << 20, "{pattern}: {work}");
            }
        }
    }

    #[test]
    fn matches_in_a_long_line_are_those_that_a_search_of_the_whole_line_finds() {
        let line =
            format!("{} needle {} é needle{}", "x y ".repeat(20_000), "z".repeat(60_000), "-".repeat(40_000));
        for pattern in
            [r"\bneedle\b", "needle", r"(needle|x{3})", "n[e]+dle", r"^x|needle", r"needle|-$", r"é\s\w+"]
        {
            let expression = Expression::new(pattern, false).unwrap();
            let whole = RegexBuilder::new(pattern).build().unwrap();
            let expected: Vec<_> = whole.find_iter(&line).map(|found| found.range()).collect();
            assert_eq!(ranges(&expression, &line), expected, "{pattern}");
            assert!(is_match(&expression, &line));
        }
        for pattern in [r"z$", r"zz\b$", r"^needle", r"x\z", r"\Bneedle"] {
            assert!(!is_match(&Expression::new(pattern, false).unwrap(), &line), "{pattern}");
        }
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
                proptest::prop_assert_eq!(is_match(&ours, &line), plain.is_match(&line));
                let source = Source { pattern: pattern.clone(), is_case_sensitive: false };
                let unicode = Program::for_unicode(&source).unwrap();
                proptest::prop_assert_eq!(unicode.find(&line, &(0..line.len())).is_some(), plain.is_match(&line), "{}", pattern);
            }
        }
    }
}
