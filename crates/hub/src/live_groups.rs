//! Groups that are in use: with members, or with messages in the history.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use tokio::time::Instant;
use webpubsub_protocol::{message::Response, payload::Payload};

use crate::hub::Hub;

/// Maximum length of the last line of a group, in characters.
const MAX_LINE_CHARS: usize = 200;
/// Maximum number of groups in a list: more than a user looks through.
const MAX_GROUPS: usize = 500;

/// Group that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveGroup {
    /// Name.
    pub group: String,
    /// Number of open connections in the group.
    pub members: usize,
    /// Number of messages since the start of the service, if the group has a history.
    pub messages: u64,
    /// Number of their lines.
    pub lines: u64,
    /// Time of the last message, in milliseconds since 1970; `None` if none is retained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_time: Option<u64>,
    /// Last line of the last message, at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_line: Option<String>,
}

/// Returns the groups of a hub whose names satisfy `is_match`, sorted by name: at most [`MAX_GROUPS`], those with the newest
/// messages, then those with the most members.
pub(crate) fn live_groups(hub: &Hub, is_match: impl Fn(&str) -> bool, now: Instant) -> Vec<LiveGroup> {
    let mut groups: BTreeMap<String, LiveGroup> = BTreeMap::new();
    let named = |name: String| LiveGroup { group: name, ..LiveGroup::default() };
    if let Some(history) = hub.history() {
        history.for_each_group(&is_match, (now, MAX_GROUPS), |summary| {
            let name = summary.name.to_string();
            let group = groups.entry(name.clone()).or_insert(named(name));
            group.messages = summary.next.message.saturating_sub(1);
            group.lines = summary.next.line.saturating_sub(1);
            if let Some(last) = summary.last {
                group.last_time = Some(last.published_ms);
                group.last_line = last_line(&last.message);
            }
        });
    }
    let mut sizes = hub.group_sizes(&is_match);
    sizes.sort_unstable_by_key(|(_, members)| std::cmp::Reverse(*members));
    for (name, members) in sizes {
        if groups.len() < MAX_GROUPS || groups.contains_key(&name) {
            groups.entry(name.clone()).or_insert(named(name)).members = members;
        }
    }
    groups.into_values().collect()
}

fn last_line(message: &Response<'_>) -> Option<String> {
    let Response::GroupMessage { payload, .. } = message else { return None };
    let text: Cow<'_, str> = match payload {
        Payload::Text(text) | Payload::Json(text) => Cow::Borrowed(text),
        Payload::Binary(_) | Payload::Protobuf(_) => return None,
    };
    let shown = without_commands(&text);
    let line = shown.lines().rfind(|line| !line.trim().is_empty())?;
    Some(line.chars().take(MAX_LINE_CHARS).collect())
}

/// Removes the commands to a terminal that an operating system would get (`ESC ]` to `BEL` or `ESC \`): they are no text of a line.
/// Others, such as colours, stay.
fn without_commands(text: &str) -> Cow<'_, str> {
    let Some((before, mut rest)) = text.split_once("\u{1b}]") else { return Cow::Borrowed(text) };
    let mut shown = before.to_owned();
    loop {
        let end = rest.find(['\u{7}', '\u{1b}']).unwrap_or(rest.len());
        rest = rest.get(end..).unwrap_or_default();
        rest = rest.strip_prefix('\u{7}').or_else(|| rest.strip_prefix("\u{1b}\\")).unwrap_or(rest);
        match rest.split_once("\u{1b}]") {
            Some((text, command)) => {
                shown.push_str(text);
                rest = command;
            }
            None => {
                shown.push_str(rest);
                return Cow::Owned(shown);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::Arc,
        time::{Duration, UNIX_EPOCH},
    };

    use webpubsub_protocol::{name::GroupName, pattern::Pattern, role::Permissions};

    use super::*;
    use crate::{
        connection::{ClientConnection, ConnectionId, WireFormat},
        history::{History, HistoryRule, WallClock},
        memory::MemoryBudget,
    };

    fn group_message(group: &str) -> Response<'static> {
        Response::GroupMessage {
            group: group.to_owned().into(),
            from_user_id: None,
            payload: Payload::Text("a line".into()),
            sequence: None,
            metadata: webpubsub_protocol::message::Metadata::new(),
            stream: None,
        }
    }

    #[test]
    fn connections_that_are_retained_for_recovery_do_not_count_as_members() {
        let (hub, group, now) = (Hub::default(), GroupName::new("g").unwrap(), Instant::now());
        let connect = |format| {
            let id = ConnectionId::random().unwrap();
            let connection = Arc::new(ClientConnection::new(id, None, format, Permissions::default()));
            hub.add(&connection);
            hub.join(&connection.id, &group).unwrap();
            let outbox = connection.attach(now).unwrap();
            (connection, outbox)
        };
        let (closed, outbox) = connect(WireFormat::ReliableJson);
        let _others = [connect(WireFormat::ReliableJson), connect(WireFormat::Json)];
        let members = || live_groups(&hub, |_| true, now).first().map(|group| group.members);
        assert_eq!(members(), Some(3));
        closed.reliable_queue().unwrap().detach(&outbox).unwrap();
        assert_eq!(members(), Some(2));
        let _recovered = closed.attach(now).unwrap();
        assert_eq!(members(), Some(3));
    }

    #[test]
    fn groups_of_all_retention_rules_are_in_order_of_their_last_messages() {
        let start = Instant::now();
        let rule = |pattern| HistoryRule { pattern, ..HistoryRule::default() };
        let rules = vec![rule(Some(Pattern::parse("busy-*").unwrap())), rule(None)];
        let history = History::new(rules, MemoryBudget::default(), WallClock::new(start, UNIX_EPOCH)).hub();
        let publish = |group: &str, seconds| {
            let now = start + Duration::from_secs(seconds);
            history.append(&group_message(group), None, now, || seconds)
        };
        for second in 1..10 {
            publish("busy-1", second);
        }
        publish("quiet", 20);
        publish("busy-2", 30);
        let mut names = Vec::new();
        let now = start + Duration::from_secs(40);
        history.for_each_group(|_| true, (now, 2), |group| names.push(group.name.to_string()));
        assert_eq!(names, ["busy-2", "quiet"]);
    }

    #[test]
    fn the_last_line_is_the_last_text_without_marks() {
        let last = |text: &'static str| {
            last_line(&Response::GroupMessage {
                group: "g".into(),
                from_user_id: None,
                payload: Payload::Text(text.into()),
                sequence: None,
                metadata: webpubsub_protocol::message::Metadata::new(),
                stream: None,
            })
        };
        assert_eq!(last("one\ntwo\n\n").as_deref(), Some("two"));
        assert_eq!(last("\u{1b}]7717;1;app.log: \u{7}a line\n").as_deref(), Some("a line"));
        assert_eq!(last("a\u{1b}]8;;x\u{1b}\\b\u{1b}]8;;\u{1b}\\c").as_deref(), Some("abc"));
        assert_eq!((last("\u{1b}]133;D;0\u{7}"), last("\u{1b}]open"), last("")), (None, None, None));
    }
}
