//! A hub at one moment: for those who look at it.

use std::collections::BTreeMap;

use webpubsub_protocol::subprotocol::Subprotocol;

use super::{Hub, Member, Members};

/// What a client without a predefined subprotocol is counted as.
pub(crate) const SIMPLE: &str = "simple";
/// Everything that a client can be counted as.
pub(crate) const PROTOCOL_LABELS: [&str; 5] = [
    SIMPLE,
    Subprotocol::Json.name(),
    Subprotocol::ReliableJson.name(),
    Subprotocol::Protobuf.name(),
    Subprotocol::ReliableProtobuf.name(),
];

/// A hub as it was at one moment.
#[derive(Debug, Clone, Default)]
pub struct HubSnapshot {
    /// Its name.
    pub name: String,
    /// How many are connected.
    pub connection_count: usize,
    /// How many of them speak what.
    pub connections_by_protocol: Vec<(&'static str, usize)>,
    /// Some of them, in the order of their ids.
    pub connections: Vec<ConnectionSummary>,
    /// How many groups have members.
    pub group_count: usize,
    /// Some of them by name, with how many members each has.
    pub groups: Vec<(String, usize)>,
    /// How many users are connected.
    pub user_count: usize,
    /// How many messages clients have sent.
    pub received: u64,
    /// How many messages were queued for clients, one for each receiver.
    pub delivered: u64,
}

/// A connection in short.
#[derive(Debug, Clone)]
pub struct ConnectionSummary {
    /// Its id.
    pub id: String,
    /// Who it is.
    pub user_id: Option<String>,
    /// What it speaks.
    pub subprotocol: Option<String>,
    /// In how many groups it is.
    pub group_count: usize,
    /// Whether it is without a socket at the moment.
    pub is_away: bool,
}

impl Hub {
    /// How many groups have members, and how many connections speak what.
    #[must_use]
    pub fn counts(&self) -> (usize, Vec<(&'static str, usize)>) {
        let members = self.read();
        (members.groups.len(), members.by_protocol())
    }

    /// What there is at this moment; of connections and groups, `most` at most.
    #[must_use]
    pub fn snapshot(&self, name: &str, most: usize) -> HubSnapshot {
        let members = self.read();
        let present = first_by(members.connections.values(), most, |member| &member.connection.id);
        let groups = first_by(members.groups.iter(), most, |(name, _)| *name);
        HubSnapshot {
            name: name.to_owned(),
            connection_count: members.connections.len(),
            connections_by_protocol: members.by_protocol(),
            connections: present.into_iter().map(Member::summary).collect(),
            group_count: members.groups.len(),
            groups: groups.into_iter().map(|(name, members)| (name.to_string(), members.len())).collect(),
            user_count: members.users.len(),
            received: self.traffic.received.get(),
            delivered: self.traffic.delivered.get(),
        }
    }
}

impl Member {
    fn summary(&self) -> ConnectionSummary {
        ConnectionSummary {
            id: self.connection.id.as_str().to_owned(),
            user_id: self.connection.user_id.clone(),
            subprotocol: self.connection.subprotocol().map(str::to_owned),
            group_count: self.groups.len(),
            is_away: self.connection.is_away(),
        }
    }
}

impl Members {
    fn by_protocol(&self) -> Vec<(&'static str, usize)> {
        let mut by_protocol: BTreeMap<&'static str, usize> = PROTOCOL_LABELS.map(|label| (label, 0)).into();
        for member in self.connections.values() {
            *by_protocol.entry(member.connection.protocol().unwrap_or(SIMPLE)).or_default() += 1;
        }
        by_protocol.into_iter().collect()
    }
}

/// The first `most` of `all` by a key, in its order. Takes time in proportion to how many there are.
fn first_by<T, K: Ord + ?Sized>(all: impl Iterator<Item = T>, most: usize, key: impl Fn(&T) -> &K) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    if most < all.len() {
        all.select_nth_unstable_by(most, |one, other| key(one).cmp(key(other)));
        all.truncate(most);
    }
    all.sort_unstable_by(|one, other| key(one).cmp(key(other)));
    all
}
