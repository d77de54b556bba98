//! Group presence events: which of them a rule matches.
//!
//! Source: settings of event handlers (`groupPresenceEvents`) in the management API 2025-08-01-preview.

use std::str::FromStr;

use webpubsub_protocol::{name::GroupName, pattern::Pattern};

use super::rule::RuleError;

/// Event of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupPresenceEvent {
    /// A connection has joined the group.
    Joined,
    /// A connection has left the group, or has ended as its member.
    Left,
}

impl GroupPresenceEvent {
    /// Returns the name in the protocol.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Left => "left",
        }
    }
}

impl FromStr for GroupPresenceEvent {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let has_name = |event: &Self| event.name().eq_ignore_ascii_case(text.trim());
        [Self::Joined, Self::Left]
            .into_iter()
            .find(has_name)
            .ok_or_else(|| RuleError::GroupPresenceEvent(text.to_owned()))
    }
}

/// Group presence events that a rule matches. The default matches none.
#[derive(Debug, Clone, Default)]
pub struct GroupPresence {
    events: Vec<GroupPresenceEvent>,
    /// Patterns of group names; empty for all groups.
    groups: Vec<Pattern>,
}

impl GroupPresence {
    /// Selects events by their names, `joined` and `left`, in groups that match one of `group_filters`, or in all groups.
    ///
    /// # Errors
    /// [`RuleError`] if an event is unknown, a filter is invalid, or there are filters without an event.
    pub fn new<'a>(
        events: impl IntoIterator<Item = &'a str>,
        group_filters: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RuleError> {
        let events: Vec<GroupPresenceEvent> = events.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        let parse = |filter: &str| {
            let pattern = Pattern::parse(filter).filter(|_| !events.is_empty());
            pattern.ok_or_else(|| RuleError::GroupFilter(filter.to_owned()))
        };
        let groups = group_filters.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { events, groups })
    }

    /// Returns whether there is no event.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Returns whether the rule matches `event` of `group`.
    pub(super) fn is_match(&self, event: GroupPresenceEvent, group: &GroupName) -> bool {
        let is_in_group =
            || self.groups.is_empty() || self.groups.iter().any(|pattern| pattern.matches(group.as_str()));
        self.events.contains(&event) && is_in_group()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_match(presence: &GroupPresence, event: GroupPresenceEvent, group: &str) -> bool {
        presence.is_match(event, &GroupName::new(group).unwrap())
    }

    #[test]
    fn events_match_by_name_and_group() {
        let all = GroupPresence::new(["Joined"], []).unwrap();
        assert!(is_match(&all, GroupPresenceEvent::Joined, "any group"));
        assert!(!is_match(&all, GroupPresenceEvent::Left, "any group"));
        let some = GroupPresence::new(["joined", "left"], ["group1", "Room.*"]).unwrap();
        for (group, expected) in [("group1", true), ("group12", false), ("Room.a", true), ("room.a", false)] {
            assert_eq!(is_match(&some, GroupPresenceEvent::Left, group), expected, "{group}");
        }
        assert!(!is_match(&GroupPresence::default(), GroupPresenceEvent::Joined, "g"));
    }

    #[test]
    fn unknown_events_and_filters_without_effect_are_rejected() {
        let unknown = GroupPresence::new(["moved"], []);
        assert_eq!(unknown.unwrap_err(), RuleError::GroupPresenceEvent("moved".to_owned()));
        for (events, filter) in [(vec!["left"], "a\\b"), (vec!["left"], ""), (vec![], "a")] {
            let refused = GroupPresence::new(events, [filter]);
            assert_eq!(refused.unwrap_err(), RuleError::GroupFilter(filter.to_owned()), "{filter}");
        }
    }
}
