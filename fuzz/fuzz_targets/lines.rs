//! Lines that a page receives: whatever they contain, the store stays within its limits, no escape sequence is shown, any split
//! of the input has the same commands and rows, and lines that look like JSON open to few rows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::model::{
    ansi::parser::{Parser, TerminalCommand},
    display_text::MAX_DRAWN_CHARS,
    json_line::{
        fields::field_values,
        is_json_object,
        tree::{MAX_TREE_ROWS, tree_rows},
    },
    level::level_of,
    line_store::{LineKind, LineStore, Origin, StoreLimits},
    prefix::{MAX_PREFIX_BYTES, split_prefix},
    row::pieces::{MAX_PIECES, pieces_of},
};

const ORIGIN: Origin = Origin { kind: LineKind::Group, source: 0 };

/// Lists the commands of some pieces.
fn commands(pieces: &[&str]) -> String {
    let mut parser = Parser::default();
    let mut list = String::new();
    for piece in pieces {
        parser.feed(piece, |command| match command {
            TerminalCommand::Text(text) => list.push_str(text),
            other => list.push_str(&format!("<{other:?}>")),
        });
    }
    list
}

fn read_as_json(line: &str) {
    let rows = tree_rows(line).len();
    assert!((1..=MAX_TREE_ROWS + 1).contains(&rows));
    if let Some(values) = field_values(line, &["a".to_owned(), "level".to_owned()]) {
        assert!(values.into_iter().flatten().all(|value| line.get(value).is_some()));
    }
    assert!(!is_json_object(line) || line.trim().ends_with('}'));
}

/// Returns the rows of the output of one command, of which the unfinished line is sent up to `at` first.
fn rows(text: &str, at: usize, limits: StoreLimits) -> Vec<String> {
    let mut store = LineStore::new(limits);
    let start = text[..at].rfind('\n').map_or(0, |feed| feed + 1);
    if start > 0 {
        store.push_marked(ORIGIN, "a", &text[..start], false, 0.0);
    }
    if at > start {
        store.push_marked(ORIGIN, "a", &text[start..at], true, 0.0);
    }
    if text.len() > start || start == 0 {
        store.push_marked(ORIGIN, "a", &text[start..], false, 0.0);
    }
    store.lines_from(0).map(|line| line.text.to_owned()).collect()
}

fuzz_target!(|data: (u16, &str)| {
    let (cut, text) = data;
    let mut at = usize::from(cut).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let (front, back) = text.split_at(at);
    assert_eq!(commands(&[front, back]), commands(&[text]));
    let limits = StoreLimits::default();
    assert_eq!(rows(text, at, limits), rows(text, 0, limits));

    let limits = StoreLimits { lines: 50, bytes: 16 << 10, line_bytes: 512 };
    rows(text, at, limits);
    let mut store = LineStore::new(limits);
    store.push_message(LineKind::Group, text, 0.0);
    assert!(store.len() <= 50 && store.reserved_bytes() <= 16 << 10);
    let found: Vec<_> = store.lines_from(0).map(|line| line.level()).collect();
    store.interpret_some(usize::from(cut));
    store.interpret_some(usize::MAX);
    assert!(store.is_interpreted());
    assert!(store.lines_from(0).map(|line| line.level()).eq(found));
    for line in store.lines_from(0) {
        assert!(!line.text.contains('\u{1b}') && line.text.len() <= 512);
        assert!(pieces_of(&line, &[], &[], MAX_DRAWN_CHARS).pieces.len() <= MAX_PIECES);
        assert_eq!(line.level(), level_of(line.text));
        assert!(line.text.len() - split_prefix(line.text).content.len() <= MAX_PREFIX_BYTES);
        read_as_json(line.text);
    }
});
