//! A hub at one moment: for those who look at it.

use std::collections::BTreeMap;

use webpubsub_protocol::subprotocol::Subprotocol;

use super::{ConnectionEntry, Hub, HubState};

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
    /// How many groups have state.
    pub group_count: usize,
    /// Some of them by name, with how many state each has.
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
    pub is_detached: bool,
}

impl Hub {
    /// How many groups have members, and how many connections speak what.
    #[must_use]
    pub fn counts(&self) -> (usize, Vec<(&'static str, usize)>) {
        let state = self.read();
        (state.groups.len(), state.by_protocol())
    }

    /// What there is at this moment; of connections and groups, `most` at most.
    #[must_use]
    pub fn snapshot(&self, name: &str, most: usize) -> HubSnapshot {
        let state = self.read();
        let present = first_by(state.connections.values(), most, |entry| &entry.connection.id);
        let groups = first_by(state.groups.iter(), most, |(name, _)| *name);
        HubSnapshot {
            name: name.to_owned(),
            connection_count: state.connections.len(),
            connections_by_protocol: state.by_protocol(),
            connections: present.into_iter().map(ConnectionEntry::summary).collect(),
            group_count: state.groups.len(),
            groups: groups
                .into_iter()
                .map(|(name, group_members)| (name.to_string(), group_members.len()))
                .collect(),
            user_count: state.users.len(),
            received: self.traffic.received.get(),
            delivered: self.traffic.delivered.get(),
        }
    }
}

impl ConnectionEntry {
    fn summary(&self) -> ConnectionSummary {
        ConnectionSummary {
            id: self.connection.id.as_str().to_owned(),
            user_id: self.connection.user_id.clone(),
            subprotocol: self.connection.subprotocol().map(str::to_owned),
            group_count: self.groups.len(),
            is_detached: self.connection.is_detached(),
        }
    }
}

impl HubState {
    fn by_protocol(&self) -> Vec<(&'static str, usize)> {
        let mut by_protocol: BTreeMap<&'static str, usize> = PROTOCOL_LABELS.map(|label| (label, 0)).into();
        for entry in self.connections.values() {
            *by_protocol.entry(entry.connection.protocol().unwrap_or(SIMPLE)).or_default() += 1;
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
