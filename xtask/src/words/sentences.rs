//! Splits Markdown, as it stands in documents and documentation comments, into sentences.

/// Words of a table cell from which on it counts as a sentence. Shorter ones are names and numbers.
const CELL_WORDS: usize = 3;

/// Words of a heading from which on it counts as a sentence. Shorter ones are labels, such as `Errors`.
const HEADING_WORDS: usize = 2;

/// Words with a full stop that do not end a sentence.
const ABBREVIATIONS: [&str; 4] = ["e.g.", "i.e.", "cf.", "vs."];

/// Beginning of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Lines of the text before its own.
    pub line: usize,
    /// First word; empty if the sentence begins with code.
    pub opener: String,
}

/// Returns all lines; those of code blocks are empty, and code spans are underscores: names are not prose.
pub fn without_code(markdown: &str) -> String {
    let (mut is_block, mut is_span) = (false, false);
    let mut prose = String::with_capacity(markdown.len());
    for line in markdown.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        is_block ^= is_fence;
        // No code span goes beyond its paragraph, even if its end is missing.
        is_span &= !is_fence && !line.trim().is_empty();
        if is_block || is_fence {
            prose.extend(line.matches('\n'));
            continue;
        }
        prose.extend(line.chars().map(|symbol| {
            is_span ^= symbol == '`';
            if is_span && symbol != '\n' { '_' } else { symbol }
        }));
    }
    prose
}

/// Returns the sentences of paragraphs, headings, list items and table cells, in order.
pub fn sentences(markdown: &str) -> Vec<Sentence> {
    let mut splitter = Splitter::default();
    for (number, line) in without_code(markdown).lines().enumerate() {
        splitter.add_line(number, line.trim().trim_start_matches("> "));
    }
    splitter.found
}

#[derive(Default)]
struct Splitter {
    found: Vec<Sentence>,
    /// Last word of the paragraph so far.
    previous: Option<String>,
}

impl Splitter {
    fn add_line(&mut self, number: usize, line: &str) {
        if let Some(row) = line.strip_prefix('|') {
            row.split('|').for_each(|cell| self.add_label(number, cell, CELL_WORDS));
        } else if line.starts_with('#') {
            self.add_label(number, line.trim_start_matches('#'), HEADING_WORDS);
        } else if is_link_target(line) || line.is_empty() {
            self.previous = None;
        } else if let Some(item) = list_item(line) {
            self.previous = None;
            self.add_words(number, item);
        } else {
            self.add_words(number, line);
        }
    }

    /// Adds a paragraph of one line, if it has enough words.
    fn add_label(&mut self, number: usize, text: &str, least_words: usize) {
        self.previous = None;
        if text.split_whitespace().count() >= least_words {
            self.add_words(number, text);
        }
        self.previous = None;
    }

    fn add_words(&mut self, line: usize, text: &str) {
        for word in text.split_whitespace().filter(|word| word.contains(is_in_word)) {
            let begins = match &self.previous {
                None => true,
                Some(previous) => ends_sentence(previous) && !begins_in_lower_case(word),
            };
            if begins {
                self.found.push(Sentence { line, opener: opener(word) });
            }
            self.previous = Some(word.to_owned());
        }
    }
}

fn is_in_word(symbol: char) -> bool {
    symbol == '_' || symbol.is_alphanumeric()
}

fn ends_sentence(word: &str) -> bool {
    let bare = word.trim_end_matches(|symbol: char| "`)]\"'”*_".contains(symbol));
    bare.ends_with(['.', '!', '?']) && !ABBREVIATIONS.contains(&bare.trim_start_matches('('))
}

fn begins_in_lower_case(word: &str) -> bool {
    word.chars().find(|&symbol| is_in_word(symbol)).is_some_and(char::is_lowercase)
}

/// Returns the letters of `word` up to the first other symbol, without markup before them.
fn opener(word: &str) -> String {
    let bare = word.trim_start_matches(|symbol| !is_in_word(symbol));
    bare.chars().take_while(|symbol| symbol.is_alphabetic()).collect()
}

/// Returns whether a line gives the target of a link: `[name]: https://example.com`.
fn is_link_target(line: &str) -> bool {
    line.starts_with('[') && line.contains("]: ")
}

/// Returns the text of a list item without its marker.
fn list_item(line: &str) -> Option<&str> {
    let marked = ["- ", "* ", "+ "].iter().find_map(|marker| line.strip_prefix(marker));
    let numbered = || line.trim_start_matches(|symbol: char| symbol.is_ascii_digit()).strip_prefix(". ");
    marked.or_else(|| numbered().filter(|_| line.starts_with(|symbol: char| symbol.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openers(markdown: &str) -> Vec<(usize, String)> {
        sentences(markdown).into_iter().map(|sentence| (sentence.line, sentence.opener)).collect()
    }

    fn expected(openers: &[(usize, &str)]) -> Vec<(usize, String)> {
        openers.iter().map(|&(line, opener)| (line, opener.to_owned())).collect()
    }

    #[test]
    fn a_sentence_goes_on_over_lines_and_ends_at_a_full_stop_before_a_capital() {
        let text = "Reads it, e.g. Twice\nand **again.** What (if any) is\nleft? \"How's that?\" `code` is. 3.5 is 1.x or so.";
        let openers = openers(text);
        assert_eq!(openers, expected(&[(0, "Reads"), (1, "What"), (2, "How"), (2, ""), (2, "")]));
    }

    #[test]
    fn items_and_long_headings_and_cells_are_sentences_of_their_own() {
        let text = "# Who asks\n# Errors\n- how long\n2. which\n   goes on\n\n| What | Who asks most often |\n| --- | --- |\n> Where";
        let expected = expected(&[(0, "Who"), (2, "how"), (3, "which"), (6, "Who"), (8, "Where")]);
        assert_eq!(openers(text), expected);
    }

    #[test]
    fn code_and_link_targets_are_left_out() {
        let text = "Runs:\n```sh\nWhat. Who\n```\nSo. `What. How` is\n\n[What]: https://example.com";
        assert_eq!(openers(text), expected(&[(0, "Runs"), (4, "So"), (4, "")]));
        assert_eq!(without_code("a `b\nc` d\n```\ne\n```\nf"), "a __\n_` d\n\n\n\nf");
    }

    #[test]
    fn a_code_span_without_an_end_ends_with_its_paragraph() {
        assert_eq!(openers("One ` is.\n\nWhat"), expected(&[(0, "One"), (2, "What")]));
    }
}
