//! Level of a line that is no JSON object, by the place of a word.

use memchr::memchr;

use super::{
    KEY_BYTES, Level, beginning,
    capitals::{WORD_BYTES, level_of_capitals},
    key::level_of_key,
    location::level_of_location,
    time::{Time, TimeWords, after_time},
};

/// Most groups in brackets before the level, as in `[Wed Oct 11 14:32:52 2026] [core:error]`.
const MAX_GROUPS: usize = 4;

/// Returns the level of a line. The first place with an answer counts: a key of logfmt, the beginning, a place in a source
/// file, a word in capitals near the beginning.
pub(super) fn level_of_text(line: &str) -> Option<Level> {
    if memchr(b'=', line.as_bytes()).is_some()
        && let Some(level) = level_of_key(beginning(line, KEY_BYTES))
    {
        return Some(level);
    }
    let head = beginning(line, KEY_BYTES);
    level_of_head(head)
        .or_else(|| level_of_location(head))
        .or_else(|| level_of_capitals(beginning(line, WORD_BYTES)))
}

/// Level at the beginning, behind a time and groups in brackets.
fn level_of_head(line: &str) -> Option<Level> {
    let Time { rest: mut head, words } = after_time(line);
    for _ in 0..MAX_GROUPS {
        let close = match head.as_bytes().first() {
            Some(b'[') => ']',
            Some(b'(') => ')',
            _ => break,
        };
        let (group, after) = head.get(1..)?.split_once(close)?;
        if let Some(level) = level_of_group(group) {
            return Some(level);
        }
        head = after.trim_start();
    }
    let head = head.strip_prefix("PHP ").unwrap_or(head);
    level_of_start(head).or_else(|| level_of_letter(head, &words)).or_else(|| level_of_name(head))
}

/// Level in brackets: `error`, `core:error`, `12:00:00 INF`, `E/Tag`, `E`.
fn level_of_group(group: &str) -> Option<Level> {
    let Time { rest, words } = after_time(group.trim());
    if let Some(level) = Level::of_tag(rest).or_else(|| Level::of_letter(rest)) {
        return Some(level);
    }
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some((module, level)) = rest.split_once(':') {
        return Some(level).filter(|_| is_name(module)).and_then(Level::of_tag);
    }
    let (level, _) = rest.split_once('/').filter(|_| words.len() > 1)?;
    Level::of_letter(level).or_else(|| Level::of_word(level))
}

/// `error: …`, `warning[E01]: …`, `Fatal error: …`, `WRN …`, `daemon.err …`.
fn level_of_start(head: &str) -> Option<Level> {
    let (word, rest) = head.split_at_checked(word_len(head))?;
    match rest.as_bytes().first() {
        Some(b':') => level_before(word, rest.get(1..)?),
        Some(b'[') => Level::of_word(word),
        Some(b' ') | None => {
            let is_capitals = word.bytes().all(|byte| byte.is_ascii_uppercase());
            let tag = if is_capitals && Level::of_word(word).is_none() { Level::of_tag(word) } else { None };
            let after = rest.strip_prefix(" error:");
            tag.or_else(|| {
                after
                    .filter(|_| word.eq_ignore_ascii_case("fatal"))
                    .and_then(|rest| level_before("error", rest))
            })
        }
        _ => {
            let (facility, severity) = head.split_once([' ', ':'])?.0.split_once('.')?;
            Some(severity).filter(|_| is_facility(facility)).and_then(Level::of_word)
        }
    }
}

/// Returns the level of a word with `:`, if the text behind it does not deny it.
fn level_before(word: &str, rest: &str) -> Option<Level> {
    let level = Level::of_tag(word)?;
    (!is_denial(rest)).then_some(level)
}

/// Whether text behind `error:` or `error=` means that there is none: `0`, `none`, `<nil>`, `0 problems`.
pub(super) fn is_denial(rest: &str) -> bool {
    const WORDS: [&str; 11] =
        ["0", "none", "null", "nil", "<nil>", "no", "false", "off", "n/a", "undefined", "\"\""];
    const COUNTED: [&str; 8] =
        ["error", "warning", "failure", "failed", "problem", "issue", "found", "total"];
    let mut words = rest.split([' ', '\t']).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return false };
    let word = first.trim_end_matches([',', ';', '.', ')', ']', '|', '%', '}']);
    if !WORDS.iter().any(|denial| word.eq_ignore_ascii_case(denial)) {
        return false;
    }
    let next = words.next().filter(|_| word.len() == first.len());
    next.is_none_or(|next| {
        COUNTED.iter().any(|counted| beginning(next, counted.len()).eq_ignore_ascii_case(counted))
    })
}

/// A letter of glog (`E1129 12:00:00…`), or of Android's logcat in its formats.
fn level_of_letter(head: &str, words: &TimeWords) -> Option<Level> {
    let letter = head.get(..1)?;
    let rest = head.get(1..)?;
    match rest.as_bytes().first()? {
        b'0'..=b'9' => {
            let (date, time) = rest.split_once(' ')?;
            let is_date = matches!(date.len(), 4 | 8) && date.bytes().all(|byte| byte.is_ascii_digit());
            let is_time = time.trim_start().as_bytes().get(2) == Some(&b':');
            Level::of_letter(letter).filter(|_| is_date && is_time && letter != "A")
        }
        b'/' => {
            let (tag, _) = rest.get(1..)?.split_once(['(', ':'])?;
            // `I/O: …` is no tag.
            let is_tag = tag.trim_end().len() > 1 && !tag.trim_end().contains([' ', '/']);
            Level::of_letter(letter).filter(|_| is_tag)
        }
        b'(' => {
            let (process, _) = rest.get(1..)?.split_once(')')?;
            let is_process = process.bytes().any(|byte| byte.is_ascii_digit())
                && process.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b':'));
            Level::of_letter(letter).filter(|_| is_process)
        }
        b' ' if words.numbers > 1 => rest.contains(':').then(|| Level::of_letter(letter)).flatten(),
        // Android Studio: `1234-5678  Tag  package  E  message`.
        _ if words.has_pair => {
            let letter = head
                .split(' ')
                .filter(|word| !word.is_empty())
                .skip(1)
                .take(2)
                .find(|word| word.len() == 1)?;
            Level::of_letter(letter)
        }
        _ => None,
    }
}

/// A word behind the name of the program: `npm error …`, `kern  :err   : …` of dmesg.
fn level_of_name(head: &str) -> Option<Level> {
    let (name, rest) = head.split_once(' ')?;
    if name == "npm" {
        return Level::of_npm(rest.split([' ', ':']).next()?);
    }
    let (severity, _) = rest.trim_start().strip_prefix(':').filter(|_| is_facility(name))?.split_once(':')?;
    Level::of_word(severity.trim_end())
}

/// Whether this is a facility of syslog, as it stands before a severity: `daemon.err`.
fn is_facility(word: &str) -> bool {
    matches!(
        word.strip_prefix("local").unwrap_or(word),
        "kern"
            | "user"
            | "mail"
            | "daemon"
            | "auth"
            | "syslog"
            | "lpr"
            | "news"
            | "uucp"
            | "cron"
            | "authpriv"
            | "ftp"
            | "0"
            | "1"
            | "2"
            | "3"
            | "4"
            | "5"
            | "6"
            | "7"
    )
}

pub(super) fn word_len(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphabetic).count()
}
