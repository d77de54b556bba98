//! Speed of the parser of escape sequences, compared with the `vte` crate: both write the text to a string and count the styles.
//!
//! `cargo bench -p tailcast-lines --bench parser`

#![allow(clippy::cast_precision_loss, missing_docs)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use tailcast_lines::ansi::parser::{Parser, TerminalCommand};

/// Rounds, of which the fastest counts.
const ROUNDS: usize = 7;
const BYTES: usize = 8 << 20;

#[derive(Default)]
struct Screen {
    text: String,
    styles: usize,
}

impl vte::Perform for Screen {
    fn print(&mut self, character: char) {
        self.text.push(character);
    }

    fn csi_dispatch(&mut self, parameters: &vte::Params, _: &[u8], _: bool, action: char) {
        if action == 'm' {
            self.styles += black_box(parameters).len().min(1);
        }
    }
}

fn with_vte(lines: &[&str]) -> Screen {
    let (mut parser, mut screen) = (vte::Parser::new(), Screen::default());
    lines.iter().for_each(|line| parser.advance(&mut screen, line.as_bytes()));
    screen
}

fn with_ours(lines: &[&str]) -> Screen {
    let (mut parser, mut screen) = (Parser::default(), Screen::default());
    for line in lines {
        parser.feed(line, |command| match command {
            TerminalCommand::Text(text) => screen.text.push_str(text),
            TerminalCommand::Sgr(parameters) => {
                screen.styles += black_box(parameters).groups().count().min(1)
            }
            _ => {}
        });
    }
    screen
}

fn fastest(run: impl Fn() -> Screen) -> (Duration, Screen) {
    let (mut fastest, mut screen) = (Duration::MAX, Screen::default());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        screen = run();
        fastest = fastest.min(start.elapsed());
    }
    (fastest, screen)
}

fn main() {
    let inputs = [
        ("plain", "2026-11-30T12:00:00Z INFO request 4711 answered 200 in 7 ms for user alice at path /api/v1/items".to_owned()),
        ("coloured", "\u{1b}[2m12:00:00\u{1b}[0m \u{1b}[32mINFO\u{1b}[0m \u{1b}[1mserver\u{1b}[0m: request \u{1b}[38;5;208m4711\u{1b}[0m answered".to_owned()),
        ("dense", "\u{1b}[38;2;1;2;3mx\u{1b}[48;2;4;5;6my".repeat(10)),
        ("progress", format!("\rbig.tar |{}| 57 % 12.3 MB/s\u{1b}[K", "█".repeat(40))),
        ("Cyrillic", "12:00 ОШИБКА: файл не найден, попытка повторить через 5 секунд, пользователь алиса".to_owned()),
    ];
    println!("{:<10} {:>12} {:>12} {:>6}", "input", "ours, MB/s", "vte, MB/s", "ratio");
    for (name, line) in &inputs {
        let lines = vec![line.as_str(); BYTES / line.len()];
        let bytes = (line.len() * lines.len()) as f64 / 1e6;
        let (ours, of_ours) = fastest(|| with_ours(&lines));
        let (vte, of_vte) = fastest(|| with_vte(&lines));
        assert_eq!(of_ours.text.len(), of_vte.text.len(), "{name}");
        assert_eq!(of_ours.styles, of_vte.styles, "{name}");
        let speed = |time: Duration| bytes / time.as_secs_f64();
        println!("{name:<10} {:>12.0} {:>12.0} {:>6.1}", speed(ours), speed(vte), speed(ours) / speed(vte));
    }
}
