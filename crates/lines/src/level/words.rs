//! Words, letters and numbers of levels.

use super::Level;

/// Bytes of the longest word.
const MAX_WORD_BYTES: usize = 13;

/// Returns the level of a word in small letters.
fn of_small(word: &[u8]) -> Option<Level> {
    Some(match word {
        b"error" | b"err" | b"fatal" | b"critical" | b"crit" | b"panic" | b"dpanic" | b"emerg"
        | b"emergency" | b"alert" | b"severe" | b"failure" => Level::Error,
        b"warning" | b"warn" => Level::Warning,
        b"info" | b"information" | b"informational" | b"notice" => Level::Info,
        b"debug" | b"debug1" | b"debug2" | b"debug3" | b"debug4" | b"debug5" | b"dbg" | b"verbose"
        | b"fine" => Level::Debug,
        b"trace" | b"silly" | b"finer" | b"finest" => Level::Trace,
        _ => return None,
    })
}

/// Returns the level of a short form that loggers write in a place of its own: zerolog, Serilog, .NET, Apache, MySQL and
/// systemd.
fn of_short_form(word: &str) -> Option<Level> {
    Some(match word {
        "FTL" | "FATL" | "PNC" | "EROR" | "FAILED" | "fail" => Level::Error,
        "WRN" | "wrn" => Level::Warning,
        "INF" | "inf" | "Note" | "System" => Level::Info,
        "DBUG" | "dbug" => Level::Debug,
        "TRC" | "trc" | "trce" | "VRB" | "VERB" | "trace1" | "trace2" | "trace3" | "trace4" | "trace5"
        | "trace6" | "trace7" | "trace8" => Level::Trace,
        _ => return None,
    })
}

impl Level {
    /// Returns the level that a word names, whatever its case.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let mut small = [0; MAX_WORD_BYTES];
        let small = small.get_mut(..word.len())?;
        small.copy_from_slice(word.as_bytes());
        small.make_ascii_lowercase();
        of_small(small)
    }

    /// Returns the level of a word or a short form in a place of its own.
    pub(super) fn of_tag(word: &str) -> Option<Self> {
        of_short_form(word).or_else(|| Self::of_word(word))
    }

    /// Returns the level of a word behind `npm`.
    pub(super) fn of_npm(word: &str) -> Option<Self> {
        Some(match word {
            "error" | "ERR!" => Self::Error,
            "warn" | "WARN" => Self::Warning,
            "notice" | "info" => Self::Info,
            "http" | "timing" | "verb" | "verbose" | "debug" => Self::Debug,
            "sill" | "silly" => Self::Trace,
            _ => return None,
        })
    }

    /// Returns the level of a letter: glog, klog, Android, MongoDB.
    pub(super) fn of_letter(letter: &str) -> Option<Self> {
        match letter {
            "E" | "F" | "A" => Some(Self::Error),
            "W" => Some(Self::Warning),
            "I" => Some(Self::Info),
            "D" => Some(Self::Debug),
            "T" | "V" => Some(Self::Trace),
            _ => None,
        }
    }

    /// Returns the level of a severity of syslog, 0 to 7.
    pub(crate) fn of_syslog(severity: u32) -> Option<Self> {
        match severity {
            0..=3 => Some(Self::Error),
            4 => Some(Self::Warning),
            5 | 6 => Some(Self::Info),
            7 => Some(Self::Debug),
            _ => None,
        }
    }

    /// Returns the level of a number of bunyan and pino (10 to 60), or of Monolog (100 to 600).
    pub(super) fn of_number(number: u32) -> Option<Self> {
        match number {
            10..20 => Some(Self::Trace),
            20..30 | 100..200 => Some(Self::Debug),
            30..40 | 200..300 => Some(Self::Info),
            40..50 | 300..400 => Some(Self::Warning),
            50..=60 | 400..=600 => Some(Self::Error),
            _ => None,
        }
    }

    /// Returns the level of a `LogSeverity` of Google Cloud.
    pub(super) fn of_cloud(number: u32) -> Option<Self> {
        match number {
            100..200 => Some(Self::Debug),
            200..400 => Some(Self::Info),
            400..500 => Some(Self::Warning),
            500..=800 => Some(Self::Error),
            _ => None,
        }
    }

    /// Returns the level of a `SeverityNumber` of OpenTelemetry.
    pub(super) fn of_open_telemetry(number: u32) -> Option<Self> {
        match number {
            1..=4 => Some(Self::Trace),
            5..=8 => Some(Self::Debug),
            9..=12 => Some(Self::Info),
            13..=16 => Some(Self::Warning),
            17..=24 => Some(Self::Error),
            _ => None,
        }
    }
}
