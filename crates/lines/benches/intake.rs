//! Speed of the line store: lines as they arrive in messages of 64 KiB, and their interpretation afterwards.
//!
//! `cargo bench -p tailcast-lines --bench intake`

#![allow(clippy::cast_precision_loss, missing_docs)]

use std::time::{Duration, Instant};

use tailcast_lines::line_store::{LineKind, LineStore, StoreLimits};

/// Rounds, of which the fastest counts.
const ROUNDS: usize = 7;
const LINES: usize = 200_000;
const MESSAGE_BYTES: usize = 64 << 10;

/// Name and line of each number.
type Corpus = (&'static str, fn(usize) -> String);

fn plain(at: usize) -> String {
    let level = if at.is_multiple_of(50) { "ERROR" } else { "INFO" };
    format!(
        "2026-11-24T12:00:00.{:03}Z {level} http GET /api/v1/items/{at} answered 200 in 7 ms agent=curl",
        at % 1_000
    )
}

fn coloured(at: usize) -> String {
    format!(
        "\u{1b}[2m12:00:00\u{1b}[0m \u{1b}[32mINFO\u{1b}[0m worker \u{1b}[1mitem-{at}\u{1b}[0m was fetched in 7 ms"
    )
}

fn fields(at: usize) -> String {
    let fields: String = (0..17).map(|field| format!(r#""field_{field}":"value {at}","#)).collect();
    format!(r#"{{"time":"2026-11-24T12:00:00Z",{fields}"level":"info","msg":"fetched"}}"#)
}

fn mixed(at: usize) -> String {
    match at % 4 {
        0 => coloured(at),
        1 => format!(r#"{{"time":"12:00:00","level":"INFO","message":"item fetched","item":{at},"ms":7}}"#),
        _ => plain(at),
    }
}

fn trace(at: usize) -> String {
    if at.is_multiple_of(10) { plain(at) } else { format!("\tat com.example.Service.run(Service.java:{at})") }
}

/// Returns the lines in messages.
fn messages(line: fn(usize) -> String) -> Vec<String> {
    let mut messages = vec![String::new()];
    for at in 0..LINES {
        if messages.last().is_some_and(|message| message.len() >= MESSAGE_BYTES) {
            messages.push(String::new());
        }
        if let Some(message) = messages.last_mut() {
            message.push_str(&line(at));
            message.push('\n');
        }
    }
    messages
}

fn main() {
    let corpora: [Corpus; 6] = [
        ("plain", plain),
        ("with \\r\\n", |at| plain(at) + "\r"),
        ("stack traces", trace),
        ("coloured", coloured),
        ("JSON, 20 fields", fields),
        ("mixed", mixed),
    ];
    println!("{:<16} {:>14} {:>14}", "lines", "stored, ns", "interpreted, ns");
    for (name, line) in corpora {
        let messages = messages(line);
        let (mut storing, mut interpreting) = (Duration::MAX, Duration::MAX);
        for _ in 0..ROUNDS {
            let mut store = LineStore::new(StoreLimits { bytes: 512 << 20, ..StoreLimits::default() });
            let start = Instant::now();
            for (at, message) in messages.iter().enumerate() {
                store.begin_message(Some(at as u64));
                store.push_message(LineKind::Group, message, at as f64);
            }
            storing = storing.min(start.elapsed());
            let start = Instant::now();
            while store.interpret_some(256 << 10) {}
            interpreting = interpreting.min(start.elapsed());
        }
        let a_line = |time: Duration| time.as_secs_f64() * 1e9 / LINES as f64;
        println!("{name:<16} {:>14.0} {:>14.0}", a_line(storing), a_line(interpreting));
    }
}
