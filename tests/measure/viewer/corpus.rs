//! Test lines: plain, colored and JSON in turn, about 110 bytes each, identical in every run.

/// Maximum size of a message, as in `tailcast stream`.
const BATCH_BYTES: usize = 64 << 10;

/// Returns the line at `index`. Each contains its number as `seq=N;`, which the probe detects.
pub fn line(index: u64) -> String {
    let (level, colour) = match index % 50 {
        0 => ("ERROR", 31),
        1..=3 => ("WARN", 33),
        4..=9 => ("DEBUG", 36),
        _ => ("INFO", 32),
    };
    let (second, millisecond) = (index / 1000 % 60, index % 1000);
    let (item, took) = (index.wrapping_mul(7919) % 100_000, index.wrapping_mul(31) % 500);
    match index % 4 {
        0 => format!(
            "\x1b[2m12:00:{second:02}.{millisecond:03}\x1b[0m \x1b[{colour}m{level}\x1b[0m worker \x1b[1mitem-{item:05}\x1b[0m \
             was fetched in {took} ms seq={index};"
        ),
        1 => format!(
            r#"{{"time":"12:00:{second:02}.{millisecond:03}","level":"{level}","message":"item fetched","item":{item},"ms":{took},"seq":"seq={index};"}}"#
        ),
        _ => format!(
            "2026-11-24T12:00:{second:02}.{millisecond:03}Z {level} http GET /api/v1/items/{item:05} answered 200 in {took} ms \
             agent=curl seq={index};"
        ),
    }
}

/// Returns a line without colours, of the same size.
pub fn plain_line(index: u64) -> String {
    line(4 * index + 2).replace(&format!("seq={};", 4 * index + 2), &format!("seq={index};"))
}

/// Returns a JSON object of 20 fields, about 400 bytes.
pub fn line_of_fields(index: u64) -> String {
    let level = if index.is_multiple_of(50) { "error" } else { "info" };
    let mut fields: String = (0..17).map(|field| format!(r#""field_{field}":"value {index}","#)).collect();
    fields.insert_str(0, r#"{"time":"2026-11-24T12:00:00Z","#);
    format!(r#"{fields}"level":"{level}","msg":"seq={index};"}}"#)
}

/// Returns messages with lines of a corpus joined by line feeds.
pub fn messages(corpus: fn(u64) -> String, lines: u64, is_batched: bool) -> impl Iterator<Item = String> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let mut message = String::new();
        while next < lines {
            let line = corpus(next);
            if !message.is_empty() {
                if !is_batched || message.len() + line.len() >= BATCH_BYTES {
                    break;
                }
                message.push('\n');
            }
            message.push_str(&line);
            next += 1;
        }
        (!message.is_empty()).then_some(message)
    })
}

/// Returns the size of the lines, including line feeds.
pub fn bytes(corpus: fn(u64) -> String, lines: u64) -> u64 {
    (0..lines).map(|index| corpus(index).len() as u64 + 1).sum()
}
