//! The client as a state machine: events and the time go in, effects come out.
//!
//! It opens no socket, starts no timer and reads no clock. A driver does, and follows this contract:
//!
//! 1. Hand in one [`Input`] with the present [`Moment`] by [`Machine::handle`], or a message by
//!    [`Machine::send_to_group`].
//! 2. Carry out what [`Machine::poll_effect`] gives, in order, until it gives `None`.
//! 3. Wait for the next input, or until [`Machine::next_deadline`], then hand in [`Input::DeadlineReached`]. Early or
//!    repeated reports do no harm.
//!
//! Only the newest negotiation and the newest transport may report: [`Effect::Negotiate`], [`Effect::OpenTransport`]
//! and [`Effect::CloseTransport`] each end whatever was under way before.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use webpubsub_protocol::{
    json::{decode_response, encode_request},
    message::{AckError, Metadata, Request, Response},
    name::GroupName,
    payload::Payload,
};

use crate::{
    ack_table::AckTable,
    backoff::Backoff,
    event::ClientEvent,
    failure::{ConnectFailure, Disconnect, SendFailure},
    moment::Moment,
    negotiate::ServiceUrl,
    options::ClientOptions,
};

/// How long each step of connecting may take: negotiating, opening the WebSocket, hearing that we are connected.
pub const CONNECT_STEP_TIMEOUT: Duration = Duration::from_secs(15);
/// How often we ask the service for a sign of life. It is the only way to notice a dead connection in a browser, and
/// keeps proxies from closing an idle one. The official JavaScript client asks as often.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);
/// Without a sign of life for this long, three pings unanswered, the connection is dead.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(65);
/// The largest id that the service may read from a JSON number without loss (2^53 - 1).
const MAX_ACK_ID: u64 = (1 << 53) - 1;

/// What happened outside.
#[derive(Debug)]
pub enum Input<'a> {
    /// The application wants a connection.
    Start,
    /// [`Effect::Negotiate`] ended.
    Negotiated(Result<ServiceUrl, ConnectFailure>),
    /// The WebSocket of [`Effect::OpenTransport`] is open.
    TransportOpened,
    /// The WebSocket of [`Effect::OpenTransport`] did not open.
    TransportRefused(ConnectFailure),
    /// A text message came.
    FrameReceived(&'a str),
    /// The WebSocket is closed, by whomever.
    TransportClosed {
        /// Close code; [`ABNORMAL`](webpubsub_protocol::close::ABNORMAL) when there was none.
        code: u16,
        /// Close reason, often none.
        reason: String,
    },
    /// [`Machine::next_deadline`] has passed.
    DeadlineReached,
    /// The application wants no connection any more. Final.
    Stop,
}

/// What the driver must do.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the negotiate endpoint for a URL; answer with [`Input::Negotiated`].
    Negotiate,
    /// Open a WebSocket; answer with [`Input::TransportOpened`] or [`Input::TransportRefused`].
    OpenTransport(ServiceUrl),
    /// Send a text message.
    SendFrame(String),
    /// Close the WebSocket with code 1000 if it is open, and forget it: its end is not to be reported.
    CloseTransport,
    /// Tell the application.
    Report(ClientEvent),
    /// A message given to [`Machine::send_to_group`] is done with.
    Settle {
        /// The id that `send_to_group` gave.
        ack_id: u64,
        /// Whether the service took it.
        outcome: Result<(), SendFailure>,
    },
}

