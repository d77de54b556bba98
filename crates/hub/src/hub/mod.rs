//! One hub: its connections, users and groups, and the fan-out to them.
//!
//! Nothing crosses hubs. A group exists while it has members, a user while it has connections.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use foldhash::quality::RandomState;
use webpubsub_protocol::{
    filter::{Filter, Subject},
    name::GroupName,
};

use crate::{
    broadcast::Broadcast,
    connection::{ClientConnection, ConnectionId},
    metrics::Traffic,
    outbox::Backpressure,
};

mod snapshot;

pub use snapshot::{ConnectionSummary, HubSnapshot};
pub(crate) use snapshot::{PROTOCOL_LABELS, SIMPLE};

/// Most groups that one connection may be in: a bound on what a client can make the hub remember.
pub const MAX_GROUPS_PER_CONNECTION: usize = 10_000;

/// Who gets a message.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// Every connection of the hub.
    Everyone,
    /// The members of a group.
    Group(&'a str),
    /// All connections of a user.
    User(&'a str),
    /// One connection.
    Connection(&'a str),
}

/// Clients that a publisher should wait for before it goes on; see [`crate::outbox`]. Nearly always none, and only when
/// more than half of the receivers are behind.
pub type SlowReceivers = Vec<Arc<ClientConnection>>;

/// Why a connection was not put into a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// It is in [`MAX_GROUPS_PER_CONNECTION`] groups.
    #[error("a connection may be in {MAX_GROUPS_PER_CONNECTION} groups at most")]
    TooManyGroups,
    /// It is not connected (any more).
    #[error("the connection is gone")]
    NotConnected,
}

/// A hub.
#[derive(Debug, Default)]
pub struct Hub {
    traffic: Traffic,
    /// Publishing reads, joining and leaving write. No I/O happens inside: outboxes are queues.
    state: RwLock<HubState>,
}

#[derive(Debug, Default)]
struct HubState {
    connections: HashMap<ConnectionId, ConnectionEntry>,
    /// Looked into for every message, so with a hash that is quick for short names. Its seed is random.
    groups: HashMap<GroupName, HashMap<ConnectionId, Arc<ClientConnection>>, RandomState>,
    users: HashMap<String, HashMap<ConnectionId, Arc<ClientConnection>>>,
}

#[derive(Debug)]
struct ConnectionEntry {
    connection: Arc<ClientConnection>,
    groups: HashSet<GroupName>,
}

impl Hub {
    /// A hub whose traffic is counted there.
    #[must_use]
    pub fn new(traffic: Traffic) -> Self {
        Self { traffic, state: RwLock::default() }
    }

    /// What goes through it.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn read(&self) -> RwLockReadGuard<'_, HubState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HubState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection.
    pub fn add(&self, connection: &Arc<ClientConnection>) {
        let mut state = self.write();
        if let Some(user_id) = &connection.user_id {
            state
                .users
                .entry(user_id.clone())
                .or_default()
                .insert(connection.id.clone(), Arc::clone(connection));
        }
        let entry = ConnectionEntry { connection: Arc::clone(connection), groups: HashSet::new() };
        state.connections.insert(connection.id.clone(), entry);
    }

    /// Removes a connection, from its groups too. Whether it was there.
    pub fn remove(&self, connection: &ClientConnection) -> bool {
        let mut state = self.write();
        let Some(entry) = state.connections.remove(&connection.id) else { return false };
        for group in &entry.groups {
            state.remove_from_group(&connection.id, group);
        }
        if let Some(user_id) = &connection.user_id
            && let Some(user) = state.users.get_mut(user_id)
        {
            user.remove(&connection.id);
            if user.is_empty() {
                state.users.remove(user_id);
            }
        }
        true
    }

    /// Puts a connection into a group. Being in it already is no error.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn join(&self, id: &ConnectionId, group: &GroupName) -> Result<(), JoinError> {
        let mut state = self.write();
        let entry = state.connections.get_mut(id).ok_or(JoinError::NotConnected)?;
        if entry.groups.len() >= MAX_GROUPS_PER_CONNECTION && !entry.groups.contains(group) {
            return Err(JoinError::TooManyGroups);
        }
        entry.groups.insert(group.clone());
        let connection = Arc::clone(&entry.connection);
        state.groups.entry(group.clone()).or_default().insert(id.clone(), connection);
        Ok(())
    }

    /// Takes a connection out of a group. Not being in it is no error.
    pub fn leave(&self, id: &ConnectionId, group: &GroupName) {
        let mut state = self.write();
        if let Some(entry) = state.connections.get_mut(id) {
            entry.groups.remove(group);
        }
        state.remove_from_group(id, group);
    }

    /// Queues a message for everyone in `audience` whom the filter lets through and who is not left out.
    #[must_use = "a publisher waits for the clients returned"]
    pub fn publish(
        &self,
        audience: Audience<'_>,
        filter: Option<&Filter>,
        is_left_out: impl Fn(&ClientConnection) -> bool,
        broadcast: &mut Broadcast<'_>,
    ) -> SlowReceivers {
        let mut slow_receivers = SlowReceivers::new();
        let mut receivers = 0;
        let state = self.read();
        state.for_each(audience, |connection| {
            let is_meant =
                !is_left_out(connection) && filter.is_none_or(|filter| state.admits(filter, connection));
            if !is_meant {
                return;
            }
            receivers += 1;
            if connection.deliver(broadcast) == Backpressure::Wait {
                slow_receivers.push(Arc::clone(connection));
            }
        });
        self.traffic.delivered.inc_by(receivers);
        // Publishers wait for the many, not for the few: a minority that reads slowly must not slow the others.
        let heavy = slow_receivers.len() as u64;
        if heavy * 2 > receivers { slow_receivers } else { SlowReceivers::new() }
    }

    /// The connections in `audience` that the filter lets through.
    #[must_use]
    pub fn select(&self, audience: Audience<'_>, filter: Option<&Filter>) -> Vec<Arc<ClientConnection>> {
        let state = self.read();
        let mut selected = Vec::new();
        state.for_each(audience, |connection| {
            if filter.is_none_or(|filter| state.admits(filter, connection)) {
                selected.push(Arc::clone(connection));
            }
        });
        selected
    }

    /// The connection called `id`.
    #[must_use]
    pub fn connection(&self, id: &str) -> Option<Arc<ClientConnection>> {
        self.read().connections.get(id).map(|entry| Arc::clone(&entry.connection))
    }

    /// Whether there is anybody in `audience` who is not about to go.
    #[must_use]
    pub fn has_any(&self, audience: Audience<'_>) -> bool {
        let mut has_any = false;
        self.read().for_each(audience, |connection| has_any |= !connection.is_ending());
        has_any
    }

    /// The groups of a connection, by name.
    #[must_use]
    pub fn groups_of(&self, id: &ConnectionId) -> Vec<GroupName> {
        let state = self.read();
        let groups = state.connections.get(id).into_iter().flat_map(|entry| entry.groups.iter().cloned());
        let mut groups: Vec<_> = groups.collect();
        groups.sort();
        groups
    }

    /// Whether nobody is connected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().connections.is_empty()
    }

    /// Takes a connection out of every group.
    pub fn leave_all(&self, id: &ConnectionId) {
        let mut state = self.write();
        let groups = state.connections.get_mut(id).map(|entry| std::mem::take(&mut entry.groups));
        for group in groups.unwrap_or_default() {
            state.remove_from_group(id, &group);
        }
    }
}

