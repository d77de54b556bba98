//! States of connections in groups, and subscriptions to them (a preview of the protocol).
//!
//! A subscriber receives a snapshot of a group's states, then each change. A state ends with its connection, and when the
//! connection leaves the group.
//!
//! Source: `@azure/web-pubsub-client` 1.1.0 (messages); schema `webpubsub.v1.proto`. The limits, and who may do it, are ours.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use webpubsub_protocol::{
    message::{GroupState, GroupStateItem, Response},
    name::GroupName,
};

use super::Hub;
use crate::{
    connection::{ClientConnection, ConnectionId},
    memory::SharedCharge,
};

/// Maximum length of the names and values of a state, in bytes.
pub(crate) const MAX_STATE_BYTES: usize = 4096;
/// Memory of a state besides its names and values, in bytes.
const STATE_OVERHEAD_BYTES: usize = 512;
/// Maximum number of states in a group: a snapshot has all of them.
pub(crate) const MAX_STATES_PER_GROUP: usize = 1000;
/// Maximum number of groups in which a connection has a state or a subscription.
pub(crate) const MAX_STATEFUL_GROUPS: usize = 100;

/// Failure to set a state, or to subscribe to states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GroupStateError {
    #[error("the state exceeds {MAX_STATE_BYTES} bytes")]
    TooLong,
    #[error("the group has {MAX_STATES_PER_GROUP} states, the maximum")]
    TooManyStates,
    #[error("the connection has states or subscriptions in {MAX_STATEFUL_GROUPS} groups, the maximum")]
    TooManyGroups,
    #[error("the connection has ended")]
    NotConnected,
    #[error("the service has no memory for the state: retry later")]
    OutOfMemory,
}

/// States of all groups of a hub.
#[derive(Debug, Default)]
pub(super) struct GroupStates(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    groups: HashMap<GroupName, StatefulGroup>,
    /// Groups in which a connection has a state or a subscription.
    of_connections: HashMap<ConnectionId, HashSet<GroupName>>,
    /// Time of the last change, in milliseconds since 1970.
    last_change: u64,
}

#[derive(Debug, Default)]
struct StatefulGroup {
    states: HashMap<ConnectionId, ChargedState>,
    subscribers: HashMap<ConnectionId, Arc<ClientConnection>>,
}

/// State of a connection, charged to the memory budget.
#[derive(Debug)]
struct ChargedState {
    item: GroupStateItem,
    _memory: SharedCharge,
}

impl StatefulGroup {
    fn publish(&self, group: &GroupName, item: GroupStateItem) {
        let update =
            Response::GroupStates { group: group.to_string(), is_snapshot: false, items: vec![item] };
        for subscriber in self.subscribers.values() {
            subscriber.send(&update);
        }
    }
}

impl Table {
    /// Reserves a place for `group` among those of a connection.
    fn reserve(
        &mut self,
        id: &ConnectionId,
        group: &GroupName,
    ) -> Result<&mut StatefulGroup, GroupStateError> {
        let groups = self.of_connections.entry(id.clone()).or_default();
        if groups.len() >= MAX_STATEFUL_GROUPS && !groups.contains(group) {
            return Err(GroupStateError::TooManyGroups);
        }
        groups.insert(group.clone());
        Ok(self.groups.entry(group.clone()).or_default())
    }

    /// Forgets the group where the connection has neither a state nor a subscription.
    fn release(&mut self, id: &ConnectionId, group: &GroupName) {
        let Some(entry) = self.groups.get(group) else { return };
        if entry.states.contains_key(id) || entry.subscribers.contains_key(id) {
            return;
        }
        if entry.states.is_empty() && entry.subscribers.is_empty() {
            self.groups.remove(group);
        }
        if let Some(groups) = self.of_connections.get_mut(id) {
            groups.remove(group);
            if groups.is_empty() {
                self.of_connections.remove(id);
            }
        }
    }

