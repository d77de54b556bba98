//! The machine against a simulated service over a simulated network, for thousands of simulated hours.
//!
//! Everything random comes from one seed, so a failure can be run again. What is checked is what the module doc of the
//! machine promises.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use super::{
    simulated_service::{Said, SimulatedService},
    *,
};

/// What is going to happen, in the order of its kinds where times are equal.
#[derive(Debug, PartialEq)]
enum Event {
    NegotiationEnds(u64),
    SocketOpens(u64, String, Vec<Subprotocol>),
    ToService(u64, Frame),
    ToClient(u64, Said),
    ServiceNoticesLoss(u64),
    ClientNoticesLoss(u64),
    NetworkReturns,
    Fault,
    AppPublishes,
    OthersPublish,
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }
}

struct World {
    now: u64,
    random: Random,
    machine: Machine,
    service: SimulatedService,
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    events: Vec<Option<Event>>,
    order: u64,
    is_up: bool,
    may_fail: bool,
    may_publish: bool,
    latency: u64,
    /// When the last frame to the service and to the client arrives: none overtakes another.
    last_arrival: [u64; 2],
    /// Counts negotiations and sockets; the last is the one that may speak.
    attempt: u64,
    /// Sockets on which nothing arrives any more.
    dead: std::collections::BTreeSet<u64>,
    next_message: u64,
    waiting: BTreeMap<u64, u64>,
    last_heard: u64,
    gap_told: bool,
    resent: usize,
    gaps: u64,
    recoveries: u64,
    connections: u64,
    most_in_flight: usize,
}

impl World {
    fn new(seed: u64, options: ClientOptions, only_plain: bool) -> Self {
        let mut world = Self {
            now: 0,
            random: Random(seed | 1),
            machine: Machine::new(options.join(group()), seed),
            service: SimulatedService::new(only_plain),
            queue: BinaryHeap::new(),
            events: Vec::new(),
            order: 0,
            is_up: true,
            may_fail: true,
            may_publish: true,
            latency: 20,
            last_arrival: [0; 2],
            attempt: 0,
            dead: std::collections::BTreeSet::new(),
            next_message: 0,
            waiting: BTreeMap::new(),
            last_heard: 0,
            gap_told: false,
            resent: 0,
            gaps: 0,
            recoveries: 0,
            connections: 0,
            most_in_flight: 0,
        };
        for event in [Event::Fault, Event::AppPublishes, Event::OthersPublish] {
            world.later(1_000, event);
        }
        world.input(Input::Start);
        world
    }

    fn moment(&self) -> Moment {
        Moment::after_start(Duration::from_millis(self.now))
    }

    fn later(&mut self, ms: u64, event: Event) {
        self.order += 1;
        self.queue.push(Reverse((self.now + ms, self.order, self.events.len())));
        self.events.push(Some(event));
    }

    fn send_up(&mut self, event: Event) {
        self.in_order(0, event);
    }

    fn send_down(&mut self, event: Event) {
        self.in_order(1, event);
    }

    fn in_order(&mut self, direction: usize, event: Event) {
        let arrival = (self.now + self.latency).max(self.last_arrival[direction]);
        self.last_arrival[direction] = arrival;
        self.later(arrival - self.now, event);
    }

    fn input(&mut self, input: Input<'_>) {
        self.machine.handle(input, self.moment());
        self.carry_out();
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.machine.poll_effect() {
            match effect {
                Effect::Negotiate => {
                    self.attempt += 1;
                    self.later(self.latency, Event::NegotiationEnds(self.attempt));
                }
                Effect::OpenTransport { url, subprotocols } => {
                    self.attempt += 1;
                    let url = url.reveal().to_owned();
                    self.later(self.latency, Event::SocketOpens(self.attempt, url, subprotocols));
                }
                Effect::SendFrame(frame) => self.send_up(Event::ToService(self.attempt, frame)),
                Effect::CloseTransport | Effect::AbandonTransport => {
                    self.send_up(Event::ServiceNoticesLoss(self.attempt));
                    self.attempt += 1;
                }
                Effect::Settle { ack_id, outcome, .. } => {
                    assert_eq!(outcome, Ok(()), "{ack_id}");
                    assert!(self.waiting.remove(&ack_id).is_some(), "{ack_id} settled twice");
                }
                Effect::Report(event) => self.told(event),
                other => panic!("{other:?}"),
            }
        }
        self.most_in_flight = self.most_in_flight.max(self.machine.requests.len());
    }

