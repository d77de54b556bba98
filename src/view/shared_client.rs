//! One connection for all viewers of a page that negotiate at the same address.
//!
//! Viewers that begin together are negotiated for together. One that comes later has its groups joined on the connection
//! there is; when the service refuses, because that connection was not negotiated for them, it gets one of its own.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use leptos::prelude::set_timeout;
use webpubsub_client::{
    ClientEvent, ClientOptions,
    web::{Outcome, WebClient},
};
use webpubsub_protocol::{name::GroupName, payload::Payload, subprotocol::Subprotocol};

use super::{
    client::{ABANDONED, Client, Sink, Told},
    page_address::with_groups,
};

thread_local! {
    static CONNECTIONS: RefCell<Vec<Weak<Connection>>> = const { RefCell::new(Vec::new()) };
}

/// A client of a connection that others may use, too. `negotiate_url` names no groups.
#[must_use]
pub fn share(
    negotiate_url: &str,
    subprotocol: Subprotocol,
    groups: Vec<GroupName>,
    sink: Sink,
) -> Box<dyn Client> {
    let member = Member { number: Cell::new(0), groups, sink: RefCell::new(sink) };
    let connection = find(negotiate_url, subprotocol).unwrap_or_else(|| {
        let made = Rc::new(Connection::new(negotiate_url.to_owned(), subprotocol));
        CONNECTIONS.with_borrow_mut(|all| {
            all.retain(|connection| connection.strong_count() > 0);
            all.push(Rc::downgrade(&made));
        });
        made
    });
    Box::new(Share { place: connection.take_in(Rc::new(member)) })
}

/// A connection to that address, negotiated for no one in particular.
fn find(negotiate_url: &str, subprotocol: Subprotocol) -> Option<Rc<Connection>> {
    let fits = |connection: &Rc<Connection>| {
        connection.negotiate_url == negotiate_url && connection.subprotocol == subprotocol
    };
    CONNECTIONS.with_borrow(|all| all.iter().filter_map(Weak::upgrade).find(fits))
}

/// Where a member is: another connection, after it was refused on the first.
type Place = Rc<RefCell<(Rc<Connection>, Rc<Member>)>>;

/// A viewer's part of a connection.
struct Share {
    place: Place,
}

impl Client for Share {
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String> {
        let (connection, member) = self.place.borrow().clone();
        connection.start_now();
        let client = connection.client.borrow();
        let client = client.as_ref().ok_or("not connected yet: try again")?;
        let payload = Payload::Text(text.to_owned().into());
        let ack_id = client.send_to_group(group, payload).map_err(|error| error.to_string())?;
        connection.senders.borrow_mut().push((ack_id, member.number.get()));
        Ok(ack_id)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let (connection, member) = self.place.borrow().clone();
        connection.let_go(member.number.get());
    }
}

struct Member {
    number: Cell<u64>,
    groups: Vec<GroupName>,
    sink: RefCell<Sink>,
}

impl Member {
    fn tell(&self, told: Told) {
        // A viewer that is being told something ends or starts nothing of its own meanwhile.
        if let Ok(mut sink) = self.sink.try_borrow_mut() {
            sink(told);
        }
    }
}

struct Connection {
    negotiate_url: String,
    subprotocol: Subprotocol,
    client: RefCell<Option<WebClient>>,
    is_starting: Cell<bool>,
    members: RefCell<Vec<(Place, Rc<Member>)>>,
    next_number: Cell<u64>,
    /// The groups that it was negotiated for.
    negotiated: RefCell<Vec<GroupName>>,
    /// What a newcomer has to be told: that it is connected, or what it does instead.
    state: RefCell<Vec<ClientEvent>>,
    joined: RefCell<Vec<GroupName>>,
    /// What is not acknowledged yet, and who sent it. It is acknowledged in order.
    senders: RefCell<Vec<(u64, u64)>>,
}

impl Connection {
    fn new(negotiate_url: String, subprotocol: Subprotocol) -> Self {
        Self {
            negotiate_url,
            subprotocol,
            client: RefCell::new(None),
            is_starting: Cell::new(false),
            members: RefCell::default(),
            next_number: Cell::new(1),
            negotiated: RefCell::default(),
            state: RefCell::default(),
            joined: RefCell::default(),
            senders: RefCell::default(),
        }
    }

    fn take_in(self: &Rc<Self>, member: Rc<Member>) -> Place {
        member.number.set(self.next_number.get());
        self.next_number.set(self.next_number.get() + 1);
        let place = Rc::new(RefCell::new((Rc::clone(self), Rc::clone(&member))));
        self.members.borrow_mut().push((Rc::clone(&place), Rc::clone(&member)));
        if self.is_starting.get() {
            // It will be among those that are negotiated for.
        } else if self.client.borrow().is_none() || self.is_waiting() {
            // Whoever asks while it waits wants it to try now.
            self.client.borrow_mut().take();
            self.abandon();
            self.start_soon();
        } else {
            self.introduce(&member);
        }
        place
    }