    fn set(
        &mut self,
        connection: &ClientConnection,
        group: &GroupName,
        (state, memory): (GroupState, SharedCharge),
        now: u64,
    ) -> Result<(), GroupStateError> {
        let id = &connection.id;
        self.last_change = now.max(self.last_change + 1);
        let updated_at = self.last_change;
        let entry = self.reserve(id, group)?;
        if entry.states.len() >= MAX_STATES_PER_GROUP && !entry.states.contains_key(id) {
            self.release(id, group);
            return Err(GroupStateError::TooManyStates);
        }
        let item = GroupStateItem {
            connection_id: id.as_str().to_owned(),
            user_id: connection.user_id().map(str::to_owned),
            state: Some(state),
            updated_at,
        };
        entry.states.insert(id.clone(), ChargedState { item: item.clone(), _memory: memory });
        entry.publish(group, item);
        Ok(())
    }

    fn clear(&mut self, id: &ConnectionId, group: &GroupName) {
        let Some(entry) = self.groups.get_mut(group) else { return };
        if let Some(ChargedState { item, .. }) = entry.states.remove(id) {
            self.last_change += 1;
            entry.publish(group, GroupStateItem { state: None, updated_at: self.last_change, ..item });
        }
        self.release(id, group);
    }
}

impl GroupStates {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Clears the state of a connection that leaves a group.
    pub(super) fn leave(&self, id: &ConnectionId, group: &GroupName) {
        self.table().clear(id, group);
    }

    /// Clears the states and the subscriptions of a connection that has ended.
    pub(super) fn remove(&self, id: &ConnectionId) {
        let mut table = self.table();
        let groups = table.of_connections.get(id).cloned().unwrap_or_default();
        for group in groups {
            if let Some(entry) = table.groups.get_mut(&group) {
                entry.subscribers.remove(id);
            }
            table.clear(id, &group);
        }
    }
}

impl Hub {
    /// Sets or clears the state of a connection in a group at `now`, in milliseconds since 1970, and publishes the change.
    pub(crate) fn set_group_state(
        &self,
        connection: &ClientConnection,
        group: &GroupName,
        state: Option<GroupState>,
        now: u64,
    ) -> Result<(), GroupStateError> {
        let Some(state) = state else {
            self.group_states.leave(&connection.id, group);
            return Ok(());
        };
        let bytes: usize = state.iter().map(|(name, value)| name.len() + value.len()).sum();
        if bytes > MAX_STATE_BYTES {
            return Err(GroupStateError::TooLong);
        }
        if !self.budget.has_capacity(bytes + STATE_OVERHEAD_BYTES) {
            return Err(GroupStateError::OutOfMemory);
        }
        let memory = self.budget.charge(bytes + STATE_OVERHEAD_BYTES);
        let mut table = self.group_states.table();
        // Checked with the table locked: the end of the connection clears its states after it has left the hub.
        self.connection(connection.id.as_str()).ok_or(GroupStateError::NotConnected)?;
        table.set(connection, group, (state, memory), now)
    }

    /// Subscribes a connection to the states of a group, without a snapshot.
    pub(crate) fn subscribe_group_states(
        &self,
        connection: &Arc<ClientConnection>,
        group: &GroupName,
    ) -> Result<(), GroupStateError> {
        let mut table = self.group_states.table();
        self.connection(connection.id.as_str()).ok_or(GroupStateError::NotConnected)?;
        table
            .reserve(&connection.id, group)?
            .subscribers
            .insert(connection.id.clone(), Arc::clone(connection));
        Ok(())
    }

    /// Ends a subscription. Does nothing if there is none.
    pub(crate) fn unsubscribe_group_states(&self, id: &ConnectionId, group: &GroupName) {
        let mut table = self.group_states.table();
        if let Some(entry) = table.groups.get_mut(group) {
            entry.subscribers.remove(id);
            table.release(id, group);
        }
    }

    /// Sends a connection the states of `group`, or of all groups that it has subscribed to.
    pub(crate) fn send_group_states(&self, connection: &ClientConnection, group: Option<&GroupName>) {
        let table = self.group_states.table();
        let Some(groups) = table.of_connections.get(&connection.id) else { return };
        for name in groups.iter().filter(|name| group.is_none_or(|group| group == *name)) {
            let Some(entry) = table.groups.get(name) else { continue };
            if entry.subscribers.contains_key(&connection.id) {
                let items = entry.states.values().map(|state| state.item.clone()).collect();
                let group = name.to_string();
                connection.send(&Response::GroupStates { group, is_snapshot: true, items });
            }
        }
    }
}
