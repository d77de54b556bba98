//! Share of sentences in documentation that begin with a question word, and so do not name their subject.

use std::collections::BTreeMap;

use super::ratchet::{Finding, Measures};
use super::sentences::{Sentence, sentences};
use crate::sources::{Kind, Passage};

/// Of so many sentences, one may begin with a question word. In the documentation of tokio, quinn and ripgrep fewer do.
const SENTENCES_PER_OPENER: usize = 20;

const QUESTION_WORDS: [&str; 11] =
    ["what", "who", "where", "how", "which", "whose", "whom", "whatever", "whoever", "wherever", "whichever"];

/// Finds the question words that begin sentences of documentation comments and documents.
pub fn measure(passages: &[Passage<'_>]) -> Measures {
    let mut measures = Measures::new();
    let mut sentence_counts = BTreeMap::<&str, usize>::new();
    for passage in passages.iter().filter(|passage| matches!(passage.kind, Kind::Doc | Kind::Document)) {
        let sentences = sentences(passage.text);
        *sentence_counts.entry(passage.unit).or_default() += sentences.len();
        let findings = sentences.iter().filter_map(|sentence| finding(passage, sentence));
        measures.entry(passage.unit.to_owned()).or_default().findings.extend(findings);
    }
    for (unit, measure) in &mut measures {
        let sentences = sentence_counts.get(unit.as_str()).copied().unwrap_or_default();
        measure.limit = sentences / SENTENCES_PER_OPENER;
    }
    measures
}

fn finding(passage: &Passage<'_>, sentence: &Sentence) -> Option<Finding> {
    let opener = &sentence.opener;
    let is_question_word = QUESTION_WORDS.iter().any(|word| opener.eq_ignore_ascii_case(word));
    is_question_word.then(|| Finding {
        path: passage.path.to_owned(),
        line: passage.line + sentence.line,
        advice: match passage.kind {
            Kind::Document => format!("`{opener}`: begin with the subject, under its usual name"),
            _ => format!(
                "`{opener}`: begin with a noun for a type or value, with a third-person verb for a function"
            ),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(kind: Kind, text: &str) -> Passage<'_> {
        Passage { unit: "a", path: "a.rs", kind, line: 7, text }
    }

    #[test]
    fn one_sentence_in_twenty_may_begin_with_a_question_word() {
        let text = "Counts. ".repeat(39) + "\nWhat counts.";
        let measures = measure(&[passage(Kind::Doc, &text)]);
        let measure = measures.get("a").expect("a unit");
        assert_eq!(measure.limit, 2);
        assert!(matches!(&measure.findings[..], [Finding { line: 8, .. }]));
    }

    #[test]
    fn only_documentation_is_measured() {
        let passages =
            [passage(Kind::Comment, "What"), passage(Kind::Literal, "What"), passage(Kind::Document, "How")];
        let measures = measure(&passages);
        assert_eq!(measures.get("a").map(|measure| measure.findings.len()), Some(1));
    }
}
