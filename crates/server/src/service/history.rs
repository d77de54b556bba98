//! `--history`: retention of group messages.

use bytesize::ByteSize;
use webpubsub_hub::{HISTORY_SHARE, HistoryRule, MIN_HISTORY_BYTES, Retention};
use webpubsub_protocol::pattern::Pattern;

/// Invalid value of `--history`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error("`{given}` is not AGE,SIZE such as 1h,256MiB, and not `off`")]
    Form { given: String },
    #[error("the age `{given}` is not a time such as 15m, 12h or 7d")]
    Age { given: String },
    #[error("the size `{given}` is not a size such as 256MiB")]
    Size { given: String },
    #[error("the size {given} is too small; give at least {}", ByteSize(MIN_HISTORY_BYTES as u64))]
    TooSmall { given: ByteSize },
    #[error(
        "the sizes add up to {given}, and histories take at most half of the memory for all messages, here {limit}; give smaller \
         sizes, or at least --memory-limit {needed_mib}MiB"
    )]
    ExceedsMemory { given: ByteSize, limit: ByteSize, needed_mib: usize },
    #[error("`{given}` is not a valid pattern of group names")]
    Pattern { given: String },
}

/// Parses the values in order of priority. Groups without a match have the default retention, in less memory if the others leave less.
/// Refuses sizes that exceed the share of `memory_limit`, in bytes.
pub(super) fn rules(values: &[String], memory_limit: usize) -> Result<Vec<HistoryRule>, HistoryError> {
    let mut rules: Vec<HistoryRule> = values.iter().map(|value| rule(value)).collect::<Result<_, _>>()?;
    let sizes = rules.iter().filter_map(|rule| Some(rule.retention.as_ref()?.max_bytes));
    let (size, limit) = (sizes.fold(0, usize::saturating_add), memory_limit / HISTORY_SHARE);
    let Some(left) = limit.checked_sub(size) else {
        let needed_mib = size.saturating_mul(HISTORY_SHARE).div_ceil(1 << 20);
        let [given, limit] = [size, limit].map(|bytes| ByteSize(bytes as u64));
        return Err(HistoryError::ExceedsMemory { given, limit, needed_mib });
    };
    if rules.iter().all(|rule| rule.pattern.is_some()) {
        let default = Retention::default();
        let max_bytes = default.max_bytes.min(left.max(MIN_HISTORY_BYTES));
        rules.push(HistoryRule { pattern: None, retention: Some(Retention { max_bytes, ..default }) });
    }
    Ok(rules)
}

fn rule(value: &str) -> Result<HistoryRule, HistoryError> {
    let (pattern, retention) = match value.rsplit_once('=') {
        Some((pattern, retention)) => (Some(pattern), retention),
        None => (None, value),
    };
    let parse =
        |given: &str| Pattern::parse(given).ok_or_else(|| HistoryError::Pattern { given: given.to_owned() });
    Ok(HistoryRule { pattern: pattern.map(parse).transpose()?, retention: retention_of(retention)? })
}

fn retention_of(given: &str) -> Result<Option<Retention>, HistoryError> {
    if given == "off" {
        return Ok(None);
    }
    let (age, size) = given.split_once(',').ok_or_else(|| HistoryError::Form { given: given.to_owned() })?;
    let max_age = humantime::parse_duration(age).map_err(|_| HistoryError::Age { given: age.to_owned() })?;
    let size: ByteSize = size.parse().map_err(|_| HistoryError::Size { given: size.to_owned() })?;
    let max_bytes = usize::try_from(size.as_u64()).ok().filter(|bytes| *bytes >= MIN_HISTORY_BYTES);
    let max_bytes = max_bytes.ok_or(HistoryError::TooSmall { given: size })?;
    Ok(Some(Retention { max_age, max_bytes }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn parse(values: &[&str]) -> Result<Vec<HistoryRule>, HistoryError> {
        rules(&values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>(), 1 << 30)
    }

    #[test]
    fn the_first_match_applies_and_the_default_is_last() {
        let rules = parse(&["build-*=off", "1h,256MiB"]).unwrap();
        assert_eq!(rules[0], HistoryRule { pattern: Pattern::parse("build-*"), retention: None });
        let hour = Retention { max_age: Duration::from_secs(3_600), max_bytes: 256 << 20 };
        assert_eq!(rules[1], HistoryRule { pattern: None, retention: Some(hour) });
        assert_eq!(rules.len(), 2, "a rule for all groups replaces the default");
        assert_eq!(parse(&["build-*=off"]).unwrap()[1], HistoryRule::default());
        assert_eq!(parse(&[]).unwrap(), [HistoryRule::default()]);
        assert_eq!(parse(&["a=b=off"]).unwrap()[0].pattern, Pattern::parse("a=b"));
    }

    #[test]
    fn sizes_above_half_of_the_memory_are_refused_and_the_default_takes_what_is_left() {
        let error = parse(&["a=1h,400MiB", "1h,200MiB"]).unwrap_err().to_string();
        assert_eq!(
            error,
            "the sizes add up to 600.0 MiB, and histories take at most half of the memory for all messages, here 512.0 MiB; give smaller \
             sizes, or at least --memory-limit 1200MiB"
        );
        assert!(parse(&["1h,513MiB"]).is_err() && parse(&["1h,512MiB"]).is_ok());
        let default_beside = |given: &str| parse(&[given]).unwrap()[1].retention.unwrap().max_bytes;
        assert_eq!(default_beside("a=1h,100MiB"), 32 << 20);
        assert_eq!(default_beside("a=1h,492MiB"), 20 << 20);
        assert_eq!(default_beside("a=1h,512MiB"), MIN_HISTORY_BYTES);
    }

    #[test]
    fn invalid_values_are_reported_by_part() {
        let error = |value| parse(&[value]).unwrap_err();
        assert!(matches!(error("1h"), HistoryError::Form { .. }));
        assert!(matches!(error(""), HistoryError::Form { .. }));
        assert!(matches!(error("soon,1MiB"), HistoryError::Age { .. }));
        assert!(matches!(error("1h,much"), HistoryError::Size { .. }));
        assert!(matches!(error("1h,1KiB"), HistoryError::TooSmall { .. }));
        assert!(matches!(error("=off"), HistoryError::Pattern { .. }));
        assert!(matches!(error("a*b*c*d*e*f*=off"), HistoryError::Pattern { .. }));
    }
}