    fn told(&mut self, event: ClientEvent) {
        match event {
            ClientEvent::GroupMessage { payload: Payload::Text(text), .. } => {
                let number: u64 = text.parse().unwrap();
                assert!(number > self.last_heard, "{number} after {}", self.last_heard);
                // Before the first join nothing is for us, and nothing can be missed.
                let is_next = number == self.last_heard + 1 || self.last_heard == 0;
                assert!(is_next || self.gap_told, "{number} after {} and no gap told", self.last_heard);
                self.last_heard = number;
                self.gap_told = false;
            }
            ClientEvent::Gap { .. } => {
                self.gap_told = true;
                self.gaps += 1;
            }
            ClientEvent::Resending { messages } => self.resent += messages,
            ClientEvent::Recovered => self.recoveries += 1,
            ClientEvent::Connected { .. } => self.connections += 1,
            ClientEvent::Stopped => panic!("it was not stopped"),
            _ => {}
        }
    }

    /// Whether what belongs to `attempt` still concerns the client.
    fn is_current(&self, attempt: u64) -> bool {
        attempt == self.attempt
    }

    /// Lets the client see that its deadline has passed, then the next event happen.
    fn step(&mut self) {
        let next = self.queue.peek().map_or(u64::MAX, |Reverse((at, ..))| *at);
        let deadline = self.machine.next_deadline().map_or(u64::MAX, |deadline| {
            u64::try_from(deadline.since(Moment::START).as_nanos().div_ceil(1_000_000)).unwrap()
        });
        if deadline <= next {
            self.now = self.now.max(deadline);
            self.service.tidy(self.moment());
            self.input(Input::DeadlineReached);
            return;
        }
        let Some(Reverse((at, _, index))) = self.queue.pop() else { return };
        self.now = self.now.max(at);
        self.service.tidy(self.moment());
        if let Some(event) = self.events[index].take() {
            self.happen(event);
        }
        if self.queue.len() * 2 < self.events.len() && self.events.len() > 10_000 {
            self.compact();
        }
    }

