//! One client for all viewers of a page that negotiate at the same endpoint.
//!
//! Viewers that start together are negotiated for together. The groups of a later one are joined by the existing client, which leaves
//! a group with its last viewer. If the service refuses, because that connection was not negotiated for them, the viewer gets a
//! client of its own.

use std::{
    cell::RefCell,
    future::ready,
    rc::{Rc, Weak},
};

use gloo_timers::callback::Timeout;
use leptos::task::spawn_local;
use webpubsub_client::{
    Client, ClientEvent, ClientState, GroupName, HistoryAccess, Membership, ServiceEndpoint, Subprotocol,
};

use super::{
    client::{ClientReport, Renewal, ReportSink, Reporter, ViewerClient, builder, renew_history},
    page_address::with_groups,
};

thread_local! {
    static CONNECTIONS: RefCell<Vec<Weak<SharedConnection>>> = const { RefCell::new(Vec::new()) };
}

/// Returns a client that other viewers may share. `negotiate_url` contains no groups.
#[must_use]
pub fn share(
    negotiate_url: &str,
    subprotocol: Subprotocol,
    groups: Vec<GroupName>,
    sink: ReportSink,
) -> Box<dyn ViewerClient> {
    let member = Rc::new(Member {
        groups,
        reporter: Reporter::new(sink),
        memberships: RefCell::default(),
        joined: RefCell::default(),
        connection: RefCell::default(),
    });
    let connection = find(negotiate_url, subprotocol).unwrap_or_else(|| {
        let connection = Rc::new(SharedConnection::new(negotiate_url.to_owned(), subprotocol));
        CONNECTIONS.with_borrow_mut(|all| {
            all.retain(|connection| connection.strong_count() > 0);
            all.push(Rc::downgrade(&connection));
        });
        connection
    });
    connection.add(&member);
    Box::new(SharedClient(member))
}

/// Returns the connection to that endpoint, unless there is none or it belongs to one viewer.
fn find(negotiate_url: &str, subprotocol: Subprotocol) -> Option<Rc<SharedConnection>> {
    let is_same = |connection: &Rc<SharedConnection>| {
        connection.negotiate_url == negotiate_url && connection.subprotocol == subprotocol
    };
    CONNECTIONS.with_borrow(|all| all.iter().filter_map(Weak::upgrade).find(is_same))
}

/// A viewer's client. Its viewer leaves when it is dropped.
struct SharedClient(Rc<Member>);

impl ViewerClient for SharedClient {
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String> {
        let client = self.0.connection().and_then(|connection| connection.started());
        let client = client.ok_or("not connected yet: try again")?;
        self.0.reporter.publish(&client, group, text)
    }

    fn renew_history(&self, access: &HistoryAccess) -> Renewal {
        match self.0.connection().and_then(|connection| connection.client()) {
            Some(client) => renew_history(&client, access),
            None => Box::pin(ready(Err("not connected".to_owned()))),
        }
    }
}

/// Viewer on a connection: another one after the first has refused its groups.
struct Member {
    groups: Vec<GroupName>,
    reporter: Rc<Reporter>,
    memberships: RefCell<Vec<Membership>>,
    /// Groups that it was reported to be in.
    joined: RefCell<Vec<GroupName>>,
    connection: RefCell<Option<Rc<SharedConnection>>>,
}

impl Member {
    fn connection(&self) -> Option<Rc<SharedConnection>> {
        self.connection.borrow().clone()
    }

    fn report(&self, event: ClientEvent) {
        match &event {
            ClientEvent::Joined { group } => self.joined.borrow_mut().push(group.clone()),
            ClientEvent::Connected { .. } => self.joined.borrow_mut().clear(),
            _ => {}
        }
        self.reporter.report(ClientReport::Event(event));
    }

    /// Joins the groups of a member.
    fn enter(self: &Rc<Self>, client: &Client) {
        self.memberships.borrow_mut().clear();
        for group in self.groups.clone() {
            let (client, member) = (client.clone(), Rc::downgrade(self));
            // A refusal is an event, too.
            spawn_local(async move {
                let Ok(membership) = client.join(&group).await else { return };
                let Some(member) = member.upgrade() else { return };
                // Otherwise another member was there before.
                if !member.joined.borrow().contains(&group) {
                    member.report(ClientEvent::Joined { group });
                }
                member.memberships.borrow_mut().push(membership);
            });
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.forget_absent();
        }
    }
}

