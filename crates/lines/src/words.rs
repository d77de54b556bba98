//! Search for a literal in much text at once.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3, memmem};
use wide::u8x16;

/// Characters by their frequency in English, rarest last. Others count as rarer.
const COMMON: &[u8] = b" etaoinsr0hl1d2c.u3m4f5p-6g7w8y9b:v\"/=kxjqz";

/// A literal to search. See the [module](self).
#[derive(Debug)]
pub struct Words {
    kind: Kind,
    /// Whether a match ends with a whole character: no combining mark follows.
    is_whole: bool,
}

#[derive(Debug)]
enum Kind {
    /// Text as it is.
    Exact(Box<memmem::Finder<'static>>),
    /// Text with ASCII letters in either case.
    Folded {
        text: String,
        /// Places of its two rarest bytes, which are searched first.
        rarest: (usize, usize),
    },
    /// Characters of which each can be written in several ways.
    Spelled(Spelled),
}

/// Spellings of a character: its cases and normalization forms.
pub type Spellings = Vec<Box<str>>;

/// Characters by their spellings, of which one is searched first.
#[derive(Debug)]
struct Spelled {
    characters: Vec<Spellings>,
    anchor: usize,
    /// Bytes with which spellings of that character end.
    last_bytes: Vec<u8>,
}

impl Words {
    /// Creates a search for `words`, at least one byte. Ignores the case of ASCII letters unless `is_case_sensitive`.
    #[must_use]
    pub fn new(words: &str, is_case_sensitive: bool) -> Self {
        if is_case_sensitive {
            return Self::of(Kind::Exact(Box::new(memmem::Finder::new(words.as_bytes()).into_owned())));
        }
        let rarity = |byte: u8| {
            let place = COMMON.iter().position(|common| *common == byte.to_ascii_lowercase());
            place.unwrap_or(COMMON.len())
        };
        let rarest_but = |other: Option<usize>| {
            let places = words.bytes().enumerate().filter(|(at, _)| Some(*at) != other);
            places.max_by_key(|(_, byte)| rarity(*byte)).map(|(at, _)| at)
        };
        let first = rarest_but(None);
        let second = rarest_but(first).or(first);
        let rarest = (first.unwrap_or_default(), second.unwrap_or_default());
        Self::of(Kind::Folded { text: words.to_owned(), rarest })
    }

    /// Creates a search for characters, at least one, each with its spellings.
    #[must_use]
    pub fn spelled(characters: Vec<Spellings>) -> Self {
        let last_bytes = |spellings: &Spellings| {
            let mut bytes: Vec<u8> = spellings.iter().filter_map(|text| text.bytes().next_back()).collect();
            bytes.sort_unstable();
            bytes.dedup();
            bytes
        };
        // Few bytes are found fast, and in most text there are few that are not ASCII.
        let cost = |spellings: &Spellings| {
            let bytes = last_bytes(spellings);
            (bytes.len() > 3, bytes.iter().any(u8::is_ascii), bytes.len())
        };
        let anchor = characters.iter().enumerate().min_by_key(|(_, spellings)| cost(spellings));
        let (anchor, last_bytes) =
            anchor.map_or((0, Vec::new()), |(at, spellings)| (at, last_bytes(spellings)));
        Self::of(Kind::Spelled(Spelled { characters, anchor, last_bytes }))
    }

    fn of(kind: Kind) -> Self {
        Self { kind, is_whole: false }
    }

    /// Restricts the matches to those that end with a whole character: `e` is no match in an `é` of two characters.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { is_whole: true, ..self }
    }

    /// Returns the first match in `text` from `from` on.
    #[must_use]
    pub fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let text = text.as_bytes();
        let mut found = self.kind.find(text, from)?;
        while self.is_whole && is_mark(text.get(found.end..).unwrap_or_default()) {
            found = self.kind.find(text, found.start + 1)?;
        }
        Some(found)
    }
}

impl Kind {
    fn find(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let haystack = text.get(from..)?;
        let (start, len) = match self {
            Self::Exact(finder) => (finder.find(haystack)?, finder.needle().len()),
            Self::Folded { text, rarest } => (find_folded(haystack, text.as_bytes(), *rarest)?, text.len()),
            Self::Spelled(spelled) => {
                let found = spelled.find(haystack)?;
                (found.start, found.len())
            }
        };
        Some(from + start..from + start + len)
    }
}

