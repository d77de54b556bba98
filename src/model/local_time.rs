//! Times in the user's time zone, without the browser's date functions.

const MS_PER_MINUTE: f64 = 60_000.0;
const SECONDS_PER_DAY: i64 = 86_400;

/// Point in time, with the user's offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalTime {
    /// Milliseconds since 1970.
    pub unix_ms: f64,
    /// Minutes by which local time is ahead of UTC.
    pub offset_minutes: i32,
}

impl LocalTime {
    /// Formats the local time of day: `14:03:11`.
    #[must_use]
    pub fn time_of_day(self) -> String {
        let second = self.local_seconds().rem_euclid(SECONDS_PER_DAY);
        format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }

    /// Returns the count of local midnights between `earlier` and this.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        self.local_seconds().div_euclid(SECONDS_PER_DAY) - earlier.local_seconds().div_euclid(SECONDS_PER_DAY)
    }

    /// Returns the last time up to this that was `second_of_day` seconds after local midnight.
    #[must_use]
    pub fn last_at(self, second_of_day: i64) -> Self {
        let ago = (self.local_seconds() - second_of_day).rem_euclid(SECONDS_PER_DAY);
        // Less than a day: exact.
        #[allow(clippy::cast_precision_loss)]
        let ago_ms = ago as f64 * 1000.0 + self.fraction_ms();
        Self { unix_ms: self.unix_ms - ago_ms, ..self }
    }

    /// Formats the time in UTC: `2026-11-24T15:18:47.123Z` (RFC 3339).
    #[must_use]
    pub fn iso(self) -> String {
        // The casts saturate for years far outside of any log's.
        #[allow(clippy::cast_possible_truncation)]
        let (ms, seconds) = (self.fraction_ms() as i64, (self.unix_ms / 1000.0).floor() as i64);
        let (days, second) = (seconds.div_euclid(SECONDS_PER_DAY), seconds.rem_euclid(SECONDS_PER_DAY));
        // Converts days to a date of the Gregorian calendar, in years that begin with March (Howard Hinnant,
        // "chrono-compatible low-level date algorithms").
        let days = days + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let date = day - (153 * month + 2) / 5 + 1;
        let (month, year) = (if month < 10 { month + 3 } else { month - 9 }, year + era * 400);
        let year = if month <= 2 { year + 1 } else { year };
        format!(
            "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}.{ms:03}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }

    /// Returns the milliseconds since the last whole second. Avoids the operator for remainders, which WebAssembly lacks for
    /// floats.
    fn fraction_ms(self) -> f64 {
        self.unix_ms - (self.unix_ms / 1000.0).floor() * 1000.0
    }

    fn local_seconds(self) -> i64 {
        // The cast saturates for years far outside of any log's.
        #[allow(clippy::cast_possible_truncation)]
        let seconds =
            ((self.unix_ms + f64::from(self.offset_minutes) * MS_PER_MINUTE) / 1000.0).floor() as i64;
        seconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MORNING: LocalTime = LocalTime { unix_ms: 1_700_000_000_999.0, offset_minutes: 0 };

    #[test]
    fn seconds_are_truncated() {
        assert_eq!(MORNING.time_of_day(), "22:13:20");
    }

    #[test]
    fn iso_times_are_in_utc_in_any_year() {
        let iso = |unix_ms| LocalTime { unix_ms, offset_minutes: 330 }.iso();
        assert_eq!(iso(1_700_000_000_999.0), "2023-11-14T22:13:20.999Z");
        assert_eq!(iso(951_782_400_000.0), "2000-02-29T00:00:00.000Z");
        assert_eq!(
            (iso(0.0), iso(-1.0)),
            ("1970-01-01T00:00:00.000Z".into(), "1969-12-31T23:59:59.999Z".into())
        );
        assert_eq!(iso(253_402_300_799_000.0), "9999-12-31T23:59:59.000Z");
    }

    #[test]
    fn the_time_of_day_and_midnight_are_local() {
        let in_india = LocalTime { offset_minutes: 330, ..MORNING };
        assert_eq!(in_india.time_of_day(), "03:43:20");
        let in_newfoundland = LocalTime { offset_minutes: -210, ..MORNING };
        assert_eq!(in_newfoundland.time_of_day(), "18:43:20");
        let two_hours_later = LocalTime { unix_ms: MORNING.unix_ms + 7_200_000.0, ..MORNING };
        assert_eq!(two_hours_later.days_since(MORNING), 1);
        assert_eq!(LocalTime { offset_minutes: 330, ..two_hours_later }.days_since(in_india), 0);
    }
}
