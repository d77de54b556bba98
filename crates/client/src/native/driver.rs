//! The task that owns the machine.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::{
    clock::Clock,
    link::{Link, LinkEvent},
    network::Network,
};
use crate::{
    client::{Command, Control, Dispatcher},
    codec::FrameRef,
    machine::{Effect, Input, Machine},
    moment::Moment,
    options::ClientOptions,
    service_endpoint::ServiceEndpoint,
};

/// Longest time without a look at the clock: the timers of tokio stand still while the machine sleeps, and a connection that died in
/// that sleep is to be noticed soon after it.
const LONGEST_NAP: Duration = Duration::from_secs(5);
/// Most frames or requests that are handled before others get their turn.
const BATCH: usize = 64;

pub(super) struct Driver {
    machine: Machine,
    clock: Clock,
    endpoint: ServiceEndpoint,
    network: Arc<Network>,
    link: Link,
    dispatcher: Dispatcher,
    control: Arc<Control>,
    /// The link is to be closed before anything else is done.
    must_close: bool,
}

/// Event that woke the driver.
enum Woken {
    Link(LinkEvent),
    Command(Option<Command>),
    Control,
    Time,
}

impl Driver {
    pub(super) fn new(
        options: ClientOptions,
        endpoint: ServiceEndpoint,
        network: Arc<Network>,
        dispatcher: Dispatcher,
    ) -> Self {
        // Another process started in the same instant must not retry in step with this one.
        let seed = getrandom::u64().unwrap_or_else(|_| std::process::id().into());
        Self {
            machine: Machine::new(options, seed),
            clock: Clock::start(),
            endpoint,
            network,
            link: Link::Down,
            control: Arc::clone(dispatcher.control()),
            dispatcher,
            must_close: false,
        }
    }

    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        self.handle(Input::Start);
        loop {
            self.carry_out().await;
            if self.dispatcher.has_stopped() {
                return;
            }
            match self.wait(&mut commands).await {
                Woken::Link(event) => self.take_events_of_link(event),
                Woken::Command(Some(command)) => self.take_commands(command, &mut commands),
                Woken::Command(None) => self.handle(Input::Stop),
                Woken::Control => self.woken(),
                Woken::Time => self.handle(Input::DeadlineReached),
            }
        }
    }

    async fn wait(&mut self, commands: &mut mpsc::Receiver<Command>) -> Woken {
        // A client that reads nothing cannot judge the silence.
        let may_read = !self.dispatcher.is_blocked();
        let may_send = self.machine.has_room() && self.link.has_room();
        let now = self.clock.now();
        let nap = self.machine.next_deadline().map(|deadline| deadline.since(now).min(LONGEST_NAP));
        tokio::select! {
            event = self.link.next(may_read) => Woken::Link(event),
            command = commands.recv(), if may_send => Woken::Command(command),
            () = self.control.woken() => Woken::Control,
            () = tokio::time::sleep(nap.unwrap_or_default()), if nap.is_some() && may_read => {
                // What has arrived and was not read yet counts first: it may be the sign of life that is awaited.
                match self.link.next(may_read).now_or_never() {
                    Some(event) => Woken::Link(event),
                    None => Woken::Time,
                }
            }
        }
    }

    fn woken(&mut self) {
        let reads_again = self.dispatcher.woken(&mut self.machine);
        // A request that waits for a place in a full window would never be taken without a connection.
        let is_orphaned =
            self.control.has_no_client() && !self.machine.has_room() && !self.machine.is_connected();
        if self.control.is_stopping() || is_orphaned {
            self.handle(Input::Stop);
        } else if reads_again {
            self.handle(Input::ReadingResumed);
        }
    }

    fn handle(&mut self, input: Input<'_>) {
        let now = self.clock.now();
        self.machine.handle(input, now);
    }

    /// Frames of one batch arrive at one time: reading two clocks for each would cost more than some frames do.
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
            // The effects of a frame are carried out before the next one is read; one that takes time ends the batch.
            let goes_on =
                is_frame && taken < BATCH && self.carry_out_at_once() && !self.dispatcher.is_blocked();
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
        let now = self.clock.now();
        self.dispatcher.take(first, &mut self.machine, now);
        for _ in 1..BATCH {
            if !self.machine.has_room() {
                return;
            }
            let Ok(command) = commands.try_recv() else { return };
            self.dispatcher.take(command, &mut self.machine, now);
        }
    }

    /// Carries out every effect.
    async fn carry_out(&mut self) {
        while !self.carry_out_at_once() {
            std::mem::take(&mut self.link).close(self.network.timeouts.close).await;
            self.must_close = false;
        }
    }

    /// Carries out effects, up to one that takes time: closing the link. Returns `false` if there is one.
    fn carry_out_at_once(&mut self) -> bool {
        if self.must_close {
            return false;
        }
        while let Some(effect) = self.machine.poll_effect() {
            match self.dispatcher.dispatch(effect, &mut self.machine) {
                Some(Effect::Negotiate) => self.link = Link::negotiating(&self.endpoint, &self.network),
                Some(Effect::OpenTransport { url, subprotocols }) => {
                    self.link = Link::opening(url, subprotocols, &self.network);
                }
                Some(Effect::SendFrame(frame)) => self.link.send(frame),
                Some(Effect::CloseTransport) => {
                    self.must_close = true;
                    return false;
                }
                Some(Effect::AbandonTransport) => self.link = Link::Down,
                // The others are for the application.
                _ => {}
            }
        }
        true
    }
}
