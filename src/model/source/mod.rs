//! Sources of lines: groups, each on one of the page's connections, and what publishers name within a group.
//!
//! Groups that are negotiated at one endpoint share a connection. Lines of all sources are merged in order of arrival.

use webpubsub_protocol::name::GroupName;

use super::status::{ConnectionState, Status, StatusLine};

mod interruption;
mod marked;
mod sources;

pub use self::{
    marked::{MAX_MARKED_SOURCES, MarkedSource},
    sources::Sources,
};

/// Maximum count of sources: each has a switch of its own, and people distinguish few colours.
pub const MAX_SOURCES: usize = 16;
/// Count of source colours. Further sources reuse them.
pub const SOURCE_COLORS: usize = 8;

/// Group on one of the page's connections.
#[derive(Debug)]
pub struct Source {
    /// Name for display.
    pub name: String,
    /// Number of the connection, from 0.
    pub connection: usize,
    /// Group that the source joins.
    pub group: GroupName,
    /// Status of the connection and of the membership in the group.
    pub status: Status,
}

impl Source {
    /// Creates a source that is about to connect.
    #[must_use]
    pub fn new(name: String, connection: usize, group: GroupName) -> Self {
        Self { name, connection, status: Status::new(group.clone()), group }
    }
}

/// State of a source, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// Name for display.
    pub name: String,
    /// Status of the connection.
    pub status: StatusLine,
    /// Whether the source's lines are visible.
    pub is_visible: bool,
    /// Whether it is a group, and not a source within one.
    pub is_group: bool,
    /// Whether it is one of several sources that have lines.
    pub has_switch: bool,
}

/// Combines the statuses of all sources into one: the worst, with the name of its source if there are several.
#[must_use]
pub fn overall(sources: &[SourceLine]) -> StatusLine {
    let groups = sources.iter().position(|source| !source.is_group).unwrap_or(sources.len());
    let sources = sources.get(..groups).unwrap_or_default();
    let worst = sources.iter().max_by_key(|source| severity(source.status.state));
    let Some(worst) = worst else { return StatusLine::unusable("no source is configured".to_owned()) };
    let mut status = worst.status.clone();
    if let [_] = sources {
        return status;
    }
    let failed = std::iter::once(worst).chain(sources);
    status.last_failure = failed
        .filter_map(|source| Some(format!("{}: {}", source.name, source.status.last_failure.as_ref()?)))
        .next();
    if status.state == ConnectionState::Connected {
        status.detail = Some((" · ", format!("{} sources", sources.len())));
    } else {
        status.headline = format!("{}: {}", worst.name, status.headline);
        status.announcement = format!("{}: {}", worst.name, status.announcement);
    }
    status.can_retry = sources.iter().any(|source| source.status.can_retry);
    status
}

fn severity(state: ConnectionState) -> u8 {
    match state {
        ConnectionState::Connected => 0,
        ConnectionState::Connecting => 1,
        ConnectionState::Disconnected => 2,
        ConnectionState::Forbidden | ConnectionState::Failed => 3,
    }
}

/// Returns distinct names for sources: the group, and the endpoint's address where several have the same group.
#[must_use]
pub fn source_names(sources: &[(GroupName, &str)]) -> Vec<String> {
    let is_shared = |group: &GroupName| sources.iter().filter(|(other, _)| other == group).count() > 1;
    let name = |(group, endpoint): &(GroupName, &str)| {
        let address = endpoint.split_once("://").map_or(*endpoint, |(_, rest)| rest);
        if is_shared(group) { format!("{group} at {address}") } else { group.to_string() }
    };
    sources.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use webpubsub_client::{ClientEvent, ConnectFailure};
    use webpubsub_protocol::subprotocol::Subprotocol;

    use super::*;

    fn group(name: &str) -> GroupName {
        GroupName::new(name).unwrap()
    }

    #[test]
    fn sources_with_the_same_group_are_named_by_endpoint() {
        let a = "https://a.example/negotiate";
        let b = "http://b:81/negotiate";
        assert_eq!(source_names(&[(group("x"), a), (group("y"), a)]), ["x", "y"]);
        let names = source_names(&[(group("x"), a), (group("x"), b), (group("y"), b)]);
        assert_eq!(names, ["x at a.example/negotiate", "x at b:81/negotiate", "y"]);
    }

    #[test]
    fn the_overall_status_is_the_worst_with_the_name_of_its_source() {
        let mut sources: Vec<Source> = ["a", "b"]
            .into_iter()
            .enumerate()
            .map(|(at, name)| Source::new(name.into(), at, group(name)))
            .collect();
        let connect = |source: &mut Source| {
            let (connection_id, user_id) = ("c".to_owned(), None);
            let subprotocol = Subprotocol::ReliableJson;
            source.status.handle_event(
                &ClientEvent::Connected { connection_id, user_id, subprotocol, history: None },
                0.0,
            );
            source.status.handle_event(&ClientEvent::Joined { group: source.group.clone() }, 0.0);
        };
        let status = |sources: &[Source]| {
            let line = |source: &Source| SourceLine {
                name: source.name.clone(),
                status: source.status.line(0.0),
                is_visible: true,
                is_group: true,
                has_switch: true,
            };
            overall(&sources.iter().map(line).collect::<Vec<_>>())
        };
        connect(&mut sources[0]);
        assert_eq!(status(&sources).headline, "b: Connecting…");
        assert_eq!(status(&sources[..1]).text(), "Connected");
        connect(&mut sources[1]);
        assert_eq!(status(&sources).text(), "Connected · 2 sources");
        assert_eq!(status(&sources).last_failure, None);
        let failure = ConnectFailure::NegotiateAddress { url: "x".into() };
        sources[0].status.handle_event(&ClientEvent::ConnectFailed { failure }, 0.0);
        connect(&mut sources[0]);
        let last_failure = "a: negotiate failed: `x` is no http(s)://HOST/… address";
        assert_eq!(status(&sources).last_failure.as_deref(), Some(last_failure));
        sources[0].status.handle_event(&ClientEvent::Stopped, 0.0);
        assert_eq!(
            (status(&sources).headline.as_str(), status(&sources).can_retry),
            ("a: Not connected", true)
        );
    }
}
