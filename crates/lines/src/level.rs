//! How grave a line is, by its own words.
//!
//! The first place with an answer counts: a key of JSON or logfmt, a word at the line's beginning, a word in capitals near
//! it. Words elsewhere say nothing: `0 errors` is no error.

use memchr::{memchr, memchr2_iter};
use wide::u8x16;

use super::json::scanner::{NotJson, Scanner, Token};

/// How grave, gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something may.
    Warning,
    /// Something happened.
    Info,
    /// For those who look for a fault.
    Debug,
    /// For those who look closely.
    Trace,
}

impl Level {
    /// All, gravest first.
    pub const ALL: [Self; 5] = [Self::Error, Self::Warning, Self::Info, Self::Debug, Self::Trace];

    /// The word for people and for the page's markup.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        const WORDS: [(&str, Level); 21] = [
            ("error", Level::Error),
            ("err", Level::Error),
            ("fatal", Level::Error),
            ("critical", Level::Error),
            ("crit", Level::Error),
            ("panic", Level::Error),
            ("emerg", Level::Error),
            ("alert", Level::Error),
            ("severe", Level::Error),
            ("failure", Level::Error),
            ("warning", Level::Warning),
            ("warn", Level::Warning),
            ("info", Level::Info),
            ("information", Level::Info),
            ("notice", Level::Info),
            ("debug", Level::Debug),
            ("dbg", Level::Debug),
            ("verbose", Level::Debug),
            ("fine", Level::Debug),
            ("trace", Level::Trace),
            ("finest", Level::Trace),
        ];
        WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, level)| *level)
    }

    /// The numbers that pino, bunyan and others write: 10 is trace, 60 fatal.
    fn of_number(number: u32) -> Option<Self> {
        match number {
            10..20 => Some(Self::Trace),
            20..30 => Some(Self::Debug),
            30..40 => Some(Self::Info),
            40..50 => Some(Self::Warning),
            50..=60 => Some(Self::Error),
            _ => None,
        }
    }
}

/// How far into a line a key is looked for, in bytes.
const KEY_BYTES: usize = 512;
/// How far into a JSON object its level is looked for, in bytes. Loggers write it among the first fields.
const OBJECT_BYTES: usize = 2 << 10;
/// How far into a line a word in capitals is looked for, in bytes.
const WORD_BYTES: usize = 80;
/// Keys under which loggers write the level.
const KEYS: [&str; 5] = ["level", "severity", "lvl", "loglevel", "@l"];

/// Fields of an object that hold its level, whatever their capitals.
const OBJECT_KEYS: [&str; 7] = ["level", "severity", "lvl", "loglevel", "levelname", "log.level", "@l"];

/// The level of a line, if it has one.
#[must_use]
pub fn level_of(line: &str) -> Option<Level> {
    let line = line.trim_start();
    let first = *line.as_bytes().first()?;
    if first == b'{' {
        return level_of_object(beginning(line, OBJECT_BYTES))
            .unwrap_or_else(|_| level_of_key(beginning(line, KEY_BYTES)));
    }
    if memchr(b'=', line.as_bytes()).is_some()
        && let Some(level) = level_of_key(beginning(line, KEY_BYTES))
    {
        return Some(level);
    }
    level_of_start(line, first).or_else(|| level_of_capitals(beginning(line, WORD_BYTES)))
}

fn beginning(line: &str, bytes: usize) -> &str {
    let mut end = bytes.min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or_default()
}

