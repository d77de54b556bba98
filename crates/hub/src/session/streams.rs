//! The streams that one connection publishes: what is open, what number comes next, when silence ends it.
//!
//! Pure bookkeeping: requests and the time go in, what is to be said comes out; the session says it.
//!
//! Source: client specification, "Streaming".

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;
use webpubsub_protocol::{
    message::AckError,
    name::GroupName,
    stream::{DEFAULT_IDLE_TIMEOUT_MS, FIRST_FRAGMENT, fault},
};

/// Most streams that one connection may have open: a bound on what a client can make the service remember.
pub const MAX_STREAMS: usize = 100;
/// Longest name of a stream, in bytes.
pub const MAX_STREAM_ID_BYTES: usize = 256;

/// An open stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublishedStream {
    pub(super) group: GroupName,
    pub(super) no_echo: bool,
    /// The number of the fragment that comes next.
    pub(super) expected: u64,
    idle_timeout: Duration,
    idle_at: Instant,
}

/// What becomes of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FragmentStatus {
    /// It is the next one: publish it, then [`PublishedStreams::taken`].
    Next(PublishedStream),
    /// It was there before.
    Repeated { expected: u64 },
    /// Some before it are missing.
    TooEarly { expected: u64 },
    /// There is no such stream.
    Unknown,
}

#[derive(Debug, Default)]
pub(super) struct PublishedStreams(HashMap<String, PublishedStream>);

impl PublishedStreams {
    /// Opens a stream.
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
            return Err(bad_request(format!("A stream id has 1 to {MAX_STREAM_ID_BYTES} bytes.")));
        }
        if idle_timeout_ms == 0 {
            return Err(bad_request("`idleTimeoutMs` must be above 0.".to_owned()));
        }
        if self.0.contains_key(id) {
            return Err(bad_request("A stream of this id is open already.".to_owned()));
        }
        if self.0.len() >= MAX_STREAMS {
            return Err(bad_request(format!("A connection may have {MAX_STREAMS} streams open at most.")));
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

    /// Judges a fragment. Whatever its number, it is a sign of life.
    pub(super) fn fragment(&mut self, id: &str, number: u64, now: Instant) -> FragmentStatus {
        let Some(stream) = self.0.get_mut(id) else { return FragmentStatus::Unknown };
        stream.idle_at = now + stream.idle_timeout;
        let expected = stream.expected;
        match number.cmp(&expected) {
            std::cmp::Ordering::Equal => FragmentStatus::Next(stream.clone()),
            std::cmp::Ordering::Less => FragmentStatus::Repeated { expected },
            std::cmp::Ordering::Greater => FragmentStatus::TooEarly { expected },
        }
    }

    /// The expected fragment has been published; gives the number expected next.
    pub(super) fn advance(&mut self, id: &str) -> u64 {
        self.0.get_mut(id).map_or(FIRST_FRAGMENT, |stream| {
            stream.expected = stream.expected.saturating_add(1);
            stream.expected
        })
    }

    /// A sign of life without a fragment. Whether there is such a stream.
    pub(super) fn keep_alive(&mut self, id: &str, now: Instant) -> bool {
        self.0.get_mut(id).map(|stream| stream.idle_at = now + stream.idle_timeout).is_some()
    }

    /// Forgets a stream.
    pub(super) fn close(&mut self, id: &str) -> Option<PublishedStream> {
        self.0.remove(id)
    }

    /// Forgets all streams.
    pub(super) fn close_all(&mut self) -> Vec<(String, PublishedStream)> {
        self.0.drain().collect()
    }

    /// When the next stream will have been silent for too long.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.0.values().map(|stream| stream.idle_at).min()
    }

    /// Forgets the streams that have been silent for too long.
    pub(super) fn close_idle(&mut self, now: Instant) -> Vec<(String, PublishedStream)> {
        self.0.extract_if(|_, stream| stream.idle_at <= now).collect()
    }

    /// The publisher was cut off and is back: it has the whole of its time again.
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
    fn fragments_are_taken_in_order_and_once() {
        let (mut streams, now) = (PublishedStreams::default(), Instant::now());
        streams.start("s", group(), false, None, now).unwrap();
        assert!(
            matches!(streams.fragment("s", 1, now), FragmentStatus::Next(stream) if stream.expected == 1)
        );
        assert_eq!(streams.advance("s"), 2);
        assert_eq!(streams.fragment("s", 1, now), FragmentStatus::Repeated { expected: 2 });
        assert_eq!(streams.fragment("s", 3, now), FragmentStatus::TooEarly { expected: 2 });
        assert_eq!(streams.fragment("other", 1, now), FragmentStatus::Unknown);
    }

    #[test]
    fn a_silent_stream_ends_and_one_that_shows_life_does_not() {
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
    fn a_name_is_free_again_once_its_stream_has_ended_and_there_is_a_limit() {
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
