//! Snapshots of a hub for the inspector and the metrics.

use std::collections::BTreeMap;

use super::{ConnectionEntry, Hub, HubState};
use crate::metrics::{PROTOCOL_LABELS, SIMPLE};

/// State of a hub at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct HubSnapshot {
    /// Name of the hub.
    pub(crate) name: String,
    /// Number of connections.
    pub(crate) connection_count: usize,
    /// Connections with the lowest ids, sorted by id.
    pub(crate) connections: Vec<ConnectionSummary>,
    /// Number of groups.
    pub(crate) group_count: usize,
    /// First groups by name, each with the number of its members.
    pub(crate) groups: Vec<(String, usize)>,
    /// Number of users.
    pub(crate) user_count: usize,
    /// Number of messages received from clients.
    pub(crate) received: u64,
    /// Number of messages queued for clients, counted once for each receiver.
    pub(crate) delivered: u64,
}

/// Summary of one connection.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionSummary {
    /// Connection id.
    pub(crate) id: String,
    /// User id; `None` for an anonymous client.
    pub(crate) user_id: Option<String>,
    /// Negotiated subprotocol, predefined or custom.
    pub(crate) subprotocol: Option<String>,
    /// Number of groups that the connection is in.
    pub(crate) group_count: usize,
    /// `true` for a reliable connection without a socket.
    pub(crate) is_detached: bool,
}

impl Hub {
    /// Returns the number of groups, and the number of connections of each protocol label.
    #[must_use]
    pub(crate) fn counts(&self) -> (usize, Vec<(&'static str, usize)>) {
        let state = self.read();
        (state.groups.len(), state.by_protocol())
    }

    /// Returns a snapshot that lists at most `most` connections and groups.
    #[must_use]
    pub(crate) fn snapshot(&self, name: &str, most: usize) -> HubSnapshot {
        let state = self.read();
        let present = first_by(state.connections.values(), most, |entry| &entry.connection.id);
        let groups = first_by(state.groups.iter(), most, |(name, _)| *name);
        HubSnapshot {
            name: name.to_owned(),
            connection_count: state.connections.len(),
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
            user_id: self.connection.user_id().map(str::to_owned),
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

/// Returns the first `most` of `all`, sorted by `key`. Takes linear time, and sorts only the result.
fn first_by<T, K: Ord + ?Sized>(all: impl Iterator<Item = T>, most: usize, key: impl Fn(&T) -> &K) -> Vec<T> {
    let mut all: Vec<T> = all.collect();
    if most < all.len() {
        all.select_nth_unstable_by(most, |one, other| key(one).cmp(key(other)));
        all.truncate(most);
    }
    all.sort_unstable_by(|one, other| key(one).cmp(key(other)));
    all
}
