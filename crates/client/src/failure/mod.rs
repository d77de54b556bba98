//! Reasons of failures, as sentences that a user can act on.

mod connect;

use std::borrow::Cow;

use webpubsub_protocol::{message::AckError, payload::Payload};

pub(crate) use self::connect::status_text;
pub use self::connect::{ConnectFailure, MAX_RETRY_AFTER};
use crate::outgoing::SendRefused;

/// Reason for the loss of a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The service closed the connection and gave a reason.
    #[error("the service closed the connection: {message}")]
    ByService {
        /// Reason of the service.
        message: String,
    },
    /// The WebSocket closed.
    #[error("the connection was dropped (close code {code}{})", reason_suffix(reason))]
    Dropped {
        /// WebSocket close code; 1006 when the network went away without a word.
        code: u16,
        /// Reason of the peer, often none.
        reason: String,
    },
    /// The service did not respond to a ping in time.
    #[error("the connection went silent for {seconds} s")]
    Silent {
        /// Time without a frame, in seconds.
        seconds: u64,
    },
    /// The service sent something that this client cannot read.
    #[error("the service sent a frame that makes no sense ({detail})")]
    MalformedFrame {
        /// What is wrong with it.
        detail: String,
    },
    /// The client was stopped.
    #[error("stopped")]
    Stopped,
}

impl Disconnect {
    /// Returns the reason in a few words and without a close code, for a status line.
    #[must_use]
    pub fn summary(&self) -> Cow<'_, str> {
        match self {
            Self::Dropped { reason, .. } if reason.is_empty() => "the connection was lost".into(),
            Self::Dropped { reason, .. } => format!("the connection was closed: {reason}").into(),
            Self::ByService { .. } | Self::Silent { .. } | Self::MalformedFrame { .. } | Self::Stopped => {
                self.to_string().into()
            }
        }
    }
}

/// Failure to deliver a message, as far as known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendFailure {
    /// The service refused it. It would refuse it again.
    #[error("the service refused the message: {0}")]
    Refused(#[source] AckError),
    /// It was not sent, and is returned.
    #[error(transparent)]
    NotTaken(SendRefused),
    /// The client stopped before the service answered; the message may have been delivered or not.
    #[error("the client stopped before the service acknowledged the message")]
    Stopped,
}

/// Failure of an invocation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeFailure {
    /// The application's server or the service refused it.
    #[error("the invocation failed: {0}")]
    Refused(#[source] AckError),
    /// The connection was lost first. Whether the server acted is not known, so nothing is sent again.
    #[error("the connection was lost before the answer came; the server may have acted or not")]
    ConnectionLost,
    /// It was not sent.
    #[error(transparent)]
    NotTaken(StartRefused),
    /// The client stopped first.
    #[error("the client stopped before the answer came")]
    Stopped,
}

/// Reason why an invocation or a stream did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartRefused {
    /// It needs a connection, and there is none now.
    #[error("there is no connection now; try again once there is")]
    NotConnected,
    /// The limit of open ones is reached.
    #[error("{limit} are open already; wait until one has ended")]
    TooMany {
        /// Limit.
        limit: usize,
    },
    /// The subprotocol in use has no such request.
    #[error("the subprotocol in use has no such request; prefer a JSON one")]
    Unsupported,
    /// The client has stopped.
    #[error("the client has stopped")]
    Stopped,
    /// The payload is larger than the service takes, or no JSON though it claims to be.
    #[error("the payload is too large, or no JSON value that the protocol allows")]
    Payload,
}

/// Reason why a stream ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamFailure {
    /// The service ended it.
    #[error("the service ended the stream: {0}")]
    Closed(#[source] AckError),
    /// Its connection is gone, and a stream does not outlive it; or it was lost while the stream was being opened.
    #[error("the stream's connection was lost")]
    ConnectionLost,
    /// It did not start.
    #[error(transparent)]
    NotTaken(StartRefused),
    /// The service did not accept the stream in time.
    #[error("the service did not take the stream within {seconds} s; it may be one that knows no streams")]
    Unanswered {
        /// Limit, in seconds.
        seconds: u64,
    },
    /// The service asked for a fragment that it had taken before, or that was never sent.
    #[error("the service asked for a fragment that it cannot be missing")]
    ProtocolViolation,
    /// The client stopped.
    #[error("the client stopped")]
    Stopped,
}

/// Reason why a stream did not take a fragment, which the error contains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteRefused {
    /// The buffer of the stream is full: retry when the stream reports that it is writable.
    #[error("the stream's buffer is full; wait until it is writable")]
    Full(Payload<'static>),
    /// There is no such stream any more, or it was ended.
    #[error("the stream has ended")]
    Ended(Payload<'static>),
    /// The fragment would be longer than the service takes, or is no JSON though it claims to be.
    #[error("the fragment is too large, or no JSON value that the protocol allows")]
    Payload(Payload<'static>),
}

/// Returns the reason of a close code, to append to the code.
pub(crate) fn reason_suffix(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(", {reason}") }
}
