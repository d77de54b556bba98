//! One connection for all viewers of a page that negotiate at the same endpoint.
//!
//! Viewers that start together are negotiated for together. The groups of a later one are joined on the existing connection; if the
//! service refuses, because that connection was not negotiated for them, the viewer gets a connection of its own.

use std::{
    cell::{Cell, RefCell},
    future::ready,
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;
use webpubsub_client::{
    ClientEvent, ClientOptions, HistoryAccess,
    web::{Outcome, WebClient},
};
use webpubsub_protocol::{name::GroupName, payload::Payload, subprotocol::Subprotocol};

use super::{
    client::{ABANDONED, ClientReport, Renewal, ReportSink, ViewerClient},
    page_address::with_groups,
};

thread_local! {
    static CONNECTIONS: RefCell<Vec<Weak<SharedConnection>>> = const { RefCell::new(Vec::new()) };
}

/// Returns a client on a connection that other viewers may share. `negotiate_url` contains no groups.
#[must_use]
pub fn share(
    negotiate_url: &str,
    subprotocol: Subprotocol,
    groups: Vec<GroupName>,
    sink: ReportSink,
) -> Box<dyn ViewerClient> {
    let member = Member { number: Cell::new(0), groups, sink: RefCell::new(sink) };
    let connection = find(negotiate_url, subprotocol).unwrap_or_else(|| {
        let connection = Rc::new(SharedConnection::new(negotiate_url.to_owned(), subprotocol));
        CONNECTIONS.with_borrow_mut(|all| {
            all.retain(|connection| connection.strong_count() > 0);
            all.push(Rc::downgrade(&connection));
        });
        connection
    });
    Box::new(SharedClient { membership: connection.add(Rc::new(member)) })
}

/// Returns the connection to that endpoint, unless there is none or it belongs to one viewer.
fn find(negotiate_url: &str, subprotocol: Subprotocol) -> Option<Rc<SharedConnection>> {
    let is_same = |connection: &Rc<SharedConnection>| {
        connection.negotiate_url == negotiate_url && connection.subprotocol == subprotocol
    };
    CONNECTIONS.with_borrow(|all| all.iter().filter_map(Weak::upgrade).find(is_same))
}

/// A member and its connection: another one after the first has refused its groups.
type Membership = Rc<RefCell<(Rc<SharedConnection>, Rc<Member>)>>;

/// A viewer's client on a shared connection.
struct SharedClient {
    membership: Membership,
}

impl ViewerClient for SharedClient {
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String> {
        let (connection, member) = self.membership.borrow().clone();
        connection.start_now();
        let client = connection.client.borrow();
        let client = client.as_ref().ok_or("not connected yet: try again")?;
        let payload = Payload::Text(text.to_owned().into());
        let ack_id = client.send_to_group(group, payload).map_err(|error| error.to_string())?;
        connection.publishers.borrow_mut().push((ack_id, member.number.get()));
        Ok(ack_id)
    }

    fn renew_history(&self, access: &HistoryAccess) -> Renewal {
        let (connection, _) = self.membership.borrow().clone();
        let renewal =
            connection.client.borrow().as_ref().map(|client| ViewerClient::renew_history(client, access));
        renewal.unwrap_or_else(|| Box::pin(ready(Err("not connected".to_owned()))))
    }
}

impl Drop for SharedClient {
    fn drop(&mut self) {
        let (connection, member) = self.membership.borrow().clone();
        connection.remove(member.number.get());
    }
}

struct Member {
    number: Cell<u64>,
    groups: Vec<GroupName>,
    sink: RefCell<ReportSink>,
}

impl Member {
    fn report(&self, report: ClientReport) {
        // A viewer starts and ends nothing of its own while it handles a report.
        if let Ok(mut sink) = self.sink.try_borrow_mut() {
            sink(report);
        }
    }
}

struct SharedConnection {
    negotiate_url: String,
    subprotocol: Subprotocol,
    client: RefCell<Option<WebClient>>,
    /// Starts the client after the current task, so that viewers that start together share it.
    start: RefCell<Option<Timeout>>,
    members: RefCell<Vec<(Membership, Rc<Member>)>>,
    next_number: Cell<u64>,
    /// Groups that it was negotiated for.
    negotiated: RefCell<Vec<GroupName>>,
    /// Events that describe the current state to a new member.
    state: RefCell<Vec<ClientEvent>>,
    joined: RefCell<Vec<GroupName>>,
    /// Ack ids of unacknowledged messages with the numbers of their publishers. They are acknowledged in order.
    publishers: RefCell<Vec<(u64, u64)>>,
}

impl SharedConnection {
    fn new(negotiate_url: String, subprotocol: Subprotocol) -> Self {
        Self {
            negotiate_url,
            subprotocol,
            client: RefCell::new(None),
            start: RefCell::new(None),
            members: RefCell::default(),
            next_number: Cell::new(1),
            negotiated: RefCell::default(),
            state: RefCell::default(),
            joined: RefCell::default(),
            publishers: RefCell::default(),
        }
    }

    fn add(self: &Rc<Self>, member: Rc<Member>) -> Membership {
        member.number.set(self.next_number.get());
        self.next_number.set(self.next_number.get() + 1);
        let membership = Rc::new(RefCell::new((Rc::clone(self), Rc::clone(&member))));
        self.members.borrow_mut().push((Rc::clone(&membership), Rc::clone(&member)));
        if self.is_starting() {
            // Its groups will be negotiated with the others.
        } else if self.client.borrow().is_none() || self.is_waiting() {
            // A viewer that starts during the backoff wants to connect now.
            self.client.borrow_mut().take();
            self.abandon();
            self.start_soon();
        } else {
            self.introduce(&member);
        }
        membership
    }

    /// Whether it has given up, or waits before the next attempt.
    fn is_waiting(&self) -> bool {
        matches!(self.state.borrow().last(), Some(ClientEvent::RetryScheduled { .. } | ClientEvent::Stopped))
    }

    fn is_starting(&self) -> bool {
        self.start.borrow().is_some()
    }

    /// Reports the current state to a new member, and joins its groups.
    fn introduce(&self, member: &Member) {
        for event in self.state.borrow().clone() {
            member.report(ClientReport::Event(event));
        }
        let client = self.client.borrow();
        for group in &member.groups {
            if self.joined.borrow().contains(group) {
                member.report(ClientReport::Event(ClientEvent::Joined { group: group.clone() }));
            } else if let Some(Err(error)) = client.as_ref().map(|client| client.join_group(group)) {
                leptos::logging::error!("group {group} cannot be joined: {error}");
            }
        }
    }

    fn start_soon(self: &Rc<Self>) {
        if self.is_starting() {
            return;
        }
        let connection = Rc::downgrade(self);
        let start = Timeout::new(0, move || {
            if let Some(connection) = connection.upgrade() {
                connection.start_now();
            }
        });
        self.start.replace(Some(start));
    }

    /// Starts, if it is about to.
    fn start_now(self: &Rc<Self>) {
        if self.start.take().is_some() {
            self.connect();
        }
    }

    fn connect(self: &Rc<Self>) {
        let mut groups: Vec<GroupName> = Vec::new();
        for group in self.members.borrow().iter().flat_map(|(_, member)| &member.groups) {
            if !groups.contains(group) {
                groups.push(group.clone());
            }
        }
        let options = ClientOptions::new().prefer(self.subprotocol);
        let options = groups.iter().cloned().fold(options, ClientOptions::join);
        let url = with_groups(&self.negotiate_url, &groups);
        self.negotiated.replace(groups);
        self.state.borrow_mut().clear();
        self.joined.borrow_mut().clear();
        let events = Rc::downgrade(self);
        let client = WebClient::start(options, url, move |event| {
            if let Some(connection) = events.upgrade() {
                connection.handle(event);
            }
        });
        let outcomes = Rc::downgrade(self);
        client.on_outcome(move |outcome| {
            if let (Some(connection), Outcome::Settled { ack_id, outcome, .. }) =
                (outcomes.upgrade(), outcome)
            {
                connection.settle(ack_id, outcome.map_err(|error| error.to_string()));
            }
        });
        self.client.replace(Some(client));
    }

    fn handle(self: &Rc<Self>, event: ClientEvent) {
        self.record(&event);
        if let ClientEvent::JoinRefused { group, .. } = &event
            && !self.negotiated.borrow().contains(group)
        {
            return self.separate(group);
        }
        let members: Vec<Rc<Member>> =
            self.members.borrow().iter().map(|(_, member)| Rc::clone(member)).collect();
        let group = match &event {
            ClientEvent::GroupMessage { group, .. } => Some(group.clone()),
            ClientEvent::Joined { group }
            | ClientEvent::Left { group }
            | ClientEvent::JoinRefused { group, .. } => Some(group.to_string()),
            _ => None,
        };
        let concerned = members.iter().filter(|member| {
            group.as_ref().is_none_or(|name| member.groups.iter().any(|group| group.as_str() == name))
        });
        for member in concerned {
            member.report(ClientReport::Event(event.clone()));
        }
    }

    /// Records what a later member must know.
    fn record(&self, event: &ClientEvent) {
        let mut state = self.state.borrow_mut();
        match event {
            ClientEvent::Connecting
            | ClientEvent::Connected { .. }
            | ClientEvent::Disconnected { .. }
            | ClientEvent::Stopped => {
                *state = vec![event.clone()];
                self.joined.borrow_mut().clear();
            }
            ClientEvent::ConnectFailed { .. } => *state = vec![ClientEvent::Connecting, event.clone()],
            ClientEvent::RetryScheduled { .. } => state.push(event.clone()),
            ClientEvent::Joined { group } => self.joined.borrow_mut().push(group.clone()),
            ClientEvent::Left { group } => self.joined.borrow_mut().retain(|other| other != group),
            _ => {}
        }
    }

    /// Gives the members of a group that this connection may not join a connection that is negotiated for it.
    fn separate(self: &Rc<Self>, group: &GroupName) {
        let (staying, moving) = {
            let members = self.members.take();
            members.into_iter().partition::<Vec<_>, _>(|(_, member)| !member.groups.contains(group))
        };
        self.members.replace(staying);
        for (_, member) in &moving {
            let number = member.number.get();
            for (ack_id, _) in self.take_published(|publisher| publisher == number) {
                member.report(ClientReport::Settled(ack_id, Err(ABANDONED.to_owned())));
            }
        }
        for (membership, member) in moving {
            let own = Rc::new(Self::new(self.negotiate_url.clone(), self.subprotocol));
            let new_membership = own.add(member);
            let moved = new_membership.borrow().clone();
            membership.replace(moved);
            // The viewer's client holds the membership it was created with.
            if let Some((held, _)) = own.members.borrow_mut().last_mut() {
                *held = membership;
            }
        }
    }

    /// Settles all unacknowledged messages: the next client numbers its own from the beginning.
    fn abandon(&self) {
        for (ack_id, number) in self.take_published(|_| true) {
            if let Some(member) = self.member(number) {
                member.report(ClientReport::Settled(ack_id, Err(ABANDONED.to_owned())));
            }
        }
    }

    /// Removes and returns the unacknowledged messages of some members.
    fn take_published(&self, is_affected: impl Fn(u64) -> bool) -> Vec<(u64, u64)> {
        let (taken, left) = self.publishers.take().into_iter().partition(|(_, number)| is_affected(*number));
        self.publishers.replace(left);
        taken
    }

    fn member(&self, number: u64) -> Option<Rc<Member>> {
        let members = self.members.borrow();
        members.iter().find(|(_, member)| member.number.get() == number).map(|(_, member)| Rc::clone(member))
    }

    fn settle(&self, ack_id: u64, outcome: Result<(), String>) {
        let at = self.publishers.borrow().iter().position(|(published, _)| *published == ack_id);
        let Some(at) = at else { return };
        let (_, number) = self.publishers.borrow_mut().remove(at);
        if let Some(member) = self.member(number) {
            member.report(ClientReport::Settled(ack_id, outcome));
        }
    }

    fn remove(&self, number: u64) {
        let removed = {
            let mut members = self.members.borrow_mut();
            let at = members.iter().position(|(_, member)| member.number.get() == number);
            at.map(|at| members.swap_remove(at))
        };
        let Some((_, removed)) = removed else { return };
        let members = self.members.borrow();
        if members.is_empty() {
            self.client.take();
            self.start.take();
            return;
        }
        let is_wanted = |group: &GroupName| members.iter().any(|(_, member)| member.groups.contains(group));
        if let Some(client) = self.client.borrow().as_ref() {
            for group in removed.groups.iter().filter(|group| !is_wanted(group)) {
                if let Err(error) = client.leave_group(group) {
                    leptos::logging::error!("group {group} cannot be left: {error}");
                }
            }
        }
    }
}
