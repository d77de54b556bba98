//! Publishing of a session: single messages and streams.

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
    Session, SessionAction,
    streams::{FragmentStatus, PublishedStream},
};
use crate::{backpressure::SlowReceivers, broadcast::Broadcast, connection::ClientConnection, hub::Audience};

/// Message to publish to a group.
pub(super) struct Publication<'a> {
    pub(super) group: &'a str,
    pub(super) no_echo: bool,
    pub(super) payload: Payload<'a>,
    pub(super) metadata: Metadata,
    pub(super) ttl_seconds: u32,
    pub(super) stream: Option<StreamInfo>,
}

impl Session {
    pub(super) fn publish(&self, publication: Publication<'_>, now: Instant) -> SessionAction {
        let slow_receivers = self.publish_to_members(publication, now);
        if slow_receivers.is_empty() {
            SessionAction::Continue
        } else {
            SessionAction::Throttle(slow_receivers)
        }
    }

    fn publish_to_members(&self, publication: Publication<'_>, now: Instant) -> SlowReceivers {
        let Publication { group, no_echo, payload, metadata, ttl_seconds, stream } = publication;
        let message = Response::GroupMessage {
            group: Cow::Borrowed(group),
            from_user_id: self.connection.user_id().map(Cow::Borrowed),
            payload,
            sequence: None,
            metadata,
            stream,
        };
        let is_excluded = |connection: &ClientConnection| no_echo && connection.id == self.connection.id;
        let mut broadcast = Broadcast::with_scratch(self.scratch.take(), &message, now);
        broadcast.expire_after(ttl_seconds);
        let slow_receivers = self.hub.fan_out(Audience::Group(group), None, is_excluded, &mut broadcast);
        self.scratch.set(broadcast.into_scratch());
        slow_receivers
    }

    pub(super) fn start_stream(
        &mut self,
        id: String,
        group: GroupName,
        no_echo: bool,
        idle_timeout_ms: Option<u32>,
        now: Instant,
    ) -> SessionAction {
        let started = self
            .check(Permission::SendToGroup, group.as_str(), "send to")
            .and_then(|()| self.streams.start(&id, group, no_echo, idle_timeout_ms, now));
        self.connection.send(&match started {
            Ok(()) => Response::StreamAck { stream_id: id, expected_sequence_id: FIRST_FRAGMENT },
            Err(error) => Response::StreamClosed { stream_id: id, error: Some(error) },
        });
        SessionAction::Continue
    }

    pub(super) fn stream_data(
        &mut self,
        id: String,
        fragment: Option<Fragment<'_>>,
        now: Instant,
    ) -> SessionAction {
        let Some(Fragment { stream_sequence_id, payload }) = fragment else {
            if !self.streams.keep_alive(&id, now) {
                self.send_stream_not_found(id);
            }
            return SessionAction::Continue;
        };
        match self.streams.check_fragment(&id, stream_sequence_id, now) {
            FragmentStatus::Unknown => self.send_stream_not_found(id),
            FragmentStatus::Repeated { expected: expected_sequence_id } => {
                self.connection.send(&Response::StreamAck { stream_id: id, expected_sequence_id });
            }
            FragmentStatus::TooEarly { expected: expected_sequence_id } => {
                let error = AckError {
                    name: fault::INVALID_SEQUENCE_ID.to_owned(),
                    message: format!(
                        "Expected stream sequence id {expected_sequence_id}, got {stream_sequence_id}."
                    ),
                };
                let nack = Response::StreamNack { stream_id: id, expected_sequence_id, error };
                self.connection.send(&nack);
            }
            FragmentStatus::Next(stream) => return self.publish_fragment(id, &stream, payload, now),
        }
        SessionAction::Continue
    }

