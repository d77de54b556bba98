//! One hub: its connections, users and groups, and the fan-out to them.
//!
//! Nothing crosses hubs. A group exists while it has members, a user while it has connections.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use webpubsub_protocol::{
    filter::{Filter, Subject},
    name::GroupName,
    subprotocol::Subprotocol,
};

use crate::{
    broadcast::Broadcast,
    connection::{Connection, ConnectionId},
    metrics::Traffic,
    outbox::Load,
};

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

/// Most groups that one connection may be in: a bound on what a client can make the hub remember.
pub const MAX_GROUPS_PER_CONNECTION: usize = 10_000;

/// Who gets a message.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// Every connection of the hub.
    Everyone,
    /// The members of a group.
    Group(&'a GroupName),
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
    groups: HashMap<GroupName, HashMap<ConnectionId, Arc<Connection>>>,
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
        mut broadcast: Broadcast<'_>,
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
            if connection.deliver(&mut broadcast) == Load::Heavy {
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

    /// How many groups have members, and how many connections speak what.
    #[must_use]
    pub fn counts(&self) -> (usize, Vec<(&'static str, usize)>) {
        let members = self.read();
        (members.groups.len(), members.by_protocol())
    }

    /// Whether nobody is connected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().connections.is_empty()
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

    /// Takes a connection out of every group.
    pub fn leave_all(&self, id: &ConnectionId) {
        let mut members = self.write();
        let groups = members.connections.get_mut(id).map(|member| std::mem::take(&mut member.groups));
        for group in groups.unwrap_or_default() {
            members.remove_from_group(id, &group);
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

impl Members {
    fn by_protocol(&self) -> Vec<(&'static str, usize)> {
        let mut by_protocol: BTreeMap<&'static str, usize> = PROTOCOL_LABELS.map(|label| (label, 0)).into();
        for member in self.connections.values() {
            *by_protocol.entry(member.connection.protocol().unwrap_or(SIMPLE)).or_default() += 1;
        }
        by_protocol.into_iter().collect()
    }

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
mod tests {
    use webpubsub_protocol::{
        message::{Metadata, Response},
        payload::Payload,
        role::Permissions,
    };

    use super::*;
    use crate::{connection::WireFormat, outbox::Departure};

    fn connect(hub: &Hub, user: Option<&str>) -> Arc<Connection> {
        let connection = Arc::new(Connection::new(
            ConnectionId::random().unwrap(),
            user.map(str::to_owned),
            WireFormat::Simple,
            Permissions::default(),
        ));
        hub.add(&connection);
        connection
    }

    fn say(hub: &Hub, audience: Audience<'_>, excluded: &[&str], text: &str) {
        let message = Response::ServerMessage {
            payload: Payload::Text(text.into()),
            sequence_id: None,
            metadata: Metadata::new(),
        };
        assert!(
            hub.publish(audience, None, |c| excluded.contains(&c.id.as_str()), Broadcast::new(message))
                .is_empty()
        );
    }

    /// What the connection was told since last asked, without waiting for anything.
    async fn heard(connection: &Connection) -> Vec<String> {
        // A marker makes the outbox answer at once even when nothing else is in it.
        let outbox = connection.attach().unwrap();
        outbox.push(bytes::Bytes::from_static(b"\x81\x00"));
        let Departure::Frames(frames) = outbox.next_departure().await else { panic!("closed") };
        frames
            .iter()
            .map(|f| String::from_utf8_lossy(&f[2..]).into_owned())
            .filter(|t| !t.is_empty())
            .collect()
    }

    #[tokio::test]
    async fn each_audience_reaches_its_own_and_nobody_else() {
        let hub = Hub::default();
        let group = GroupName::new("g").unwrap();
        let (ada, ada_too, bob) =
            (connect(&hub, Some("ada")), connect(&hub, Some("ada")), connect(&hub, None));
        hub.join(&bob.id, &group).unwrap();
        say(&hub, Audience::Everyone, &[], "all");
        say(&hub, Audience::Everyone, &[ada_too.id.as_str()], "all but one");
        say(&hub, Audience::Group(&group), &[], "group");
        say(&hub, Audience::User("ada"), &[], "user");
        say(&hub, Audience::Connection(bob.id.as_str()), &[], "connection");
        say(&hub, Audience::Connection("nobody"), &[], "lost");
        assert_eq!(heard(&ada).await, ["all", "all but one", "user"]);
        assert_eq!(heard(&ada_too).await, ["all", "user"]);
        assert_eq!(heard(&bob).await, ["all", "all but one", "group", "connection"]);
    }

    #[tokio::test]
    async fn publishers_wait_for_the_many_and_not_for_the_few() {
        let hub = Hub::default();
        let (slow, quick) = (connect(&hub, None), connect(&hub, None));
        let text = "x".repeat(crate::outbox::PACE_MARK_BYTES + 1);
        let publish = || {
            let message = Response::ServerMessage {
                payload: Payload::Text(text.as_str().into()),
                sequence_id: None,
                metadata: Metadata::new(),
            };
            hub.publish(Audience::Everyone, None, |_| false, Broadcast::new(message)).len()
        };
        assert_eq!(publish(), 2);
        let outbox = quick.attach().unwrap();
        let Departure::Frames(frames) = outbox.next_departure().await else { panic!("closed") };
        outbox.written(frames.len(), frames.iter().map(bytes::Bytes::len).sum());
        // The quick one takes what comes; the slow one still has what came first.
        hub.remove(&quick);
        let short = |audience| {
            let message = Response::ServerMessage {
                payload: Payload::Text("x".into()),
                sequence_id: None,
                metadata: Metadata::new(),
            };
            hub.publish(audience, None, |_| false, Broadcast::new(message)).len()
        };
        assert_eq!(short(Audience::Everyone), 1);
        hub.add(&quick);
        assert_eq!(short(Audience::Everyone), 0);
        assert_eq!(short(Audience::Connection(slow.id.as_str())), 1);
    }

    #[tokio::test]
    async fn who_has_left_or_gone_hears_nothing_and_leaves_nothing_behind() {
        let hub = Hub::default();
        let group = GroupName::new("g").unwrap();
        let (stays, leaves, goes) = (connect(&hub, None), connect(&hub, None), connect(&hub, Some("ada")));
        for connection in [&stays, &leaves, &goes] {
            hub.join(&connection.id, &group).unwrap();
            hub.join(&connection.id, &group).unwrap();
        }
        hub.leave(&leaves.id, &group);
        hub.remove(&goes);
        say(&hub, Audience::Group(&group), &[], "still here");
        assert_eq!(heard(&stays).await, ["still here"]);
        assert!(heard(&leaves).await.is_empty() && heard(&goes).await.is_empty());
        hub.remove(&stays);
        hub.remove(&leaves);
        assert!(
            hub.read().groups.is_empty() && hub.read().users.is_empty() && hub.read().connections.is_empty()
        );
        assert_eq!(hub.join(&stays.id, &group), Err(JoinError::NotConnected));
    }
}
