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
    connection::{Connection, ConnectionId},
    metrics::Traffic,
    outbox::Load,
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
pub type Pace = Vec<Arc<Connection>>;

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
    members: RwLock<Members>,
}

#[derive(Debug, Default)]
struct Members {
    connections: HashMap<ConnectionId, Member>,
    /// Looked into for every message, so with a hash that is quick for short names. Its seed is random.
    groups: HashMap<GroupName, HashMap<ConnectionId, Arc<Connection>>, RandomState>,
    users: HashMap<String, HashMap<ConnectionId, Arc<Connection>>>,
}

#[derive(Debug)]
struct Member {
    connection: Arc<Connection>,
    groups: HashSet<GroupName>,
}

impl Hub {
    /// A hub whose traffic is counted there.
    #[must_use]
    pub fn new(traffic: Traffic) -> Self {
        Self { traffic, members: RwLock::default() }
    }

    /// What goes through it.
    #[must_use]
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    fn read(&self) -> RwLockReadGuard<'_, Members> {
        self.members.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Members> {
        self.members.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection.
    pub fn add(&self, connection: &Arc<Connection>) {
        let mut members = self.write();
        if let Some(user_id) = &connection.user_id {
            members
                .users
                .entry(user_id.clone())
                .or_default()
                .insert(connection.id.clone(), Arc::clone(connection));
        }
        let member = Member { connection: Arc::clone(connection), groups: HashSet::new() };
        members.connections.insert(connection.id.clone(), member);
    }

    /// Removes a connection, from its groups too. Whether it was there.
    pub fn remove(&self, connection: &Connection) -> bool {
        let mut members = self.write();
        let Some(member) = members.connections.remove(&connection.id) else { return false };
        for group in &member.groups {
            members.remove_from_group(&connection.id, group);
        }
        if let Some(user_id) = &connection.user_id
            && let Some(user) = members.users.get_mut(user_id)
        {
            user.remove(&connection.id);
            if user.is_empty() {
                members.users.remove(user_id);
            }
        }
        true
    }

    /// Puts a connection into a group. Being in it already is no error.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn join(&self, id: &ConnectionId, group: &GroupName) -> Result<(), JoinError> {
        let mut members = self.write();
        let member = members.connections.get_mut(id).ok_or(JoinError::NotConnected)?;
        if member.groups.len() >= MAX_GROUPS_PER_CONNECTION && !member.groups.contains(group) {
            return Err(JoinError::TooManyGroups);
        }
        member.groups.insert(group.clone());
        let connection = Arc::clone(&member.connection);
        members.groups.entry(group.clone()).or_default().insert(id.clone(), connection);
        Ok(())
    }

    /// Takes a connection out of a group. Not being in it is no error.
    pub fn leave(&self, id: &ConnectionId, group: &GroupName) {
        let mut members = self.write();
        if let Some(member) = members.connections.get_mut(id) {
            member.groups.remove(group);
        }
        members.remove_from_group(id, group);
    }

    /// Queues a message for everyone in `audience` whom the filter lets through and who is not left out.
    #[must_use = "a publisher waits for the clients returned"]
    pub fn publish(
        &self,
        audience: Audience<'_>,
        filter: Option<&Filter>,
        is_left_out: impl Fn(&Connection) -> bool,
        broadcast: &mut Broadcast<'_>,
    ) -> Pace {
        let mut pace = Pace::new();
        let mut receivers = 0;
        let members = self.read();
        members.for_each(audience, |connection| {
            let is_meant =
                !is_left_out(connection) && filter.is_none_or(|filter| members.admits(filter, connection));
            if !is_meant {
                return;
            }
            receivers += 1;
            if connection.deliver(broadcast) == Load::Heavy {
                pace.push(Arc::clone(connection));
            }
        });
        self.traffic.delivered.inc_by(receivers);
        // Publishers wait for the many, not for the few: a minority that reads slowly must not slow the others.
        let heavy = pace.len() as u64;
        if heavy * 2 > receivers { pace } else { Pace::new() }
    }

    /// The connections in `audience` that the filter lets through.
    #[must_use]
    pub fn select(&self, audience: Audience<'_>, filter: Option<&Filter>) -> Vec<Arc<Connection>> {
        let members = self.read();
        let mut selected = Vec::new();
        members.for_each(audience, |connection| {
            if filter.is_none_or(|filter| members.admits(filter, connection)) {
                selected.push(Arc::clone(connection));
            }
        });
        selected
    }

    /// The connection called `id`.
    #[must_use]
    pub fn connection(&self, id: &str) -> Option<Arc<Connection>> {
        self.read().connections.get(id).map(|member| Arc::clone(&member.connection))
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
        let members = self.read();
        let groups = members.connections.get(id).into_iter().flat_map(|member| member.groups.iter().cloned());
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
        let mut members = self.write();
        let groups = members.connections.get_mut(id).map(|member| std::mem::take(&mut member.groups));
        for group in groups.unwrap_or_default() {
            members.remove_from_group(id, &group);
        }
    }
}

impl Members {
    fn for_each(&self, audience: Audience<'_>, mut visit: impl FnMut(&Arc<Connection>)) {
        match audience {
            Audience::Everyone => self.connections.values().for_each(|member| visit(&member.connection)),
            Audience::Group(group) => {
                self.groups.get(group).into_iter().flatten().for_each(|(_, c)| visit(c))
            }
            Audience::User(user) => self.users.get(user).into_iter().flatten().for_each(|(_, c)| visit(c)),
            Audience::Connection(id) => {
                self.connections.get(id).into_iter().for_each(|member| visit(&member.connection));
            }
        }
    }

    fn admits(&self, filter: &Filter, connection: &Connection) -> bool {
        let groups = self.connections.get(&connection.id).into_iter().flat_map(|member| &member.groups);
        let groups: Vec<&str> = groups.map(GroupName::as_str).collect();
        filter.admits(&Subject {
            user_id: connection.user_id.as_deref(),
            connection_id: connection.id.as_str(),
            groups: &groups,
            protocol: connection.protocol(),
        })
    }

    fn remove_from_group(&mut self, id: &ConnectionId, group: &GroupName) {
        if let Some(members) = self.groups.get_mut(group) {
            members.remove(id);
            if members.is_empty() {
                self.groups.remove(group);
            }
        }
    }
}

#[cfg(test)]
mod tests;
