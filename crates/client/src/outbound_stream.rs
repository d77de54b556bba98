//! One stream that we publish: fragments in one order, kept until the service has them.
//!
//! Source: client specification, "Streaming".

use std::{collections::VecDeque, time::Duration};

use webpubsub_protocol::{
    message::{Fragment, Request},
    payload::Payload,
    stream::{FIRST_FRAGMENT, PublisherError},
};

use crate::{failure::WriteRefused, moment::Moment, options::ClientOptions};

/// Most fragments of one stream that may wait for the service.
pub const MAX_STREAM_FRAGMENTS: usize = 256;
/// Most bytes of payload of one stream that may wait for the service. One fragment may stand alone whatever its size.
pub const MAX_STREAM_BYTES: usize = 4 * 1024 * 1024;
/// Most streams that may be open at once.
pub const MAX_STREAMS: usize = 64;
/// How long the service may take to say that it takes a stream, as long as each step of connecting may take. A service that
/// knows no streams need not say anything.
pub const STREAM_OPEN_TIMEOUT: Duration = Duration::from_secs(15);
/// The first pause after the service could not take a fragment for the moment; doubles up to [`LONGEST_RETRY_PAUSE`].
/// The official JavaScript client waits as long.
const FIRST_RETRY_PAUSE: Duration = Duration::from_millis(10);
/// The longest such pause.
const LONGEST_RETRY_PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Writing,
    /// No further fragment comes; the end is sent behind the last one.
    Ending(Option<PublisherError>),
}

#[derive(Debug)]
pub(crate) struct OutboundStream {
    id: String,
    phase: Phase,
    /// Until when the service may say that it takes fragments; `None` once it has.
    open_by: Option<Moment>,
    /// What the service has not acknowledged, oldest first, and the number of the first.
    fragments: VecDeque<Payload<'static>>,
    first: u64,
    bytes: usize,
    /// How many of `fragments` were sent.
    sent: usize,
    end_was_sent: bool,
    was_full: bool,
    retry_pause: Duration,
    retry_at: Option<Moment>,
    max_fragments: usize,
    max_bytes: usize,
}

/// What the service's answer means for a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It takes fragments from now on.
    Opened,
    /// There is room again after it was full.
    Writable,
    /// Nothing to tell.
    Silent,
    /// It asked for what it cannot be missing.
    Violation,
}