/// Why a message was not taken. It comes back with the error.
#[derive(Debug, PartialEq, Eq)]
pub enum SendRefused {
    /// As much is on its way as may be. Try again after the next [`Effect::Settle`].
    WindowFull(Payload<'static>),
    /// The client has stopped.
    Stopped(Payload<'static>),
}

/// Each phase owns what is true only then.
#[derive(Debug)]
enum Phase {
    Idle,
    Negotiating {
        give_up_at: Moment,
    },
    Opening {
        url: ServiceUrl,
        give_up_at: Moment,
    },
    /// The WebSocket is open, the service has not said `connected` yet.
    Greeting {
        url: ServiceUrl,
        give_up_at: Moment,
    },
    Connected {
        heard_at: Moment,
        ping_at: Moment,
        farewell: Option<String>,
    },
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
    /// Which group each unanswered join is for. Forgotten with the connection.
    joins: HashMap<u64, GroupName>,
    messages: AckTable,
    /// Since when there is no connection; `None` while there is one.
    without_connection_since: Option<Moment>,
    was_ever_connected: bool,
}

impl Machine {
    /// A client that waits for [`Input::Start`]. `seed` spreads the pauses between attempts; see [`Backoff`].
    #[must_use]
    pub fn new(options: ClientOptions, seed: u64) -> Self {
        Self {
            options,
            phase: Phase::Idle,
            backoff: Backoff::new(seed),
            effects: VecDeque::new(),
            next_ack_id: 1,
            joins: HashMap::new(),
            messages: AckTable::default(),
            without_connection_since: None,
            was_ever_connected: false,
        }
    }

    /// Takes one event at time `now`. An event that means nothing in this phase changes nothing.
    pub fn handle(&mut self, input: Input<'_>, now: Moment) {
        match input {
            Input::Start => self.start(now),
            Input::Negotiated(outcome) => self.negotiated(outcome, now),
            Input::TransportOpened => self.transport_opened(now),
            Input::TransportRefused(failure) => {
                if matches!(self.phase, Phase::Opening { .. }) {
                    self.attempt_failed(failure, now);
                }
            }
            Input::FrameReceived(frame) => self.frame_received(frame, now),
            Input::TransportClosed { code, reason } => self.transport_closed(code, reason, now),
            Input::DeadlineReached => self.deadline_reached(now),
            Input::Stop => self.stop(),
        }
    }

    /// The next thing to do, if any.
    #[must_use]
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to report [`Input::DeadlineReached`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Moment> {
        match &self.phase {
            Phase::Idle | Phase::Stopped => None,
            Phase::Negotiating { give_up_at }
            | Phase::Opening { give_up_at, .. }
            | Phase::Greeting { give_up_at, .. } => Some(*give_up_at),
            Phase::Connected { heard_at, ping_at, .. } => Some((*ping_at).min(*heard_at + SILENCE_LIMIT)),
            Phase::Pausing { retry_at } => Some(*retry_at),
        }
    }

    /// Whether [`Machine::send_to_group`] would take a message.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.messages.has_room()
    }

    /// Publishes `payload` to `group`, now or when there is a connection, and again on a new connection if the old one
    /// went before the service acknowledged it. [`Effect::Settle`] tells the outcome under the id returned.
    ///
    /// # Limits
    /// [`MAX_IN_FLIGHT_MESSAGES`](crate::MAX_IN_FLIGHT_MESSAGES) and
    /// [`MAX_IN_FLIGHT_BYTES`](crate::MAX_IN_FLIGHT_BYTES).
    ///
    /// # Errors
    /// [`SendRefused`], with the payload inside.
    pub fn send_to_group(
        &mut self,
        group: &GroupName,
        payload: Payload<'static>,
    ) -> Result<u64, SendRefused> {
        if matches!(self.phase, Phase::Stopped) {
            return Err(SendRefused::Stopped(payload));
        }
        if !self.messages.has_room() {
            return Err(SendRefused::WindowFull(payload));
        }
        let ack_id = self.take_ack_id();
        let frame = encode_request(&Request::SendToGroup {
            group: group.clone(),
            ack_id: Some(ack_id),
            no_echo: false,
            ttl_seconds: 0,
            payload,
            metadata: Metadata::new(),
        });
        let is_connected = matches!(self.phase, Phase::Connected { .. });
        if is_connected {
            self.effects.push_back(Effect::SendFrame(frame.clone()));
        }
        self.messages.insert(ack_id, frame, is_connected);
        Ok(ack_id)
    }

    fn take_ack_id(&mut self) -> u64 {
        let ack_id = self.next_ack_id;
        self.next_ack_id = if ack_id >= MAX_ACK_ID { 1 } else { ack_id + 1 };
        ack_id
    }

    fn report(&mut self, event: ClientEvent) {
        self.effects.push_back(Effect::Report(event));
    }

    fn start(&mut self, now: Moment) {
        if matches!(self.phase, Phase::Idle) {
            self.without_connection_since = Some(now);
            self.begin_attempt(now);
        }
    }

    fn begin_attempt(&mut self, now: Moment) {
        self.phase = Phase::Negotiating { give_up_at: now + CONNECT_STEP_TIMEOUT };
        self.report(ClientEvent::Connecting);
        self.effects.push_back(Effect::Negotiate);
    }

    fn negotiated(&mut self, outcome: Result<ServiceUrl, ConnectFailure>, now: Moment) {
        if !matches!(self.phase, Phase::Negotiating { .. }) {
            return;
        }
        match outcome {
            Ok(url) => {
                self.phase = Phase::Opening { url: url.clone(), give_up_at: now + CONNECT_STEP_TIMEOUT };
                self.effects.push_back(Effect::OpenTransport(url));
            }
            Err(failure) => self.attempt_failed(failure, now),
        }
    }

    fn transport_opened(&mut self, now: Moment) {
        if let Phase::Opening { url, .. } = &self.phase {
            self.phase = Phase::Greeting { url: url.clone(), give_up_at: now + CONNECT_STEP_TIMEOUT };
        }
    }

    fn frame_received(&mut self, frame: &str, now: Moment) {
        match &mut self.phase {
            Phase::Connected { heard_at, .. } => *heard_at = now,
            Phase::Greeting { .. } => {}
            _ => return,
        }
        match decode_response(frame) {
            Ok(Some(response)) => self.response_received(response, now),
            Ok(None) => {}
            Err(error) => {
                // What it held is lost, and we do not pretend otherwise: a new connection, and a gap that shows.
                let reason = Disconnect::MalformedFrame { detail: error.to_string() };
                self.effects.push_back(Effect::CloseTransport);
                self.connection_lost(reason, now);
            }
        }
    }

    fn response_received(&mut self, response: Response<'_>, now: Moment) {
        match response {
            Response::Connected { connection_id, user_id, .. } => self.greeted(connection_id, user_id, now),
            Response::Disconnected { message } => {
                if let Phase::Connected { farewell, .. } = &mut self.phase {
                    *farewell = Some(message);
                }
            }
            Response::Ack { ack_id, outcome } => self.acknowledged(ack_id, outcome),
            Response::GroupMessage { group, from_user_id, payload, .. } => {
                self.report(ClientEvent::GroupMessage { group, from_user_id, payload: payload.into_owned() });
            }
            Response::ServerMessage { payload, .. } => {
                self.report(ClientEvent::ServerMessage { payload: payload.into_owned() });
            }
            // A pong is a sign of life, which `heard_at` has noted; what else a later version says is not for us.
            _ => {}
        }
    }

    fn greeted(&mut self, connection_id: String, user_id: Option<String>, now: Moment) {
        if !matches!(self.phase, Phase::Greeting { .. }) {
            return;
        }
        self.phase = Phase::Connected { heard_at: now, ping_at: now + PING_INTERVAL, farewell: None };
        self.backoff.reset();
        self.without_connection_since = None;
        self.was_ever_connected = true;
        self.report(ClientEvent::Connected { connection_id, user_id });
        for group in self.options.groups.clone() {
            let ack_id = self.take_ack_id();
            let request = Request::JoinGroup { group: group.clone(), ack_id: Some(ack_id) };
            self.effects.push_back(Effect::SendFrame(encode_request(&request)));
            self.joins.insert(ack_id, group);
        }
        let messages = self.messages.sent_count();
        if messages > 0 {
            self.report(ClientEvent::Resending { messages });
        }
        self.effects.extend(self.messages.send_all().map(|frame| Effect::SendFrame(frame.to_owned())));
    }

    fn acknowledged(&mut self, ack_id: u64, outcome: Result<(), AckError>) {
        // "Duplicate" says that an earlier sending was carried out, and only its ack was lost.
        let outcome = match outcome {
            Err(error) if error.is_duplicate() => Ok(()),
            other => other,
        };
        if let Some(group) = self.joins.remove(&ack_id) {
            self.report(match outcome {
                Ok(()) => ClientEvent::Joined { group },
                Err(error) => ClientEvent::JoinRefused { group, error },
            });
        } else if self.messages.settle(ack_id) {
            self.effects.push_back(Effect::Settle { ack_id, outcome: outcome.map_err(SendFailure::Refused) });
        }
    }

    fn transport_closed(&mut self, code: u16, reason: String, now: Moment) {
        match &mut self.phase {
            Phase::Opening { url, .. } | Phase::Greeting { url, .. } => {
                let detail = if reason.is_empty() { format!("close code {code}") } else { reason };
                let url = url.without_query().to_owned();
                self.attempt_failed(ConnectFailure::Refused { url, detail, status: None }, now);
            }
            Phase::Connected { farewell, .. } => {
                let reason = match farewell.take() {
                    Some(message) => Disconnect::ByService { message },
                    None => Disconnect::Dropped { code, reason },
                };
                self.connection_lost(reason, now);
            }
            _ => {}
        }
    }

    fn connection_lost(&mut self, reason: Disconnect, now: Moment) {
        self.joins.clear();
        self.without_connection_since.get_or_insert(now);
        self.report(ClientEvent::Disconnected { reason });
        self.pause_or_stop(now);
    }

    fn attempt_failed(&mut self, failure: ConnectFailure, now: Moment) {
        let is_lasting = !failure.may_pass();
        self.report(ClientEvent::ConnectFailed { failure });
        if is_lasting && self.options.stop_on_lasting_failure && !self.was_ever_connected {
            self.end();
        } else {
            self.pause_or_stop(now);
        }
    }

    fn pause_or_stop(&mut self, now: Moment) {
        let pause = self.backoff.next_pause();
        let waited = self.without_connection_since.map_or(Duration::ZERO, |since| now.since(since));
        if self.options.give_up_after.is_some_and(|limit| waited + pause > limit) {
            self.end();
        } else {
            self.phase = Phase::Pausing { retry_at: now + pause };
            self.report(ClientEvent::RetryScheduled { after: pause });
        }
    }

    fn deadline_reached(&mut self, now: Moment) {
        let timed_out = |what: &str| ConnectFailure::TimedOut {
            url: what.to_owned(),
            seconds: CONNECT_STEP_TIMEOUT.as_secs(),
        };
        match &mut self.phase {
            Phase::Negotiating { give_up_at } if now >= *give_up_at => {
                self.attempt_failed(timed_out("the negotiate endpoint"), now);
            }
            Phase::Opening { url, give_up_at } | Phase::Greeting { url, give_up_at }
                if now >= *give_up_at =>
            {
                let failure = timed_out(url.without_query());
                self.effects.push_back(Effect::CloseTransport);
                self.attempt_failed(failure, now);
            }
            Phase::Connected { heard_at, .. } if now.since(*heard_at) >= SILENCE_LIMIT => {
                self.effects.push_back(Effect::CloseTransport);
                self.connection_lost(Disconnect::Silent { seconds: SILENCE_LIMIT.as_secs() }, now);
            }
            Phase::Connected { ping_at, .. } if now >= *ping_at => {
                *ping_at = now + PING_INTERVAL;
                self.effects.push_back(Effect::SendFrame(encode_request(&Request::Ping)));
            }
            Phase::Pausing { retry_at } if now >= *retry_at => self.begin_attempt(now),
            _ => {}
        }
    }

    fn stop(&mut self) {
        match self.phase {
            Phase::Stopped => return,
            Phase::Connected { .. } => {
                self.effects.push_back(Effect::CloseTransport);
                self.report(ClientEvent::Disconnected { reason: Disconnect::Stopped });
            }
            _ => self.effects.push_back(Effect::CloseTransport),
        }
        self.end();
    }

    /// No further attempt: every message still on its way is named as such.
    fn end(&mut self) {
        self.phase = Phase::Stopped;
        for ack_id in self.messages.abandon_all() {
            self.effects.push_back(Effect::Settle { ack_id, outcome: Err(SendFailure::Stopped) });
        }
        self.report(ClientEvent::Stopped);
    }
}

#[cfg(test)]
mod tests;
