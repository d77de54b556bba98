//! Streams: many fragments in one order, from one publisher to a group (2026 addition to the protocol).
//!
//! A publisher starts a stream with a name of its choice, sends fragments numbered from 1, and ends it. The service
//! acknowledges by telling the number that it expects next; receivers get group messages that carry a [`StreamInfo`].
//!
//! Source: client specification, "Streaming".

/// How long a stream may be silent when its publisher does not say (client specification).
pub const DEFAULT_IDLE_TIMEOUT_MS: u32 = 300_000;
/// Number of a stream's first fragment.
pub const FIRST_FRAGMENT: u64 = 1;

/// Where in a stream a group message belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// The publisher's name for the stream.
    pub stream_id: String,
    /// The fragment's number; of the terminal message, the number after the last fragment's.
    pub stream_sequence_id: u64,
    /// Whether this is the terminal message, which has no data of its own.
    pub end_of_stream: bool,
    /// Why the stream ended before its time; only with the terminal message.
    pub error: Option<StreamError>,
}

/// Why a stream ended before its time, as receivers are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// One of the names below, or one that a later service invents.
    pub name: String,
    /// For people.
    pub message: Option<String>,
    /// The publisher's code for it.
    pub user_error_code: Option<String>,
}

impl StreamError {
    /// The publisher said so.
    pub const USER_ERROR: &'static str = "UserError";
    /// The publisher was silent for too long.
    pub const IDLE_TIMEOUT: &'static str = "IdleTimeout";
    /// The publisher's connection ended.
    pub const CANCELLED: &'static str = "Cancelled";
}

/// Why a publisher ends its stream before its time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublisherError {
    /// For people.
    pub message: Option<String>,
    /// For programs.
    pub user_error_code: Option<String>,
}

/// Names of what the service finds wrong with a stream, told to its publisher.
pub mod fault {
    /// A fragment has another number than the one expected; send again from there.
    pub const INVALID_SEQUENCE_ID: &str = "InvalidSequenceId";
    /// The service could not take the fragment now; send again.
    pub const TRANSIENT_ERROR: &str = "TransientError";
    /// No stream of that name is open.
    pub const STREAM_NOT_FOUND: &str = "StreamNotFound";
    /// The name is taken or the request makes no sense.
    pub const BAD_REQUEST: &str = "BadRequest";
}