impl Spelled {
    fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let mut at = 0;
        loop {
            at += self.next_anchor(text.get(at..)?)? + 1;
            if let Some(found) = self.around(text, at) {
                return Some(found);
            }
        }
    }

    fn next_anchor(&self, text: &[u8]) -> Option<usize> {
        match *self.last_bytes {
            [one] => memchr(one, text),
            [one, two] => memchr2(one, two, text),
            [one, two, three] => memchr3(one, two, three, text),
            _ => text.iter().position(|byte| self.last_bytes.contains(byte)),
        }
    }

    /// Returns the match whose character at the anchor ends at `end`.
    fn around(&self, text: &[u8], end: usize) -> Option<Range<usize>> {
        let (before, rest) = self.characters.split_at_checked(self.anchor + 1)?;
        let mut start = end;
        for spellings in before.iter().rev() {
            let text = text.get(..start)?;
            start -= spellings.iter().find(|spelling| text.ends_with(spelling.as_bytes()))?.len();
        }
        let mut end = end;
        for spellings in rest {
            let text = text.get(end..)?;
            end += spellings.iter().find(|spelling| text.starts_with(spelling.as_bytes()))?.len();
        }
        Some(start..end)
    }
}

/// Whether text begins with a combining mark, or the last part of a Hangul syllable.
fn is_mark(text: &[u8]) -> bool {
    match *text {
        [0xCC, ..] => true,
        [0xCD, second, ..] => second < 0xB0,
        [0xE1, 0x86, third, ..] => third >= 0xA8,
        [0xE1, 0x87, third, ..] => third <= 0x82,
        _ => false,
    }
}

/// Compares two bytes at sixteen places at a time, and the whole literal where both match.
fn find_folded(haystack: &[u8], words: &[u8], (one, other): (usize, usize)) -> Option<usize> {
    /// Bit in which capital and small letters differ.
    const FOLD: u8 = b'a' ^ b'A';
    let last = haystack.len().checked_sub(words.len())?;
    let starts_at = |start: usize| {
        haystack.get(start..start + words.len()).is_some_and(|part| part.eq_ignore_ascii_case(words))
    };
    let folded = |place: usize| words.get(place).map(|byte| u8x16::splat(byte | FOLD));
    let (first, second) = (folded(one)?, folded(other)?);
    let (ones, _) = haystack.get(one..=last + one)?.as_chunks();
    let (others, _) = haystack.get(other..=last + other)?.as_chunks();
    let fold = u8x16::splat(FOLD);
    let mut start = 0;
    for (ones, others) in ones.iter().zip(others) {
        let (ones, others) = (u8x16::new(*ones) | fold, u8x16::new(*others) | fold);
        let mut places = (ones.simd_eq(first) & others.simd_eq(second)).to_bitmask();
        while places != 0 {
            let found = start + places.trailing_zeros() as usize;
            if starts_at(found) {
                return Some(found);
            }
            places &= places - 1;
        }
        start += 16;
    }
    (start..=last).find(|start| starts_at(*start))
}

