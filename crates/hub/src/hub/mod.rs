//! Hub: connections, users and groups, and the fan-out to them.
//!
//! Hubs are isolated from each other. A group exists while it has members, a user while they have connections.

use std::{
    collections::{HashMap, HashSet, hash_map},
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::quality::RandomState;
use webpubsub_protocol::{
    filter::{Filter, Subject},
    name::GroupName,
};

use crate::{
    backpressure::{SlowReceivers, StallAllowance},
    broadcast::Broadcast,
    connection::{ClientConnection, ConnectionId},
    history::HubHistory,
    log_limit::LogLimit,
    memory::MemoryBudget,
    metrics::Traffic,
    outbox::Backpressure,
};

mod group_states;
mod membership;
mod sends;
mod snapshot;

use group_states::GroupStates;
pub(crate) use membership::JoinError;
use membership::MembershipObserver;
pub(crate) use sends::check_json;
pub use sends::{MAX_PAYLOAD_BYTES, SendError};
pub(crate) use snapshot::{ConnectionSummary, HubSnapshot};

/// Receivers of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Audience<'a> {
    /// All connections of the hub.
    Everyone,
    /// Members of the group with this name.
    Group(&'a str),
    /// Connections of the user with this id.
    User(&'a str),
    /// Connection with this id.
    Connection(&'a str),
}

/// State of one hub.
#[derive(Debug, Default)]
pub struct Hub {
    traffic: Traffic,
    budget: MemoryBudget,
    /// `None` without a history.
    history: Option<HubHistory>,
    /// Position of the last message.
    last_position: AtomicU64,
    /// Held while a message is delivered to reliable clients, whose queues need ascending positions.
    order: Mutex<()>,
    unhandled_events: LogLimit,
    group_states: GroupStates,
    membership_observer: MembershipObserver,
    /// Time that sends of the embedding application wait for receivers, together.
    stall_allowance: tokio::sync::Mutex<StallAllowance>,
    /// Publishing takes the read lock, joining and leaving the write lock. No I/O happens under either: delivery only
    /// queues.
    state: RwLock<HubState>,
}

#[derive(Debug, Default)]
struct HubState {
    connections: HashMap<ConnectionId, ConnectionEntry>,
    /// Number of reliable connections.
    reliable_connections: usize,
    /// Looked up for every message, hence a hash function that is fast for short names. Its random seed prevents chosen
    /// collisions.
    groups: HashMap<GroupName, HashMap<ConnectionId, Arc<ClientConnection>>, RandomState>,
    users: HashMap<String, HashMap<ConnectionId, Arc<ClientConnection>>>,
}

#[derive(Debug)]
struct ConnectionEntry {
    connection: Arc<ClientConnection>,
    groups: HashSet<GroupName>,
}

/// Connections of an audience, in no particular order.
enum Members<'a> {
    Everyone(hash_map::Values<'a, ConnectionId, ConnectionEntry>),
    Some(Option<hash_map::Values<'a, ConnectionId, Arc<ClientConnection>>>),
    One(Option<&'a Arc<ClientConnection>>),
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a Arc<ClientConnection>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Everyone(entries) => entries.next().map(|entry| &entry.connection),
            Self::Some(connections) => connections.as_mut()?.next(),
            Self::One(connection) => connection.take(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = match self {
            Self::Everyone(entries) => entries.len(),
            Self::Some(connections) => connections.as_ref().map_or(0, ExactSizeIterator::len),
            Self::One(connection) => usize::from(connection.is_some()),
        };
        (len, Some(len))
    }
}

impl ExactSizeIterator for Members<'_> {}

impl Hub {
    /// Creates a hub that counts its messages in `traffic`, charges them to `budget`, and stores those of groups in `history`.
    #[must_use]
    pub(crate) fn new(traffic: Traffic, budget: MemoryBudget, history: HubHistory) -> Self {
        Self { traffic, budget, history: Some(history), ..Self::default() }
    }

    /// Returns the history of the hub's groups; `None` without one.
    pub(crate) fn history(&self) -> Option<&HubHistory> {
        self.history.as_ref()
    }

    /// Returns the position of the last message.
    pub(crate) fn last_position(&self) -> u64 {
        self.last_position.load(Ordering::Acquire)
    }

    /// Returns the message counters.
    #[must_use]
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Returns the memory budget of the service.
    pub(crate) fn memory(&self) -> &MemoryBudget {
        &self.budget
    }

    /// Returns the limit on log lines about events without a handler.
    pub(crate) fn unhandled_events(&self) -> &LogLimit {
        &self.unhandled_events
    }

    fn read(&self) -> RwLockReadGuard<'_, HubState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HubState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a connection, in no group.
    pub(crate) fn add(&self, connection: &Arc<ClientConnection>) {
        let mut state = self.write();
        if let Some(user_id) = connection.user_id() {
            state
                .users
                .entry(user_id.to_owned())
                .or_default()
                .insert(connection.id.clone(), Arc::clone(connection));
        }
        let entry = ConnectionEntry { connection: Arc::clone(connection), groups: HashSet::new() };
        state.reliable_connections += usize::from(connection.format.is_reliable());
        state.connections.insert(connection.id.clone(), entry);
    }

    /// Removes a connection from the hub and its groups. Returns `false` if it was not in the hub.
    pub(crate) fn remove(&self, connection: &ClientConnection) -> bool {
        let mut state = self.write();
        let Some(entry) = state.connections.remove(&connection.id) else { return false };
        state.reliable_connections -= usize::from(connection.format.is_reliable());
        for group in &entry.groups {
            state.remove_from_group(&connection.id, group);
        }
        if let Some(user_id) = connection.user_id()
            && let Some(user) = state.users.get_mut(user_id)
        {
            user.remove(&connection.id);
            if user.is_empty() {
                state.users.remove(user_id);
            }
        }
        drop(state);
        self.group_states.remove(&connection.id);
        for group in &entry.groups {
            self.membership_observer.left(connection, group);
        }
        true
    }

    /// Gives a message its position in the hub, stores it if it is for a group, and queues it for the connections in
    /// `audience` that match `filter` and are not excluded. Returns the receivers to wait for before publishing again.
    ///
    /// A client that joins a group before or during the call finds the message in its queue or in the history.
    #[must_use = "the publisher must wait for the returned receivers"]
    pub(crate) fn fan_out(
        &self,
        audience: Audience<'_>,
        filter: Option<&Filter>,
        is_excluded: impl Fn(&ClientConnection) -> bool,
        broadcast: &mut Broadcast<'_>,
    ) -> SlowReceivers {
        let mut slow_receivers = SlowReceivers::new();
        let (mut receivers, mut given_up) = (0, 0);
        broadcast.charge_to(&self.budget);
        let state = self.read();
        let is_ordered = state.reliable_connections > 0;
        let _order = is_ordered.then(|| self.order.lock().unwrap_or_else(PoisonError::into_inner));
        self.assign_position(broadcast, is_ordered);
        let members = state.members(audience);
        broadcast.set_one_receiver(members.len() == 1);
        for connection in members {
            let is_receiver =
                !is_excluded(connection) && filter.is_none_or(|filter| state.is_match(filter, connection));
            if !is_receiver {
                continue;
            }
            receivers += 1;
            match connection.deliver(broadcast) {
                Backpressure::None => {}
                Backpressure::Wait => slow_receivers.push(Arc::clone(connection)),
                Backpressure::Slow => given_up += 1,
            }
        }
        self.traffic.delivered.inc_by(receivers);
        // A minority of slow receivers must not slow down the others. Those that nobody waits for any more have no part in it:
        // otherwise they would keep the publisher from waiting for receivers that read.
        let above_mark = slow_receivers.len() as u64;
        if above_mark * 2 > receivers - given_up { slow_receivers } else { SlowReceivers::new() }
    }

    /// Stores a message with its position if it is for a group with a history. Others have a position only if `is_ordered`: if it is
    /// for reliable clients.
    fn assign_position(&self, broadcast: &mut Broadcast<'_>, is_ordered: bool) {
        let position = || self.last_position.fetch_add(1, Ordering::AcqRel) + 1;
        let (message, expires_at, now) = (broadcast.message(), broadcast.expires_at(), broadcast.sent_at());
        let stored =
            self.history.as_ref().and_then(|history| history.append(message, expires_at, now, position));
        if let Some(position) = stored.or_else(|| is_ordered.then(position)) {
            broadcast.set_position(position);
        }
    }

    /// Queues a message for one connection alone.
    pub(crate) fn reply(&self, connection: &ClientConnection, broadcast: &mut Broadcast<'_>) {
        broadcast.charge_to(&self.budget);
        let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
        self.assign_position(broadcast, true);
        // A client's own replies never delay publishers.
        connection.deliver(broadcast);
    }

    /// Returns the connections in `audience` that match `filter`, in no particular order.
    #[must_use]
    pub(crate) fn select(
        &self,
        audience: Audience<'_>,
        filter: Option<&Filter>,
    ) -> Vec<Arc<ClientConnection>> {
        let state = self.read();
        let is_match = |connection: &&Arc<ClientConnection>| {
            filter.is_none_or(|filter| state.is_match(filter, connection))
        };
        state.members(audience).filter(is_match).cloned().collect()
    }

    /// Returns the connection with this id.
    #[must_use]
    pub(crate) fn connection(&self, id: &str) -> Option<Arc<ClientConnection>> {
        self.read().connections.get(id).map(|entry| Arc::clone(&entry.connection))
    }

    /// Returns whether `audience` has a connection that is not ending.
    #[must_use]
    pub(crate) fn has_any(&self, audience: Audience<'_>) -> bool {
        self.read().members(audience).any(|connection| !connection.is_ending())
    }

    /// Returns the groups with open connections whose names satisfy `is_match`, with the number of these. Connections that are
    /// retained for recovery, such as those of pages that were closed, are not open.
    pub(crate) fn group_sizes(&self, is_match: impl Fn(&str) -> bool) -> Vec<(String, usize)> {
        let state = self.read();
        let groups = state.groups.iter().filter(|(name, _)| is_match(name.as_str()));
        let open = |members: &HashMap<_, Arc<ClientConnection>>| {
            members.values().filter(|member| !member.is_detached() && !member.is_ending()).count()
        };
        let sizes = groups.map(|(name, members)| (name.to_string(), open(members)));
        sizes.filter(|(_, open)| *open > 0).collect()
    }

    /// Returns whether the hub has no connections.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.read().connections.is_empty()
    }
}

impl HubState {
    fn members(&self, audience: Audience<'_>) -> Members<'_> {
        match audience {
            Audience::Everyone => Members::Everyone(self.connections.values()),
            Audience::Group(group) => Members::Some(self.groups.get(group).map(HashMap::values)),
            Audience::User(user) => Members::Some(self.users.get(user).map(HashMap::values)),
            Audience::Connection(id) => Members::One(self.connections.get(id).map(|entry| &entry.connection)),
        }
    }

    fn is_match(&self, filter: &Filter, connection: &ClientConnection) -> bool {
        let groups = self.connections.get(&connection.id).into_iter().flat_map(|entry| &entry.groups);
        let groups: Vec<&str> = groups.map(GroupName::as_str).collect();
        filter.admits(&Subject {
            user_id: connection.user_id(),
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
