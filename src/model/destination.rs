//! Destinations that the user enters: a line, a range of lines, or a time.

use std::ops::RangeInclusive;

use super::local_time::LocalTime;

/// Lines or a time to go to.
#[derive(Debug, Clone, PartialEq)]
pub enum Destination {
    /// Range of line numbers, as the gutter shows them.
    Lines(RangeInclusive<u64>),
    /// First line received at this time or later, in milliseconds since 1970.
    Time(f64),
}

/// Error of a text that is not a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Enter a line (57), lines (57-60), a time (14:03 or 14:03:11) or how long ago (-90s, -5m, -2h)")]
pub struct InvalidDestination;

impl Destination {
    /// Parses a text that was entered at the time `now`.
    ///
    /// # Errors
    /// [`InvalidDestination`].
    pub fn read(text: &str, now: LocalTime) -> Result<Self, InvalidDestination> {
        let text = text.trim();
        let destination = if text.contains(':') {
            time_of_day(text, now).map(Self::Time)
        } else if let Some(ago) = text.strip_prefix('-') {
            duration_ms(ago).map(|ms| Self::Time(now.unix_ms - ms))
        } else {
            parse_lines(text).map(Self::Lines)
        };
        destination.ok_or(InvalidDestination)
    }
}

/// Parses line numbers as in a URL's fragment: `57`, `L57`, `#L57`, `#L57-60`. Returns an ascending range from 1 on.
#[must_use]
pub fn parse_lines(text: &str) -> Option<RangeInclusive<u64>> {
    let text = text.trim_start_matches('#').trim_start_matches(['L', 'l']);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number =
        |text: &str| text.trim_start_matches(['L', 'l']).parse::<u64>().ok().filter(|number| *number > 0);
    let (first, last) = (number(first)?, number(last)?);
    Some(first.min(last)..=first.max(last))
}

/// Formats line numbers as a URL's fragment: `#L57-60`.
#[must_use]
pub fn lines_fragment(lines: &RangeInclusive<u64>) -> String {
    let (first, last) = (lines.start(), lines.end());
    if first == last { format!("#L{first}") } else { format!("#L{first}-{last}") }
}

/// Returns the last time up to `now` with this time of day.
fn time_of_day(text: &str, now: LocalTime) -> Option<f64> {
    let mut parts = text.split(':');
    let mut part = |max: u32| parts.next()?.parse::<u32>().ok().filter(|value| *value <= max);
    let (hour, minute) = (part(23)?, part(59)?);
    let second = if text.matches(':').count() > 1 { part(59)? } else { 0 };
    if parts.next().is_some() {
        return None;
    }
    let second_of_day = i64::from(hour * 3600 + minute * 60 + second);
    Some(now.last_at(second_of_day).unix_ms)
}

/// Parses a duration: `90s`, `5m`, `2h`.
fn duration_ms(text: &str) -> Option<f64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
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

    fn read(text: &str) -> Result<Destination, InvalidDestination> {
        Destination::read(text, NOW)
    }

    #[test]
    fn line_numbers_are_parsed_as_in_urls_and_as_typed() {
        for (text, first, last) in
            [("57", 57, 57), ("#L57", 57, 57), ("L57-60", 57, 60), ("60-57", 57, 60), ("#L57-L60", 57, 60)]
        {
            assert_eq!(parse_lines(text), Some(first..=last), "{text}");
        }
        assert_eq!(read(" 57 "), Ok(Destination::Lines(57..=57)));
        assert_eq!((lines_fragment(&(5..=5)), lines_fragment(&(5..=9))), ("#L5".into(), "#L5-9".into()));
        assert_eq!(parse_lines(&lines_fragment(&(5..=9))), Some(5..=9));
    }

    #[test]
    fn times_are_of_the_last_24_hours() {
        let ago = |seconds: f64| Ok(Destination::Time(NOW.unix_ms - seconds * 1000.0));
        assert_eq!(read("22:13"), ago(20.0));
        assert_eq!(read("22:13:19"), ago(1.0));
        assert_eq!(read("22:14"), ago(86_400.0 - 40.0));
        assert_eq!((read("-5m"), read("-90s"), read("-2h")), (ago(300.0), ago(90.0), ago(7200.0)));
        let in_india = LocalTime { offset_minutes: 330, ..NOW };
        assert_eq!(Destination::read("03:43", in_india), ago(20.0));
    }

    #[test]
    fn any_other_text_is_an_error() {
        for text in [
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
            assert_eq!(read(text), Err(InvalidDestination), "{text}");
        }
    }
}
