//! Words that are looked for as they stand, in much text at once.

use std::ops::Range;

use memchr::{memchr2_iter, memmem};

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
        /// Which of its bytes is the rarest: looked for first.
        rarest: usize,
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
        let rarest = words.bytes().enumerate().max_by_key(|(_, byte)| rarity(*byte));
        Self::Folded { words: words.to_owned(), rarest: rarest.map_or(0, |(at, _)| at) }
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

fn find_folded(haystack: &[u8], words: &[u8], rarest: usize) -> Option<usize> {
    let rare = *words.get(rarest)?;
    let starts_here = |at: usize| {
        let start = at.checked_sub(rarest)?;
        let part = haystack.get(start..start + words.len())?;
        part.eq_ignore_ascii_case(words).then_some(start)
    };
    memchr2_iter(rare.to_ascii_lowercase(), rare.to_ascii_uppercase(), haystack).find_map(starts_here)
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

    #[test]
    fn words_are_found_wherever_their_rarest_byte_stands() {
        let words = Words::new("Quick zoo", false);
        assert_eq!(words.find("a zebra, the qUICK ZOO, the quick zoo", 0), Some(13..22));
        assert_eq!(words.find("a zebra, the qUICK ZOO, the quick zoo", 14), Some(28..37));
        assert_eq!(words.find("z", 0), None);
        assert_eq!(Words::new("é", false).find("café É", 0), Some(3..5));
    }
}
