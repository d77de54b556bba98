//! Groups that are in use: with members, or with messages in the history.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use tokio::time::Instant;
use webpubsub_protocol::{message::Response, payload::Payload};

use crate::hub::Hub;

/// Maximum length of the last line of a group, in characters.
const MAX_LINE_CHARS: usize = 200;

/// Group that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveGroup {
    /// Name.
    pub group: String,
    /// Number of connections in the group.
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

/// Returns the groups of a hub whose names satisfy `is_match`, sorted by name.
pub(crate) fn live_groups(hub: &Hub, is_match: impl Fn(&str) -> bool, now: Instant) -> Vec<LiveGroup> {
    let mut groups: BTreeMap<String, LiveGroup> = BTreeMap::new();
    for (name, members) in hub.group_sizes(&is_match) {
        groups.insert(name.clone(), LiveGroup { group: name, members, ..LiveGroup::default() });
    }
    for summary in hub.history().iter().flat_map(|history| history.groups(&is_match, now)) {
        let name = summary.name.to_string();
        let group = groups.entry(name.clone()).or_insert(LiveGroup { group: name, ..LiveGroup::default() });
        group.messages = summary.next.message.saturating_sub(1);
        group.lines = summary.next.line.saturating_sub(1);
        if let Some(last) = summary.last {
            group.last_time = Some(last.published_ms);
            group.last_line = last_line(&last.message);
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
    let line = text.lines().next_back().unwrap_or_default();
    Some(line.chars().take(MAX_LINE_CHARS).collect())
}