    fn publish_fragment(
        &mut self,
        id: String,
        stream: &PublishedStream,
        payload: Payload<'_>,
        now: Instant,
    ) -> SessionAction {
        // An application server may have revoked the permission since the start.
        if let Err(error) = self.check(Permission::SendToGroup, stream.group.as_str(), "send to") {
            self.streams.close(&id);
            let stream_error = StreamError { name: error.name.clone(), message: None, user_error_code: None };
            let action = self.publish_end(&id, stream, Some(stream_error), now);
            self.connection.send(&Response::StreamClosed { stream_id: id, error: Some(error) });
            return action;
        }
        let info = StreamInfo {
            stream_id: id.clone(),
            stream_sequence_id: stream.expected,
            end_of_stream: false,
            error: None,
        };
        let action = self.publish(stream.publication(payload, info), now);
        let expected_sequence_id = self.streams.advance(&id);
        self.connection.send(&Response::StreamAck { stream_id: id, expected_sequence_id });
        action
    }

    pub(super) fn end_stream(
        &mut self,
        id: String,
        error: Option<PublisherError>,
        now: Instant,
    ) -> SessionAction {
        let Some(stream) = self.streams.close(&id) else {
            self.send_stream_not_found(id);
            return SessionAction::Continue;
        };
        let error = error.map(|error| StreamError {
            name: StreamError::USER_ERROR.to_owned(),
            message: error.message,
            user_error_code: error.user_error_code,
        });
        let action = self.publish_end(&id, &stream, error, now);
        self.connection.send(&Response::StreamClosed { stream_id: id, error: None });
        action
    }

    /// Returns the time of the next call of [`Session::deadline_reached`].
    #[must_use]
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.streams.next_deadline().into_iter().chain(self.delayed_acks.next_deadline()).min()
    }

    /// Ends the streams whose idle timeout has passed.
    pub(crate) fn deadline_reached(&mut self, now: Instant) {
        while let Some(ack) = self.delayed_acks.take_due(now) {
            self.connection.send(&ack);
        }
        for (id, stream) in self.streams.close_idle(now) {
            let error = AckError {
                name: StreamError::IDLE_TIMEOUT.to_owned(),
                message: "The stream was idle for longer than its timeout.".to_owned(),
            };
            let stream_error = StreamError {
                name: error.name.clone(),
                message: Some(error.message.clone()),
                user_error_code: None,
            };
            // A single message to the group needs no backpressure.
            drop(self.publish_end(&id, &stream, Some(stream_error), now));
            self.connection.send(&Response::StreamClosed { stream_id: id, error: Some(error) });
        }
    }

    /// Restarts the idle timeouts of all streams after the client has recovered on a new socket.
    pub(crate) fn restart_stream_timers(&mut self, now: Instant) {
        self.streams.restart_timers(now);
    }

    /// Ends all streams of a publisher that has ended for good.
    pub(super) fn cancel_streams(&mut self, now: Instant) {
        for (id, stream) in self.streams.close_all() {
            let error = StreamError {
                name: StreamError::CANCELLED.to_owned(),
                message: Some("The publisher's connection has ended.".to_owned()),
                user_error_code: None,
            };
            drop(self.publish_end(&id, &stream, Some(error), now));
        }
    }

    /// Publishes the terminal message of a stream. Its payload is empty text, since older clients require data in every
    /// message.
    fn publish_end(
        &self,
        id: &str,
        stream: &PublishedStream,
        error: Option<StreamError>,
        now: Instant,
    ) -> SessionAction {
        let info = StreamInfo {
            stream_id: id.to_owned(),
            stream_sequence_id: stream.expected,
            end_of_stream: true,
            error,
        };
        self.publish(stream.publication(Payload::Text(Cow::Borrowed("")), info), now)
    }

    fn send_stream_not_found(&self, id: String) {
        let error = AckError {
            name: fault::STREAM_NOT_FOUND.to_owned(),
            message: "No stream with this id is open on this connection.".to_owned(),
        };
        self.connection.send(&Response::StreamClosed { stream_id: id, error: Some(error) });
    }
}

impl PublishedStream {
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
