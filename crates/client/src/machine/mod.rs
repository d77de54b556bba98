//! The client as a state machine: events and the time go in, effects come out.
//!
//! It opens no socket, starts no timer and reads no clock. A driver does, and follows this contract:
//!
//! 1. Hand in one [`Input`] with the present [`Moment`] by [`Machine::handle`], or call one of the methods that ask for
//!    something ([`Machine::send`], [`Machine::join_group`], …).
//! 2. Carry out what [`Machine::poll_effect`] gives, in order, until it gives `None`.
//! 3. Wait for the next input, or until [`Machine::next_deadline`], then hand in [`Input::DeadlineReached`]. Early or
//!    repeated reports do no harm.
//!
//! Only the newest negotiation and the newest transport may report: [`Effect::Negotiate`], [`Effect::OpenTransport`],
//! [`Effect::CloseTransport`] and [`Effect::AbandonTransport`] each end whatever was under way before.
//!
//! # What holds
//! Tests run the machine against a simulated service and a simulated network, in random orders of events, and check:
//!
//! - **No loss.** A message that was taken is carried out by the service, or its [`Effect::Settle`] says that it was
//!   not. A message of the service is reported, or a [`ClientEvent::Gap`] stands in its place.
//! - **No duplicate.** As long as the service keeps the connection, a message is carried out once and reported once,
//!   however often the network fails. Where the service has forgotten the connection, [`ClientEvent::Resending`] says
//!   so before anything is sent again.
//! - **Order.** Messages are carried out in the order in which they were taken, and reported in the order of the
//!   service.
//! - **Bounds.** At most [`MAX_IN_FLIGHT_MESSAGES`](crate::MAX_IN_FLIGHT_MESSAGES) requests of the application wait, and
//!   everything else is bounded by a constant of its own.
//! - **Progress.** Once the network is back, a client that was not stopped is connected again within the longest pause
//!   and the time limits of its steps, and everything that waits is settled. A client that is refused stops instead: see
//!   [`ConnectFailure`](ConnectFailure#temporary-and-permanent-failures).
//! - **Stop is final.** After [`Input::Stop`] there is [`ClientEvent::Stopped`], and nothing else ever.

mod connecting;
mod receiving;
mod recovering;
mod sending;
mod streaming;

use std::{collections::VecDeque, time::Duration};

use webpubsub_protocol::{message::Request, name::GroupName, payload::Payload, subprotocol::Subprotocol};

use crate::{
    ack_table::AckTable,
    backoff::Backoff,
    codec::{self, Frame, FrameRef},
    connection::Connection,
    event::ClientEvent,
    failure::{ConnectFailure, Disconnect, InvokeFailure, SendFailure, StreamFailure},
    invocations::Invocations,
    moment::Moment,
    negotiate::ServiceUrl,
    numbered::Numbered,
    options::ClientOptions,
    outbound_stream::OutboundStream,
    recovery::{Recovering, Step, StepLimit},
};

pub use sending::GroupRefused;
pub use streaming::StreamOptions;

/// How long each step of connecting may take: negotiating, opening the WebSocket, hearing that we are connected.
pub const CONNECT_STEP_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection that lasted this long was a success: the pauses between attempts begin with the shortest again. One that
/// the service ends sooner was none, and a service that ends each at once is not to be stormed.
pub const STABLE_AFTER: Duration = Duration::from_secs(5);
/// The largest id that the service may read from a JSON number without loss (2^53 - 1).
const MAX_ACK_ID: u64 = (1 << 53) - 1;

/// Event from outside.
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The application wants a connection.
    Start,
    /// [`Effect::Negotiate`] ended.
    Negotiated(Result<ServiceUrl, ConnectFailure>),
    /// The WebSocket of [`Effect::OpenTransport`] is open.
    TransportOpened {
        /// Subprotocol that the service chose of those that were offered.
        subprotocol: Option<Subprotocol>,
    },
    /// The WebSocket of [`Effect::OpenTransport`] did not open.
    TransportRefused(ConnectFailure),
    /// A message came.
    FrameReceived(FrameRef<'a>),
    /// The WebSocket is closed, by whomever.
    TransportClosed {
        /// Close code; [`ABNORMAL`](webpubsub_protocol::close::ABNORMAL) when there was none.
        code: u16,
        /// Close reason, often none.
        reason: String,
    },
    /// [`Machine::next_deadline`] has passed.
    DeadlineReached,
    /// The device may have slept or changed its network, or someone looks at it again: a connection is asked for a sign
    /// of life, and who waits for the next attempt waits no longer.
    Nudged,
    /// The application took nothing for a while, and the driver read nothing: silence until now means nothing.
    ReadingResumed,
    /// The application wants no connection any more. Final.
    Stop,
}

