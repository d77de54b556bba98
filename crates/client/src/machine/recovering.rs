//! Recovery of a lost connection; see [`crate::recovery`].

use webpubsub_protocol::{close, message::Request};

use super::{Effect, Machine, Phase, connecting::timed_out};
use crate::{
    codec,
    connection::Connection,
    event::ClientEvent,
    failure::{ConnectFailure, Disconnect, InvokeFailure, reason_suffix},
    liveness::Liveness,
    moment::Moment,
    recovery::{Recovering, Step, StepLimit},
};

impl Machine {
    pub(super) fn transport_closed(&mut self, code: u16, reason: String, now: Moment) {
        match &mut self.phase {
            Phase::Opening { url, .. } | Phase::Greeting { url, .. } => {
                let failure = closed(&url.shown(), code, &reason);
                self.attempt_failed(failure, now);
            }
            Phase::Connected(connection) => {
                let reason = match connection.farewell.take() {
                    Some(message) => Disconnect::ByService { message },
                    None => Disconnect::Dropped { code, reason },
                };
                self.transport_lost(reason, code != close::POLICY_VIOLATION, now);
            }
            Phase::Recovering(recovering) => {
                if code == close::POLICY_VIOLATION {
                    let reason = recovering.reason.clone();
                    self.recovery_failed(reason, now);
                } else {
                    let failure = closed(&recovering.connection.url.shown(), code, &reason);
                    self.recovery_attempt_failed(failure, now);
                }
            }
            _ => {}
        }
    }

    /// The WebSocket of the connection is gone. The connection may be recovered if `may_recover`.
    pub(super) fn transport_lost(&mut self, reason: Disconnect, may_recover: bool, now: Moment) {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Connected(connection) = phase else {
            self.phase = phase;
            return;
        };
        let give_up_at = connection.liveness.lost_at(now) + self.options.timeouts.recovery_window;
        if !may_recover || connection.token.is_none() || now >= give_up_at {
            self.connection_lost(reason, connection.connected_at, now);
            return;
        }
        self.without_connection_since.get_or_insert(now);
        // Their answers come on a WebSocket or never.
        for invocation in self.invocations.end_all() {
            self.effects
                .push_back(Effect::Answer { invocation, outcome: Err(InvokeFailure::ConnectionLost) });
        }
        self.fail_opening_streams();
        self.report(ClientEvent::Recovering { reason: reason.clone() });
        let retry_pause = self.options.timeouts.recovery_retry_pause;
        // At once, unless the last recovery has only just begun: else one that succeeds and fails in turn would storm.
        let retry_at = connection.recovered_at.map_or(now, |began| now.max(began + retry_pause));
        let step = Step::Waiting { retry_at };
        self.phase = Phase::Recovering(Recovering { connection, reason, give_up_at, began_at: now, step });
        self.recovery_deadline(now);
    }

    pub(super) fn recovery_deadline(&mut self, now: Moment) {
        let limit = self.step_limit(self.options.timeouts.recovery_step, now);
        let Phase::Recovering(recovering) = &mut self.phase else { return };
        if now >= recovering.give_up_at {
            let (reason, step) = (recovering.reason.clone(), recovering.step);
            if !matches!(step, Step::Waiting { .. }) {
                self.effects.push_back(Effect::AbandonTransport);
            }
            self.recovery_failed(reason, now);
            return;
        }
        match recovering.step {
            Step::Waiting { retry_at } if now >= retry_at => {
                let Connection { subprotocol, .. } = *recovering.connection;
                // Recovering is only begun with a token.
                let Some(url) = recovering.connection.recovery_url() else { return };
                recovering.began_at = now;
                recovering.step = Step::Opening(limit);
                self.effects.push_back(Effect::OpenTransport { url, subprotocols: vec![subprotocol] });
            }
            Step::Opening(StepLimit { give_up_at, duration })
            | Step::Proving(StepLimit { give_up_at, duration })
                if now >= give_up_at =>
            {
                let failure = timed_out(&recovering.connection.url.shown(), duration);
                self.effects.push_back(Effect::AbandonTransport);
                self.recovery_attempt_failed(failure, now);
            }
            _ => {}
        }
    }

