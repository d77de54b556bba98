//! Dispatcher: passes requests of the application to the machine, and its reports to those that wait for them.
//!
//! Both drivers use it. It has no task and no clock of its own.

use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::{
    command::{Answered, Command},
    control::Control,
    memberships::Memberships,
    queue::QueueSender,
    receipt::Settled,
    state::ClientState,
    stream::StreamState,
    subscription::GroupMessage,
};
use crate::{
    event::ClientEvent,
    failure::{ConnectFailure, InvokeFailure, SendFailure, WriteRefused},
    machine::{Effect, Machine, StreamEvent},
    moment::Moment,
    numbered::Numbered,
    options::ClientOptions,
    outgoing::SendRefused,
    platform::{self, MaybeSend},
};

/// Listener that the driver calls with each event.
pub(crate) trait EventListener: FnMut(ClientEvent) + MaybeSend {}
impl<F: FnMut(ClientEvent) + MaybeSend> EventListener for F {}

/// Sender of the outcome of the first attempts to connect.
pub(crate) struct FirstConnection {
    pub(crate) outcome: oneshot::Sender<Result<(), Option<ConnectFailure>>>,
    /// Whether failures that are retried are no outcome.
    pub(crate) waits_for_retries: bool,
}

/// Ends of the channels to the application that a driver starts with.
pub(crate) struct Outputs {
    pub(crate) state: watch::Sender<ClientState>,
    pub(crate) events: Vec<QueueSender<ClientEvent>>,
    pub(crate) listener: Option<Box<dyn EventListener>>,
    pub(crate) first: Option<FirstConnection>,
    pub(crate) control: Arc<Control>,
}

pub(crate) struct Dispatcher {
    outputs: Outputs,
    memberships: Memberships,
    receipts: Numbered<Settled>,
    answers: Numbered<Answered>,
    streams: Numbered<watch::Sender<StreamState>>,
    drains: Vec<oneshot::Sender<()>>,
    has_stopped: bool,
    /// Whether members may have left since the last look.
    has_absent: bool,
    /// Whether events are unread up to the limit, so that nothing further may be read from the service.
    is_blocked: bool,
}

impl Dispatcher {
    pub(crate) fn new(options: &ClientOptions, outputs: Outputs) -> Self {
        Self {
            outputs,
            memberships: Memberships::new(&options.groups),
            receipts: Numbered::default(),
            answers: Numbered::default(),
            streams: Numbered::default(),
            drains: Vec::new(),
            has_stopped: false,
            has_absent: false,
            is_blocked: false,
        }
    }

    pub(crate) fn control(&self) -> &Arc<Control> {
        &self.outputs.control
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.has_stopped
    }

    /// Whether the application leaves events unread, so that nothing further may be read from the service.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code, reason = "a browser cannot be kept from reading"))]
    pub(crate) fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// Handles a wake of the [`Control`]. Returns whether the application reads again after it had blocked the client.
    pub(crate) fn woken(&mut self, machine: &mut Machine) -> bool {
        self.has_absent = true;
        self.outputs.events.retain(|events| !events.is_abandoned());
        self.clean_up(machine);
        let is_blocked = platform::CAN_BLOCK && self.outputs.events.iter().any(QueueSender::is_full);
        std::mem::replace(&mut self.is_blocked, is_blocked) && !is_blocked
    }

    fn clean_up(&mut self, machine: &mut Machine) {
        if self.has_absent && machine.has_room() {
            self.has_absent = false;
            self.memberships.remove_absent(machine);
        }
    }

    /// Passes a request to the machine. There must be capacity for it.
    pub(crate) fn take(&mut self, command: Command, machine: &mut Machine, now: Moment) {
        match command {
            Command::Send { outgoing, settled } => match machine.send(outgoing) {
                Ok(ack_id) => self.receipts.insert(ack_id, settled),
                Err(SendRefused::Stopped(_)) => drop(settled.send(Err(SendFailure::Stopped))),
                Err(refused) => drop(settled.send(Err(SendFailure::NotTaken(refused)))),
            },
            Command::Forget { outgoing, taken } => drop(taken.send(machine.send_and_forget(outgoing))),
            Command::Join { group, member, joined } => {
                let state = self.outputs.state.borrow().connection().map(|details| details.history.clone());
                self.memberships.add(group, member, joined, state, machine);
            }
            Command::Invoke { event, payload, answered } => {
                self.cancel_abandoned_invocations(machine);
                match machine.invoke(&event, payload) {
                    Ok(number) => self.answers.insert(number, answered),
                    Err(refused) => drop(answered.send(Err(InvokeFailure::NotTaken(refused)))),
                }
            }
            Command::OpenStream { group, options, started } => {
                let opened = machine.open_stream(&group, options, now).map(|number| {
                    let (state, watching) = watch::channel(StreamState::Opening);
                    self.streams.insert(number, state);
                    (number, watching)
                });
                drop(started.send(opened));
            }
            Command::WriteStream { stream, payload, written } => {
                let outcome = if self.streams.get_mut(stream).is_some() {
                    machine.write_stream(stream, payload, now)
                } else {
                    Err(WriteRefused::Ended(payload))
                };
                drop(written.send(outcome));
            }
            Command::EndStream { stream, error } => machine.end_stream(stream, error, now),
            Command::Drain { drained } => {
                self.drains.push(drained);
                self.report_drained();
            }
            Command::Observe { events } => {
                for event in self.outputs.state.borrow().events() {
                    events.push(event);
                }
                self.outputs.events.push(events);
            }
        }
    }

