//! Groups that a client is in, with the subscriptions and memberships that need them.

use std::collections::BTreeMap;

use webpubsub_protocol::{message::AckError, name::GroupName};

use super::{
    command::{Joined, Member},
    error::SubscribeFailure,
    subscription::{GroupMessage, Live, SubscriptionEvent},
};
use crate::{
    history::HistoryAccess,
    machine::{GroupRefused, Machine},
};

/// Groups by name.
#[derive(Default)]
pub(super) struct Memberships {
    groups: BTreeMap<GroupName, Group>,
}

#[derive(Default)]
struct Group {
    /// Whether the options of the client name it: then it is not left.
    is_permanent: bool,
    is_joined: bool,
    members: Vec<Member>,
    /// Those that wait until the client is in the group.
    waiting: Vec<Joined>,
}

impl Group {
    fn report(&self, event: &SubscriptionEvent) {
        for queue in self.members.iter().filter_map(|member| member.queue.as_ref()) {
            queue.push_or_merge(Live::Event(event.clone()), Live::merge);
        }
    }

    fn mark(&self, marker: impl Fn() -> Live) {
        for queue in
            self.members.iter().filter(|member| member.wants_markers).filter_map(|m| m.queue.as_ref())
        {
            queue.push_or_merge(marker(), Live::merge);
        }
    }
}

impl Memberships {
    /// Creates the table of a client that is in these groups as long as it runs.
    pub(super) fn new(permanent: &[GroupName]) -> Self {
        let group = |name: &GroupName| (name.clone(), Group { is_permanent: true, ..Group::default() });
        Self { groups: permanent.iter().map(group).collect() }
    }

    /// Adds a member, and joins the group if the client is not in it. `connection` is the access to the history, if there is a
    /// connection.
    pub(super) fn add(
        &mut self,
        group: GroupName,
        member: Member,
        joined: Joined,
        connection: Option<Option<HistoryAccess>>,
        machine: &mut Machine,
    ) {
        if let (Some(access), Some(queue), true) = (connection, &member.queue, member.wants_markers) {
            queue.push_or_merge(Live::Connected(access), Live::merge);
        }
        let known = self.groups.get_mut(&group);
        match known {
            Some(known) if known.is_joined => {
                if let (Some(queue), true) = (&member.queue, member.wants_markers) {
                    queue.push_or_merge(Live::Joined, Live::merge);
                }
                known.members.push(member);
                // Nobody waits if the future was dropped.
                drop(joined.send(Ok(())));
            }
            Some(known) => {
                known.members.push(member);
                known.waiting.push(joined);
            }
            // Requests are taken while there is capacity, so a refusal means that the client has stopped.
            None if machine.join_group(&group).is_err() => {
                drop(joined.send(Err(SubscribeFailure::Stopped)));
            }
            None => {
                let added = Group { members: vec![member], waiting: vec![joined], ..Group::default() };
                self.groups.insert(group, added);
            }
        }
    }

    /// Whether a group has subscriptions.
    pub(super) fn has_subscriptions(&self, group: &str) -> bool {
        self.groups.get(group).is_some_and(|group| group.members.iter().any(|member| member.queue.is_some()))
    }

    /// Passes a message to the subscriptions of a group. `message` creates it with the name of the group.
    pub(super) fn deliver(&self, group: &str, message: impl FnOnce(GroupName) -> GroupMessage) {
        let Some((name, group)) = self.groups.get_key_value(group) else { return };
        let mut queues = group.members.iter().filter_map(|member| member.queue.as_ref()).peekable();
        let mut message = Some(message(name.clone()));
        while let Some(queue) = queues.next() {
            let next = if queues.peek().is_some() { message.clone() } else { message.take() };
            if let Some(next) = next {
                queue.push_or_merge(Live::Event(SubscriptionEvent::Message(next)), Live::merge);
            }
        }
    }

    /// Reports a gap to all subscriptions.
    pub(super) fn report_gap(&self, messages: Option<u64>) {
        for group in self.groups.values() {
            group.report(&SubscriptionEvent::Gap { messages });
        }
    }

    /// Handles a new connection.
    pub(super) fn connected(&self, access: Option<&HistoryAccess>) {
        for group in self.groups.values() {
            group.mark(|| Live::Connected(access.cloned()));
        }
    }

    /// Handles the end of a connection: the next one joins the groups again.
    pub(super) fn disconnected(&mut self) {
        for group in self.groups.values_mut() {
            group.is_joined = false;
        }
    }

    pub(super) fn joined(&mut self, group: &GroupName) {
        if let Some(group) = self.groups.get_mut(group) {
            group.is_joined = true;
            group.mark(|| Live::Joined);
            for waiting in group.waiting.drain(..) {
                drop(waiting.send(Ok(())));
            }
        }
    }

    /// Handles a refusal. Subscriptions that were accepted before end with it.
    pub(super) fn refused(&mut self, group: &GroupName, error: &AckError, machine: Option<&mut Machine>) {
        let Some(known) = self.groups.get_mut(group) else { return };
        known.is_joined = false;
        for waiting in known.waiting.drain(..) {
            drop(waiting.send(Err(SubscribeFailure::Refused(error.clone()))));
        }
        known.report(&SubscriptionEvent::Refused(error.clone()));
        known.members.clear();
        if !known.is_permanent {
            self.groups.remove(group);
            if let Some(machine) = machine {
                machine.forget_group(group);
            }
        }
    }

    /// Ends all subscriptions.
    pub(super) fn stopped(&mut self) {
        for group in std::mem::take(&mut self.groups).into_values() {
            for waiting in group.waiting {
                drop(waiting.send(Err(SubscribeFailure::Stopped)));
            }
        }
    }

    /// Removes members that have left, and leaves groups that nobody needs any more, as far as the machine accepts requests.
    pub(super) fn remove_absent(&mut self, machine: &mut Machine) {
        self.groups.retain(|name, group| {
            group.members.retain(|member| !member.presence.has_left());
            group.waiting.retain(|waiting| !waiting.is_closed());
            if group.is_permanent || !group.members.is_empty() {
                return true;
            }
            machine.leave_group(name) == Err(GroupRefused::WindowFull)
        });
    }
}