/// Work for the driver.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// Ask the negotiate endpoint for a URL; answer with [`Input::Negotiated`].
    Negotiate,
    /// Open a WebSocket; answer with [`Input::TransportOpened`] or [`Input::TransportRefused`].
    OpenTransport {
        /// URL.
        url: ServiceUrl,
        /// Subprotocols to offer, in this order.
        subprotocols: Vec<Subprotocol>,
    },
    /// Send a message.
    SendFrame(Frame),
    /// Close the WebSocket with code 1000 if it is open, and forget it: its end is not to be reported. The service
    /// forgets the connection.
    CloseTransport,
    /// Cancel the negotiation, or drop the WebSocket without a close frame (or with one that has no code). Its end is not
    /// to be reported. The service retains the connection of a dropped WebSocket for a while.
    AbandonTransport,
    /// Report an event to the application.
    Report(ClientEvent),
    /// A request given to [`Machine::send`], [`Machine::join_group`] or [`Machine::leave_group`] is done with.
    Settle {
        /// The id that the call gave.
        ack_id: u64,
        /// Whether the service had carried it out already, and only its acknowledgement was lost.
        is_duplicate: bool,
        /// Whether the service carried it out.
        outcome: Result<(), SendFailure>,
    },
    /// An invocation given to [`Machine::invoke`] is done with.
    Answer {
        /// The number that the call gave.
        invocation: u64,
        /// The answer, which may have no payload.
        outcome: Result<Option<Payload<'static>>, InvokeFailure>,
    },
    /// Event of a stream given to [`Machine::open_stream`].
    Stream {
        /// The number that the call gave.
        stream: u64,
        /// Event.
        event: StreamEvent,
    },
}

/// Event of a stream that the application publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// The service takes it.
    Opened,
    /// There is room again, after a fragment was refused for want of it.
    Writable,
    /// It has ended: the last event of a stream. `Ok` when its publisher ended it and the service has every fragment.
    Closed(Result<(), StreamFailure>),
}

/// Each phase owns what is true only then.
#[derive(Debug)]
enum Phase {
    Idle,
    Negotiating {
        limit: StepLimit,
    },
    Opening {
        url: ServiceUrl,
        limit: StepLimit,
    },
    /// The WebSocket is open, the service has not sent `connected` yet.
    Greeting {
        url: ServiceUrl,
        subprotocol: Subprotocol,
        limit: StepLimit,
    },
    Connected(Box<Connection>),
    Recovering(Recovering),
    Pausing {
        retry_at: Moment,
    },
    Stopped,
}

/// A client of one hub.
#[derive(Debug)]
pub struct Machine {
    options: ClientOptions,
    phase: Phase,
    backoff: Backoff,
    effects: VecDeque<Effect>,
    next_ack_id: u64,
    /// Groups to be a member of on every connection.
    groups: Vec<GroupName>,
    requests: AckTable,
    invocations: Invocations,
    streams: Numbered<OutboundStream>,
    next_stream: u64,
    /// Makes names of streams unlike those of other clients.
    seed: u64,
    /// Since when there is no connection; `None` while there is one.
    without_connection_since: Option<Moment>,
    was_ever_connected: bool,
}

impl Machine {
    /// A client that waits for [`Input::Start`]. `seed` spreads the pauses between attempts; see [`Backoff`].
    #[must_use]
    pub fn new(options: ClientOptions, seed: u64) -> Self {
        Self {
            groups: options.groups.clone(),
            phase: Phase::Idle,
            backoff: Backoff::between(
                options.timeouts.first_retry_pause,
                options.timeouts.longest_retry_pause,
                seed,
            ),
            effects: VecDeque::new(),
            next_ack_id: 1,
            requests: AckTable::new(&options.limits),
            invocations: Invocations::new(options.limits.invocations),
            streams: Numbered::default(),
            next_stream: 1,
            seed,
            without_connection_since: None,
            was_ever_connected: false,
            options,
        }
    }