    /// Forgets the places of past events.
    fn compact(&mut self) {
        let mut queue = std::mem::take(&mut self.queue).into_vec();
        let mut events = Vec::with_capacity(queue.len());
        for Reverse((_, _, index)) in &mut queue {
            events.push(self.events[*index].take());
            *index = events.len() - 1;
        }
        self.queue = queue.into();
        self.events = events;
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::NegotiationEnds(attempt) if self.is_current(attempt) => {
                let outcome = if self.is_up { Ok(service_url()) } else { Err(unreachable_endpoint()) };
                self.input(Input::Negotiated(outcome));
            }
            Event::SocketOpens(attempt, url, offered) if self.is_current(attempt) => {
                self.socket_opens(attempt, &url, &offered);
            }
            Event::ToService(socket, frame) if !self.dead.contains(&socket) => {
                for said in self.service.received(socket, &frame) {
                    self.send_down(Event::ToClient(socket, said));
                }
            }
            Event::ToClient(socket, said) if self.is_current(socket) && !self.dead.contains(&socket) => {
                match said {
                    Said::Frame(frame) => self.input(Input::FrameReceived(frame.borrowed())),
                    Said::Closed(code) => {
                        self.dead.insert(socket);
                        self.input(Input::TransportClosed { code, reason: String::new() });
                    }
                }
            }
            Event::ServiceNoticesLoss(socket) => {
                self.dead.insert(socket);
                self.service.lost(socket, self.moment());
            }
            Event::ClientNoticesLoss(socket) if self.is_current(socket) => {
                self.input(Input::TransportClosed { code: 1006, reason: String::new() });
            }
            Event::NetworkReturns => {
                self.is_up = true;
                self.latency = 20;
            }
            Event::Fault if self.may_fail => {
                self.fault();
                let pause = 1_000 + self.random.below(240_000);
                self.later(pause, Event::Fault);
            }
            Event::AppPublishes if self.may_publish => {
                for _ in 0..=self.random.below(12) {
                    self.publish();
                }
                let pause = 100 + self.random.below(60_000);
                self.later(pause, Event::AppPublishes);
            }
            Event::OthersPublish => {
                for _ in 0..=self.random.below(12) {
                    for (socket, said) in self.service.broadcast() {
                        self.send_down(Event::ToClient(socket, said));
                    }
                }
                let pause = 100 + self.random.below(60_000);
                self.later(pause, Event::OthersPublish);
            }
            // What belongs to a socket or a negotiation of the past.
            _ => {}
        }
    }

    fn socket_opens(&mut self, attempt: u64, url: &str, offered: &[Subprotocol]) {
        if !self.is_up {
            let failure =
                ConnectFailure::Refused { url: "ws://h".into(), detail: String::new(), status: Some(502) };
            self.input(Input::TransportRefused(failure));
            return;
        }
        let (subprotocol, said) = self.service.opened(attempt, url, offered);
        for said in said {
            self.send_down(Event::ToClient(attempt, said));
        }
        self.input(Input::TransportOpened { subprotocol });
    }

    fn publish(&mut self) {
        let number = self.next_message;
        if let Ok(ack_id) = self.machine.send_to_group(&group(), text(&number.to_string())) {
            self.next_message += 1;
            self.waiting.insert(ack_id, number);
        }
        self.carry_out();
    }

    fn fault(&mut self) {
        let socket = self.attempt;
        let (soon, late) = (self.random.below(200), self.random.below(60_000));
        match self.random.below(8) {
            // Both sides notice at once, or soon.
            0 | 1 => {
                self.dead.insert(socket);
                self.later(soon, Event::ClientNoticesLoss(socket));
                self.later(soon / 2, Event::ServiceNoticesLoss(socket));
            }
            // Half open: the client must find out by itself, and the service may take its time.
            2 => {
                self.dead.insert(socket);
                self.later(late, Event::ServiceNoticesLoss(socket));
            }
            // Nothing gets through for a while, sometimes longer than the service remembers.
            3 => {
                self.is_up = false;
                self.dead.insert(socket);
                self.later(soon, Event::ClientNoticesLoss(socket));
                self.later(soon, Event::ServiceNoticesLoss(socket));
                self.later(late, Event::NetworkReturns);
            }
            4 => {
                self.service.restart();
                self.dead.insert(socket);
                self.later(soon, Event::ClientNoticesLoss(socket));
            }
            // The device sleeps: nothing is handled meanwhile, and the sockets die.
            5 => {
                self.now += self.random.below(600_000);
                self.dead.insert(socket);
                self.service.lost(socket, self.moment());
                self.service.tidy(self.moment());
                if soon < 100 {
                    self.input(Input::Nudged);
                }
            }
            // Slow for a while: frames overtake nothing, but come late.
            6 => {
                self.latency = 20 + self.random.below(3_000);
                self.later(late, Event::NetworkReturns);
            }
            // A gateway answers in place of the service.
            _ => {
                self.is_up = false;
                self.later(soon * 50, Event::NetworkReturns);
            }
        }
    }

    /// Goes on until `hours` have passed.
    fn run(&mut self, hours: u64) {
        let end = self.now + hours * 3_600_000;
        while self.now < end {
            self.step();
        }
    }

    /// The network is back for good: everything that waits gets through.
    fn settle_down(&mut self) {
        self.may_fail = false;
        (self.is_up, self.latency) = (true, 20);
        let end = self.now + 200_000;
        while self.now < end {
            self.step();
        }
        assert!(self.machine.is_connected(), "{:?}", self.machine.phase);
        self.may_publish = false;
        while !self.waiting.is_empty() {
            assert!(self.now < end + 60_000, "{} still wait", self.waiting.len());
            self.step();
        }
    }

    fn check(&self) {
        // No loss: every message is there. Order: first appearances are in order, and so is each connection's own.
        let mut seen = std::collections::BTreeSet::new();
        let firsts: Vec<u64> =
            self.service.log.iter().copied().filter(|number| seen.insert(*number)).collect();
        assert_eq!(firsts, (0..self.next_message).collect::<Vec<_>>());
        for published in self.service.published_by_connection() {
            assert!(published.is_sorted_by(|a, b| a < b), "{published:?}");
        }
        // No duplicate that was not announced.
        let repeated = self.service.log.len() - firsts.len();
        assert!(repeated <= self.resent, "{repeated} repeated, {} announced", self.resent);
        assert!(self.most_in_flight <= MAX_IN_FLIGHT_MESSAGES + 1);
        assert!(!self.service.ids().is_empty());
    }
}

