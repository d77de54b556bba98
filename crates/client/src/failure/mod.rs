//! Reasons of failures, as sentences that a user can act on.

mod connect;

use std::borrow::Cow;

use webpubsub_protocol::{message::AckError, payload::Payload};

pub(crate) use self::connect::status_text;
pub use self::connect::{ConnectFailure, MAX_RETRY_AFTER};
use crate::outgoing::SendRefused;

/// Why a connection that had been made is gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Disconnect {
    /// The service said why before it closed.
    #[error("the service closed the connection: {message}")]
    ByService {
        /// The service's words.
        message: String,
    },
    /// The WebSocket closed.
    #[error("the connection was dropped (close code {code}{})", reason_suffix(reason))]
    Dropped {
        /// WebSocket close code; 1006 when the network went away without a word.
        code: u16,
        /// The peer's words, often none.
        reason: String,
    },
    /// The service owed a sign of life for too long.
    #[error("the connection went silent for {seconds} s")]
    Silent {
        /// How long nothing came.
        seconds: u64,
    },
    /// The service sent something that this client cannot read.
    #[error("the service sent a frame that makes no sense ({detail})")]
    MalformedFrame {
        /// What is wrong with it.
        detail: String,
    },
    /// We were told to stop.
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

/// Why a message was not delivered, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendFailure {
    /// The service said no. Sending it again does not help.
    #[error("the service refused the message: {0}")]
    Refused(AckError),
    /// It was not even sent, and comes back.
    #[error(transparent)]
    NotTaken(SendRefused),
    /// The client stopped before the service answered; the message may have been delivered or not.
    #[error("the client stopped before the service acknowledged the message")]
    Stopped,
}

/// Why an invocation got no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeFailure {
    /// The application's server, or the service on its way there, said no.
    #[error("the invocation failed: {0}")]
    Refused(AckError),
    /// The connection was lost first. Whether the server acted is not known, so nothing is sent again.
    #[error("the connection was lost before the answer came; the server may have acted or not")]
    ConnectionLost,
    /// It was not even sent.
    #[error(transparent)]
    NotTaken(StartRefused),
    /// The client stopped first.
    #[error("the client stopped before the answer came")]
    Stopped,
}

/// Why an invocation or a stream could not be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartRefused {
    /// It needs a connection, and there is none now.
    #[error("there is no connection now; try again once there is")]
    NotConnected,
    /// As many are open as may be.
    #[error("{limit} are open already; wait until one has ended")]
    TooMany {
        /// How many.
        limit: usize,
    },
    /// The subprotocol in use cannot say it.
    #[error("the subprotocol in use has no such request; prefer a JSON one")]
    Unsupported,
    /// The client has stopped.
    #[error("the client has stopped")]
    Stopped,
    /// The payload is larger than the service takes, or no JSON though it claims to be.
    #[error("the payload is too large, or no JSON value that the protocol allows")]
    Payload,
}

/// Why a stream ended before its publisher ended it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamFailure {
    /// The service ended it.
    #[error("the service ended the stream: {0}")]
    Closed(AckError),
    /// Its connection is gone, and a stream does not outlive it; or it was lost while the stream was being opened.
    #[error("the stream's connection was lost")]
    ConnectionLost,
    /// It was not even begun.
    #[error(transparent)]
    NotTaken(StartRefused),
    /// The service did not say in time whether it takes the stream.
    #[error("the service did not take the stream within {seconds} s; it may be one that knows no streams")]
    Unanswered {
        /// How long was waited.
        seconds: u64,
    },
    /// The service asked for a fragment that it had taken before, or that was never sent.
    #[error("the service asked for a fragment that it cannot be missing")]
    ProtocolViolation,
    /// The client stopped.
    #[error("the client stopped")]
    Stopped,
}

/// Why a stream did not take a fragment. It comes back with the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteRefused {
    /// As much waits for the service as may: try again when the stream has told that it is writable.
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
