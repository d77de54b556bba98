//! Level in a field: `level=error`, `"level":"error"`.

use memchr::memchr2_iter;

use super::{Level, object::without_offset};

/// Keys under which loggers write the level.
const KEYS: [&str; 8] = ["level", "severity", "lvl", "loglevel", "log_level", "levelname", "@l", "PRIORITY"];

/// `level=error`, `lvl="warn"`, `"level":"error"`, `{level: 50}`.
pub(super) fn level_of_key(line: &str) -> Option<Level> {
    memchr2_iter(b':', b'=', line.as_bytes()).find_map(|at| {
        let (before, value) = line.split_at_checked(at)?;
        let is_colon = value.starts_with(':');
        let key = before.trim_end_matches([' ', '"']);
        // Most keys are others: the last letter tells them apart.
        if !matches!(key.as_bytes().last(), Some(b'l' | b'y' | b'e' | b'Y')) {
            return None;
        }
        let rest = KEYS
            .iter()
            .find_map(|key_name| key.strip_suffix(key_name).filter(|rest| is_whole_after(rest)))?;
        // `level: error` in a sentence is no field of the line.
        let is_field = !is_colon || before.ends_with('"') || rest.trim_start_matches(['{', ' ']).is_empty();
        if !is_field {
            return None;
        }
        let value = value.get(1..)?.trim_start_matches([' ', '"', '\'']);
        let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
        let word = value.get(..end).unwrap_or_default();
        let number = word.parse().ok();
        if key.ends_with("PRIORITY") {
            return number.and_then(Level::of_syslog);
        }
        Level::of_tag(without_offset(word)).or_else(|| number.and_then(Level::of_number))
    })
}

/// Whether a word behind this text begins there. A parameter of a URL is no field.
fn is_whole_after(text: &str) -> bool {
    text.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '?' | '&' | '%'))
        && (!text.ends_with('.') || text.ends_with(" log.") || text == "log.")
}
