//! Routing rules of events: in an ordered list, the first match counts.
//!
//! Source: service documentation, "event handler settings".

use std::str::FromStr;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use webpubsub_protocol::{
    name::{EventName, HubName, NameError},
    pattern::Pattern,
};

use super::group_presence::GroupPresence;

/// Routing rule of one event handler.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Hub of the events; `None` for every hub.
    pub hub: Option<HubName>,
    /// URL of the handler.
    pub url: UrlTemplate,
    /// User events that the rule matches.
    pub user_events: UserEvents,
    /// System events that the rule matches.
    pub system_events: Vec<SystemEvent>,
    /// Group presence events that the rule matches.
    pub group_presence: GroupPresence,
}

impl Rule {
    /// Returns whether the rule applies to `hub`.
    pub(super) fn is_for_hub(&self, hub: &str) -> bool {
        self.hub.as_ref().is_none_or(|own| own.as_str() == hub)
    }
}

/// Invalid rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The URL template is invalid.
    #[error("`{url}` is no URL template of an event handler: {reason}")]
    Url {
        /// Template as given.
        url: String,
        /// Reason.
        reason: String,
    },
    /// The pattern of user events is invalid.
    #[error(
        "`{0}` is no pattern of user events: use `*`, or names separated by commas, with at most five wildcards each"
    )]
    Pattern(String),
    /// The system event is unknown.
    #[error("`{0}` is no system event: use connect, connected or disconnected")]
    SystemEvent(String),
    /// The group presence event is unknown.
    #[error("`{0}` is no group presence event: use joined or left")]
    GroupPresenceEvent(String),
    /// The group filter is invalid, or has no event.
    #[error(
        "`{0}` is no filter of group presence events: use a group name with at most five wildcards, and name the events, too"
    )]
    GroupFilter(String),
    /// The name of the hub is invalid.
    #[error(transparent)]
    Hub(#[from] NameError),
    /// The text is neither a URL nor a known setting.
    #[error(
        "`{0}` is no setting of an event handler: use a URL, hub=, url-template=, user-event-pattern=, system-event=, \
         group-presence-event= or group-filter="
    )]
    Setting(String),
}

/// URL of an event handler, with the placeholders `{hub}` and `{event}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(String);

impl UrlTemplate {
    /// Validates a template.
    ///
    /// # Errors
    /// [`RuleError::Url`] if it is not an http(s) URL, or has a placeholder in its host or user.
    pub fn new(template: &str) -> Result<Self, RuleError> {
        let invalid = |reason: &str| RuleError::Url { url: template.to_owned(), reason: reason.to_owned() };
        let checked = Self(template.to_owned());
        let (one, other) = (checked.url("a", "a"), checked.url("b", "b"));
        let (Ok(one), Ok(other)) = (one, other) else { return Err(invalid("it is not a valid URL")) };
        if !matches!(one.scheme(), "http" | "https") {
            return Err(invalid("it must begin with http:// or https://"));
        }
        if one.origin() != other.origin() || one.username() != other.username() {
            return Err(invalid("{hub} and {event} may not be part of the host"));
        }
        Ok(checked)
    }

    /// Replaces the placeholders.
    pub(super) fn url(&self, hub: &str, event: &str) -> Result<Url, RuleError> {
        let mut url = self.0.clone();
        for (name, value) in [("{hub}", hub), ("{event}", event)] {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string().replace("%5F", "_");
            let value = value.replace("%2E", ".").replace("%2D", "-");
            while let Some(at) = url.to_ascii_lowercase().find(name) {
                url.replace_range(at..at + name.len(), &value);
            }
        }
        Url::parse(&url).map_err(|error| RuleError::Url { url: self.0.clone(), reason: error.to_string() })
    }
}

/// User events that a rule matches. Names are compared without regard to case.
#[derive(Debug, Clone)]
pub enum UserEvents {
    /// No user events.
    None,
    /// All user events.
    All,
    /// User events with a name that matches one of the patterns.
    Matching(Vec<Pattern>),
}

impl FromStr for UserEvents {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        match text.trim() {
            "" => Ok(Self::None),
            "*" => Ok(Self::All),
            names => {
                let pattern = |name: &str| Pattern::parse(&name.trim().to_ascii_lowercase());
                let patterns: Option<Vec<Pattern>> = names.split(',').map(pattern).collect();
                patterns.map(Self::Matching).ok_or_else(|| RuleError::Pattern(text.to_owned()))
            }
        }
    }
}

impl UserEvents {
    /// Returns whether `event` matches.
    pub(super) fn is_match(&self, event: &EventName) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Matching(patterns) => {
                let name = event.as_str().to_ascii_lowercase();
                patterns.iter().any(|pattern| pattern.matches(&name))
            }
        }
    }
}

/// Event of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemEvent {
    /// A client requests a connection: the handler decides.
    Connect,
    /// A connection has started.
    Connected,
    /// A connection has ended.
    Disconnected,
}

