//! Words that are looked for as they stand, in much text at once.

use std::ops::Range;

use memchr::memmem;
use wide::u8x16;

/// Letters by how often English has them, rarest last. What is not among them is taken for rarer than any.
const COMMON: &[u8] = b" etaoinsr0hl1d2c.u3m4f5p-6g7w8y9b:v\"/=kxjqz";

/// See the [module](self).
#[derive(Debug)]
pub enum Words {
    /// With regard to capitals.
    Exact(Box<memmem::Finder<'static>>),
    /// Without regard to capitals, of ASCII letters.
    Folded {
        /// What is looked for.
        words: String,
        /// Which of its bytes are the rarest, two if there are: looked for first.
        rarest: (usize, usize),
    },
}

impl Words {
    /// Words to look for; at least one byte.
    #[must_use]
    pub fn new(words: &str, is_case_sensitive: bool) -> Self {
        if is_case_sensitive {
            return Self::Exact(Box::new(memmem::Finder::new(words.as_bytes()).into_owned()));
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
        Self::Folded { words: words.to_owned(), rarest }
    }

    /// Where they stand in `text` for the first time from `from` on.
    #[must_use]
    pub fn find(&self, text: &str, from: usize) -> Option<Range<usize>> {
        let haystack = text.as_bytes().get(from..)?;
        let (start, len) = match self {
            Self::Exact(finder) => (finder.find(haystack)?, finder.needle().len()),
            Self::Folded { words, rarest } => {
                (find_folded(haystack, words.as_bytes(), *rarest)?, words.len())
            }
        };
        Some(from + start..from + start + len)
    }
}

/// Looks for two bytes only, at sixteen places at a time; what passes is compared in whole.
fn find_folded(haystack: &[u8], words: &[u8], (one, other): (usize, usize)) -> Option<usize> {
    /// Makes capitals small, and of other bytes something that is alike for like bytes.
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

/// Words without which the regular expression `pattern` matches nothing: the longest that stand in it as they are. `None`
/// when there are none, or when it is not sure.
#[must_use]
pub fn needed_by(pattern: &str) -> Option<String> {
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
                // A bracket that comes first stands for itself.
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
            assert_eq!(needed_by(pattern).as_deref(), needed, "{pattern}");
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
    fn words_are_found_wherever_their_rarest_byte_stands() {
        let words = Words::new("Quick zoo", false);
        assert_eq!(words.find("a zebra, the qUICK ZOO, the quick zoo", 0), Some(13..22));
        assert_eq!(words.find("a zebra, the qUICK ZOO, the quick zoo", 14), Some(28..37));
        assert_eq!(words.find("z", 0), None);
        assert_eq!(Words::new("é", false).find("café É", 0), Some(3..5));
    }
}
