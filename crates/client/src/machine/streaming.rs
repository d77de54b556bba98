//! Streams that we publish; see [`crate::outbound_stream`].

use std::time::Duration;

use webpubsub_protocol::{
    message::{AckError, Request},
    name::GroupName,
    payload::Payload,
    stream::{PublisherError, fault},
};

use super::{Effect, Machine, Phase, StreamEvent};
use crate::{
    codec,
    failure::{StartRefused, StreamFailure, WriteRefused},
    moment::Moment,
    outbound_stream::{OutboundStream, Progress},
    outgoing::{MAX_FRAME_BYTES, is_acceptable},
};

/// Room that a fragment's frame needs beside its payload, in bytes: names, numbers and marks.
const FRAGMENT_ENVELOPE_BYTES: usize = 256;

/// How a stream behaves.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct StreamOptions {
    id: Option<String>,
    idle_timeout: Option<Duration>,
    without_echo: bool,
}

impl StreamOptions {
    /// The default: the service ends a stream that is silent for five minutes, and members hear their own fragments.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the stream, which no other open stream of the group may be named. The default is an id of the client's choice.
    #[must_use]
    pub fn id(mut self, id: String) -> Self {
        self.id = Some(id);
        self
    }

    /// The service ends the stream when it is silent for longer. Counted in whole milliseconds, at least one.
    #[must_use]
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Leaves the publisher out, if it is a member of the group.
    #[must_use]
    pub fn without_echo(mut self) -> Self {
        self.without_echo = true;
        self
    }
}

