//! Opening a connection: negotiation, WebSocket, first message; retries after a pause.

use std::time::Duration;

use webpubsub_protocol::{message::Request, subprotocol::Subprotocol};

use super::{Effect, Machine, Phase};
use crate::{
    ack_table::Purpose,
    codec,
    connection::{Connection, ReconnectionToken},
    event::ClientEvent,
    failure::{ConnectFailure, Disconnect, InvokeFailure, StreamFailure},
    liveness::Liveness,
    moment::Moment,
    negotiate::ServiceUrl,
    recovery::StepLimit,
    sequence::{AckRules, SequenceTracker},
};

/// First message of a service.
pub(super) struct Greeting {
    pub(super) connection_id: String,
    pub(super) user_id: Option<String>,
    pub(super) reconnection_token: Option<String>,
    pub(super) run_id: Option<String>,
}

impl Machine {
    pub(super) fn start(&mut self, now: Moment) {
        if matches!(self.phase, Phase::Idle) {
            self.without_connection_since = Some(now);
            self.begin_attempt(now);
        }
    }

    fn begin_attempt(&mut self, now: Moment) {
        self.phase = Phase::Negotiating { limit: self.step_limit(self.options.timeouts.connect_step, now) };
        self.report(ClientEvent::Connecting);
        // A fresh URL for each connection: the token of the last one may have expired.
        self.effects.push_back(Effect::Negotiate);
    }

    pub(super) fn negotiated(&mut self, outcome: Result<ServiceUrl, ConnectFailure>, now: Moment) {
        if !matches!(self.phase, Phase::Negotiating { .. }) {
            return;
        }
        match outcome {
            Ok(url) => {
                let limit = self.step_limit(self.options.timeouts.connect_step, now);
                self.phase = Phase::Opening { url: url.clone(), limit };
                let subprotocols = self.options.subprotocols.clone();
                self.effects.push_back(Effect::OpenTransport { url, subprotocols });
            }
            Err(failure) => self.attempt_failed(failure, now),
        }
    }

    pub(super) fn transport_opened(&mut self, subprotocol: Option<Subprotocol>, now: Moment) {
        match &self.phase {
            Phase::Opening { url, .. } => {
                let url = url.clone();
                match subprotocol.filter(|chosen| self.options.subprotocols.contains(chosen)) {
                    Some(subprotocol) => {
                        let limit = self.step_limit(self.options.timeouts.connect_step, now);
                        self.phase = Phase::Greeting { url, subprotocol, limit };
                    }
                    None => {
                        self.effects.push_back(Effect::CloseTransport);
                        self.attempt_failed(no_subprotocol(&url, &self.options.subprotocols), now);
                    }
                }
            }
            Phase::Recovering(_) => self.recovery_opened(now),
            _ => {}
        }
    }

    pub(super) fn transport_refused(&mut self, failure: ConnectFailure, now: Moment) {
        match self.phase {
            Phase::Opening { .. } => self.attempt_failed(failure, now),
            Phase::Recovering(_) => self.recovery_attempt_failed(failure, now),
            _ => {}
        }
    }

    /// The service says `connected`.
    pub(super) fn greeted(&mut self, greeting: Greeting, now: Moment) {
        let Greeting { connection_id, user_id, reconnection_token: token, run_id } = greeting;
        match &mut self.phase {
            // A later greeting brings a fresh token and says nothing new to the application.
            Phase::Connected(connection) if connection.id == connection_id => {
                connection.token = token.map(ReconnectionToken).or(connection.token.take());
            }
            Phase::Greeting { url, subprotocol, .. } => {
                let subprotocol = *subprotocol;
                let history = run_id.and_then(|run_id| url.history_access(run_id));
                let connection = Connection {
                    url: url.clone(),
                    subprotocol,
                    id: connection_id.clone(),
                    token: token.map(ReconnectionToken),
                    connected_at: now,
                    liveness: Liveness::new(self.options.timeouts.keep_alive(), now),
                    sequence: SequenceTracker::new(AckRules::of(&self.options)),
                    farewell: None,
                    recovered_at: None,
                };
                self.phase = Phase::Connected(Box::new(connection));
                self.without_connection_since = None;
                self.report(ClientEvent::Connected { connection_id, user_id, subprotocol, history });
                if std::mem::replace(&mut self.was_ever_connected, true) {
                    self.report(ClientEvent::Gap { messages: None });
                }
                self.send_everything_anew(subprotocol);
            }
            _ => {}
        }
    }