struct SharedConnection {
    negotiate_url: String,
    subprotocol: Subprotocol,
    client: RefCell<Option<Client>>,
    /// Starts the client after the current task, so that viewers that start together share it.
    start: RefCell<Option<Timeout>>,
    members: RefCell<Vec<Weak<Member>>>,
    /// Groups that it was negotiated for.
    negotiated: RefCell<Vec<GroupName>>,
}

impl SharedConnection {
    fn new(negotiate_url: String, subprotocol: Subprotocol) -> Self {
        Self {
            negotiate_url,
            subprotocol,
            client: RefCell::new(None),
            start: RefCell::new(None),
            members: RefCell::default(),
            negotiated: RefCell::default(),
        }
    }

    fn client(&self) -> Option<Client> {
        self.client.borrow().clone()
    }

    fn members(&self) -> Vec<Rc<Member>> {
        self.members.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    fn add(self: &Rc<Self>, member: &Rc<Member>) {
        member.connection.replace(Some(Rc::clone(self)));
        self.members.borrow_mut().push(Rc::downgrade(member));
        if self.start.borrow().is_some() {
            // Its groups will be negotiated with the others.
            return;
        }
        let state = self.client().map(|client| (client.state().get(), client));
        match state {
            Some((state @ (ClientState::Connecting | ClientState::Connected(_)), client))
            | Some((state @ ClientState::Recovering { .. }, client)) => {
                state.events().into_iter().for_each(|event| member.report(event));
                member.enter(&client);
            }
            // A viewer that starts while the client waits or has given up wants to connect now.
            _ => self.start_soon(),
        }
    }

    fn start_soon(self: &Rc<Self>) {
        self.close();
        let connection = Rc::downgrade(self);
        let start = Timeout::new(0, move || {
            if let Some(connection) = connection.upgrade() {
                drop(connection.started());
            }
        });
        self.start.replace(Some(start));
    }

    /// Returns the client. Starts it, if it is about to start.
    fn started(self: &Rc<Self>) -> Option<Client> {
        if self.start.take().is_some() {
            self.connect();
        }
        self.client()
    }

    fn connect(self: &Rc<Self>) {
        let members = self.members();
        let mut groups: Vec<GroupName> = Vec::new();
        for group in members.iter().flat_map(|member| &member.groups) {
            if !groups.contains(group) {
                groups.push(group.clone());
            }
        }
        let endpoint = ServiceEndpoint::negotiate(with_groups(&self.negotiate_url, &groups));
        self.negotiated.replace(groups);
        let connection = Rc::downgrade(self);
        let client = builder(endpoint, self.subprotocol).on_event(move |event| {
            if let Some(connection) = connection.upgrade() {
                connection.handle(event);
            }
        });
        let client = client.connect_lazy();
        members.iter().for_each(|member| member.enter(&client));
        self.client.replace(Some(client));
    }

    fn handle(self: &Rc<Self>, event: ClientEvent) {
        if let ClientEvent::JoinRefused { group, .. } = &event
            && !self.negotiated.borrow().contains(group)
        {
            return self.separate(group);
        }
        let group = match &event {
            ClientEvent::GroupMessage { group, .. } => Some(group.clone()),
            ClientEvent::Joined { group }
            | ClientEvent::Left { group }
            | ClientEvent::JoinRefused { group, .. } => Some(group.to_string()),
            _ => None,
        };
        for member in self.members() {
            if group.as_ref().is_none_or(|name| member.groups.iter().any(|group| group.as_str() == name)) {
                member.report(event.clone());
            }
        }
    }

    /// Gives the members of a group that this connection may not join a connection that is negotiated for it.
    fn separate(self: &Rc<Self>, group: &GroupName) {
        for member in self.members() {
            if member.groups.contains(group) {
                member.memberships.borrow_mut().clear();
                Rc::new(Self::new(self.negotiate_url.clone(), self.subprotocol)).add(&member);
            }
        }
        self.forget_absent();
    }

    /// Forgets members that were dropped or have another connection. Closes the connection after the last one.
    fn forget_absent(&self) {
        let mut members = self.members.borrow_mut();
        members.retain(|member| {
            let connection = member.upgrade().and_then(|member| member.connection());
            connection.is_some_and(|connection| std::ptr::eq(Rc::as_ptr(&connection), self))
        });
        if members.is_empty() {
            self.close();
            self.start.take();
        }
    }

    /// Closes the client. Joins that wait for a connection would keep one that is only dropped.
    fn close(&self) {
        if let Some(client) = self.client.take() {
            spawn_local(async move { client.close().await });
        }
    }
}