    /// A dropped invocation frees its place when the next one starts.
    fn cancel_abandoned_invocations(&mut self, machine: &mut Machine) {
        let abandoned: Vec<u64> = self
            .answers
            .iter()
            .filter(|(_, answered)| answered.is_closed())
            .map(|(invocation, _)| invocation)
            .collect();
        for invocation in abandoned {
            self.answers.remove(invocation);
            machine.cancel_invocation(invocation);
        }
    }

    /// Passes an effect to the application. Returns one that is for the driver.
    pub(crate) fn dispatch(&mut self, effect: Effect, machine: &mut Machine) -> Option<Effect> {
        match effect {
            Effect::Report(event) => self.report(event, machine),
            Effect::Settle { ack_id, outcome, .. } => self.settle(ack_id, outcome, machine),
            Effect::Answer { invocation, outcome } => {
                if let Some(answered) = self.answers.remove(invocation) {
                    drop(answered.send(outcome));
                }
            }
            Effect::Stream { stream, event } => self.stream_event(stream, event),
            for_driver => return Some(for_driver),
        }
        None
    }

    fn settle(&mut self, ack_id: u64, outcome: Result<(), SendFailure>, machine: &mut Machine) {
        // A receipt may have been dropped. Joins and leaves have none: their events say more.
        if let Some(settled) = self.receipts.remove(ack_id) {
            drop(settled.send(outcome));
        }
        self.report_drained();
        self.clean_up(machine);
    }

    fn report_drained(&mut self) {
        if self.receipts.is_empty() {
            for drained in self.drains.drain(..) {
                // Nobody waits if the future was dropped.
                drained.send(()).unwrap_or_default();
            }
        }
    }

    fn stream_event(&mut self, stream: u64, event: StreamEvent) {
        let Some(state) = self.streams.get_mut(stream) else { return };
        match event {
            StreamEvent::Opened => drop(state.send_replace(StreamState::Open(0))),
            StreamEvent::Writable => state.send_modify(|state| {
                if let StreamState::Open(times) = state {
                    *times += 1;
                }
            }),
            StreamEvent::Closed(outcome) => {
                state.send_replace(StreamState::Closed(outcome));
                self.streams.remove(stream);
            }
        }
    }

    fn report(&mut self, event: ClientEvent, machine: &mut Machine) {
        let is_message = matches!(event, ClientEvent::GroupMessage { .. });
        if !is_message {
            self.track(&event, machine);
        }
        let has_subscriptions = match &event {
            ClientEvent::GroupMessage { group, .. } => self.memberships.has_subscriptions(group),
            _ => false,
        };
        let has_listener = self.outputs.listener.is_some();
        let mut event = Some(event);
        let mut observers = self.outputs.events.iter().peekable();
        while let Some(observer) = observers.next() {
            let is_last = observers.peek().is_none() && !has_subscriptions && !has_listener;
            let next = if is_last { event.take() } else { event.clone() };
            if let Some(next) = next {
                if platform::CAN_BLOCK {
                    self.is_blocked |= observer.push(next);
                } else {
                    observer.push_or_merge(next, super::events::merge);
                }
            }
        }
        let message = match (has_subscriptions, has_listener) {
            (false, _) => None,
            (true, false) => event.take(),
            (true, true) => event.clone(),
        };
        if let Some(ClientEvent::GroupMessage {
            group,
            from_user_id,
            payload,
            sequence_id,
            metadata,
            stream,
        }) = message
        {
            self.memberships.deliver(&group, |group| GroupMessage {
                group,
                from_user_id,
                payload,
                sequence_id,
                metadata,
                stream,
                published_ms: None,
            });
        }
        if let (Some(listener), Some(event)) = (&mut self.outputs.listener, event) {
            listener(event);
        }
    }

    /// Updates the state and the memberships.
    fn track(&mut self, event: &ClientEvent, machine: &mut Machine) {
        let after = self.outputs.state.borrow().after(event);
        if let Some(state) = after {
            self.outputs.state.send_replace(state);
        }
        match event {
            ClientEvent::Connected { history, .. } => {
                self.memberships.connected(history.as_ref());
                self.first_outcome(Ok(()));
            }
            ClientEvent::ConnectFailed { failure }
                if self.outputs.first.as_ref().is_some_and(|first| !first.waits_for_retries) =>
            {
                self.first_outcome(Err(Some(failure.clone())));
            }
            ClientEvent::Disconnected { .. } => self.memberships.disconnected(),
            ClientEvent::Gap { messages } => self.memberships.report_gap(*messages),
            ClientEvent::Joined { group } => self.memberships.joined(group),
            ClientEvent::JoinRefused { group, error } => {
                self.memberships.refused(group, error, Some(machine));
            }
            ClientEvent::Stopped => {
                self.has_stopped = true;
                self.memberships.stopped();
                self.drains.clear();
                let failure = match &*self.outputs.state.borrow() {
                    ClientState::Stopped { failure } => failure.clone(),
                    _ => None,
                };
                self.first_outcome(Err(failure));
            }
            _ => {}
        }
    }

    fn first_outcome(&mut self, outcome: Result<(), Option<ConnectFailure>>) {
        if let Some(first) = self.outputs.first.take() {
            drop(first.outcome.send(outcome));
        }
    }
}
