//! Limits of a client: sizes of its queues, and times.

use std::time::Duration;

use crate::{
    ack_table::{MAX_IN_FLIGHT_BYTES, MAX_IN_FLIGHT_MESSAGES},
    backoff::{FIRST_PAUSE, LONGEST_PAUSE},
    invocations::MAX_INVOCATIONS,
    liveness::{KeepAlive, PING_INTERVAL, PONG_TIMEOUT},
    machine::{CONNECT_STEP_TIMEOUT, STABLE_AFTER},
    outbound_stream::{MAX_STREAM_BYTES, MAX_STREAM_FRAGMENTS, MAX_STREAMS, STREAM_OPEN_TIMEOUT},
    recovery::{RECOVERY_RETRY_PAUSE, RECOVERY_STEP_TIMEOUT, RECOVERY_WINDOW},
    sequence::{ACK_AFTER_BYTES, ACK_AFTER_MESSAGES, ACK_DELAY},
};

/// Default of [`Limits::queued_requests`]: few, because they form a second window before that of unacknowledged messages, and more
/// than one, because each would cost a change of tasks.
pub const QUEUED_REQUESTS: usize = 32;
/// Default of [`Limits::queued_messages`].
pub const QUEUED_MESSAGES: usize = 1024;
/// Default of [`Limits::queued_bytes`].
pub const QUEUED_BYTES: usize = 16 * 1024 * 1024;
/// Default of [`Limits::received_bytes`]: the largest payload (1 MiB), written with six characters for each byte.
pub const MAX_RECEIVED_BYTES: usize = 8 * 1024 * 1024;
/// Default of [`Limits::socket_bytes`].
pub const MAX_SOCKET_BYTES: usize = 1024 * 1024;
/// Default of [`Limits::history_bytes`]: the service returns at most 64 MiB, and one more message.
pub const MAX_HISTORY_BYTES: usize = 72 * 1024 * 1024;
/// Default of [`Timeouts::history_idle`].
pub const HISTORY_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Default of [`Timeouts::history`]: the largest response at 5 Mbit/s.
pub const HISTORY_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// Default of [`Timeouts::close`].
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Most messages that the service remembers, less one. A message that is sent again after more than these would not be recognized.
const MOST_IN_FLIGHT_MESSAGES: usize = 999;

/// Sizes of the queues of a client. The defaults suit a client of some groups.
///
/// # Memory
/// The worst case of one client is the sum of
///
/// - `in_flight_bytes`, and a message more: messages that the service has not acknowledged,
/// - `queued_requests` messages: requests that wait for a place among them,
/// - `socket_bytes`, and what of `in_flight_bytes` is sent again after a reconnection: frames that the socket has not taken,
/// - `streams` × (`stream_bytes`, and a fragment more),
/// - for each [`Subscription`](crate::Subscription) and each [`Events`](crate::Events): `queued_bytes`, a message more, and 200 bytes
///   for each of `queued_messages`,
/// - three times `received_bytes`: a message that arrives, and what the WebSocket holds to be sent,
/// - `history_bytes` for each history that a subscription loads.
///
/// With the defaults and one subscription that is about 70 MiB, or 140 MiB with a history; a client whose messages are read and
/// acknowledged needs about 1 MiB.
///
/// ```
/// use webpubsub_client::Limits;
///
/// let mut limits = Limits::default();
/// limits.in_flight_messages = 64;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Messages, joins and leaves that wait for their acknowledgement, 256 by default and 999 at most: the service remembers the
    /// last 1000. Further requests wait.
    pub in_flight_messages: usize,
    /// Payloads that wait for their acknowledgement, in bytes: 8 MiB by default. A single longer message is sent nevertheless.
    pub in_flight_bytes: usize,
    /// Invocations that wait for their answer: 256 by default. Further ones fail.
    pub invocations: usize,
    /// Open outbound streams: 64 by default. Further ones fail.
    pub streams: usize,
    /// Fragments of one stream that wait for the service: 256 by default. Further ones wait.
    pub stream_fragments: usize,
    /// Payloads of one stream that wait for the service, in bytes: 4 MiB by default. Further ones wait.
    pub stream_bytes: usize,
    /// Requests of the application that wait for a place among the `in_flight_messages`: 32 by default. Further ones wait.
    pub queued_requests: usize,
    /// Unread items of one subscription or one `Events`: 1024 by default.
    pub queued_messages: usize,
    /// Unread payloads of one subscription or one `Events`, in bytes: 16 MiB by default. A single longer message is delivered
    /// nevertheless.
    pub queued_bytes: usize,
    /// Size of a message of the service, in bytes: 8 MiB by default. A longer one ends its connection. Ignored in browsers.
    pub received_bytes: usize,
    /// Frames that wait for the socket, in bytes: 1 MiB by default. Above it, no request is taken.
    pub socket_bytes: usize,
    /// Payloads of one history response, in bytes: 72 MiB by default, more than a service returns. A longer response fails.
    pub history_bytes: usize,
    /// Received messages after which an acknowledgement is sent at once: 100 by default, a tenth of what the service retains.
    pub ack_after_messages: usize,
    /// Received bytes after which an acknowledgement is sent at once: 1 MiB by default, a sixteenth of what the service retains.
    pub ack_after_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight_messages: MAX_IN_FLIGHT_MESSAGES,
            in_flight_bytes: MAX_IN_FLIGHT_BYTES,
            invocations: MAX_INVOCATIONS,
            streams: MAX_STREAMS,
            stream_fragments: MAX_STREAM_FRAGMENTS,
            stream_bytes: MAX_STREAM_BYTES,
            queued_requests: QUEUED_REQUESTS,
            queued_messages: QUEUED_MESSAGES,
            queued_bytes: QUEUED_BYTES,
            received_bytes: MAX_RECEIVED_BYTES,
            socket_bytes: MAX_SOCKET_BYTES,
            history_bytes: MAX_HISTORY_BYTES,
            ack_after_messages: ACK_AFTER_MESSAGES,
            ack_after_bytes: ACK_AFTER_BYTES,
        }
    }
}

