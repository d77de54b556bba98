//! Level behind a place in a source file, as compilers write it.

use memchr::memchr_iter;

use super::{
    Level, beginning,
    text::{is_denial, word_len},
};

/// Bytes of a line in which the words of a compiler are searched behind the place in the source.
const LOCATION_BYTES: usize = 256;

/// Words of a compiler behind a program or a place in a source file: `main.c:12:5: error: …`, `main.c(12): warning C4996: …`,
/// `LINK : fatal error LNK1104: …`.
pub(super) fn level_of_location(line: &str) -> Option<Level> {
    let line = beginning(line, LOCATION_BYTES);
    memchr_iter(b':', line.as_bytes()).find_map(|at| {
        let (before, after) = line.split_at_checked(at)?;
        let after = after.get(1..)?.strip_prefix(' ')?;
        let after = after.strip_prefix("fatal ").unwrap_or(after);
        let (word, rest) = after.split_at_checked(word_len(after))?;
        let level = match word {
            "error" => Level::Error,
            "warning" => Level::Warning,
            "note" | "remark" | "info" => Level::Info,
            _ => return None,
        };
        let place = before.trim_end();
        let is_place = !place.contains(' ') || place.ends_with([')']) || ends_with_digit_of_place(place);
        let text = rest.strip_prefix(':').or_else(|| after_code(rest))?;
        (is_place && !is_denial(text)).then_some(level)
    })
}

/// Whether text ends like `file name.c:12`.
fn ends_with_digit_of_place(place: &str) -> bool {
    let name = place.trim_end_matches(|c: char| c.is_ascii_digit());
    name.len() < place.len() && name.ends_with(':') && name.contains('.')
}

/// ` C2143: …`: a code between the word and its colon.
fn after_code(rest: &str) -> Option<&str> {
    let (code, text) = rest.strip_prefix(' ')?.split_once(':')?;
    let code = code.trim_end();
    let digits = code.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let is_code =
        digits.len() < code.len() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_code.then_some(text)
}