fn unreachable_endpoint() -> ConnectFailure {
    ConnectFailure::NegotiateUnreachable { url: "http://h".into(), detail: String::new() }
}

fn simulate(
    seeds: std::ops::Range<u64>,
    hours: u64,
    options: &ClientOptions,
    only_plain: bool,
) -> (u64, u64) {
    let (mut recoveries, mut connections) = (0, 0);
    for seed in seeds {
        let mut world = World::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15), options.clone(), only_plain);
        world.run(hours);
        world.settle_down();
        world.check();
        recoveries += world.recoveries;
        connections += world.connections;
    }
    (recoveries, connections)
}

#[test]
fn over_a_thousand_hours_of_faults_nothing_is_lost_repeated_or_out_of_order() {
    let (recoveries, connections) = simulate(1..51, 20, &ClientOptions::new(), false);
    assert!(recoveries > 5_000 && connections > 5_000, "{recoveries} recoveries, {connections} connections");
}

#[test]
fn a_service_that_knows_only_the_plain_form_loses_nothing_of_ours_and_every_gap_is_told() {
    let (recoveries, connections) = simulate(1..11, 20, &ClientOptions::new(), true);
    assert!(recoveries == 0 && connections > 1_000, "{recoveries} recoveries, {connections} connections");
}

#[cfg(feature = "protobuf")]
#[test]
fn the_binary_form_keeps_the_same_promises() {
    let options = ClientOptions::new().prefer(Subprotocol::ReliableProtobuf);
    let (recoveries, _) = simulate(100..110, 20, &options, false);
    assert!(recoveries > 1_000, "{recoveries} recoveries");
}

#[test]
fn once_stopped_nothing_starts_again_wherever_it_was() {
    for seed in 1..200 {
        let mut world = World::new(seed * 7_919, ClientOptions::new(), false);
        let end = world.random.below(2_000_000);
        while world.now < end {
            world.step();
        }
        world.machine.handle(Input::Stop, world.moment());
        let mut last = None;
        let mut unsettled = world.waiting.len();
        while let Some(effect) = world.machine.poll_effect() {
            unsettled -= usize::from(matches!(effect, Effect::Settle { .. }));
            last = Some(effect);
        }
        assert_eq!((last, unsettled), (Some(Effect::Report(ClientEvent::Stopped)), 0));
        // Everything that was still on its way arrives, and nothing comes of it.
        while let Some(Reverse((at, _, index))) = world.queue.pop() {
            world.now = world.now.max(at);
            let now = world.moment();
            match world.events[index].take() {
                Some(Event::NegotiationEnds(_)) => {
                    world.machine.handle(Input::Negotiated(Ok(service_url())), now);
                }
                Some(Event::SocketOpens(..)) => world.machine.handle(PLAIN_OPENED, now),
                Some(Event::ToClient(_, Said::Frame(frame))) => {
                    world.machine.handle(Input::FrameReceived(frame.borrowed()), now);
                }
                _ => world.machine.handle(Input::TransportClosed { code: 1006, reason: String::new() }, now),
            }
            world.machine.handle(Input::DeadlineReached, now);
            assert_eq!((world.machine.poll_effect(), world.machine.next_deadline()), (None, None));
        }
        assert!(world.machine.send_to_group(&group(), text("x")).is_err());
    }
}