impl Limits {
    /// Returns these limits, with those that no client works with replaced by the nearest ones that it does.
    pub(crate) fn checked(mut self) -> Self {
        self.in_flight_messages = self.in_flight_messages.clamp(1, MOST_IN_FLIGHT_MESSAGES);
        for limit in [&mut self.queued_requests, &mut self.queued_messages, &mut self.stream_fragments] {
            *limit = (*limit).max(1);
        }
        self
    }
}

/// Times of a client. The defaults suit the service, which retains a lost connection for 30 s and expects a sign of life every 40 s.
///
/// ```
/// use std::time::Duration;
/// use webpubsub_client::Timeouts;
///
/// let mut timeouts = Timeouts::default();
/// timeouts.longest_retry_pause = Duration::from_secs(120);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Limit of each step of connecting: the negotiation, the WebSocket handshake, and the first message of the service. 15 s by
    /// default.
    pub connect_step: Duration,
    /// Pause before the second attempt to connect: 0.5 s by default. It doubles with each attempt, with random jitter.
    pub first_retry_pause: Duration,
    /// Longest pause between attempts to connect: 15 s by default.
    pub longest_retry_pause: Duration,
    /// Age at which a connection counts as stable, so that the pauses begin with the shortest one again: 5 s by default.
    pub stable_after: Duration,
    /// Time in which a lost reliable connection can be recovered: 30 s by default, as long as the service retains it.
    pub recovery_window: Duration,
    /// Time between the beginnings of two recovery attempts: 1 s by default.
    pub recovery_retry_pause: Duration,
    /// Limit of each step of a recovery attempt: the WebSocket handshake, and a sign of life. 5 s by default.
    pub recovery_step: Duration,
    /// Silence after which the service is pinged: 20 s by default, `None` for never.
    pub ping_interval: Option<Duration>,
    /// Time after a ping in which the service must respond: 10 s by default, `None` for no limit.
    pub pong_timeout: Option<Duration>,
    /// Time in which the service must accept a stream: 15 s by default.
    pub stream_open: Duration,
    /// Longest delay of the acknowledgement of a received message: 0.5 s by default.
    pub ack_delay: Duration,
    /// Limit of the close frame: 1 s by default. Ignored in browsers.
    pub close: Duration,
    /// Longest time without a part of a history response: 30 s by default. Ignored in browsers.
    pub history_idle: Duration,
    /// Limit of a history response: 15 minutes by default. Ignored in browsers.
    pub history: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_step: CONNECT_STEP_TIMEOUT,
            first_retry_pause: FIRST_PAUSE,
            longest_retry_pause: LONGEST_PAUSE,
            stable_after: STABLE_AFTER,
            recovery_window: RECOVERY_WINDOW,
            recovery_retry_pause: RECOVERY_RETRY_PAUSE,
            recovery_step: RECOVERY_STEP_TIMEOUT,
            ping_interval: Some(PING_INTERVAL),
            pong_timeout: Some(PONG_TIMEOUT),
            stream_open: STREAM_OPEN_TIMEOUT,
            ack_delay: ACK_DELAY,
            close: CLOSE_TIMEOUT,
            history_idle: HISTORY_IDLE_TIMEOUT,
            history: HISTORY_TIMEOUT,
        }
    }
}

impl Timeouts {
    pub(crate) fn keep_alive(&self) -> KeepAlive {
        KeepAlive { ping_interval: self.ping_interval, pong_timeout: self.pong_timeout }
    }
}
