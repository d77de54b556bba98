//! Words to avoid in comments, literals and documents, with the terms to use instead.

use std::borrow::Cow;

use super::ratchet::{Finding, Measures};
use super::sentences::without_code;
use crate::sources::{Kind, Passage};

/// Lines of `words, phrases: replacement`, for each form of a word. Words that are often right are not among them.
const LIST: &str = include_str!("avoided.txt");

/// Word or phrase to avoid.
struct Avoided<'a> {
    words: Vec<&'a str>,
    replacement: &'a str,
}

/// Finds words to avoid. Every unit's limit is zero.
pub fn measure(passages: &[Passage<'_>]) -> Measures {
    let list = parse(LIST);
    let mut measures = Measures::new();
    for passage in passages {
        let measure = measures.entry(passage.unit.to_owned()).or_default();
        measure.findings.extend(find(passage, &list));
    }
    measures
}

fn parse(list: &str) -> Vec<Avoided<'_>> {
    let lines = list.lines().filter_map(|line| line.split_once(": "));
    let phrases = lines.flat_map(|(phrases, replacement)| {
        phrases.split(", ").map(move |phrase| (phrase.split(' ').collect(), replacement))
    });
    phrases.map(|(words, replacement)| Avoided { words, replacement }).collect()
}

fn find(passage: &Passage<'_>, list: &[Avoided<'_>]) -> Vec<Finding> {
    let text = match passage.kind {
        // A literal without spaces is a name or a value.
        Kind::Literal if !passage.text.contains(' ') => return Vec::new(),
        Kind::Literal => Cow::Borrowed(passage.text),
        _ => Cow::Owned(without_code(passage.text)),
    };
    let words = words(&text);
    let found = (0..words.len()).filter_map(|start| {
        let rest = words.get(start..)?;
        let avoided = list.iter().find(|avoided| begins_with(rest, &avoided.words))?;
        let (phrase, replacement) = (avoided.words.join(" "), avoided.replacement);
        let line = passage.line + rest.first()?.line;
        let advice = format!("`{phrase}`: write {replacement}, or another usual term");
        Some(Finding { path: passage.path.to_owned(), line, advice })
    });
    found.collect()
}

/// Word of a text.
struct Word<'a> {
    text: &'a str,
    /// Lines of the text before its own.
    line: usize,
    /// Whether only white space separates it from the word before.
    is_adjacent: bool,
}

fn words(text: &str) -> Vec<Word<'_>> {
    let (mut words, mut rest, mut line) = (Vec::new(), text, 0);
    while let Some((gap, word)) = rest.find(is_in_word).and_then(|at| rest.split_at_checked(at)) {
        let length = word.find(|symbol| !is_in_word(symbol)).unwrap_or(word.len());
        let (word, after) = word.split_at_checked(length).unwrap_or((word, ""));
        line += gap.matches('\n').count();
        // A backslash continues a literal in the next line.
        let is_adjacent = gap.chars().all(|symbol| symbol.is_whitespace() || symbol == '\\');
        words.push(Word { text: word, line, is_adjacent });
        rest = after;
    }
    words
}

fn is_in_word(symbol: char) -> bool {
    symbol.is_alphanumeric() || matches!(symbol, '_' | '\'' | '’')
}

fn begins_with(words: &[Word<'_>], phrase: &[&str]) -> bool {
    let is_equal = |(at, (word, expected)): (usize, (&Word<'_>, &&str))| {
        (at == 0 || word.is_adjacent) && word.text.eq_ignore_ascii_case(expected)
    };
    words.len() >= phrase.len() && words.iter().zip(phrase).enumerate().all(is_equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOXES: &str = "red fox, vixen: fox\nhen: bird\n";

    fn found(kind: Kind, text: &str) -> Vec<(usize, String)> {
        let passage = Passage { unit: "a", path: "a.rs", kind, line: 3, text };
        let findings = find(&passage, &parse(FOXES)).into_iter();
        findings.map(|finding| (finding.line, finding.advice)).collect()
    }

    #[test]
    fn a_phrase_is_found_over_the_end_of_a_line_with_its_replacement() {
        let found = found(Kind::Comment, "A hen.\nThe Red\nfox; red, fox; `vixen`, hens.");
        let lines: Vec<_> = found.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4]);
        assert!(found.iter().any(|(_, advice)| advice.starts_with("`red fox`: write fox")));
    }

    #[test]
    fn a_literal_is_prose_only_with_a_space() {
        assert_eq!(found(Kind::Literal, "vixen"), []);
        assert_eq!(found(Kind::Literal, "red \\\n   fox").len(), 1);
    }

    #[test]
    fn each_line_of_the_list_has_a_replacement() {
        assert!(LIST.lines().all(|line| line.contains(": ")));
        assert!(parse(LIST).iter().any(|avoided| avoided.words == ["come", "to", "rest"]));
    }
}
