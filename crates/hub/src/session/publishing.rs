//! What a session publishes: single messages, and streams of them.

use std::borrow::Cow;

use tokio::time::Instant;
use webpubsub_protocol::{
    message::{AckError, Fragment, Metadata, Response},
    name::GroupName,
    payload::Payload,
    role::Permission,
    stream::{FIRST_FRAGMENT, PublisherError, StreamError, StreamInfo, fault},
};

use super::{
    Session, Step,
    streams::{Stream, Verdict},
};
use crate::{
    broadcast::Broadcast,
    connection::Connection,
    hub::{Audience, Pace},
};

/// One message to a group.
pub(super) struct Publication<'a> {
    pub(super) group: &'a str,
    pub(super) no_echo: bool,
    pub(super) payload: Payload<'a>,
    pub(super) metadata: Metadata,
    pub(super) ttl_seconds: u32,
    pub(super) stream: Option<StreamInfo>,
}

impl Session {
    pub(super) fn publish(&self, publication: Publication<'_>, now: Instant) -> Step {
        let pace = self.publish_paced(publication, now);
        if pace.is_empty() { Step::Continue } else { Step::Pace(pace) }
    }

    fn publish_paced(&self, publication: Publication<'_>, now: Instant) -> Pace {
        let Publication { group, no_echo, payload, metadata, ttl_seconds, stream } = publication;
        let message = Response::GroupMessage {
            group: Cow::Borrowed(group),
            from_user_id: self.connection.user_id.as_deref().map(Cow::Borrowed),
            payload,
            sequence_id: None,
            metadata,
            stream,
        };
        let is_left_out = |connection: &Connection| no_echo && connection.id == self.connection.id;
        let mut broadcast = Broadcast::in_memory_of(self.scratch.take(), message);
        broadcast.expire_after(ttl_seconds, now);
        let pace = self.hub.publish(Audience::Group(group), None, is_left_out, &mut broadcast);
        self.scratch.set(broadcast.into_scratch());
        pace
    }

    pub(super) fn start_stream(
        &mut self,
        id: String,
        group: GroupName,
        no_echo: bool,
        idle_timeout_ms: Option<u32>,
        now: Instant,
    ) -> Step {
        let started = self
            .check(Permission::SendToGroup, group.as_str(), "send to")
            .and_then(|()| self.streams.start(&id, group, no_echo, idle_timeout_ms, now));
        self.connection.tell(&match started {
            Ok(()) => Response::StreamAck { stream_id: id, expected_sequence_id: FIRST_FRAGMENT },
            Err(error) => Response::StreamClosed { stream_id: id, error: Some(error) },
        });
        Step::Continue
    }

    pub(super) fn stream_data(&mut self, id: String, fragment: Option<Fragment<'_>>, now: Instant) -> Step {
        let Some(Fragment { stream_sequence_id, payload }) = fragment else {
            if !self.streams.keep_alive(&id, now) {
                self.tell_not_found(id);
            }
            return Step::Continue;
        };
        match self.streams.fragment(&id, stream_sequence_id, now) {
            Verdict::Unknown => self.tell_not_found(id),
            Verdict::Repeated { expected: expected_sequence_id } => {
                self.connection.tell(&Response::StreamAck { stream_id: id, expected_sequence_id });
            }
            Verdict::TooEarly { expected: expected_sequence_id } => {
                let error = AckError {
                    name: fault::INVALID_SEQUENCE_ID.to_owned(),
                    message: format!("expected {expected_sequence_id}, got {stream_sequence_id}"),
                };
                let nack = Response::StreamNack { stream_id: id, expected_sequence_id, error };
                self.connection.tell(&nack);
            }
            Verdict::Next(stream) => return self.publish_fragment(id, &stream, payload, now),
        }
        Step::Continue
    }

    fn publish_fragment(&mut self, id: String, stream: &Stream, payload: Payload<'_>, now: Instant) -> Step {
        // The permission may have been taken away since the start.
        if let Err(error) = self.check(Permission::SendToGroup, stream.group.as_str(), "send to") {
            self.streams.close(&id);
            let told = StreamError { name: error.name.clone(), message: None, user_error_code: None };
            let step = self.publish_end(&id, stream, Some(told), now);
            self.connection.tell(&Response::StreamClosed { stream_id: id, error: Some(error) });
            return step;
        }
        let info = StreamInfo {
            stream_id: id.clone(),
            stream_sequence_id: stream.expected,
            end_of_stream: false,
            error: None,
        };
        let step = self.publish(stream.publication(payload, info), now);
        let expected_sequence_id = self.streams.taken(&id);
        self.connection.tell(&Response::StreamAck { stream_id: id, expected_sequence_id });
        step
    }

    pub(super) fn end_stream(&mut self, id: String, error: Option<PublisherError>, now: Instant) -> Step {
        let Some(stream) = self.streams.close(&id) else {
            self.tell_not_found(id);
            return Step::Continue;
        };
        let error = error.map(|error| StreamError {
            name: StreamError::USER_ERROR.to_owned(),
            message: error.message,
            user_error_code: error.user_error_code,
        });
        let step = self.publish_end(&id, &stream, error, now);
        self.connection.tell(&Response::StreamClosed { stream_id: id, error: None });
        step
    }

    /// When [`Session::deadline_reached`] is to be called.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.streams.next_deadline()
    }

    /// Ends the streams that have been silent for too long.
    pub fn deadline_reached(&mut self, now: Instant) {
        for (id, stream) in self.streams.close_idle(now) {
            let error = AckError {
                name: StreamError::IDLE_TIMEOUT.to_owned(),
                message: "The stream was silent for too long.".to_owned(),
            };
            let told = StreamError {
                name: error.name.clone(),
                message: Some(error.message.clone()),
                user_error_code: None,
            };
            // One message to a group sets nobody's pace.
            drop(self.publish_end(&id, &stream, Some(told), now));
            self.connection.tell(&Response::StreamClosed { stream_id: id, error: Some(error) });
        }
    }

    /// The connection has a new socket.
    pub fn taken_up_again(&mut self, now: Instant) {
        self.streams.restart_timers(now);
    }

    /// The publisher is gone for good, and with it its streams.
    pub(super) fn cancel_streams(&mut self, now: Instant) {
        for (id, stream) in self.streams.close_all() {
            let error = StreamError {
                name: StreamError::CANCELLED.to_owned(),
                message: Some("The publisher's connection ended.".to_owned()),
                user_error_code: None,
            };
            drop(self.publish_end(&id, &stream, Some(error), now));
        }
    }

    /// The terminal message. Old clients need data in every message, so it has empty text.
    fn publish_end(&self, id: &str, stream: &Stream, error: Option<StreamError>, now: Instant) -> Step {
        let info = StreamInfo {
            stream_id: id.to_owned(),
            stream_sequence_id: stream.expected,
            end_of_stream: true,
            error,
        };
        self.publish(stream.publication(Payload::Text(Cow::Borrowed("")), info), now)
    }

    fn tell_not_found(&self, id: String) {
        let error = AckError {
            name: fault::STREAM_NOT_FOUND.to_owned(),
            message: "No stream of this id is open on this connection.".to_owned(),
        };
        self.connection.tell(&Response::StreamClosed { stream_id: id, error: Some(error) });
    }
}

impl Stream {
    fn publication<'a>(&'a self, payload: Payload<'a>, info: StreamInfo) -> Publication<'a> {
        Publication {
            group: self.group.as_str(),
            no_echo: self.no_echo,
            payload,
            metadata: Metadata::new(),
            ttl_seconds: 0,
            stream: Some(info),
        }
    }
}
