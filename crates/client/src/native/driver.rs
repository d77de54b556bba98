//! The task that owns the machine.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::sync::{mpsc, watch};

use super::{
    client::{Answered, Command, Settled},
    clock::Clock,
    event_queue::EventSender,
    link::{Link, LinkEvent},
    negotiate::NegotiateEndpoint,
    stream::StreamState,
};
use crate::{
    codec::FrameRef,
    event::ClientEvent,
    failure::{InvokeFailure, SendFailure, WriteRefused},
    machine::{Effect, GroupRefused, Input, Machine, StreamEvent},
    moment::Moment,
    options::ClientOptions,
    outgoing::SendRefused,
};

/// Longest time without a look at the clock: tokio's timers stand still while the machine sleeps, and a connection that
/// died in that sleep is to be missed soon after it.
const LONGEST_NAP: Duration = Duration::from_secs(5);
/// Most frames or commands that are taken before others get their turn.
const BATCH: usize = 64;

pub(super) struct Driver {
    machine: Machine,
    clock: Clock,
    endpoint: NegotiateEndpoint,
    link: Link,
    events: EventSender,
    /// Events that found the queue full. While there are any, nothing is read from the service, so what one input
    /// brought forth is all there can be.
    unread: VecDeque<ClientEvent>,
    receipts: HashMap<u64, Settled>,
    answers: HashMap<u64, Answered>,
    streams: HashMap<u64, watch::Sender<StreamState>>,
    has_stopped: bool,
    /// The link is to be closed before anything else is done.
    must_close: bool,
    /// Nothing is read from the service, because the application does not read.
    is_paused: bool,
}

/// What woke the driver.
enum Woken {
    Link(LinkEvent),
    Command(Option<Command>),
    Stop,
    Room,
    Time,
}