    /// Joins the groups, then sends what waits: on a new connection, which knows nothing yet.
    fn send_everything_anew(&mut self, subprotocol: Subprotocol) {
        let sent_before = self.requests.sent_messages();
        let groups: Vec<_> =
            self.groups.iter().filter(|group| !self.requests.is_joining(group)).cloned().collect();
        let mut joins = Vec::new();
        for group in groups {
            let ack_id = self.take_ack_id();
            let request = Request::JoinGroup { group: group.clone(), ack_id: Some(ack_id) };
            self.effects.push_back(Effect::SendFrame(codec::encode(subprotocol, &request)));
            joins.push((ack_id, request, Purpose::Join { group, is_wish: false }));
        }
        if sent_before > 0 {
            self.report(ClientEvent::Resending { messages: sent_before });
        }
        self.send_waiting(subprotocol);
        for (ack_id, request, purpose) in joins {
            self.requests.insert(ack_id, request, purpose, true);
        }
    }

    /// Sends everything that is not acknowledged, oldest first.
    pub(super) fn send_waiting(&mut self, subprotocol: Subprotocol) {
        let waiting = self.requests.send_all();
        self.effects
            .extend(waiting.map(|entry| Effect::SendFrame(codec::encode(subprotocol, &entry.request))));
    }

    /// The connection is gone for good: another must be made.
    pub(super) fn connection_lost(&mut self, reason: Disconnect, connected_at: Moment, now: Moment) {
        self.forget_connection(reason, connected_at, now);
        self.pause_or_stop(Duration::ZERO, now);
    }

    /// Ends everything that lives no longer than its connection.
    pub(super) fn forget_connection(&mut self, reason: Disconnect, connected_at: Moment, now: Moment) {
        if now.since(connected_at) >= self.options.timeouts.stable_after {
            self.backoff.reset();
        }
        self.requests.forget_automatic_joins();
        for invocation in self.invocations.end_all() {
            self.effects
                .push_back(Effect::Answer { invocation, outcome: Err(InvokeFailure::ConnectionLost) });
        }
        self.fail_streams(&StreamFailure::ConnectionLost);
        self.without_connection_since.get_or_insert(now);
        self.report(ClientEvent::Disconnected { reason });
    }

    pub(super) fn attempt_failed(&mut self, failure: ConnectFailure, now: Moment) {
        let is_first = !self.was_ever_connected;
        let stops = failure.is_permanent(self.was_ever_connected)
            || (is_first && self.options.stop_on_lasting_failure && !failure.may_pass());
        let requested = failure.retry_after().unwrap_or_default();
        self.report(ClientEvent::ConnectFailed { failure });
        if stops {
            self.end();
        } else {
            self.pause_or_stop(requested, now);
        }
    }

    /// Returns the limit of a step that begins now: it ends with the application's patience, if not before.
    pub(super) fn step_limit(&self, timeout: Duration, now: Moment) -> StepLimit {
        let waited = self.without_connection_since.map_or(Duration::ZERO, |since| now.since(since));
        let patience = self.options.give_up_after.map(|limit| limit.saturating_sub(waited));
        let duration = patience.map_or(timeout, |patience| patience.min(timeout));
        StepLimit { give_up_at: now + duration, duration }
    }

    /// Whether the application's patience ends within `pause`.
    pub(super) fn gives_up_within(&self, pause: Duration, now: Moment) -> bool {
        let waited = self.without_connection_since.map_or(Duration::ZERO, |since| now.since(since));
        self.options.give_up_after.is_some_and(|limit| waited + pause > limit)
    }

    /// Pauses before the next attempt, at least for the time that the server `requested`.
    fn pause_or_stop(&mut self, requested: Duration, now: Moment) {
        let pause = self.backoff.next_pause().max(requested);
        if self.gives_up_within(pause, now) {
            self.end();
        } else {
            self.phase = Phase::Pausing { retry_at: now + pause };
            self.report(ClientEvent::RetryScheduled { after: pause });
        }
    }

    pub(super) fn connecting_deadline(&mut self, now: Moment) {
        match &self.phase {
            Phase::Negotiating { limit } if now >= limit.give_up_at => {
                let failure = timed_out("the negotiate endpoint", limit.duration);
                self.effects.push_back(Effect::AbandonTransport);
                self.attempt_failed(failure, now);
            }
            Phase::Opening { url, limit } | Phase::Greeting { url, limit, .. } if now >= limit.give_up_at => {
                let failure = timed_out(&url.shown(), limit.duration);
                self.effects.push_back(Effect::CloseTransport);
                self.attempt_failed(failure, now);
            }
            Phase::Pausing { retry_at } if now >= *retry_at => self.begin_attempt(now),
            _ => {}
        }
    }
}

pub(super) fn timed_out(what: &str, limit: Duration) -> ConnectFailure {
    // Rounded up: a limit below a second is not none.
    let seconds = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
    ConnectFailure::TimedOut { url: what.to_owned(), seconds }
}

fn no_subprotocol(url: &ServiceUrl, offered: &[Subprotocol]) -> ConnectFailure {
    let offered: Vec<_> = offered.iter().map(|subprotocol| subprotocol.name()).collect();
    ConnectFailure::NoSubprotocol { url: url.shown(), offered: offered.join(", ") }
}
