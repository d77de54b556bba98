//! Level of a line that is no JSON object, by the place of a word.

use memchr::{memchr, memchr_iter, memchr2_iter};
use wide::u8x16;

use super::{KEY_BYTES, Level, beginning, object::without_offset};

/// Bytes of a line in which a word in capitals is searched.
const WORD_BYTES: usize = 80;
/// Bytes of a line in which the words of a compiler are searched behind the place in the source.
const LOCATION_BYTES: usize = 256;
/// Most groups in brackets before the level, as in `[Wed Oct 11 14:32:52 2026] [core:error]`.
const MAX_GROUPS: usize = 4;
/// Keys under which loggers write the level.
const KEYS: [&str; 8] = ["level", "severity", "lvl", "loglevel", "log_level", "levelname", "@l", "PRIORITY"];
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
fn is_denial(rest: &str) -> bool {
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

/// Words of a compiler behind a program or a place in a source file: `main.c:12:5: error: …`, `main.c(12): warning C4996: …`,
/// `LINK : fatal error LNK1104: …`.
fn level_of_location(line: &str) -> Option<Level> {
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

fn word_len(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphabetic).count()
}

/// Words of a time that were skipped.
#[derive(Default)]
struct TimeWords {
    count: usize,
    /// Numbers behind the time: processes and threads.
    numbers: usize,
    /// Whether one is `1234-5678`.
    has_pair: bool,
}

impl TimeWords {
    fn len(&self) -> usize {
        self.count
    }
}

struct Time<'a> {
    rest: &'a str,
    words: TimeWords,
}

/// Skips dates, times, and the numbers behind them.
fn after_time(line: &str) -> Time<'_> {
    const MAX_WORDS: usize = 7;
    let (mut rest, mut words) = (line, TimeWords::default());
    while words.count < MAX_WORDS {
        // Most words are no time: their first letter tells them apart.
        if !matches!(rest.as_bytes().first(), Some(b'0'..=b'9' | b'+' | b'-' | b'A'..=b'W')) {
            break;
        }
        let end = memchr(b' ', rest.as_bytes()).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        if !(is_time(word) || is_number && (words.count > 0 || after.starts_with(" ["))) {
            break;
        }
        words.count += 1;
        words.numbers += usize::from(is_number);
        words.has_pair |= word.split_once('-').is_some_and(|(first, second)| {
            let is_id =
                |id: &str| !id.is_empty() && id.len() > 2 && id.bytes().all(|byte| byte.is_ascii_digit());
            is_id(first) && is_id(second)
        });
        rest = after.trim_start_matches(' ');
    }
    Time { rest, words }
}

/// Whether a word is a date, a time, a zone, or the name of a day or month.
fn is_time(word: &str) -> bool {
    if !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-')) {
        return matches!(
            word,
            "Mon"
                | "Tue"
                | "Wed"
                | "Thu"
                | "Fri"
                | "Sat"
                | "Sun"
                | "Jan"
                | "Feb"
                | "Mar"
                | "Apr"
                | "May"
                | "Jun"
                | "Jul"
                | "Aug"
                | "Sep"
                | "Oct"
                | "Nov"
                | "Dec"
                | "AM"
                | "PM"
                | "UTC"
                | "GMT"
        );
    }
    let word = word.strip_suffix(['M']).and_then(|word| word.strip_suffix(['A', 'P'])).unwrap_or(word);
    let is_part = |byte: u8| {
        byte.is_ascii_digit() || matches!(byte, b':' | b'-' | b'/' | b'.' | b',' | b'+' | b'T' | b'Z')
    };
    word.len() > 3
        && word.bytes().all(is_part)
        && word.bytes().any(|byte| matches!(byte, b':' | b'-' | b'/' | b'+'))
}

/// A word in capitals that stands alone. Two that name different levels have no meaning.
fn level_of_capitals(line: &str) -> Option<Level> {
    let mut capitals = capitals_of(line);
    let mut found = None;
    loop {
        // Places where three follow each other; most lines have few.
        let runs = capitals & capitals >> 1 & capitals >> 2;
        if runs == 0 {
            return found;
        }
        let start = runs.trailing_zeros();
        let len = (capitals >> start).trailing_ones();
        capitals &= u128::MAX.checked_shl(start + len).unwrap_or_default();
        let (start, end) = (start as usize, (start + len) as usize);
        let Some(level) = line.get(start..end).and_then(Level::of_word) else { continue };
        if !stands_alone(line, start, end) {
            continue;
        }
        match found {
            None => found = Some(level),
            Some(other) if other != level => return None,
            Some(_) => {}
        }
    }
}

/// Whether the bytes `start..end` are a word of its own that is neither counted as 0 nor denied.
fn stands_alone(line: &str, start: usize, end: usize) -> bool {
    let (before, after) = (line.get(..start).unwrap_or_default(), line.get(end..).unwrap_or_default());
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/');
    let [first, second] = [0, 1].map(|at| after.as_bytes().get(at).copied().unwrap_or(b' '));
    // `ERROR.log`, `ERROR-CODE`, `NON-ERROR`.
    let is_joined = matches!(first, b'.' | b'-') && is_of_word(second);
    let mut bytes = before.bytes().rev();
    let is_joined_before = match bytes.next() {
        // `channel.ERROR: …` of Monolog.
        Some(b'.') if first == b':' => false,
        Some(b'.' | b'-') => bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic()),
        last => last.is_some_and(is_of_word),
    };
    if is_of_word(first) || is_joined || is_joined_before {
        return false;
    }
    let denies =
        |word: &&str| ["0", "no", "non", "zero", "without"].iter().any(|no| word.eq_ignore_ascii_case(no));
    let is_denied =
        before.ends_with(' ') && before.split_ascii_whitespace().next_back().as_ref().is_some_and(denies);
    !is_denied && !after.strip_prefix([':', '=']).is_some_and(is_denial)
}

/// Returns a bit for each of the first [`WORD_BYTES`] bytes that is a capital letter. Takes sixteen at a time: this runs for
/// every line, and a branch for each byte would cost more than the rest of the intake.
pub(super) fn capitals_of(line: &str) -> u128 {
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

    proptest::proptest! {
        #[test]
        fn capitals_are_found_wherever_they_are(line in "[A-Z@\\[a-z0-9 É\u{1F600}]{0,100}") {
            let expected = line.bytes().take(WORD_BYTES).enumerate();
            let expected = expected.filter(|(_, byte)| byte.is_ascii_uppercase()).fold(0, |bits, (at, _)| bits | 1_u128 << at);
            proptest::prop_assert_eq!(capitals_of(&line), expected);
        }
    }
}