/// Returns a literal that every match of the regular expression `pattern` contains: the longest in it. `None` if there is none,
/// or none is certain.
#[must_use]
pub fn required_literal(pattern: &str) -> Option<String> {
    let (mut longest, mut run) = (String::new(), String::new());
    let mut end_run = |run: &mut String| {
        if run.len() > longest.len() {
            longest.clone_from(run);
        }
        run.clear();
    };
    let (mut depth, mut characters) = (0_usize, pattern.chars().peekable());
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                // Codes of characters, and classes with names: what follows is no text.
                'x' | 'u' | 'U' | 'p' | 'P' => return None,
                escaped if escaped.is_ascii_alphanumeric() => end_run(&mut run),
                escaped if depth == 0 => run.push(escaped),
                _ => {}
            },
            '(' => {
                end_run(&mut run);
                // Flags may change what letters mean.
                if characters.next_if_eq(&'?').is_some() && !matches!(characters.next()?, ':' | 'P' | '<') {
                    return None;
                }
                depth += 1;
            }
            ')' => {
                depth = depth.checked_sub(1)?;
                // Nothing before a quantifier of the group may be taken from what follows.
                end_run(&mut run);
            }
            '[' => {
                end_run(&mut run);
                characters.next_if_eq(&'^');
                // A bracket in the first place is a character.
                characters.next_if_eq(&']');
                loop {
                    match characters.next()? {
                        '\\' => drop(characters.next()?),
                        // A class within a class, or a name: rare.
                        '[' => return None,
                        ']' => break,
                        _ => {}
                    }
                }
            }
            // One of several, any of which may be.
            '|' if depth == 0 => return None,
            '*' | '?' | '{' => {
                // What it follows need not be there.
                run.pop();
                end_run(&mut run);
                if character == '{' {
                    while characters.next()? != '}' {}
                }
            }
            '.' | '^' | '$' | '+' | '|' => end_run(&mut run),
            text if depth == 0 => run.push(text),
            _ => {}
        }
    }
    end_run(&mut run);
    (longest.len() > 1).then_some(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_needs_the_longest_text_in_it() {
        for (pattern, needed) in [
            (r"took \d+ms", Some("took ")),
            (r"answered 200 in 7[78] ms", Some("answered 200 in 7")),
            (r"(GET|POST) /api", Some(" /api")),
            (r"colou?rful", Some("colo")),
            (r"ab+c", Some("ab")),
            (r"x\.yz", Some("x.yz")),
            (r"abc{0,2}d", Some("ab")),
            (r"[a\]b]cd", Some("cd")),
            (r"(abc)?de", Some("de")),
            ("one|two", None),
            ("(?i)abc", None),
            (r"\x41BC", None),
            (r"\w+\d", None),
            ("[[:alpha:]]abc", None),
        ] {
            assert_eq!(required_literal(pattern).as_deref(), needed, "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn words_are_found_as_if_each_place_was_compared(
            before in "[abABz é@`]{0,150}", words in "[abABz é@`]{1,4}", after in "[abABz é@`]{0,150}", is_there in proptest::bool::ANY,
        ) {
            let text = if is_there { format!("{before}{words}{after}") } else { before + &after };
            let (haystack, needle) = (text.to_ascii_lowercase(), words.to_ascii_lowercase());
            let expected = haystack.find(&needle).map(|start| start..start + words.len());
            proptest::prop_assert_eq!(Words::new(&words, false).find(&text, 0), expected);
        }
    }

    #[test]
    fn words_are_found_wherever_their_rarest_byte_is() {
        let words = Words::new("Quick zoo", false);
        assert_eq!(words.find("a zebra, the qUICK ZOO, the quick zoo", 0), Some(13..22));
        assert_eq!(words.find("a zebra, the qUICK ZOO, the quick zoo", 14), Some(28..37));
        assert_eq!(words.find("z", 0), None);
        assert_eq!(Words::new("é", false).find("café É", 0), Some(3..5));
    }

    #[test]
    fn characters_are_found_in_each_of_their_spellings() {
        let spelled = |characters: &[&[&str]]| {
            let spellings = |spellings: &&[&str]| spellings.iter().map(|text| (*text).into()).collect();
            Words::spelled(characters.iter().map(spellings).collect()).whole()
        };
        let word = spelled(&[&["c", "C"], &["é", "É", "e\u{301}", "E\u{301}"], &["x", "X"]]);
        for text in ["a céx", "a CÉX", "a ce\u{301}x", "a CE\u{301}X"] {
            assert_eq!(word.find(text, 0), Some(2..text.len()), "{text}");
        }
        for text in ["", "c", "cex", "ce\u{302}x", "éx", "cé", "ce\u{301}", "cex\u{301}", "céx\u{301}"] {
            assert_eq!(word.find(text, 0), None, "{text}");
        }
        assert_eq!(word.find("céx\u{301} céx", 0), Some(7..11));
        assert_eq!(word.find("céx céx", 1), Some(5..9));
        let many = spelled(&[&["a", "b", "c", "d"], &["1", "2", "3", "4"]]);
        assert_eq!(many.find("x1 d4", 0), Some(3..5));
        assert_eq!(Words::new("e", true).whole().find("e\u{301}\u{ff}e", 0), Some(5..6));
    }
}
