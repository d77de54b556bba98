//! The reader's time of day, made from numbers that the browser gives.

const MS_PER_MINUTE: f64 = 60_000.0;
const SECONDS_PER_DAY: i64 = 86_400;

/// A moment, and what the reader's clocks say at it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocalTime {
    /// Milliseconds since 1970.
    pub unix_ms: f64,
    /// Minutes by which the reader's clocks are ahead of UTC.
    pub offset_minutes: i32,
}

impl LocalTime {
    /// `14:03:11`
    #[must_use]
    pub fn time_of_day(self) -> String {
        let second = self.local_seconds().rem_euclid(SECONDS_PER_DAY);
        format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
    }

    /// How many midnights lie between `earlier` and this.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> i64 {
        self.local_seconds().div_euclid(SECONDS_PER_DAY) - earlier.local_seconds().div_euclid(SECONDS_PER_DAY)
    }

    fn local_seconds(self) -> i64 {
        // Times of any year that matters lie far within both types; a strange clock saturates.
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
    fn seconds_are_cut_not_rounded() {
        assert_eq!(MORNING.time_of_day(), "22:13:20");
    }

    #[test]
    fn the_readers_clock_counts_and_midnight_is_his() {
        let in_india = LocalTime { offset_minutes: 330, ..MORNING };
        assert_eq!(in_india.time_of_day(), "03:43:20");
        let in_newfoundland = LocalTime { offset_minutes: -210, ..MORNING };
        assert_eq!(in_newfoundland.time_of_day(), "18:43:20");
        let two_hours_later = LocalTime { unix_ms: MORNING.unix_ms + 7_200_000.0, ..MORNING };
        assert_eq!(two_hours_later.days_since(MORNING), 1);
        assert_eq!(LocalTime { offset_minutes: 330, ..two_hours_later }.days_since(in_india), 0);
    }
}
