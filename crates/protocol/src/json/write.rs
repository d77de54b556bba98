//! Writing JSON text piece by piece: a broadcast's frame is one buffer, filled once.

use std::fmt::Write;

/// Appends `text` as a JSON string, quotes included.
pub(super) fn string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        // Only ASCII needs escaping, so `at` always lies on a character boundary.
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 => "",
            _ => continue,
        };
        out.push_str(text.get(plain_from..at).unwrap_or_default());
        if escape.is_empty() {
            // Writing to a `String` cannot fail.
            write!(out, "\\u{byte:04x}").unwrap_or_default();
        } else {
            out.push_str(escape);
        }
        plain_from = at + 1;
    }
    out.push_str(text.get(plain_from..).unwrap_or_default());
    out.push('"');
}

/// Appends a JSON string, or `null`.
pub(super) fn optional_string(out: &mut String, text: Option<&str>) {
    match text {
        Some(text) => string(out, text),
        None => out.push_str("null"),
    }
}

/// Appends `,"name":number`.
pub(super) fn number_member(out: &mut String, name: &str, number: u64) {
    write!(out, ",\"{name}\":{number}").unwrap_or_default();
}

/// Appends `,"name":"text"`.
pub(super) fn string_member(out: &mut String, name: &str, text: &str) {
    write!(out, ",\"{name}\":").unwrap_or_default();
    string(out, text);
}

/// Appends an object of those members that have a value.
pub(super) fn object<'a>(out: &mut String, members: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) {
    let mut mark = '{';
    for (name, text) in members {
        let Some(text) = text else { continue };
        write!(out, "{mark}\"{name}\":").unwrap_or_default();
        string(out, text);
        mark = ',';
    }
    out.push_str(if mark == '{' { "{}" } else { "}" });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_survives_as_a_json_string(text in any::<String>()) {
            let mut json = String::new();
            string(&mut json, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