impl HubState {
    fn for_each(&self, audience: Audience<'_>, mut visit: impl FnMut(&Arc<ClientConnection>)) {
        match audience {
            Audience::Everyone => self.connections.values().for_each(|entry| visit(&entry.connection)),
            Audience::Group(group) => {
                self.groups.get(group).into_iter().flatten().for_each(|(_, c)| visit(c))
            }
            Audience::User(user) => self.users.get(user).into_iter().flatten().for_each(|(_, c)| visit(c)),
            Audience::Connection(id) => {
                self.connections.get(id).into_iter().for_each(|entry| visit(&entry.connection));
            }
        }
    }

    fn admits(&self, filter: &Filter, connection: &ClientConnection) -> bool {
        let groups = self.connections.get(&connection.id).into_iter().flat_map(|entry| &entry.groups);
        let groups: Vec<&str> = groups.map(GroupName::as_str).collect();
        filter.admits(&Subject {
            user_id: connection.user_id.as_deref(),
            connection_id: connection.id.as_str(),
            groups: &groups,
            protocol: connection.protocol(),
        })
    }

    fn remove_from_group(&mut self, id: &ConnectionId, group: &GroupName) {
        if let Some(group_members) = self.groups.get_mut(group) {
            group_members.remove(id);
            if group_members.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}

#[cfg(test)]
mod tests;