impl Machine {
    /// Starts a stream to a group on the present connection. [`Effect::Stream`] reports its events under the number
    /// returned. It survives the recovery of its connection, and no other loss.
    ///
    /// # Limits
    /// [`Limits::streams`](crate::Limits::streams) at once. The service has
    /// [`Timeouts::stream_open`](crate::Timeouts::stream_open) to take it.
    ///
    /// # Errors
    /// [`StartRefused`].
    pub fn open_stream(
        &mut self,
        group: &GroupName,
        options: StreamOptions,
        now: Moment,
    ) -> Result<u64, StartRefused> {
        if !self.is_connected() {
            return Err(StartRefused::NotConnected);
        }
        let limit = self.options.limits.streams;
        if self.streams.len() >= limit {
            return Err(StartRefused::TooMany { limit });
        }
        let number = self.next_stream;
        self.next_stream += 1;
        // Unlike those of this connection's other streams, and of other connections to the same group.
        let stream_id = options.id.unwrap_or_else(|| format!("{:016x}-{number}", self.seed));
        let idle_timeout_ms =
            options.idle_timeout.map(|timeout| u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX).max(1));
        self.send_request(&Request::StreamStart {
            group: group.clone(),
            stream_id: stream_id.clone(),
            idle_timeout_ms,
            no_echo: options.without_echo,
        });
        self.streams.insert(number, OutboundStream::new(stream_id, &self.options, now));
        Ok(number)
    }

    /// Appends a fragment to a stream.
    ///
    /// # Limits
    /// [`Limits::stream_fragments`](crate::Limits::stream_fragments) and
    /// [`Limits::stream_bytes`](crate::Limits::stream_bytes) of each stream wait for the service at most.
    ///
    /// # Errors
    /// [`WriteRefused`], with the payload inside.
    pub fn write_stream(
        &mut self,
        stream: u64,
        payload: Payload<'static>,
        now: Moment,
    ) -> Result<(), WriteRefused> {
        let is_acceptable = is_acceptable(&payload) && self.fits_a_fragment(&payload);
        let Some(open) = self.streams.get_mut(stream) else { return Err(WriteRefused::Ended(payload)) };
        if !is_acceptable {
            return Err(WriteRefused::Payload(payload));
        }
        open.write(payload)?;
        self.pump_streams(now);
        Ok(())
    }

    /// Ends a stream, with an error if it ends before its time. [`StreamEvent::Closed`] follows once the service has
    /// all of it.
    pub fn end_stream(&mut self, stream: u64, error: Option<PublisherError>, now: Moment) {
        if let Some(open) = self.streams.get_mut(stream) {
            open.end(error);
            self.pump_streams(now);
        }
    }

    fn fits_a_fragment(&self, payload: &Payload<'_>) -> bool {
        if payload.len() + FRAGMENT_ENVELOPE_BYTES > MAX_FRAME_BYTES {
            return false;
        }
        // Escapes may make text six times as long; what is short even so need not be measured.
        if payload.len() * 6 + FRAGMENT_ENVELOPE_BYTES <= MAX_FRAME_BYTES {
            return true;
        }
        let fragment =
            webpubsub_protocol::message::Fragment { stream_sequence_id: 1, payload: payload.borrowed() };
        let request = Request::StreamData { stream_id: String::new(), fragment: Some(fragment) };
        codec::encode(self.present_subprotocol(), &request).len() + FRAGMENT_ENVELOPE_BYTES <= MAX_FRAME_BYTES
    }

    /// Sends what streams have to send and may.
    pub(super) fn pump_streams(&mut self, now: Moment) {
        let Phase::Connected(connection) = &self.phase else { return };
        for stream in self.streams.values_mut() {
            while let Some(request) = stream.next_request(now) {
                self.effects.push_back(Effect::SendFrame(codec::encode(connection.subprotocol, &request)));
            }
        }
    }

    pub(super) fn resume_streams(&mut self, now: Moment) {
        self.streams.values_mut().for_each(OutboundStream::rewind);
        self.pump_streams(now);
    }

    pub(super) fn stream_acknowledged(&mut self, stream_id: &str, expected: u64, now: Moment) {
        self.stream_progressed(stream_id, now, |stream| stream.acknowledged(expected));
    }

    pub(super) fn stream_refused(&mut self, stream_id: &str, expected: u64, error: &AckError, now: Moment) {
        let is_transient = error.name == fault::TRANSIENT_ERROR;
        self.stream_progressed(stream_id, now, |stream| stream.refused(expected, is_transient, now));
    }

    /// Frames of streams that are not ours, or no more, mean nothing.
    fn stream_progressed(
        &mut self,
        stream_id: &str,
        now: Moment,
        step: impl FnOnce(&mut OutboundStream) -> Progress,
    ) {
        let Some((number, stream)) = self.streams.iter_mut().find(|(_, stream)| stream.id() == stream_id)
        else {
            return;
        };
        match step(stream) {
            Progress::Opened => self.tell_stream(number, StreamEvent::Opened),
            Progress::Writable => self.tell_stream(number, StreamEvent::Writable),
            Progress::Silent => {}
            Progress::Violation => return self.stream_violated(number, stream_id),
        }
        self.pump_streams(now);
    }

    /// The service breaks the rules: the stream cannot go on, and its subscribers receive an error.
    fn stream_violated(&mut self, number: u64, stream_id: &str) {
        self.streams.remove(number);
        let error = PublisherError {
            message: Some("the service expects a fragment that cannot be".to_owned()),
            user_error_code: Some("ProtocolViolation".to_owned()),
        };
        self.send_request(&Request::StreamEnd { stream_id: stream_id.to_owned(), error: Some(error) });
        self.tell_stream(number, StreamEvent::Closed(Err(StreamFailure::ProtocolViolation)));
    }

    pub(super) fn stream_closed(&mut self, stream_id: &str, error: Option<AckError>) {
        let closed = self.streams.iter().find(|(_, stream)| stream.id() == stream_id);
        let Some((number, _)) = closed else { return };
        self.streams.remove(number);
        let outcome = error.map_or(Ok(()), |error| Err(StreamFailure::Closed(error)));
        self.tell_stream(number, StreamEvent::Closed(outcome));
    }

    /// A start that was sent and not answered may have arrived or not, and cannot be sent again: the service refuses a
    /// name that is in use.
    pub(super) fn fail_opening_streams(&mut self) {
        self.fail_streams_that(OutboundStream::is_opening, &StreamFailure::ConnectionLost);
    }

    /// Gives up streams that the service did not accept in time, and ends them, in case it accepts one later.
    pub(super) fn fail_unanswered_streams(&mut self, now: Moment) {
        let failure = StreamFailure::Unanswered { seconds: self.options.timeouts.stream_open.as_secs() };
        for stream in self.fail_streams_that(|stream| stream.is_unanswered(now), &failure) {
            let error = Some(PublisherError { message: Some("abandoned".to_owned()), user_error_code: None });
            self.send_request(&Request::StreamEnd { stream_id: stream.id().to_owned(), error });
        }
    }

    fn fail_streams_that(
        &mut self,
        fails: impl Fn(&OutboundStream) -> bool,
        failure: &StreamFailure,
    ) -> Vec<OutboundStream> {
        let numbers: Vec<u64> =
            self.streams.iter().filter(|(_, stream)| fails(stream)).map(|(number, _)| number).collect();
        let failed = numbers.into_iter().filter_map(|number| {
            let stream = self.streams.remove(number)?;
            self.tell_stream(number, StreamEvent::Closed(Err(failure.clone())));
            Some(stream)
        });
        failed.collect()
    }

    pub(super) fn fail_streams(&mut self, failure: &StreamFailure) {
        self.fail_streams_that(|_| true, failure);
    }

    fn tell_stream(&mut self, stream: u64, event: StreamEvent) {
        self.effects.push_back(Effect::Stream { stream, event });
    }
}
