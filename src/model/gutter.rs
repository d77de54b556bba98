//! The gutter: the line number or a time, beside each line.

use super::{
    line_store::{Line, LineKind},
    local_time::LocalTime,
    visible_lines::VisibleLines,
};

/// Width of `14:03:11` and `+0.250 s`, in characters.
const TIME_CHARS: usize = 8;

/// Content of the gutter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GutterContent {
    /// Line number.
    #[default]
    LineNumber,
    /// Arrival time: `14:03:11`.
    Time,
    /// Time since the visible line above: `+1.2 s`.
    Elapsed,
}

impl GutterContent {
    /// All contents, in the order of the menu.
    pub const ALL: [Self; 3] = [Self::LineNumber, Self::Time, Self::Elapsed];

    /// Returns its name in addresses and in the storage.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LineNumber => "0",
            Self::Time => "clock",
            Self::Elapsed => "since",
        }
    }

    /// Returns the content that follows when the user cycles through them.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::LineNumber => Self::Time,
            Self::Time => Self::Elapsed,
            Self::Elapsed => Self::LineNumber,
        }
    }

    /// Returns the minimum width of the gutter, in characters.
    #[must_use]
    pub fn min_chars(self) -> usize {
        match self {
            Self::LineNumber => 1,
            Self::Time | Self::Elapsed => TIME_CHARS,
        }
    }

    /// Returns the gutter's text for the line at a position. Lines without a number show their kind in its place.
    #[must_use]
    pub fn text(
        self,
        lines: VisibleLines<'_>,
        position: u64,
        line: &Line<'_>,
        offset_minutes: i32,
    ) -> String {
        match (self, line.kind) {
            (Self::Time, _) => LocalTime { unix_ms: line.arrived_ms, offset_minutes }.time_of_day(),
            (Self::Elapsed, _) => {
                let above = position.checked_sub(1).and_then(|above| lines.line_at(above));
                above.map_or_else(String::new, |above| elapsed_text(line.arrived_ms - above.arrived_ms))
            }
            (Self::LineNumber, LineKind::Group | LineKind::File) => lines.number_of(line.id).to_string(),
            (Self::LineNumber, LineKind::Server | LineKind::Notice) => line.kind.as_str().to_owned(),
        }
    }
}

/// Formats a duration: `+0.250 s`, `+12.5 s`, `+3:05`, `+2:00:05`.
fn elapsed_text(ms: f64) -> String {
    // A clock that was set back gives zero.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let ms = ms.max(0.0) as u64;
    let seconds = ms / 1000;
    match seconds {
        0..10 => format!("+{seconds}.{:03} s", ms % 1000),
        10..60 => format!("+{seconds}.{} s", ms % 1000 / 100),
        60..3600 => format!("+{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("+{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::line_store::{LineStore, StoreLimits},
        *,
    };

    /// 14:03:11 in UTC on some day.
    const START_MS: f64 = 1_700_057_000_000.0 - 9_000.0;

    #[test]
    fn the_gutter_shows_numbers_times_or_time_since_the_line_above() {
        let mut store = LineStore::new(StoreLimits::default());
        for (kind, ms) in [
            (LineKind::Group, 0.0),
            (LineKind::Server, 1_250.0),
            (LineKind::Notice, 1_250.0),
            (LineKind::File, 3_701_250.0),
        ] {
            store.push_message(kind, "x", START_MS + ms);
        }
        let lines = VisibleLines::all(&store);
        let texts = |content: GutterContent| {
            [0, 1, 2, 3].map(|at| content.text(lines, at, &lines.line_at(at).unwrap(), 0))
        };
        assert_eq!(texts(GutterContent::LineNumber), ["1", "server", "notice", "3"]);
        assert_eq!(texts(GutterContent::Time), ["14:03:11", "14:03:12", "14:03:12", "15:04:52"]);
        assert_eq!(texts(GutterContent::Elapsed), ["", "+1.250 s", "+0.000 s", "+1:01:40"]);
    }

    #[test]
    fn durations_lose_precision_as_they_grow() {
        for (ms, text) in [
            (-5.0, "+0.000 s"),
            (250.0, "+0.250 s"),
            (12_549.0, "+12.5 s"),
            (185_000.0, "+3:05"),
            (7_205_000.0, "+2:00:05"),
        ] {
            assert_eq!(elapsed_text(ms), text);
        }
    }

    #[test]
    fn contents_follow_each_other_in_a_cycle() {
        let contents = [GutterContent::LineNumber, GutterContent::Time, GutterContent::Elapsed];
        assert_eq!(contents.map(GutterContent::next), [contents[1], contents[2], contents[0]]);
        assert_eq!(contents.map(GutterContent::min_chars), [1, 8, 8]);
    }
}
