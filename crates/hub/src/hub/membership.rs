//! Membership of connections in groups, and the notification of the event handler.

use std::{fmt, sync::Arc};

use webpubsub_protocol::name::GroupName;

use super::Hub;
use crate::{
    connection::{ClientConnection, ConnectionId},
    event_handler::EventHandler,
};

/// Maximum number of groups of one connection. Bounds the memory that a client can claim.
const MAX_GROUPS_PER_CONNECTION: usize = 10_000;

/// Failure to add a connection to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum JoinError {
    /// The connection is in [`MAX_GROUPS_PER_CONNECTION`] groups already.
    #[error("the connection is in {MAX_GROUPS_PER_CONNECTION} groups, the maximum: leave a group first")]
    TooManyGroups,
    /// The connection has ended, or never existed.
    #[error("the connection has ended")]
    NotConnected,
}

/// Event handler that is notified of changes; none by default.
#[derive(Default)]
pub(super) struct MembershipObserver(Option<Arc<dyn EventHandler>>);

impl fmt::Debug for MembershipObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MembershipObserver").field(&self.0.is_some()).finish()
    }
}

impl MembershipObserver {
    fn joined(&self, connection: &ClientConnection, group: &GroupName) {
        if let Some(handler) = &self.0 {
            handler.group_joined(connection.info(), group);
        }
    }

    /// Reports that a connection has left a group.
    pub(super) fn left(&self, connection: &ClientConnection, group: &GroupName) {
        if let Some(handler) = &self.0 {
            handler.group_left(connection.info(), group);
        }
    }
}

impl Hub {
    /// Notifies `handler` of each connection that joins or leaves a group. It is called without a lock on the hub.
    #[must_use]
    pub(crate) fn with_observer(mut self, handler: Option<Arc<dyn EventHandler>>) -> Self {
        self.membership_observer = MembershipObserver(handler);
        self
    }

    /// Adds a connection to a group. Does nothing if it is a member already.
    ///
    /// # Errors
    /// [`JoinError`] if the connection is in too many groups, or has ended.
    pub(crate) fn join(&self, id: &ConnectionId, group: &GroupName) -> Result<(), JoinError> {
        let mut state = self.write();
        let entry = state.connections.get_mut(id).ok_or(JoinError::NotConnected)?;
        if entry.groups.contains(group) {
            return Ok(());
        }
        if entry.groups.len() >= MAX_GROUPS_PER_CONNECTION {
            return Err(JoinError::TooManyGroups);
        }
        entry.groups.insert(group.clone());
        let connection = Arc::clone(&entry.connection);
        state.groups.entry(group.clone()).or_default().insert(id.clone(), Arc::clone(&connection));
        drop(state);
        self.membership_observer.joined(&connection, group);
        Ok(())
    }

    /// Removes a connection from a group. Does nothing if it is not a member.
    pub(crate) fn leave(&self, id: &ConnectionId, group: &GroupName) {
        let mut state = self.write();
        let entry = state.connections.get_mut(id);
        let left = entry.and_then(|entry| entry.groups.remove(group).then(|| Arc::clone(&entry.connection)));
        state.remove_from_group(id, group);
        drop(state);
        self.group_states.leave(id, group);
        if let Some(connection) = left {
            self.membership_observer.left(&connection, group);
        }
    }

    /// Removes a connection from all its groups.
    pub(crate) fn leave_all(&self, id: &ConnectionId) {
        let mut state = self.write();
        let Some(entry) = state.connections.get_mut(id) else { return };
        let (groups, connection) = (std::mem::take(&mut entry.groups), Arc::clone(&entry.connection));
        for group in &groups {
            state.remove_from_group(id, group);
        }
        drop(state);
        for group in &groups {
            self.group_states.leave(id, group);
            self.membership_observer.left(&connection, group);
        }
    }

    /// Returns whether the connection is a member of the group.
    #[must_use]
    pub(crate) fn is_member(&self, id: &ConnectionId, group: &GroupName) -> bool {
        self.read().connections.get(id).is_some_and(|entry| entry.groups.contains(group))
    }

    /// Returns the groups of a connection, sorted by name.
    #[must_use]
    pub(crate) fn groups_of(&self, id: &ConnectionId) -> Vec<GroupName> {
        let state = self.read();
        let groups = state.connections.get(id).into_iter().flat_map(|entry| entry.groups.iter().cloned());
        let mut groups: Vec<_> = groups.collect();
        groups.sort();
        groups
    }
}
