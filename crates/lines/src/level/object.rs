//! Level of a JSON object, by its fields.

use super::{Level, beginning};
use crate::json::scanner::{NotJson, Scanner, Token};

/// Bytes of an object in which its level is searched. Loggers write it among the first fields.
const OBJECT_BYTES: usize = 2 << 10;

/// Meaning of a field for the level.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    /// A word, or a number of bunyan, pino, Monolog; of GELF with [`Field::Gelf`].
    Level,
    /// A word, or a number of Google Cloud.
    Severity,
    /// A number of OpenTelemetry.
    SeverityNumber,
    /// A number of syslog.
    Priority,
    /// A letter of MongoDB.
    Letter,
    /// A word of Serilog, whose `Verbose` is the lowest level.
    Serilog,
    /// A field that every message of GELF has.
    Gelf,
    /// An object of ECS that has the level.
    Log,
}

/// Fields whose names are written in various cases.
const FIELDS: [(&str, Field); 16] = [
    ("level", Field::Level),
    ("lvl", Field::Level),
    ("loglevel", Field::Level),
    ("log_level", Field::Level),
    ("levelname", Field::Level),
    ("level_name", Field::Level),
    ("log.level", Field::Level),
    ("@level", Field::Level),
    ("severity", Field::Severity),
    ("severity_text", Field::Severity),
    ("severitytext", Field::Severity),
    ("severity_number", Field::SeverityNumber),
    ("severitynumber", Field::SeverityNumber),
    ("priority", Field::Priority),
    ("@l", Field::Serilog),
    ("short_message", Field::Gelf),
];

impl Field {
    fn of_key(key: &str) -> Option<Self> {
        match key {
            "s" => return Some(Self::Letter),
            "log" => return Some(Self::Log),
            _ => {}
        }
        FIELDS.iter().find(|(name, _)| key.eq_ignore_ascii_case(name)).map(|(_, field)| *field)
    }

    fn level_of(self, value: &str) -> Option<Level> {
        let number = || value.parse::<u32>().ok();
        match self {
            Self::Level => {
                Level::of_tag(without_offset(value)).or_else(|| number().and_then(Level::of_number))
            }
            Self::Severity => {
                Level::of_tag(without_offset(value)).or_else(|| number().and_then(Level::of_cloud))
            }
            Self::SeverityNumber => number().and_then(Level::of_open_telemetry),
            Self::Priority => number().and_then(Level::of_syslog),
            Self::Letter => Level::of_letter(value.trim_end_matches(['1', '2', '3', '4', '5'])),
            Self::Serilog if value.eq_ignore_ascii_case("verbose") => Some(Level::Trace),
            Self::Serilog => Level::of_word(value),
            Self::Gelf | Self::Log => None,
        }
    }
}

/// Returns a word without the number that slog adds to it (`INFO+2`), and OpenTelemetry (`INFO2`).
pub(super) fn without_offset(word: &str) -> &str {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    word.strip_suffix(['+', '-']).unwrap_or(word)
}

/// Returns the level of the object at the beginning of `line`: that of the first field of its own that names one. Texts and
/// objects in it have no level for it, except `log` of ECS.
pub(super) fn level_of_object(line: &str) -> Result<Option<Level>, NotJson> {
    let is_cut = line.len() > OBJECT_BYTES;
    let line = beginning(line, OBJECT_BYTES);
    let mut scanner = Scanner::new(line);
    let (mut field, mut is_in_log) = (None, false);
    // Severity of GELF, which counts if another field shows that the object is of that format.
    let (mut severity, mut is_gelf) = (None, false);
    while let Some(token) = scanner.next() {
        let depth = scanner.depth();
        let is_own = depth == 1 || depth == 2 && is_in_log;
        match token {
            Ok(Token::Key(range)) if is_own => {
                field = Field::of_key(line.get(range).unwrap_or_default())
                    .filter(|field| depth == 1 || *field == Field::Level);
                is_gelf |= field == Some(Field::Gelf);
            }
            Ok(Token::Open { is_object, .. }) if depth == 2 => {
                is_in_log = is_object && field.take() == Some(Field::Log);
            }
            Ok(Token::Text(range) | Token::Word(range)) if is_own => {
                let Some(field) = field.take() else { continue };
                let value = line.get(range).unwrap_or_default();
                if let Some(level) = field.level_of(value) {
                    return Ok(Some(level));
                }
                if field == Field::Level {
                    severity = value.parse().ok().and_then(Level::of_syslog);
                }
            }
            Err(_) if is_cut => break,
            Err(error) if error.at >= line.len() => break,
            Err(error) => return Err(error),
            Ok(_) => {}
        }
        if is_gelf && severity.is_some() {
            return Ok(severity);
        }
    }
    Ok(None)
}
