//! Lines that are JSON objects, as loggers write them.

pub mod scanner;

use self::scanner::Scanner;

/// Longest line that is taken for JSON, in bytes. A longer one is shown as text: reading it would hold up a frame.
pub const MAX_JSON_BYTES: usize = 256 << 10;
/// Lines up to so many bytes are read to their end before they are called JSON; of longer ones both ends are looked at.
/// A screen full of lines is read in well under a millisecond.
const MAX_PROVEN_BYTES: usize = 4 << 10;

/// Whether a line is a JSON object.
#[must_use]
pub fn is_json_object(line: &str) -> bool {
    let line = line.trim();
    let begins = line.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']));
    if !begins || !line.ends_with('}') || line.len() > MAX_JSON_BYTES {
        return false;
    }
    line.len() > MAX_PROVEN_BYTES || Scanner::new(line).all(|token| token.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_told_from_what_only_looks_like_one() {
        for json in ["{}", r#"{"a":1}"#, r#"  { "a" : [ { } , null ] }  "#] {
            assert!(is_json_object(json), "{json}");
        }
        for text in
            ["", "{", "[1]", "{a}", "{\"a\":1", "{\"a\" 1}", "{\"a\":1,}", "{\"a\":1} {}", "{\"a\":}", "null"]
        {
            assert!(!is_json_object(text), "{text}");
        }
    }

    #[test]
    fn a_long_line_is_judged_by_its_ends_and_a_longer_one_is_text() {
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_PROVEN_BYTES));
        assert!(is_json_object(&long));
        assert!(!is_json_object(&format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_JSON_BYTES))));
    }
}
