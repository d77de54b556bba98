//! History of a group: messages that it received earlier, as a service returns them over HTTP.
//!
//! A response is a sequence of [records](HistoryRecord): a head, the messages in ascending order of their sequence ids, and
//! an end. It is JSON text with one object a line ([`crate::json::history`]), or length-delimited binary messages
//! (`crate::protobuf::history`). A response without an end was cut off.
//!
//! This is an addition to the protocol: the cloud service has no history.

use crate::message::Response;

/// Media type of the JSON form.
pub const JSON_LINES: &str = "application/x-ndjson";
/// Media type of the binary form.
pub const PROTOBUF: &str = "application/x-protobuf";
/// Maximum size of a record, in bytes: a message of 1 MiB whose text is escaped.
pub const MAX_RECORD_BYTES: usize = 8 * 1024 * 1024;

/// Part of a history response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryRecord<'a> {
    /// The first record.
    Head(HistoryHead),
    /// A message.
    Message(HistoryMessage<'a>),
    /// The last record.
    End(HistoryEnd),
}

/// State of a group's history when the response began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryHead {
    /// Run of the service. Sequence ids of another run have no meaning in this one.
    pub run_id: String,
    /// Oldest message that is retained; `None` without any.
    pub oldest: Option<HistoryPosition>,
    /// Number and line that the group's next message will have.
    pub next: MessageNumber,
}

/// Place of a message in the history of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryPosition {
    /// Sequence id.
    pub sequence_id: u64,
    /// Number and line.
    pub number: MessageNumber,
}

/// Count of a group's messages and lines in this run of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageNumber {
    /// Number of the message in its group, from 1.
    pub message: u64,
    /// Number of its first line, from 1.
    pub line: u64,
}

impl Default for MessageNumber {
    /// Returns the numbers of a group's first message.
    fn default() -> Self {
        Self { message: 1, line: 1 }
    }
}

/// Message of a history response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryMessage<'a> {
    /// The message, with its sequence id.
    pub message: Response<'a>,
    /// Time at which it was published, in milliseconds since 1970.
    pub published_ms: u64,
    /// Its number and line.
    pub number: MessageNumber,
}

/// End of a complete response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistoryEnd {
    /// Sequence id up to which the response has every message that is retained and matches the query.
    pub sequence_id: u64,
}