impl Driver {
    pub(super) fn new(options: ClientOptions, endpoint: NegotiateEndpoint, events: EventSender) -> Self {
        // Another process started in the same instant must not retry in step with this one.
        let seed = getrandom::u64().unwrap_or_else(|_| std::process::id().into());
        Self {
            machine: Machine::new(options, seed),
            clock: Clock::start(),
            endpoint,
            link: Link::Down,
            events,
            unread: VecDeque::new(),
            receipts: HashMap::new(),
            answers: HashMap::new(),
            streams: HashMap::new(),
            has_stopped: false,
            must_close: false,
            is_paused: false,
        }
    }

    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut stopping: mpsc::Receiver<()>,
    ) {
        self.handle(Input::Start);
        loop {
            self.carry_out().await;
            if self.has_stopped {
                break;
            }
            match self.wait(&mut commands, &mut stopping).await {
                Woken::Link(event) => self.take_events_of_link(event),
                Woken::Command(Some(command)) => self.take_commands(command, &mut commands),
                Woken::Command(None) | Woken::Stop => self.handle(Input::Stop),
                Woken::Room => self.deliver_unread(),
                Woken::Time => self.handle(Input::DeadlineReached),
            }
        }
        for event in std::mem::take(&mut self.unread) {
            self.events.wait_for_capacity(&event).await;
            // There is capacity, since nobody else sends.
            drop(self.events.try_send(event));
        }
    }

    async fn wait(
        &mut self,
        commands: &mut mpsc::Receiver<Command>,
        stopping: &mut mpsc::Receiver<()>,
    ) -> Woken {
        let may_read = self.unread.is_empty();
        let capacity = async {
            if let Some(event) = self.unread.front() {
                self.events.wait_for_capacity(event).await;
            }
        };
        let may_send = self.machine.has_room() && self.link.has_room();
        let now = self.clock.now();
        let nap = self.machine.next_deadline().map(|deadline| deadline.since(now).min(LONGEST_NAP));
        tokio::select! {
            event = self.link.next(may_read) => Woken::Link(event),
            command = commands.recv(), if may_send => Woken::Command(command),
            Some(()) = stopping.recv() => Woken::Stop,
            () = capacity, if !may_read => Woken::Room,
            // Who does not read cannot judge the silence.
            () = tokio::time::sleep(nap.unwrap_or_default()), if nap.is_some() && may_read => {
                // What has come and was not read yet counts first: it may be the sign of life that is waited for.
                match self.link.next(may_read).now_or_never() {
                    Some(event) => Woken::Link(event),
                    None => Woken::Time,
                }
            }
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.machine.handle(input, now);
    }

    /// What comes in one batch comes at one time: asking two clocks for each frame would cost more than some frames do.
    fn frame_received(&mut self, frame: FrameRef<'_>, now: Moment) {
        self.machine.handle(Input::FrameReceived(frame), now);
    }

    fn take_events_of_link(&mut self, first: LinkEvent) {
        let mut event = first;
        let now = self.clock.now();
        for taken in 1.. {
            let is_frame = matches!(event, LinkEvent::Text(_) | LinkEvent::Binary(_));
            match event {
                LinkEvent::Negotiated(outcome) => self.handle(Input::Negotiated(outcome)),
                LinkEvent::Opened { subprotocol } => self.handle(Input::TransportOpened { subprotocol }),
                LinkEvent::Refused(failure) => self.handle(Input::TransportRefused(failure)),
                LinkEvent::Text(text) => self.frame_received(FrameRef::Text(&text), now),
                LinkEvent::Binary(bytes) => self.frame_received(FrameRef::Binary(&bytes), now),
                LinkEvent::Closed { code, reason } => self.handle(Input::TransportClosed { code, reason }),
            }
            // What a frame asks for is done before the next one is read; what takes time ends the batch.
            let goes_on = is_frame && taken < BATCH && self.carry_out_at_once() && self.unread.is_empty();
            if !goes_on {
                return;
            }
            match self.link.next(true).now_or_never() {
                Some(next) => event = next,
                None => return,
            }
        }
    }

    fn take_commands(&mut self, first: Command, commands: &mut mpsc::Receiver<Command>) {
        self.take(first);
        for _ in 1..BATCH {
            if !self.machine.has_room() {
                return;
            }
            let Ok(command) = commands.try_recv() else { return };
            self.take(command);
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Send { outgoing, settled } => match self.machine.send(outgoing) {
                Ok(ack_id) => drop(self.receipts.insert(ack_id, settled)),
                Err(SendRefused::Stopped(_)) => drop(settled.send(Err(SendFailure::Stopped))),
                Err(refused) => drop(settled.send(Err(SendFailure::NotTaken(refused)))),
            },
            Command::Forget { outgoing, taken } => {
                drop(taken.send(self.machine.send_and_forget(outgoing)));
            }
            Command::Join { group, settled } => {
                let asked = self.machine.join_group(&group);
                self.group_asked(asked, settled);
            }
            Command::Leave { group, settled } => {
                let asked = self.machine.leave_group(&group);
                self.group_asked(asked, settled);
            }
            Command::Invoke { event, payload, answered } => {
                self.cancel_abandoned_invocations();
                match self.machine.invoke(&event, payload) {
                    Ok(number) => drop(self.answers.insert(number, answered)),
                    Err(refused) => drop(answered.send(Err(InvokeFailure::NotTaken(refused)))),
                }
            }
            Command::OpenStream { group, options, started } => {
                let now = self.clock.now();
                let opened = self.machine.open_stream(&group, options, now).map(|number| {
                    let (state, watching) = watch::channel(StreamState::Opening);
                    self.streams.insert(number, state);
                    (number, watching)
                });
                drop(started.send(opened));
            }
            Command::WriteStream { stream, payload, written } => {
                let now = self.clock.now();
                let outcome = if self.streams.contains_key(&stream) {
                    self.machine.write_stream(stream, payload, now)
                } else {
                    Err(WriteRefused::Ended(payload))
                };
                drop(written.send(outcome));
            }
            Command::EndStream { stream, error } => {
                let now = self.clock.now();
                self.machine.end_stream(stream, error, now);
            }
        }
    }

    /// Whoever asked and does not wait any more takes nobody's place. Looked at when the next one asks: that is soon enough.
    fn cancel_abandoned_invocations(&mut self) {
        let machine = &mut self.machine;
        self.answers.retain(|invocation, answered| {
            let is_abandoned = answered.is_closed();
            if is_abandoned {
                machine.cancel_invocation(*invocation);
            }
            !is_abandoned
        });
    }

    /// Commands are taken only while there is room, so a refusal means that the client has stopped.
    fn group_asked(&mut self, asked: Result<u64, GroupRefused>, settled: Settled) {
        match asked {
            Ok(ack_id) => drop(self.receipts.insert(ack_id, settled)),
            Err(_) => drop(settled.send(Err(SendFailure::Stopped))),
        }
    }

    /// Carries out every effect.
    async fn carry_out(&mut self) {
        while !self.carry_out_at_once() {
            std::mem::take(&mut self.link).close().await;
            self.must_close = false;
        }
    }

    /// Carries out effects, up to one that takes time: closing the link. False when there is one.
    fn carry_out_at_once(&mut self) -> bool {
        if self.must_close {
            return false;
        }
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Negotiate => self.link = Link::negotiating(&self.endpoint),
                Effect::OpenTransport { url, subprotocols } => self.link = Link::opening(url, subprotocols),
                Effect::SendFrame(frame) => self.link.send(frame),
                Effect::CloseTransport => {
                    self.must_close = true;
                    return false;
                }
                Effect::AbandonTransport => self.link = Link::Down,
                // Whoever dropped a receipt does not want to know.
                Effect::Settle { ack_id, outcome, .. } => {
                    if let Some(settled) = self.receipts.remove(&ack_id) {
                        drop(settled.send(outcome));
                    }
                }
                Effect::Answer { invocation, outcome } => {
                    if let Some(answered) = self.answers.remove(&invocation) {
                        drop(answered.send(outcome));
                    }
                }
                Effect::Stream { stream, event } => self.stream_event(stream, event),
                Effect::Report(event) => self.report(event),
            }
        }
        true
    }

    fn stream_event(&mut self, stream: u64, event: StreamEvent) {
        let Some(state) = self.streams.get(&stream) else { return };
        match event {
            StreamEvent::Opened => drop(state.send_replace(StreamState::Open(0))),
            StreamEvent::Writable => state.send_modify(|state| {
                if let StreamState::Open(times) = state {
                    *times += 1;
                }
            }),
            StreamEvent::Closed(outcome) => {
                state.send_replace(StreamState::Closed(outcome));
                self.streams.remove(&stream);
            }
        }
    }

    fn report(&mut self, event: ClientEvent) {
        self.has_stopped |= event == ClientEvent::Stopped;
        self.unread.push_back(event);
        self.deliver_unread();
    }

    /// Hands over events as far as there is room.
    fn deliver_unread(&mut self) {
        while let Some(event) = self.unread.pop_front() {
            if let Some(event) = self.events.try_send(event) {
                self.unread.push_front(event);
                self.is_paused = true;
                return;
            }
        }
        if std::mem::take(&mut self.is_paused) {
            self.handle(Input::ReadingResumed);
        }
    }
}
