//! Groups that a viewer may join: how many lines they have, and how fast they grow.

use super::{ansi::AnsiReader, duration::duration_text, grouped_number::counted};

/// Time without a line after which a group is idle, in milliseconds.
const IDLE_MS: f64 = 60_000.0;

/// Group as the server lists it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ListedGroup {
    /// Name.
    pub name: String,
    /// Count of its members.
    pub members: u64,
    /// Count of its lines since the start of the server.
    pub lines: u64,
    /// Time of the last message, in milliseconds since 1970.
    pub last_ms: Option<f64>,
    /// Last line, with its escape sequences.
    pub last_line: String,
}

/// Group for display.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupLine {
    /// Name.
    pub name: String,
    /// Last line, without escape sequences.
    pub last_line: String,
    /// State: `live`, `idle`, or `empty` without a line.
    pub state: &'static str,
    /// State as text.
    pub state_text: String,
    /// Lines per second or minute as text; empty without any, and before it is known.
    pub rate: String,
    /// Lines and members as text.
    pub counts: String,
}

/// Returns the groups for display. `earlier` are the same groups some seconds before.
#[must_use]
pub fn group_lines(
    groups: &[ListedGroup],
    earlier: Option<(&[ListedGroup], f64)>,
    now_ms: f64,
) -> Vec<GroupLine> {
    let line = |group: &ListedGroup| {
        let (state, state_text) = state_of(group, now_ms);
        GroupLine {
            name: group.name.clone(),
            last_line: AnsiReader::default().read_line(&group.last_line).text,
            state,
            state_text,
            rate: earlier.map_or_else(String::new, |(earlier, seconds)| rate_text(group, earlier, seconds)),
            counts: format!(
                "{} · {}",
                counted(group.lines, "line", "lines"),
                counted(group.members, "member", "members")
            ),
        }
    };
    groups.iter().map(line).collect()
}

fn state_of(group: &ListedGroup, now_ms: f64) -> (&'static str, String) {
    match group.last_ms {
        Some(last_ms) if now_ms - last_ms < IDLE_MS => ("live", "live".to_owned()),
        Some(last_ms) => ("idle", format!("idle for {}", duration_text(now_ms - last_ms))),
        None => ("empty", "no lines kept".to_owned()),
    }
}

fn rate_text(group: &ListedGroup, earlier: &[ListedGroup], seconds: f64) -> String {
    // A group that was not there before has had no lines then.
    let before = earlier.iter().find(|other| other.name == group.name).map_or(0, |before| before.lines);
    // Counts of lines are far below 2^53.
    let per_second = group.lines.saturating_sub(before) as f64 / seconds.max(f64::MIN_POSITIVE);
    if per_second >= 1.0 {
        format!("{per_second:.0}/s")
    } else if per_second > 0.0 {
        format!("{:.0}/min", (per_second * 60.0).max(1.0))
    } else {
        String::new()
    }
}

/// Returns the query of the page's address for another group. Other settings in it stay.
#[must_use]
pub fn query_for_group(query: &str, group: &str) -> String {
    let query = query.strip_prefix('?').unwrap_or(query);
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "group");
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        match name.as_ref() {
            // The groups of an endpoint's own address go before those of the page's address.
            "negotiate" => serializer.append_pair(&name, &without_group(&value)),
            _ => serializer.append_pair(&name, &value),
        };
    }
    format!("?{}", serializer.append_pair("group", group).finish())
}

fn without_group(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "group");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(lines: u64, last_ms: Option<f64>) -> ListedGroup {
        let last_line = "\u{1b}[31mlast".to_owned();
        ListedGroup { name: "build".into(), members: 2, lines, last_ms, last_line }
    }

    #[test]
    fn a_group_has_its_rate_and_its_state() {
        let now = 1_000_000.0;
        let lines = |group: ListedGroup, earlier: &[ListedGroup]| {
            group_lines(&[group], Some((earlier, 2.0)), now).remove(0)
        };
        let line = lines(group(1_500, Some(now - 1_000.0)), &[group(500, None)]);
        assert_eq!((line.state, line.rate.as_str()), ("live", "500/s"));
        assert_eq!((line.last_line.as_str(), line.counts.as_str()), ("last", "1,500 lines · 2 members"));
        let line = lines(group(1, Some(now - 100_000.0)), &[group(1, None)]);
        assert_eq!((line.state, line.state_text.as_str()), ("idle", "idle for 1 min 40 s"));
        assert_eq!((line.rate.as_str(), line.counts.as_str()), ("", "1 line · 2 members"));
        assert_eq!(lines(group(0, None), &[]).state, "empty");
        assert_eq!(lines(group(1, Some(now)), &[]).rate, "30/min");
        let [line] = &group_lines(&[group(9, Some(now))], None, now)[..] else { panic!() };
        assert_eq!(line.rate, "", "it is not known yet");
    }

    #[test]
    fn the_address_of_another_group_keeps_the_other_settings() {
        for (query, expected) in [
            ("", "?group=a+b"),
            ("?group=old&lines=50&group=older", "?lines=50&group=a+b"),
            (
                "?negotiate=https%3A%2F%2Fh%2Fn%3Fgroup%3Dold%26id%3Dme",
                "?negotiate=https%3A%2F%2Fh%2Fn%3Fid%3Dme&group=a+b",
            ),
            ("?negotiate=n%3Fgroup%3Dold", "?negotiate=n&group=a+b"),
        ] {
            assert_eq!(query_for_group(query, "a b"), expected);
        }
    }
}
