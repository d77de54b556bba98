//! Dates and times before a level.

use memchr::memchr;

/// Words of a time that were skipped.
#[derive(Default)]
pub(super) struct TimeWords {
    count: usize,
    /// Numbers behind the time: processes and threads.
    pub(super) numbers: usize,
    /// Whether one is `1234-5678`.
    pub(super) has_pair: bool,
}

impl TimeWords {
    pub(super) fn len(&self) -> usize {
        self.count
    }
}

pub(super) struct Time<'a> {
    pub(super) rest: &'a str,
    pub(super) words: TimeWords,
}

/// Skips dates, times, and the numbers behind them.
pub(super) fn after_time(line: &str) -> Time<'_> {
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
