//! Durations as text.

const MS_PER_SECOND: f64 = 1_000.0;
const SECONDS_PER_MINUTE: u64 = 60;
const SECONDS_PER_HOUR: u64 = 3_600;
const SECONDS_PER_DAY: u64 = 86_400;

/// Formats a duration with its two largest units: `less than a second`, `43 s`, `2 min 5 s`, `1 h 2 min`, `3 d 4 h`.
#[must_use]
pub fn duration_text(ms: f64) -> String {
    // The cast saturates: a clock that was set back makes the duration negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let seconds = (ms / MS_PER_SECOND) as u64;
    let units = [(SECONDS_PER_DAY, "d"), (SECONDS_PER_HOUR, "h"), (SECONDS_PER_MINUTE, "min"), (1, "s")];
    let Some(largest) = units.iter().position(|(unit, _)| seconds >= *unit) else {
        return "less than a second".to_owned();
    };
    let mut rest = seconds;
    let parts = units.iter().skip(largest).take(2).map(|(unit, name)| {
        let count = rest / unit;
        rest %= unit;
        (count, *name)
    });
    let parts = parts.filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    parts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_their_two_largest_units() {
        for (seconds, text) in [
            (-5.0, "less than a second"),
            (0.0, "less than a second"),
            (0.999, "less than a second"),
            (1.0, "1 s"),
            (43.9, "43 s"),
            (60.0, "1 min"),
            (125.0, "2 min 5 s"),
            (3_600.0, "1 h"),
            (3_725.0, "1 h 2 min"),
            (3_605.0, "1 h"),
            (273_600.0, "3 d 4 h"),
        ] {
            assert_eq!(duration_text(seconds * MS_PER_SECOND), text, "{seconds}");
        }
    }
}