    /// A WebSocket is open. It proves nothing yet.
    pub(super) fn recovery_opened(&mut self, now: Moment) {
        let limit = self.step_limit(self.options.timeouts.recovery_step, now);
        let Phase::Recovering(recovering) = &mut self.phase else { return };
        if matches!(recovering.step, Step::Opening(_)) {
            recovering.step = Step::Proving(limit);
            let ping = codec::encode(recovering.connection.subprotocol, &Request::Ping);
            self.effects.push_back(Effect::SendFrame(ping));
        }
    }

    /// Something was heard on the new WebSocket: the connection lives.
    pub(super) fn recovery_proven(&mut self, now: Moment) {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Recovering(Recovering { mut connection, began_at, .. }) = phase else {
            self.phase = phase;
            return;
        };
        connection.liveness = Liveness::new(self.options.timeouts.keep_alive(), now);
        connection.sequence.recovered(now);
        connection.recovered_at = Some(began_at);
        connection.farewell = None;
        let subprotocol = connection.subprotocol;
        self.phase = Phase::Connected(connection);
        self.without_connection_since = None;
        self.report(ClientEvent::Recovered);
        // With the ids they had: what was carried out before is answered with `Duplicate`, and not done again.
        self.send_waiting(subprotocol);
        self.resume_streams(now);
    }

    pub(super) fn is_recovering(&self, connection_id: &str) -> bool {
        matches!(&self.phase, Phase::Recovering(recovering) if recovering.connection.id == connection_id)
    }

    /// The service greets us as somebody new: it knows nothing of recovery, and the old connection is gone.
    pub(super) fn recovery_made_another(&mut self, now: Moment) {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Recovering(Recovering { connection, reason, .. }) = phase else {
            self.phase = phase;
            return;
        };
        self.forget_connection(reason, connection.connected_at, now);
        let Connection { url, subprotocol, .. } = *connection;
        let limit = self.step_limit(self.options.timeouts.connect_step, now);
        self.phase = Phase::Greeting { url, subprotocol, limit };
    }

    pub(super) fn recovery_attempt_failed(&mut self, failure: ConnectFailure, now: Moment) {
        let jitter = self.backoff.jitter();
        let retry_pause = self.options.timeouts.recovery_retry_pause;
        let Phase::Recovering(recovering) = &mut self.phase else { return };
        if matches!(recovering.step, Step::Waiting { .. }) {
            return;
        }
        let reason = recovering.reason.clone();
        // Between three quarters and five quarters of the pause, so that the clients of a restarted service spread out.
        let next = recovering.began_at + retry_pause.mul_f64(0.75 + jitter / 2.0);
        let retry_at = next.max(now);
        let pause = retry_at.since(now);
        let window_closes = retry_at >= recovering.give_up_at;
        recovering.step = Step::Waiting { retry_at };
        self.report(ClientEvent::ConnectFailed { failure });
        if window_closes {
            self.recovery_failed(reason, now);
        } else if self.gives_up_within(pause, now) {
            self.report(ClientEvent::Disconnected { reason });
            self.end();
        } else {
            self.report(ClientEvent::RetryScheduled { after: pause });
        }
    }

    /// The connection cannot be taken up any more.
    fn recovery_failed(&mut self, reason: Disconnect, now: Moment) {
        if let Phase::Recovering(Recovering { connection, .. }) = &self.phase {
            let connected_at = connection.connected_at;
            self.connection_lost(reason, connected_at, now);
        }
    }
}

fn closed(url: &str, code: u16, reason: &str) -> ConnectFailure {
    let detail = format!("close code {code}{}", reason_suffix(reason));
    ConnectFailure::Refused { url: url.to_owned(), detail, status: None }
}