    /// Whether it has given up, or waits before it tries again.
    fn is_waiting(&self) -> bool {
        matches!(self.state.borrow().last(), Some(ClientEvent::RetryScheduled { .. } | ClientEvent::Stopped))
    }

    /// Tells a newcomer what the others know, and has its groups joined.
    fn introduce(&self, member: &Member) {
        for event in self.state.borrow().clone() {
            member.tell(Told::Event(event));
        }
        let client = self.client.borrow();
        for group in &member.groups {
            if self.joined.borrow().contains(group) {
                member.tell(Told::Event(ClientEvent::Joined { group: group.clone() }));
            } else if let Some(client) = client.as_ref() {
                // What becomes of it is told.
                client.join_group(group).map(drop).unwrap_or_default();
            }
        }
    }

    /// Starts once those who begin at the same time have asked, too.
    fn start_soon(self: &Rc<Self>) {
        if self.is_starting.replace(true) {
            return;
        }
        let connection = Rc::downgrade(self);
        set_timeout(
            move || {
                if let Some(connection) = connection.upgrade() {
                    connection.start_now();
                }
            },
            Duration::ZERO,
        );
    }

    /// Starts, if it is about to.
    fn start_now(self: &Rc<Self>) {
        if self.is_starting.replace(false) {
            self.start();
        }
    }

    fn start(self: &Rc<Self>) {
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
                connection.hear(event);
            }
        });
        let outcomes = Rc::downgrade(self);
        client.on_outcome(move |outcome| {
            if let (Some(connection), Outcome::Settled { ack_id, outcome }) = (outcomes.upgrade(), outcome) {
                connection.settled(ack_id, outcome.map_err(|error| error.to_string()));
            }
        });
        self.client.replace(Some(client));
    }

    fn hear(self: &Rc<Self>, event: ClientEvent) {
        self.note(&event);
        if let ClientEvent::JoinRefused { group, .. } = &event
            && !self.negotiated.borrow().contains(group)
        {
            return self.move_out(group);
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
            member.tell(Told::Event(event.clone()));
        }
    }

    /// Keeps what a newcomer has to be told.
    fn note(&self, event: &ClientEvent) {
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

    /// Those whose group this connection may not join get a connection that is negotiated for it.
    fn move_out(self: &Rc<Self>, group: &GroupName) {
        let (staying, moving) = {
            let members = self.members.take();
            members.into_iter().partition::<Vec<_>, _>(|(_, member)| !member.groups.contains(group))
        };
        self.members.replace(staying);
        for (_, member) in &moving {
            let number = member.number.get();
            for (ack_id, _) in self.take_sent(|sender| sender == number) {
                member.tell(Told::Settled(ack_id, Err(ABANDONED.to_owned())));
            }
        }
        for (place, member) in moving {
            let own = Rc::new(Self::new(self.negotiate_url.clone(), self.subprotocol));
            let new_place = own.take_in(member);
            let moved = new_place.borrow().clone();
            place.replace(moved);
            // The viewer holds its first place.
            if let Some((kept, _)) = own.members.borrow_mut().last_mut() {
                *kept = place;
            }
        }
    }

    /// The client is another one, whose numbers begin anew: what the one before had on its way is told of no more.
    fn abandon(&self) {
        for (ack_id, number) in self.take_sent(|_| true) {
            if let Some(member) = self.member(number) {
                member.tell(Told::Settled(ack_id, Err(ABANDONED.to_owned())));
            }
        }
    }

    /// Takes what these members have on its way.
    fn take_sent(&self, is_meant: impl Fn(u64) -> bool) -> Vec<(u64, u64)> {
        let (taken, left) = self.senders.take().into_iter().partition(|(_, number)| is_meant(*number));
        self.senders.replace(left);
        taken
    }

    fn member(&self, number: u64) -> Option<Rc<Member>> {
        let members = self.members.borrow();
        members.iter().find(|(_, member)| member.number.get() == number).map(|(_, member)| Rc::clone(member))
    }

    fn settled(&self, ack_id: u64, outcome: Result<(), String>) {
        let at = self.senders.borrow().iter().position(|(sent, _)| *sent == ack_id);
        let Some(at) = at else { return };
        let (_, number) = self.senders.borrow_mut().remove(at);
        if let Some(member) = self.member(number) {
            member.tell(Told::Settled(ack_id, outcome));
        }
    }

    fn let_go(&self, number: u64) {
        let gone = {
            let mut members = self.members.borrow_mut();
            let at = members.iter().position(|(_, member)| member.number.get() == number);
            at.map(|at| members.swap_remove(at))
        };
        let Some((_, gone)) = gone else { return };
        let members = self.members.borrow();
        if members.is_empty() {
            self.client.take();
            return;
        }
        let is_wanted = |group: &GroupName| members.iter().any(|(_, member)| member.groups.contains(group));
        if let Some(client) = self.client.borrow().as_ref() {
            for group in gone.groups.iter().filter(|group| !is_wanted(group)) {
                client.leave_group(group).map(drop).unwrap_or_default();
            }
        }
    }
}