    /// Takes one event at time `now`. An event that means nothing in this phase changes nothing.
    pub fn handle(&mut self, input: Input<'_>, now: Moment) {
        if let Phase::Connected(connection) = &mut self.phase {
            connection.liveness.awake(now);
        }
        match input {
            Input::Start => self.start(now),
            Input::Negotiated(outcome) => self.negotiated(outcome, now),
            Input::TransportOpened { subprotocol } => self.transport_opened(subprotocol, now),
            Input::TransportRefused(failure) => self.transport_refused(failure, now),
            Input::FrameReceived(frame) => self.frame_received(frame, now),
            Input::TransportClosed { code, reason } => self.transport_closed(code, reason, now),
            Input::DeadlineReached => self.deadline_reached(now),
            Input::Nudged => self.nudged(now),
            Input::ReadingResumed => {
                if let Phase::Connected(connection) = &mut self.phase {
                    connection.liveness.heard(now);
                }
            }
            Input::Stop => self.stop(),
        }
    }

    /// The next thing to do, if any.
    #[must_use]
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Whether [`Machine::poll_effect`] has something to do.
    #[must_use]
    pub fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// When to report [`Input::DeadlineReached`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        match &self.phase {
            Phase::Idle | Phase::Stopped => None,
            Phase::Negotiating { limit } | Phase::Opening { limit, .. } | Phase::Greeting { limit, .. } => {
                Some(limit.give_up_at)
            }
            Phase::Connected(connection) => {
                let streams = self.streams.values().filter_map(OutboundStream::deadline);
                streams.chain(connection.sequence.ack_due()).chain(connection.liveness.deadline()).min()
            }
            Phase::Recovering(recovering) => Some(recovering.deadline()),
            Phase::Pausing { retry_at } => Some(*retry_at),
        }
    }

    fn report(&mut self, event: ClientEvent) {
        self.effects.push_back(Effect::Report(event));
    }

    /// Sends a request on the connection that there is; does nothing without one.
    fn send_request(&mut self, request: &Request<'_>) {
        if let Phase::Connected(connection) = &self.phase {
            self.effects.push_back(Effect::SendFrame(codec::encode(connection.subprotocol, request)));
        }
    }

    fn deadline_reached(&mut self, now: Moment) {
        match &mut self.phase {
            Phase::Negotiating { .. }
            | Phase::Opening { .. }
            | Phase::Greeting { .. }
            | Phase::Pausing { .. } => {
                self.connecting_deadline(now);
            }
            Phase::Connected(connection) => {
                let subprotocol = connection.subprotocol;
                let send = |request: &Request<'_>| Effect::SendFrame(codec::encode(subprotocol, request));
                if let Some(silence) = connection.liveness.fatal_silence(now) {
                    self.effects.push_back(Effect::AbandonTransport);
                    self.transport_lost(Disconnect::Silent { seconds: silence.as_secs() }, true, now);
                    return;
                }
                if let Some(sequence_id) = connection.sequence.take_due_ack(now) {
                    self.effects.push_back(send(&Request::SequenceAck { sequence_id }));
                }
                if connection.liveness.take_due_ping(now) {
                    self.effects.push_back(send(&Request::Ping));
                }
                self.fail_unanswered_streams(now);
                self.pump_streams(now);
            }
            Phase::Recovering(_) => self.recovery_deadline(now),
            Phase::Idle | Phase::Stopped => {}
        }
    }

    fn nudged(&mut self, now: Moment) {
        match &mut self.phase {
            Phase::Connected(connection) => {
                let asks = connection.liveness.doubted(now);
                if asks {
                    self.send_request(&Request::Ping);
                }
            }
            Phase::Recovering(Recovering { step: Step::Waiting { retry_at }, .. })
            | Phase::Pausing { retry_at } => {
                *retry_at = now;
                self.deadline_reached(now);
            }
            _ => {}
        }
    }

    fn stop(&mut self) {
        match &self.phase {
            Phase::Stopped => return,
            Phase::Connected(_) | Phase::Recovering(_) => {
                self.effects.push_back(Effect::CloseTransport);
                self.report(ClientEvent::Disconnected { reason: Disconnect::Stopped });
            }
            _ => self.effects.push_back(Effect::CloseTransport),
        }
        self.end();
    }

    /// Makes no further attempt, and fails all requests in flight.
    fn end(&mut self) {
        self.phase = Phase::Stopped;
        for ack_id in self.requests.abandon_all() {
            let outcome = Err(SendFailure::Stopped);
            self.effects.push_back(Effect::Settle { ack_id, is_duplicate: false, outcome });
        }
        for invocation in self.invocations.end_all() {
            self.effects.push_back(Effect::Answer { invocation, outcome: Err(InvokeFailure::Stopped) });
        }
        self.fail_streams(&StreamFailure::Stopped);
        self.report(ClientEvent::Stopped);
    }
}

#[cfg(test)]
mod tests;
