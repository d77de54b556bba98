//! What a page is sent: whatever it holds, the store stays within its limits, no escape sequence is shown, a cut of the
//! input in the middle of a line's sequences says the same, and lines that look like JSON open to few rows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tailcast::model::{
    ansi::parser::{TerminalCommand, Parser},
    json_line::{
        fields::field_values,
        is_json_object,
        tree::{MAX_TREE_ROWS, tree_rows},
    },
    line_store::{LineKind, LineStore, StoreLimits},
    row::pieces::{MAX_PIECES, pieces_of},
};

fn said(pieces: &[&str]) -> String {
    let mut parser = Parser::default();
    let mut said = String::new();
    for piece in pieces {
        parser.feed(piece, |command| match command {
            TerminalCommand::Text(text) => said.push_str(text),
            other => said.push_str(&format!("<{other:?}>")),
        });
    }
    said
}

fn read_as_json(line: &str) {
    let rows = tree_rows(line).len();
    assert!((1..=MAX_TREE_ROWS + 1).contains(&rows));
    if let Some(values) = field_values(line, &["a".to_owned(), "level".to_owned()]) {
        assert!(values.into_iter().flatten().all(|value| line.get(value).is_some()));
    }
    assert!(!is_json_object(line) || line.trim().ends_with('}'));
}

fuzz_target!(|data: (u16, &str)| {
    let (cut, text) = data;
    let mut at = usize::from(cut).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let (front, back) = text.split_at(at);
    assert_eq!(said(&[front, back]), said(&[text]));

    let limits = StoreLimits { lines: 50, bytes: 16 << 10, line_bytes: 512 };
    let mut store = LineStore::new(limits);
    store.push_message(LineKind::Group, text, 0.0);
    assert!(store.len() <= 50 && store.reserved_bytes() <= 16 << 10);
    for line in store.lines_from(0) {
        assert!(!line.text.contains('\u{1b}') && line.text.len() <= 512);
        assert!(pieces_of(&line, &[], &[]).pieces.len() <= MAX_PIECES);
        read_as_json(line.text);
    }
});
