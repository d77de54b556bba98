//! Groups that a viewer may join: how many lines they have, and how fast they grow.

use super::{ansi::AnsiReader, grouped_number::counted};

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
#[derive(Debug, Clone, PartialEq)]
pub struct GroupLine {
    /// Name.
    pub name: String,
    /// Last line, without escape sequences.
    pub last_line: String,
    /// State: `live`, `idle`, or `empty` without a line.
    pub state: &'static str,
    /// Lines, lines per second and members, as text.
    pub summary: String,
}

/// Returns the groups for display. `earlier` are the same groups `seconds` before.
#[must_use]
pub fn group_lines(
    groups: &[ListedGroup],
    earlier: &[ListedGroup],
    seconds: f64,
    now_ms: f64,
) -> Vec<GroupLine> {
    let line = |group: &ListedGroup| {
        let before = earlier.iter().find(|other| other.name == group.name);
        let new_lines = before.map_or(0, |before| group.lines.saturating_sub(before.lines));
        // Counts of lines are far below 2^53.
        let rate = if seconds > 0.0 { new_lines as f64 / seconds } else { 0.0 };
        GroupLine {
            name: group.name.clone(),
            last_line: AnsiReader::default().read_line(&group.last_line).text,
            state: match group.last_ms {
                Some(last_ms) if now_ms - last_ms < IDLE_MS => "live",
                Some(_) => "idle",
                None => "empty",
            },
            summary: summary(group, rate),
        }
    };
    groups.iter().map(line).collect()
}

fn summary(group: &ListedGroup, rate: f64) -> String {
    let lines = counted(group.lines, "line", "lines");
    let viewers = counted(group.members, "member", "members");
    if rate >= 1.0 { format!("{lines} · {rate:.0}/s · {viewers}") } else { format!("{lines} · {viewers}") }
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
        let lines = |group: ListedGroup, earlier: &[ListedGroup]| group_lines(&[group], earlier, 2.0, now);
        let [line] = &lines(group(1_500, Some(now - 1_000.0)), &[group(500, None)])[..] else { panic!() };
        assert_eq!((line.state, line.summary.as_str()), ("live", "1,500 lines · 500/s · 2 members"));
        assert_eq!(line.last_line, "last");
        let [line] = &lines(group(1, Some(now - 100_000.0)), &[])[..] else { panic!() };
        assert_eq!((line.state, line.summary.as_str()), ("idle", "1 line · 2 members"));
        assert_eq!(lines(group(0, None), &[])[0].state, "empty");
    }
}
