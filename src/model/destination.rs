//! Where the reader wants to go: a line, some lines, or a time.

use std::ops::RangeInclusive;

use super::local_time::LocalTime;

/// A place in the log, in the reader's words.
#[derive(Debug, Clone, PartialEq)]
pub enum Destination {
    /// Lines by number, as the gutter tells them.
    Lines(RangeInclusive<u64>),
    /// The first line that came at this time or later, in milliseconds since 1970.
    Time(f64),
}

/// Not a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a line (57), lines (57-60), a time (14:03 or 14:03:11) or how long ago (-90s, -5m, -2h)")]
pub struct NoDestination;

impl Destination {
    /// Reads what the reader typed, at the time `now`.
    ///
    /// # Errors
    /// [`NoDestination`].
    pub fn read(words: &str, now: LocalTime) -> Result<Self, NoDestination> {
        let words = words.trim();
        let destination = if words.contains(':') {
            time_of_day(words, now).map(Self::Time)
        } else if let Some(ago) = words.strip_prefix('-') {
            duration_ms(ago).map(|ms| Self::Time(now.unix_ms - ms))
        } else {
            read_lines(words).map(Self::Lines)
        };
        destination.ok_or(NoDestination)
    }
}

/// Lines as a page's address names them: `57`, `L57`, `#L57`, `#L57-60`. From 1 on, ascending.
#[must_use]
pub fn read_lines(words: &str) -> Option<RangeInclusive<u64>> {
    let words = words.trim_start_matches('#').trim_start_matches(['L', 'l']);
    let (first, last) = words.split_once('-').unwrap_or((words, words));
    let number =
        |word: &str| word.trim_start_matches(['L', 'l']).parse::<u64>().ok().filter(|number| *number > 0);
    let (first, last) = (number(first)?, number(last)?);
    Some(first.min(last)..=first.max(last))
}

/// Lines for a page's address.
#[must_use]
pub fn lines_fragment(lines: &RangeInclusive<u64>) -> String {
    let (first, last) = (lines.start(), lines.end());
    if first == last { format!("#L{first}") } else { format!("#L{first}-{last}") }
}

/// The last time at which the reader's clocks said so.
fn time_of_day(words: &str, now: LocalTime) -> Option<f64> {
    let mut parts = words.split(':');
    let mut part = |most: u32| parts.next()?.parse::<u32>().ok().filter(|value| *value <= most);
    let (hour, minute) = (part(23)?, part(59)?);
    let second = if words.matches(':').count() > 1 { part(59)? } else { 0 };
    if parts.next().is_some() {
        return None;
    }
    let second_of_day = i64::from(hour * 3600 + minute * 60 + second);
    Some(now.last_at(second_of_day).unix_ms)
}

fn duration_ms(words: &str) -> Option<f64> {
    let (number, unit) = words.split_at_checked(words.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    Some(f64::from(number) * seconds * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 22:13:20
    const NOW: LocalTime = LocalTime { unix_ms: 1_700_000_000_000.0, offset_minutes: 0 };

    fn read(words: &str) -> Result<Destination, NoDestination> {
        Destination::read(words, NOW)
    }

    #[test]
    fn lines_are_read_as_addresses_and_readers_write_them() {
        for (words, first, last) in
            [("57", 57, 57), ("#L57", 57, 57), ("L57-60", 57, 60), ("60-57", 57, 60), ("#L57-L60", 57, 60)]
        {
            assert_eq!(read_lines(words), Some(first..=last), "{words}");
        }
        assert_eq!(read(" 57 "), Ok(Destination::Lines(57..=57)));
        assert_eq!((lines_fragment(&(5..=5)), lines_fragment(&(5..=9))), ("#L5".into(), "#L5-9".into()));
        assert_eq!(read_lines(&lines_fragment(&(5..=9))), Some(5..=9));
    }

    #[test]
    fn times_are_of_today_or_else_of_yesterday() {
        let ago = |seconds: f64| Ok(Destination::Time(NOW.unix_ms - seconds * 1000.0));
        assert_eq!(read("22:13"), ago(20.0));
        assert_eq!(read("22:13:19"), ago(1.0));
        assert_eq!(read("22:14"), ago(86_400.0 - 40.0));
        assert_eq!((read("-5m"), read("-90s"), read("-2h")), (ago(300.0), ago(90.0), ago(7200.0)));
        let in_india = LocalTime { offset_minutes: 330, ..NOW };
        assert_eq!(Destination::read("03:43", in_india), ago(20.0));
    }

    #[test]
    fn anything_else_is_none() {
        for words in [
            "",
            "0",
            "-",
            "-5",
            "-5d",
            "24:00",
            "1:60",
            "1:2:3:4",
            "x",
            "L",
            "#L1-",
            "-é",
            "99999999999999999999",
        ] {
            assert_eq!(read(words), Err(NoDestination), "{words}");
        }
    }
}
