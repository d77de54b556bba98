//! Frames of the service.

use std::borrow::Cow;

use webpubsub_protocol::message::{AckError, Request, Response, Sequence};

use super::{Effect, Machine, Phase, connecting::Greeting};
use crate::{
    ack_table::Purpose,
    codec::{self, FrameRef},
    event::ClientEvent,
    failure::{Disconnect, InvokeFailure, SendFailure},
    moment::Moment,
    recovery::Step,
    sequence::Arrival,
};

impl Machine {
    pub(super) fn frame_received(&mut self, frame: FrameRef<'_>, now: Moment) {
        let subprotocol = match &mut self.phase {
            Phase::Connected(connection) => {
                connection.liveness.heard(now);
                connection.subprotocol
            }
            Phase::Greeting { subprotocol, .. } => *subprotocol,
            Phase::Recovering(recovering) if matches!(recovering.step, Step::Proving { .. }) => {
                recovering.connection.subprotocol
            }
            _ => return,
        };
        let response = codec::decode(subprotocol, frame);
        if response.is_ok() && matches!(self.phase, Phase::Recovering(_)) {
            match &response {
                Ok(Some(Response::Connected { connection_id, .. })) if !self.is_recovering(connection_id) => {
                    self.recovery_made_another(now);
                }
                // Whatever else it is, it came from a service that has this connection.
                _ => self.recovery_proven(now),
            }
        }
        match response {
            Ok(Some(response)) => self.response_received(response, frame.len(), now),
            Ok(None) => {}
            Err(detail) => self.frame_malformed(detail, now),
        }
    }

    /// What it held is lost, and we do not pretend otherwise: a new connection, and a gap that shows. The old one would
    /// bring the same frame again.
    fn frame_malformed(&mut self, detail: String, now: Moment) {
        self.effects.push_back(Effect::CloseTransport);
        match &self.phase {
            Phase::Connected(_) => {
                self.transport_lost(Disconnect::MalformedFrame { detail }, false, now);
            }
            Phase::Recovering(recovering) => {
                let connected_at = recovering.connection.connected_at;
                self.connection_lost(Disconnect::MalformedFrame { detail }, connected_at, now);
            }
            Phase::Greeting { url, .. } => {
                let url = url.shown();
                let failure = crate::ConnectFailure::Refused { url, detail, status: None };
                self.attempt_failed(failure, now);
            }
            _ => {}
        }
    }

    fn response_received(&mut self, response: Response<'_>, bytes: usize, now: Moment) {
        match response {
            Response::Connected { connection_id, user_id, reconnection_token, run_id } => {
                self.greeted(Greeting { connection_id, user_id, reconnection_token, run_id }, now);
            }
            Response::Disconnected { message } => {
                if let Phase::Connected(connection) = &mut self.phase {
                    connection.farewell = Some(message);
                }
            }
            Response::Ack { ack_id, outcome } => self.acknowledged(ack_id, outcome),
            Response::GroupMessage { group, from_user_id, payload, sequence, metadata, stream } => {
                let is_new = self.record_arrival(sequence, bytes, now);
                if is_new {
                    let payload = payload.into_owned();
                    let (group, from_user_id) = (group.into_owned(), from_user_id.map(Cow::into_owned));
                    let sequence_id = sequence.map(|sequence| sequence.id);
                    self.report(ClientEvent::GroupMessage {
                        group,
                        from_user_id,
                        payload,
                        sequence_id,
                        metadata,
                        stream,
                    });
                }
            }
            Response::ServerMessage { payload, sequence, metadata } => {
                let is_new = self.record_arrival(sequence, bytes, now);
                if is_new {
                    self.report(ClientEvent::ServerMessage { payload: payload.into_owned(), metadata });
                }
            }
            Response::InvokeResponse { invocation_id, outcome } => {
                if let Some(invocation) = self.invocations.end(&invocation_id) {
                    let outcome = outcome
                        .map(|payload| payload.map(webpubsub_protocol::payload::Payload::into_owned))
                        .map_err(InvokeFailure::Refused);
                    self.effects.push_back(Effect::Answer { invocation, outcome });
                }
            }
            Response::StreamAck { stream_id, expected_sequence_id } => {
                self.stream_acknowledged(&stream_id, expected_sequence_id, now);
            }
            Response::StreamNack { stream_id, expected_sequence_id, error } => {
                self.stream_refused(&stream_id, expected_sequence_id, &error, now);
            }
            Response::StreamClosed { stream_id, error } => self.stream_closed(&stream_id, error),
            // A pong is a sign of life, which has been noted; what else a later version says is not for us.
            _ => {}
        }
    }

    /// Records a message's numbers, and reports a gap before it. Returns false for a message that was received before.
    /// Messages without numbers are new: the plain subprotocols have none.
    fn record_arrival(&mut self, sequence: Option<Sequence>, bytes: usize, now: Moment) -> bool {
        let Phase::Connected(connection) = &mut self.phase else { return false };
        let Some(sequence) = sequence else { return true };
        let arrival = connection.sequence.arrived(sequence, bytes, now);
        if let Some(sequence_id) = connection.sequence.take_due_ack(now) {
            let ack = codec::encode(connection.subprotocol, &Request::SequenceAck { sequence_id });
            self.effects.push_back(Effect::SendFrame(ack));
        }
        match arrival {
            Arrival::Next => true,
            Arrival::AfterGap { missing } => {
                self.report(ClientEvent::Gap { messages: Some(missing) });
                true
            }
            Arrival::Replay => false,
        }
    }

    fn acknowledged(&mut self, ack_id: u64, outcome: Result<(), AckError>) {
        // An ack that nobody waits for came twice, or belongs to a request that was given up.
        let Some(entry) = self.requests.settle(ack_id) else { return };
        // "Duplicate" says that an earlier sending was carried out, and only its ack was lost.
        let is_duplicate = outcome.as_ref().is_err_and(AckError::is_duplicate);
        let outcome = if is_duplicate { Ok(()) } else { outcome };
        let is_awaited = match entry.purpose {
            Purpose::Message => true,
            Purpose::Join { group, is_wish } => {
                if is_wish && outcome.is_err() {
                    self.groups.retain(|wanted| *wanted != group);
                }
                self.report(match &outcome {
                    Ok(()) => ClientEvent::Joined { group },
                    Err(error) => ClientEvent::JoinRefused { group, error: error.clone() },
                });
                is_wish
            }
            Purpose::Leave { group } => {
                if outcome.is_ok() {
                    self.report(ClientEvent::Left { group });
                }
                true
            }
        };
        if is_awaited {
            let outcome = outcome.map_err(SendFailure::Refused);
            self.effects.push_back(Effect::Settle { ack_id, is_duplicate, outcome });
        }
    }
}
