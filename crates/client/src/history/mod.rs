//! History: messages that a group received before the client joined it.
//!
//! A service with a history names it in the negotiate response, and in its first message the run that its sequence ids belong
//! to; [`ClientEvent::Connected`](crate::ClientEvent::Connected) then has a [`HistoryAccess`]. Azure Web PubSub has no history.
//!
//! To see every message once: join the group, wait for [`Joined`](crate::ClientEvent::Joined), hold back the messages that
//! arrive from then on, and read the history. Of those held back, the ones up to [`HistoryEnd::sequence_id`] are in the response.
//! [`GroupHistory`] does this, also after an interruption.
//!
//! The drivers read responses: `web::read_history` and `native::read_history`.

use std::fmt;

use webpubsub_protocol::name::GroupName;

pub use group_history::{Disposition, GroupHistory, Missing};
pub use held::{HeldMessage, MAX_HELD_BYTES};
pub use reader::HistoryReader;
pub use webpubsub_protocol::history::{
    HistoryEnd, HistoryHead, HistoryMessage, HistoryPosition, HistoryRecord, MessageNumber,
};

mod group_history;
mod held;
mod reader;

use crate::{failure::status_text, negotiate::encoded};

/// Access to the history of the groups of a connection.
#[derive(Clone, PartialEq, Eq)]
pub struct HistoryAccess {
    url: String,
    token: String,
    run_id: String,
}

impl HistoryAccess {
    /// Creates an access to the history at `url` with the token of a client, in the run `run_id` of the service.
    pub(crate) fn new(url: String, token: String, run_id: String) -> Self {
        Self { url, token, run_id }
    }

    /// Returns the run of the service that sequence ids belong to.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Whether `other` is an access to the same history in the same run, with another token or not.
    #[must_use]
    pub fn is_same_history(&self, other: &Self) -> bool {
        (&self.url, &self.run_id) == (&other.url, &other.run_id)
    }

    /// Returns the request for a range of the messages of `group`.
    #[must_use]
    pub fn request(&self, group: &GroupName, range: &HistoryRange) -> HistoryRequest {
        let HistoryRange { start, before, max_bytes } = range;
        let mut url = format!("{}/groups/{}", self.url, encoded(group.as_str()));
        match start {
            HistoryStart::Last(count) => url.push_str(&format!("?last={count}")),
            HistoryStart::After(id) => url.push_str(&format!("?after={id}&run={}", encoded(&self.run_id))),
            HistoryStart::Since(since) => url.push_str(&format!("?since={}", encoded(since))),
        }
        if let Some(before) = before {
            url.push_str(&format!("&before={before}"));
        }
        if let Some(max_bytes) = max_bytes {
            url.push_str(&format!("&max-bytes={max_bytes}"));
        }
        HistoryRequest { url, token: self.token.clone() }
    }
}

impl fmt::Debug for HistoryAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryAccess").field("url", &self.url).field("run_id", &self.run_id).finish()
    }
}

/// Range of a group's messages, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRange {
    /// First message.
    pub start: HistoryStart,
    /// Sequence id that all messages must be before.
    pub before: Option<u64>,
    /// Maximum size of the payloads, in bytes: the newest messages are preferred. `None` for the limit of the service.
    pub max_bytes: Option<u64>,
}

/// First message of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HistoryStart {
    /// The last messages, as many as given.
    Last(u64),
    /// The messages behind this sequence id.
    After(u64),
    /// The messages since an age (`15m`) or a time (`2026-11-30T12:00:00Z`).
    Since(String),
}

impl From<HistoryStart> for HistoryRange {
    /// Creates a range without an end.
    fn from(start: HistoryStart) -> Self {
        Self { start, before: None, max_bytes: None }
    }
}

/// Request for messages: URL and token.
#[derive(Clone, PartialEq, Eq)]
pub struct HistoryRequest {
    pub(crate) url: String,
    pub(crate) token: String,
}

impl fmt::Debug for HistoryRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HistoryRequest").field(&self.url).finish()
    }
}

/// Failure to read a history. Records that were received before it are complete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryFailure {
    /// The server did not answer.
    #[error("the history cannot be reached: {detail}; is the server running?")]
    Unreachable {
        /// Reason that the browser or the operating system gave.
        detail: String,
    },
    /// The server refused the request.
    #[error("the server refused the history: {}", reason.clone().unwrap_or_else(|| status_text(*status)))]
    Refused {
        /// Status code. With 401, the token has expired: negotiate again.
        status: u16,
        /// Reason that the server gave.
        reason: Option<String>,
    },
    /// The response was cut off.
    #[error("the history was cut off before its end: read on behind the last message")]
    Cut,
    /// The server did not send the response in time.
    #[error("the server did not send the history within {seconds} s")]
    TimedOut {
        /// Limit, in seconds.
        seconds: u64,
    },
    /// The response is longer than any history.
    #[error("the history exceeds {limit} bytes; request a shorter range")]
    TooLong {
        /// Limit, in bytes.
        limit: usize,
    },
    /// The response is not a history.
    #[error("the response is not a history: {detail}")]
    Malformed {
        /// Description of the response.
        detail: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_range_in_its_url_and_no_token() {
        let access = HistoryAccess::new("http://h/history/hubs/s".into(), "secret".into(), "run 1".into());
        let group = GroupName::new("a/b").unwrap();
        let url = |range: HistoryRange| access.request(&group, &range).url;
        assert_eq!(url(HistoryStart::Last(5).into()), "http://h/history/hubs/s/groups/a%2Fb?last=5");
        let range = HistoryRange { start: HistoryStart::After(7), before: Some(9), max_bytes: Some(100) };
        let query = "?after=7&run=run%201&before=9&max-bytes=100";
        assert_eq!(url(range), format!("http://h/history/hubs/s/groups/a%2Fb{query}"));
        let since = url(HistoryStart::Since("15m".into()).into());
        assert_eq!(since, "http://h/history/hubs/s/groups/a%2Fb?since=15m");
        let shown = format!("{access:?} {:?}", access.request(&group, &HistoryStart::Last(1).into()));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
