//! Open streams of one publisher: next sequence id and idle timeout of each.
//!
//! Only bookkeeping, without I/O or a clock: the session sends the responses.
//!
//! Source: client specification, "Streaming".

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;
use webpubsub_protocol::{
    message::AckError,
    name::GroupName,
    stream::{DEFAULT_IDLE_TIMEOUT_MS, FIRST_FRAGMENT, fault},
};

/// Maximum number of open streams of one connection. Bounds the memory that a client can claim.
pub(crate) const MAX_STREAMS: usize = 100;
/// Maximum length of a stream id, in bytes.
pub(crate) const MAX_STREAM_ID_BYTES: usize = 256;

/// State of an open stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublishedStream {
    pub(super) group: GroupName,
    pub(super) no_echo: bool,
    /// Sequence id of the next fragment.
    pub(super) expected: u64,
    idle_timeout: Duration,
    idle_at: Instant,
}

/// Status of a received fragment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FragmentStatus {
    /// The next fragment: publish it, then call [`PublishedStreams::advance`].
    Next(PublishedStream),
    /// A fragment that was published before.
    Repeated { expected: u64 },
    /// Fragments before this one are missing.
    TooEarly { expected: u64 },
    /// No stream with this id is open.
    Unknown,
}

#[derive(Debug, Default)]
pub(super) struct PublishedStreams(HashMap<String, PublishedStream>);

impl PublishedStreams {
    /// Opens a stream. Fails if its id or timeout is invalid, the id is in use, or [`MAX_STREAMS`] are open.
    pub(super) fn start(
        &mut self,
        id: &str,
        group: GroupName,
        no_echo: bool,
        idle_timeout_ms: Option<u32>,
        now: Instant,
    ) -> Result<(), AckError> {
        let idle_timeout_ms = idle_timeout_ms.unwrap_or(DEFAULT_IDLE_TIMEOUT_MS);
        if id.is_empty() || id.len() > MAX_STREAM_ID_BYTES {
            return Err(bad_request(format!("`streamId` must have 1 to {MAX_STREAM_ID_BYTES} bytes.")));
        }
        if idle_timeout_ms == 0 {
            return Err(bad_request("`idleTimeoutMs` must be above 0.".to_owned()));
        }
        if self.0.contains_key(id) {
            return Err(bad_request("A stream with this id is open already: choose another id.".to_owned()));
        }
        if self.0.len() >= MAX_STREAMS {
            return Err(bad_request(format!(
                "The connection has {MAX_STREAMS} streams open, the maximum: end one first."
            )));
        }
        let idle_timeout = Duration::from_millis(u64::from(idle_timeout_ms));
        let stream = PublishedStream {
            group,
            no_echo,
            expected: FIRST_FRAGMENT,
            idle_timeout,
            idle_at: now + idle_timeout,
        };
        self.0.insert(id.to_owned(), stream);
        Ok(())
    }

    /// Checks the sequence id of a fragment. Any fragment restarts the idle timeout.
    pub(super) fn check_fragment(&mut self, id: &str, number: u64, now: Instant) -> FragmentStatus {
        let Some(stream) = self.0.get_mut(id) else { return FragmentStatus::Unknown };
        stream.idle_at = now + stream.idle_timeout;
        let expected = stream.expected;
        match number.cmp(&expected) {
            std::cmp::Ordering::Equal => FragmentStatus::Next(stream.clone()),
            std::cmp::Ordering::Less => FragmentStatus::Repeated { expected },
            std::cmp::Ordering::Greater => FragmentStatus::TooEarly { expected },
        }
    }

    /// Records that the expected fragment has been published. Returns the next sequence id.
    pub(super) fn advance(&mut self, id: &str) -> u64 {
        self.0.get_mut(id).map_or(FIRST_FRAGMENT, |stream| {
            stream.expected = stream.expected.saturating_add(1);
            stream.expected
        })
    }

    /// Restarts the idle timeout of a stream. Returns `false` if no such stream is open.
    pub(super) fn keep_alive(&mut self, id: &str, now: Instant) -> bool {
        self.0.get_mut(id).map(|stream| stream.idle_at = now + stream.idle_timeout).is_some()
    }

    /// Removes a stream.
    pub(super) fn close(&mut self, id: &str) -> Option<PublishedStream> {
        self.0.remove(id)
    }

    /// Removes all streams.
    pub(super) fn close_all(&mut self) -> Vec<(String, PublishedStream)> {
        self.0.drain().collect()
    }

    /// Returns the time at which the next idle timeout passes.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.0.values().map(|stream| stream.idle_at).min()
    }

    /// Removes the streams whose idle timeout has passed.
    pub(super) fn close_idle(&mut self, now: Instant) -> Vec<(String, PublishedStream)> {
        self.0.extract_if(|_, stream| stream.idle_at <= now).collect()
    }

    /// Restarts all idle timeouts: a publisher that was disconnected gets the full time again.
    pub(super) fn restart_timers(&mut self, now: Instant) {
        for stream in self.0.values_mut() {
            stream.idle_at = now + stream.idle_timeout;
        }
    }
}

fn bad_request(message: String) -> AckError {
    AckError { name: fault::BAD_REQUEST.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> GroupName {
        GroupName::new("g").unwrap()
    }

    #[test]
    fn fragments_are_accepted_in_order_and_once() {
        let (mut streams, now) = (PublishedStreams::default(), Instant::now());
        streams.start("s", group(), false, None, now).unwrap();
        assert!(
            matches!(streams.check_fragment("s", 1, now), FragmentStatus::Next(stream) if stream.expected == 1)
        );
        assert_eq!(streams.advance("s"), 2);
        assert_eq!(streams.check_fragment("s", 1, now), FragmentStatus::Repeated { expected: 2 });
        assert_eq!(streams.check_fragment("s", 3, now), FragmentStatus::TooEarly { expected: 2 });
        assert_eq!(streams.check_fragment("other", 1, now), FragmentStatus::Unknown);
    }

    #[test]
    fn idle_streams_end_and_streams_with_keep_alives_do_not() {
        let (mut streams, now) = (PublishedStreams::default(), Instant::now());
        let seconds = |seconds| now + Duration::from_secs(seconds);
        streams.start("silent", group(), false, Some(2000), now).unwrap();
        streams.start("alive", group(), false, Some(2000), now).unwrap();
        assert!(streams.keep_alive("alive", seconds(1)) && !streams.keep_alive("other", now));
        assert_eq!(streams.next_deadline(), Some(seconds(2)));
        let closed = streams.close_idle(seconds(2));
        assert_eq!(closed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["silent"]);
        streams.restart_timers(seconds(10));
        assert_eq!(streams.next_deadline(), Some(seconds(12)));
    }

    #[test]
    fn ids_are_reusable_after_the_end_and_the_number_of_streams_is_limited() {
        let (mut streams, now) = (PublishedStreams::default(), Instant::now());
        let mut start = |id: &str, idle| streams.start(id, group(), false, idle, now);
        assert!(start("s", None).is_ok() && start("s", None).is_err());
        assert!(start("", None).is_err() && start(&"x".repeat(257), None).is_err());
        assert!(start("t", Some(0)).is_err());
        for number in 1..MAX_STREAMS {
            assert!(start(&number.to_string(), None).is_ok());
        }
        assert!(start("one too many", None).is_err());
        assert!(streams.close("s").is_some() && streams.close("s").is_none());
        assert!(streams.start("s", group(), false, None, now).is_ok());
    }
}
