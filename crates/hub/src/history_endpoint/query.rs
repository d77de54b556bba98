//! Parameters of a history request.

use std::time::{Duration, UNIX_EPOCH};

use crate::query_string;

/// Messages of a response without `last`, `since` or `after`.
const DEFAULT_LAST: u64 = 1000;
/// Maximum of `last`.
const MAX_LAST: u64 = 1_000_000;
/// Maximum of `max-bytes`, and its default.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Invalid parameter of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    /// The parameter is unknown.
    #[error(
        "unknown parameter `{0}`: give `last`, `since` or `after`, and with them `before`, `run` and `max-bytes`"
    )]
    Unknown(String),
    /// The parameter is given more than once.
    #[error("the parameter `{0}` is given more than once")]
    Repeated(&'static str),
    /// The value is invalid.
    #[error("`{parameter}={value}` is invalid: give {expected}")]
    Invalid {
        /// Name of the parameter.
        parameter: &'static str,
        /// Its value.
        value: String,
        /// Valid values.
        expected: &'static str,
    },
    /// Two parameters exclude each other.
    #[error("`{0}` and `{1}` exclude each other: give one of them")]
    Exclusive(&'static str, &'static str),
    /// The range is empty, whatever there is.
    #[error("`before={before}` is not greater than `after={after}`")]
    Reversed {
        /// Value of `after`.
        after: u64,
        /// Value of `before`.
        before: u64,
    },
}

/// First message of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// The last messages, as many as given.
    Last(u64),
    /// Messages published in this time before now.
    Age(Duration),
    /// Messages published at this time or later, in milliseconds since 1970.
    Time(u64),
    /// Messages behind this position.
    After(u64),
}

/// Parsed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryQuery {
    pub(super) start: Start,
    /// Position that all messages must be before.
    pub(super) before: Option<u64>,
    /// Run that the positions belong to; `None` for the current one.
    pub(super) run_id: Option<String>,
    /// Maximum size of the payloads, in bytes.
    pub(super) max_bytes: u64,
}

const PARAMETERS: [&str; 6] = ["last", "since", "after", "before", "run", "max-bytes"];

impl HistoryQuery {
    /// Parses the query of a request. The access token is ignored.
    pub(super) fn parse(query: &str) -> Result<Self, QueryError> {
        let mut values: [Option<String>; PARAMETERS.len()] = Default::default();
        for (name, value) in query_string::pairs(query) {
            if name == "access_token" {
                continue;
            }
            let index = PARAMETERS.iter().position(|known| *known == name);
            let Some(index) = index else { return Err(QueryError::Unknown(name)) };
            let parameter = PARAMETERS.get(index).copied().unwrap_or_default();
            if let Some(slot) = values.get_mut(index)
                && slot.replace(value).is_some()
            {
                return Err(QueryError::Repeated(parameter));
            }
        }
        let [last, since, after, before, run_id, max_bytes] = values;
        let given = [("last", last.is_some()), ("since", since.is_some()), ("after", after.is_some())];
        let mut starts = given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name));
        if let (Some(first), Some(second)) = (starts.next(), starts.next()) {
            return Err(QueryError::Exclusive(first, second));
        }
        let before = before.map(|value| position("before", value)).transpose()?;
        let start = match (last, since, after) {
            (Some(last), _, _) => {
                Start::Last(number("last", last, 1..=MAX_LAST, "a number from 1 to 1000000")?)
            }
            (_, Some(since), _) => since_of(since)?,
            (_, _, Some(after)) => Start::After(position("after", after)?),
            _ => Start::Last(DEFAULT_LAST),
        };
        if let (Start::After(after), Some(before)) = (start, before)
            && after >= before
        {
            return Err(QueryError::Reversed { after, before });
        }
        let max_bytes = match max_bytes {
            Some(bytes) => number("max-bytes", bytes, 1..=MAX_BYTES, "a number of bytes from 1 to 67108864")?,
            None => MAX_BYTES,
        };
        Ok(Self { start, before, run_id, max_bytes })
    }
}

fn number(
    parameter: &'static str,
    value: String,
    range: std::ops::RangeInclusive<u64>,
    expected: &'static str,
) -> Result<u64, QueryError> {
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|number| is_number && range.contains(number));
    number.ok_or(QueryError::Invalid { parameter, value, expected })
}

fn position(parameter: &'static str, value: String) -> Result<u64, QueryError> {
    number(parameter, value, 0..=u64::MAX, "a sequence id")
}

fn since_of(value: String) -> Result<Start, QueryError> {
    if let Ok(age) = humantime::parse_duration(&value) {
        return Ok(Start::Age(age));
    }
    let time = humantime::parse_rfc3339(&value).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let time = time.and_then(|time| u64::try_from(time.as_millis()).ok());
    let expected = "an age (`15m`) or a time (`2026-11-30T12:00:00Z`)";
    time.map(Start::Time).ok_or(QueryError::Invalid { parameter: "since", value, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<HistoryQuery, QueryError> {
        HistoryQuery::parse(query)
    }

    fn start(query: &str) -> Start {
        parse(query).unwrap().start
    }

    #[test]
    fn ranges_start_at_a_count_an_age_a_time_or_a_position() {
        assert_eq!(start(""), Start::Last(1000));
        assert_eq!(start("last=7&access_token=x"), Start::Last(7));
        assert_eq!(start("since=15m"), Start::Age(Duration::from_secs(900)));
        assert_eq!(start("since=1970-01-01T00:00:01Z"), Start::Time(1_000));
        assert_eq!(start("after=0&before=9"), Start::After(0));
        let query = parse("last=5&before=9&run=ab&max-bytes=100").unwrap();
        assert_eq!((query.before, query.run_id.as_deref(), query.max_bytes), (Some(9), Some("ab"), 100));
    }

    #[test]
    fn requests_that_make_no_sense_name_the_parameter() {
        for (query, parameter) in [
            ("last=0", "`last=0`"),
            ("last=-1", "`last=-1`"),
            ("last=+5", "`last= 5`"),
            ("last=", "`last=`"),
            ("last=1000001", "`last=1000001`"),
            ("since=soon", "`since=soon`"),
            ("since=-5m", "`since=-5m`"),
            ("after=x", "`after=x`"),
            ("before=99999999999999999999", "`before=99999999999999999999`"),
            ("after=5&before=5", "`before=5` is not greater than `after=5`"),
            ("last=5&after=5", "`last` and `after`"),
            ("since=5m&after=5", "`since` and `after`"),
            ("last=5&last=6", "`last` is given more than once"),
            ("max-bytes=0", "`max-bytes=0`"),
            ("lst=5", "`lst`"),
        ] {
            let error = parse(query).unwrap_err().to_string();
            assert!(error.contains(parameter), "{query}: {error}");
        }
    }
}