impl SystemEvent {
    /// All system events.
    pub(crate) const ALL: [Self; 3] = [Self::Connect, Self::Connected, Self::Disconnected];

    /// Returns the name in the protocol.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
        }
    }
}

impl FromStr for SystemEvent {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let has_name = |event: &Self| event.name().eq_ignore_ascii_case(text.trim());
        Self::ALL.into_iter().find(has_name).ok_or_else(|| RuleError::SystemEvent(text.to_owned()))
    }
}

/// Parses a rule from one line: a URL alone, for all user and system events; or the settings of the vendor's command line,
/// `url-template=… user-event-pattern=… system-event=… hub=…`, separated by spaces, with `group-presence-event=…` and
/// `group-filter=…` besides.
impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (mut hub, mut url, mut user_events, mut system_events) = (None, None, None, Vec::new());
        let (mut presence_events, mut group_filters) = (Vec::new(), Vec::new());
        for word in text.split_whitespace() {
            match word.split_once('=') {
                Some(("hub", name)) => hub = Some(HubName::new(name)?),
                Some(("url-template", template)) => url = Some(UrlTemplate::new(template)?),
                Some(("user-event-pattern", pattern)) => user_events = Some(pattern.parse()?),
                Some(("system-event", name)) => system_events.push(name.parse()?),
                Some(("group-presence-event", name)) => presence_events.push(name),
                Some(("group-filter", pattern)) => group_filters.push(pattern),
                _ if word.contains("://") => url = Some(UrlTemplate::new(word)?),
                _ => return Err(RuleError::Setting(word.to_owned())),
            }
        }
        let url =
            url.ok_or_else(|| RuleError::Url { url: text.to_owned(), reason: "the URL is missing".into() })?;
        // A URL alone matches all events but those of groups, a preview of the cloud service; with any selection, only the selected
        // ones.
        let group_presence = GroupPresence::new(presence_events, group_filters)?;
        let is_alone = user_events.is_none() && system_events.is_empty() && group_presence.is_empty();
        if is_alone {
            (user_events, system_events) = (Some(UserEvents::All), SystemEvent::ALL.to_vec());
        }
        let user_events = user_events.unwrap_or(UserEvents::None);
        Ok(Self { hub, url, user_events, system_events, group_presence })
    }
}

#[cfg(test)]
mod tests {
    use webpubsub_protocol::name::GroupName;

    use super::*;
    use crate::http_handlers::group_presence::GroupPresenceEvent;

    fn is_match(pattern: &str, event: &str) -> bool {
        pattern.parse::<UserEvents>().unwrap().is_match(&EventName::new(event).unwrap())
    }

    #[test]
    fn placeholders_are_replaced_and_encoded() {
        let template = UrlTemplate::new("http://localhost:3000/api/{hub}/{Event}?code=a%20b").unwrap();
        let url = template.url("chat_1", "a.b-c").unwrap();
        assert_eq!(url.as_str(), "http://localhost:3000/api/chat_1/a.b-c?code=a%20b");
    }

    #[test]
    fn templates_with_placeholders_in_the_host_or_without_http_are_rejected() {
        for template in ["http://{hub}.example/", "ftp://example/", "localhost:3000", "http://{event}@host/"]
        {
            assert!(UrlTemplate::new(template).is_err(), "{template}");
        }
    }

    #[test]
    fn user_events_match_by_name_and_wildcard() {
        assert!(is_match("*", "anything") && is_match("a, B", "b") && is_match("order.*", "Order.Placed"));
        assert!(!is_match("", "a") && !is_match("a,b", "c") && !is_match("order.*", "order.placed.twice"));
        assert!("a\\b".parse::<UserEvents>().is_err());
    }

    #[test]
    fn rules_are_parsed_from_one_line() {
        let all: Rule = "http://localhost/{hub}".parse().unwrap();
        assert!(all.is_for_hub("chat") && all.system_events.len() == 3);
        assert!(matches!(all.user_events, UserEvents::All));
        let some: Rule = "hub=Chat url-template=http://h/ system-event=connect".parse().unwrap();
        assert!(some.is_for_hub("chat") && !some.is_for_hub("other"));
        assert_eq!(some.system_events, [SystemEvent::Connect]);
        assert!(matches!(some.user_events, UserEvents::None));
        assert!(all.group_presence.is_empty() && some.group_presence.is_empty());
        let groups: Rule =
            "http://h/ group-presence-event=left group-filter=a.* group-filter=b".parse().unwrap();
        let is_match = |group: &str| {
            groups.group_presence.is_match(GroupPresenceEvent::Left, &GroupName::new(group).unwrap())
        };
        assert!(is_match("a.1") && is_match("b") && !is_match("c") && groups.system_events.is_empty());
        for invalid in [
            "",
            "system-event=connect",
            "http://h/ system-event=boot",
            "http://h/ colour=red",
            "hub=1 http://h",
            "http://h/ group-presence-event=moved",
            "http://h/ group-filter=a",
        ] {
            assert!(invalid.parse::<Rule>().is_err(), "{invalid}");
        }
    }
}