impl OutboundStream {
    pub(crate) fn new(id: String, options: &ClientOptions, now: Moment) -> Self {
        Self {
            id,
            phase: Phase::Writing,
            open_by: Some(now + options.timeouts.stream_open),
            fragments: VecDeque::new(),
            first: FIRST_FRAGMENT,
            bytes: 0,
            sent: 0,
            end_was_sent: false,
            was_full: false,
            retry_pause: FIRST_RETRY_PAUSE,
            retry_at: None,
            max_fragments: options.limits.stream_fragments,
            max_bytes: options.limits.stream_bytes,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn is_opening(&self) -> bool {
        self.open_by.is_some()
    }

    /// Whether the service has not answered in time.
    pub(crate) fn is_unanswered(&self, now: Moment) -> bool {
        self.open_by.is_some_and(|open_by| open_by <= now)
    }

    /// When there is something to do without an answer of the service.
    pub(crate) fn deadline(&self) -> Option<Moment> {
        self.open_by.or(self.retry_at)
    }

    /// Keeps a fragment to be sent.
    pub(crate) fn write(&mut self, payload: Payload<'static>) -> Result<(), WriteRefused> {
        if matches!(self.phase, Phase::Ending(_)) {
            return Err(WriteRefused::Ended(payload));
        }
        if !self.has_room() {
            self.was_full = true;
            return Err(WriteRefused::Full(payload));
        }
        self.bytes += payload.len();
        self.fragments.push_back(payload);
        Ok(())
    }

    fn has_room(&self) -> bool {
        self.fragments.is_empty()
            || (self.fragments.len() < self.max_fragments && self.bytes < self.max_bytes)
    }

    /// No further fragment comes. The first end counts.
    pub(crate) fn end(&mut self, error: Option<PublisherError>) {
        if !matches!(self.phase, Phase::Ending(_)) {
            self.phase = Phase::Ending(error);
        }
    }

    /// The service has everything below `expected`.
    pub(crate) fn acknowledged(&mut self, expected: u64) -> Progress {
        let was_opening = self.is_opening();
        let next = self.first + self.fragments.len() as u64;
        if expected > next {
            return Progress::Violation;
        }
        self.open_by = None;
        let before = self.first;
        while self.first < expected {
            let Some(fragment) = self.fragments.pop_front() else { break };
            self.bytes -= fragment.len();
            self.first += 1;
            self.sent = self.sent.saturating_sub(1);
        }
        if self.first > before {
            self.retry_pause = FIRST_RETRY_PAUSE;
        }
        if was_opening {
            Progress::Opened
        } else if self.was_full && self.has_room() {
            self.was_full = false;
            Progress::Writable
        } else {
            Progress::Silent
        }
    }

    /// The service wants everything from `expected` on again, after a pause if it is in trouble for the moment.
    pub(crate) fn refused(&mut self, expected: u64, is_transient: bool, now: Moment) -> Progress {
        if expected < self.first {
            return Progress::Violation;
        }
        let progress = self.acknowledged(expected);
        if progress != Progress::Violation {
            self.rewind();
            if is_transient {
                self.retry_at = Some(now + self.retry_pause);
                self.retry_pause = self.retry_pause.saturating_mul(2).min(LONGEST_RETRY_PAUSE);
            }
        }
        progress
    }

    /// Everything that is not acknowledged is to be sent again.
    pub(crate) fn rewind(&mut self) {
        self.sent = 0;
        self.end_was_sent = false;
    }

    /// What is to be sent next; it counts as sent then.
    pub(crate) fn next_request(&mut self, now: Moment) -> Option<Request<'_>> {
        if self.is_opening() || self.retry_at.is_some_and(|at| at > now) {
            return None;
        }
        self.retry_at = None;
        if let Some(payload) = self.fragments.get(self.sent) {
            let stream_sequence_id = self.first + self.sent as u64;
            let fragment = Fragment { stream_sequence_id, payload: payload.borrowed() };
            self.sent += 1;
            return Some(Request::StreamData { stream_id: self.id.clone(), fragment: Some(fragment) });
        }
        match &self.phase {
            Phase::Ending(error) if !self.end_was_sent => {
                self.end_was_sent = true;
                Some(Request::StreamEnd { stream_id: self.id.clone(), error: error.clone() })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::START;

    fn text(number: u64) -> Payload<'static> {
        Payload::Text(number.to_string().into())
    }

    fn open() -> OutboundStream {
        let mut stream = OutboundStream::new("s".into(), &ClientOptions::default(), NOW);
        assert_eq!(stream.acknowledged(1), Progress::Opened);
        stream
    }

    /// The numbers of the fragments that are sent now, each of which must hold its own number; 0 is the end.
    fn sent(stream: &mut OutboundStream, now: Moment) -> Vec<u64> {
        let mut numbers = Vec::new();
        while let Some(request) = stream.next_request(now) {
            numbers.push(match request {
                Request::StreamData { fragment: Some(fragment), .. } => {
                    assert_eq!(fragment.payload, text(fragment.stream_sequence_id));
                    fragment.stream_sequence_id
                }
                Request::StreamEnd { .. } => 0,
                other => panic!("{other:?}"),
            });
        }
        numbers
    }

    #[test]
    fn nothing_is_sent_before_the_service_takes_the_stream() {
        let mut stream = OutboundStream::new("s".into(), &ClientOptions::default(), NOW);
        stream.write(text(1)).unwrap();
        assert_eq!(stream.next_request(NOW), None);
        assert_eq!(stream.acknowledged(1), Progress::Opened);
        assert_eq!(sent(&mut stream, NOW), [1]);
    }

    #[test]
    fn a_nack_rewinds_and_what_was_acknowledged_is_not_sent_again() {
        let mut stream = open();
        for number in 1..=4 {
            stream.write(text(number)).unwrap();
        }
        assert_eq!(sent(&mut stream, NOW), [1, 2, 3, 4]);
        assert_eq!(stream.refused(3, false, NOW), Progress::Silent);
        assert_eq!(sent(&mut stream, NOW), [3, 4]);
        assert_eq!(stream.refused(2, false, NOW), Progress::Violation);
        assert_eq!(stream.acknowledged(6), Progress::Violation);
    }

    #[test]
    fn a_service_in_trouble_gets_a_growing_pause() {
        let mut stream = open();
        stream.write(text(1)).unwrap();
        assert_eq!(sent(&mut stream, NOW), [1]);
        for pause in [10, 20, 40] {
            let now = Moment::START + Duration::from_secs(1);
            stream.refused(1, true, now);
            assert_eq!(stream.next_request(now), None);
            assert_eq!(stream.deadline(), Some(now + Duration::from_millis(pause)));
            assert_eq!(sent(&mut stream, now + Duration::from_millis(pause)), [1]);
        }
    }

    #[test]
    fn the_end_goes_behind_the_last_fragment_and_is_repeated_with_it() {
        let mut stream = open();
        stream.write(text(1)).unwrap();
        stream.end(None);
        assert!(matches!(stream.write(text(2)), Err(WriteRefused::Ended(_))));
        assert_eq!(sent(&mut stream, NOW), [1, 0]);
        stream.rewind();
        assert_eq!(sent(&mut stream, NOW), [1, 0]);
    }

    #[test]
    fn a_full_buffer_says_so_and_tells_when_it_has_room_again() {
        let mut stream = open();
        for number in 1..=MAX_STREAM_FRAGMENTS as u64 {
            stream.write(text(number)).unwrap();
        }
        assert!(matches!(stream.write(text(0)), Err(WriteRefused::Full(_))));
        assert_eq!(stream.acknowledged(2), Progress::Writable);
        stream.write(text(257)).unwrap();
    }
}
