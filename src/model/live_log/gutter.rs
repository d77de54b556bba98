//! What stands beside a line: its number, or a time.

use super::LiveLog;
use crate::model::{
    line_store::{Line, LineKind},
    local_time::LocalTime,
};

/// What the gutter says beside a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Times {
    /// Its number.
    #[default]
    Off,
    /// When it came: `14:03:11`.
    Clock,
    /// How long after the line shown above it: `+1.2 s`.
    Since,
}

impl Times {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Off => Self::Clock,
            Self::Clock => Self::Since,
            Self::Since => Self::Off,
        }
    }
}

impl LiveLog {
    /// Rows tell when their line came, how long after the one before, or its number.
    pub fn set_times(&mut self, times: Times) {
        self.revision += u64::from(self.times != times);
        self.times = times;
    }

    /// What rows tell beside their line.
    #[must_use]
    pub fn times(&self) -> Times {
        self.times
    }

    /// What the gutter says beside the line at a position.
    #[must_use]
    pub fn gutter(&self, position: u64, line: &Line<'_>, offset_minutes: i32) -> String {
        match (self.times, line.kind) {
            (Times::Clock, _) => LocalTime { unix_ms: line.arrived_ms, offset_minutes }.time_of_day(),
            (Times::Since, _) => {
                let before = position.checked_sub(1).and_then(|before| self.line_at(before));
                before.map_or_else(String::new, |before| since(line.arrived_ms - before.arrived_ms))
            }
            (Times::Off, LineKind::Group | LineKind::File) => self.number_of(line.id).to_string(),
            (Times::Off, LineKind::Server | LineKind::Notice) => line.kind.as_str().to_owned(),
        }
    }
}

/// `+0.250 s`, `+12.5 s`, `+3:05`, `+2:00:05`.
fn since(ms: f64) -> String {
    // Clocks that go back saturate.
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
