//! Writing JSON text piece by piece: a broadcast's frame is one buffer, filled once.

use std::fmt::Write;

use crate::message::GroupState;

/// Number of bytes of a long text that are looked at together.
const LONG_STRETCH: usize = 64;
/// Number of bytes of what is left that are looked at together.
const SHORT_STRETCH: usize = 16;

/// Appends `text` as a JSON string, quotes included.
pub(super) fn string(out: &mut String, text: &str) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut rest = text;
    // Only ASCII needs escaping, so what does not always ends on a character boundary.
    while let Some((plain, escaped)) = rest.split_at_checked(plain_len(rest.as_bytes())) {
        push_plain(out, plain, rest);
        let Some(&byte) = escaped.as_bytes().first() else { break };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing to a `String` cannot fail.
            control => write!(out, "\\u{control:04x}").unwrap_or_default(),
        }
        rest = escaped.get(1..).unwrap_or_default();
    }
    out.push('"');
}

/// Appends `plain`, the beginning of `rest`. A short one is copied with what follows, which is then removed: a copy of constant
/// length takes two instructions, and a call of `memcpy` for a few bytes takes most of the time with the C library musl.
pub(super) fn push_plain(out: &mut String, plain: &str, rest: &str) {
    match rest.get(..SHORT_STRETCH).filter(|_| plain.len() < SHORT_STRETCH) {
        Some(stretch) => {
            let end = out.len() + plain.len();
            out.push_str(stretch);
            out.truncate(end);
        }
        None => out.push_str(plain),
    }
}

/// Returns the number of bytes at the beginning that can stand in a JSON string as they are.
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let long = plain_stretches::<LONG_STRETCH>(bytes);
    let rest = bytes.get(long..).unwrap_or_default();
    let short = plain_stretches::<SHORT_STRETCH>(rest);
    let rest = rest.get(short..).unwrap_or_default();
    long + short + rest.iter().position(|byte| needs_escape(*byte)).unwrap_or(rest.len())
}

/// Returns the length of the stretches at the beginning whose bytes are all plain.
fn plain_stretches<const LEN: usize>(bytes: &[u8]) -> usize {
    bytes.chunks_exact(LEN).take_while(|stretch| is_plain(stretch)).count() * LEN
}

/// Returns whether no byte needs an escape. Has no branch for a byte, so that the compiler looks at many with a few
/// instructions.
fn is_plain(stretch: &[u8]) -> bool {
    !stretch.iter().fold(false, |any, byte| any | needs_escape(*byte))
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Appends `,"name":number`.
pub(super) fn number_member(out: &mut String, name: &str, number: u64) {
    member(out, name);
    out.push_str(itoa::Buffer::new().format(number));
}

/// Appends `,"name":"text"`.
pub(super) fn string_member(out: &mut String, name: &str, text: &str) {
    member(out, name);
    string(out, text);
}

/// Appends `,"name":`, piece by piece: the formatter takes longer than all else in a frame.
fn member(out: &mut String, name: &str) {
    for piece in [",\"", name, "\":"] {
        out.push_str(piece);
    }
}

/// Appends `,"state":{…}`.
pub(super) fn state_member(out: &mut String, state: &GroupState) {
    member(out, "state");
    object(out, state.iter().map(|(name, value)| (name.as_str(), Some(value.as_str()))));
}

/// Appends an object of those members that have a value.
pub(super) fn object<'a>(out: &mut String, members: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) {
    let mut mark = '{';
    for (name, text) in members {
        let Some(text) = text else { continue };
        out.push(mark);
        string(out, name);
        out.push(':');
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
        fn what_is_plain_is_found_by_the_definition(
            plain in "[ -!#-\\[\\]-~é]{0,80}", end in prop::collection::vec(any::<u8>(), 0..3), rest in any::<String>(),
        ) {
            let bytes = [plain.as_bytes(), &end, rest.as_bytes()].concat();
            let expected = bytes.iter().position(|byte| needs_escape(*byte)).unwrap_or(bytes.len());
            prop_assert_eq!(plain_len(&bytes), expected);
        }

        #[test]
        fn any_text_survives_as_a_json_string(text in any::<String>()) {
            let mut json = String::new();
            string(&mut json, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