/// The level that an object gives itself, in a field of its own: what a text in it says, or an object in it, is another
/// matter.
fn level_of_object(line: &str) -> Result<Option<Level>, NotJson> {
    let mut scanner = Scanner::new(line);
    let mut is_level = false;
    while let Some(token) = scanner.next() {
        match token {
            Ok(Token::Key(range)) if scanner.depth() == 1 => {
                let key = line.get(range).unwrap_or_default();
                is_level = OBJECT_KEYS.iter().any(|known| key.eq_ignore_ascii_case(known));
            }
            Ok(Token::Text(range) | Token::Word(range)) if is_level && scanner.depth() == 1 => {
                let level = level_of_value(line.get(range).unwrap_or_default());
                if level.is_some() {
                    return Ok(level);
                }
            }
            // The beginning of an object ends somewhere within it.
            Err(error) if error.at >= line.len() || line.len() + 4 > OBJECT_BYTES => return Ok(None),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
    Ok(None)
}

fn level_of_value(value: &str) -> Option<Level> {
    Level::of_word(value).or_else(|| value.parse().ok().and_then(Level::of_number))
}

/// `"level":"error"`, `"level": 50`, `level=error`, `lvl="warn"`.
fn level_of_key(line: &str) -> Option<Level> {
    memchr2_iter(b':', b'=', line.as_bytes()).find_map(|at| {
        let (before, value) = line.split_at_checked(at)?;
        let before = before.trim_end_matches([' ', '"']);
        // Most keys are others: told by their last letter.
        if !matches!(before.as_bytes().last(), Some(b'l' | b'y')) {
            return None;
        }
        let before = KEYS.iter().find_map(|key| before.strip_suffix(key).filter(|rest| is_whole_after(rest)));
        before?;
        let value = value.get(1..)?.trim_start_matches([' ', '"']);
        let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
        let word = value.get(..end).unwrap_or_default();
        level_of_value(word)
    })
}

/// Whether a word that comes after this text begins there.
fn is_whole_after(text: &str) -> bool {
    text.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.' && c != '-')
}

/// `error: …`, `warning[E01]: …`, `[info] …`, `E0806 14:55:… ` (klog), `<3>…` (syslog).
fn level_of_start(line: &str, first: u8) -> Option<Level> {
    if first == b'<' {
        let (priority, _) = line.get(1..)?.split_once('>')?;
        let severity = priority.parse::<u32>().ok().filter(|priority| *priority < 192)? % 8;
        return Some(match severity {
            0..=3 => Level::Error,
            4 => Level::Warning,
            5 | 6 => Level::Info,
            _ => Level::Debug,
        });
    }
    let is_bracketed = matches!(first, b'[' | b'(');
    let word = if is_bracketed { line.get(1..)? } else { line };
    let end = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
    let (word, rest) = word.split_at_checked(end)?;
    let is_marked = match rest.as_bytes().first() {
        Some(b':') => true,
        Some(b'[') => !is_bracketed,
        Some(b']' | b')') => is_bracketed,
        _ => false,
    };
    if is_marked
        && let Some(level) = Level::of_word(word).or_else(|| of_letter(word).filter(|_| is_bracketed))
    {
        return Some(level);
    }
    // klog: a letter, month and day.
    let is_klog = word.len() == 1 && rest.bytes().take(4).filter(u8::is_ascii_digit).count() == 4;
    if is_klog { of_letter(word) } else { None }
}

fn of_letter(letter: &str) -> Option<Level> {
    match letter {
        "E" | "F" => Some(Level::Error),
        "W" => Some(Level::Warning),
        "I" => Some(Level::Info),
        "D" => Some(Level::Debug),
        "T" | "V" => Some(Level::Trace),
        _ => None,
    }
}

/// A word in capitals that stands alone. Two that say different things say nothing.
fn level_of_capitals(line: &str) -> Option<Level> {
    let (bytes, mut capitals) = (line.as_bytes(), capitals_of(line));
    let is_of_a_word = |at: usize| {
        bytes.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/'))
    };
    let mut found = None;
    loop {
        // Where three follow each other; most lines have few such places.
        let runs = capitals & capitals >> 1 & capitals >> 2;
        if runs == 0 {
            return found;
        }
        let start = runs.trailing_zeros();
        let len = (capitals >> start).trailing_ones();
        capitals &= u128::MAX.checked_shl(start + len).unwrap_or_default();
        let (start, end) = (start as usize, (start + len) as usize);
        if start.checked_sub(1).is_some_and(is_of_a_word) || is_of_a_word(end) {
            continue;
        }
        let Some(level) = line.get(start..end).and_then(Level::of_word) else { continue };
        match found {
            None => found = Some(level),
            Some(other) if other != level => return None,
            Some(_) => {}
        }
    }
}

/// Which of the first [`WORD_BYTES`] bytes are capital letters, a bit each. Sixteen are looked at together: every line is
/// looked through here, and a decision for each byte costs more than all else that a line costs.
fn capitals_of(line: &str) -> u128 {
    let mut bits = 0;
    for (place, bytes) in line.as_bytes().chunks(16).take(WORD_BYTES / 16).enumerate() {
        let mut sixteen = [0; 16];
        sixteen.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        let sixteen = u8x16::new(sixteen);
        let between = sixteen.max(u8x16::splat(b'A')).min(u8x16::splat(b'Z'));
        bits |= u128::from(between.simd_eq(sixteen).to_bitmask()) << (16 * place);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_where_loggers_write_them() {
        for (line, level) in [
            ("2026-11-24T12:00:03Z ERROR connection refused", Level::Error),
            ("2026-11-24 12:00:03,123 [main] WARN  c.e.App - slow", Level::Warning),
            ("INFO  server: listening, error: none so far", Level::Info),
            (r#"{"ts":1,"level":"error","msg":"INFO"}"#, Level::Error),
            (r#"{"severity": "WARNING"}"#, Level::Warning),
            (r#"{"msg":"level=error","ctx":{"level":"error"},"Level":"Information"}"#, Level::Info),
            (r#"{level: "error"}"#, Level::Error),
            (r#"{"level":30,"msg":"pino"}"#, Level::Info),
            (r#"{"@l":"Debug"}"#, Level::Debug),
            ("ts=1 level=debug msg=\"error=nil\"", Level::Debug),
            ("error: could not compile", Level::Error),
            ("warning[E0001]: unused", Level::Warning),
            ("[E] short", Level::Error),
            ("[info] bracketed", Level::Info),
            ("E0806 14:55:01.000000 1 klog.go", Level::Error),
            ("<3>kernel: oops", Level::Error),
            ("<14>daemon: hello", Level::Info),
            ("   TRACE deep", Level::Trace),
            ("CRITICAL everything", Level::Error),
        ] {
            assert_eq!(level_of(line), Some(level), "{line}");
        }
    }

    proptest::proptest! {
        #[test]
        fn capitals_are_found_wherever_they_are(line in "[A-Z@\\[a-z0-9 É\u{1F600}]{0,100}") {
            let expected = line.bytes().take(WORD_BYTES).enumerate();
            let expected = expected.filter(|(_, byte)| byte.is_ascii_uppercase()).fold(0, |bits, (at, _)| bits | 1_u128 << at);
            proptest::prop_assert_eq!(capitals_of(&line), expected);
        }
    }

    #[test]
    fn words_elsewhere_say_nothing() {
        for line in [
            "",
            "0 errors, 2 warnings",
            "GET /error/404 200",
            "ErrorHandler registered",
            "error=nil",
            "no information available",
            "the alert was closed",
            "ERROR and INFO in one line",
            "<b>bold</b>",
            r#"{"levels":["error"]}"#,
            r#"{"msg":"level=error","ctx":{"level":"error"}}"#,
            "sublevel=error",
            "Error handling was improved",
            "/INFO INFO/ xINFO INFOx _INFO INFO_ 1INFO INFO1",
        ] {
            assert_eq!(level_of(line), None, "{line}");
        }
    }
}
