//! Where lines come from: a group, on a connection.
//!
//! Groups that are negotiated at one address share a connection. Lines of all sources are merged as they arrive.

use webpubsub_protocol::name::GroupName;

use super::status::{ConnectionState, Status, StatusLine};

/// Most sources of a page: each has a switch of its own, and people tell few colours apart.
pub const MAX_SOURCES: usize = 16;
/// How many colours there are. Further sources have the same ones again.
pub const SOURCE_COLORS: usize = 8;

/// A group on one of the page's connections.
#[derive(Debug)]
pub struct Source {
    /// What the reader calls it.
    pub name: String,
    /// The number of its connection, from 0.
    pub connection: usize,
    /// The group.
    pub group: GroupName,
    /// How its connection is, and whether the group is joined.
    pub status: Status,
}

impl Source {
    /// A source of a page that is about to connect.
    #[must_use]
    pub fn new(name: String, connection: usize, group: GroupName) -> Self {
        Self { name, connection, status: Status::new(group.clone()), group }
    }
}

/// What the page says about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLine {
    /// What the reader calls it.
    pub name: String,
    /// How its connection is.
    pub status: StatusLine,
    /// Whether its lines are shown.
    pub is_on: bool,
}

/// What is said of all sources at once: the worst of what is to be said of each.
#[must_use]
pub fn overall(sources: &[SourceLine]) -> StatusLine {
    let worst = sources.iter().max_by_key(|source| badness(source.status.state));
    let Some(worst) = worst else { return StatusLine::unusable("no source".to_owned()) };
    let mut status = worst.status.clone();
    if let [_] = sources {
        return status;
    }
    if status.state == ConnectionState::Connected {
        let more = format!("{} sources", sources.len());
        status.detail = Some((" · ", more));
    } else {
        status.headline = format!("{}: {}", worst.name, status.headline);
        status.spoken = format!("{}: {}", worst.name, status.spoken);
    }
    status.can_retry = sources.iter().any(|source| source.status.can_retry);
    status
}

fn badness(state: ConnectionState) -> u8 {
    match state {
        ConnectionState::Connected => 0,
        ConnectionState::Connecting => 1,
        ConnectionState::Disconnected => 2,
        ConnectionState::Forbidden | ConnectionState::Failed => 3,
    }
}

/// Names that tell sources apart: the group, and where that is not enough, where it is negotiated.
#[must_use]
pub fn source_names(sources: &[(GroupName, &str)]) -> Vec<String> {
    let is_shared = |group: &GroupName| sources.iter().filter(|(other, _)| other == group).count() > 1;
    let name = |(group, endpoint): &(GroupName, &str)| {
        let host = endpoint.split_once("://").map_or(*endpoint, |(_, rest)| rest);
        if is_shared(group) { format!("{group} at {host}") } else { group.to_string() }
    };
    sources.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use webpubsub_client::ClientEvent;
    use webpubsub_protocol::subprotocol::Subprotocol;

    use super::*;

    fn group(name: &str) -> GroupName {
        GroupName::new(name).unwrap()
    }

    #[test]
    fn names_tell_sources_apart() {
        let a = "https://a.example/negotiate";
        let b = "http://b:81/negotiate";
        assert_eq!(source_names(&[(group("x"), a), (group("y"), a)]), ["x", "y"]);
        let names = source_names(&[(group("x"), a), (group("x"), b), (group("y"), b)]);
        assert_eq!(names, ["x at a.example/negotiate", "x at b:81/negotiate", "y"]);
    }

    #[test]
    fn of_several_sources_the_worst_is_told_by_name() {
        let mut sources: Vec<Source> = ["a", "b"]
            .into_iter()
            .enumerate()
            .map(|(at, name)| Source::new(name.into(), at, group(name)))
            .collect();
        let connect = |source: &mut Source| {
            let (connection_id, user_id) = ("c".to_owned(), None);
            let subprotocol = Subprotocol::ReliableJson;
            source.status.handle(&ClientEvent::Connected { connection_id, user_id, subprotocol }, 0.0);
            source.status.handle(&ClientEvent::Joined { group: source.group.clone() }, 0.0);
        };
        let said = |sources: &[Source]| {
            let line = |source: &Source| SourceLine {
                name: source.name.clone(),
                status: source.status.line(0.0),
                is_on: true,
            };
            overall(&sources.iter().map(line).collect::<Vec<_>>())
        };
        connect(&mut sources[0]);
        assert_eq!(said(&sources).headline, "b: Connecting…");
        assert_eq!(said(&sources[..1]).text(), "Connected · connection c");
        connect(&mut sources[1]);
        assert_eq!(said(&sources).text(), "Connected · 2 sources");
        sources[0].status.handle(&ClientEvent::Stopped, 0.0);
        assert_eq!((said(&sources).headline.as_str(), said(&sources).can_retry), ("a: Not connected", true));
    }
}
