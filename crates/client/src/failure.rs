//! Why something failed, in words that a reader can act on.

use webpubsub_protocol::message::AckError;

/// Why a connection could not be made.
///
/// Never holds a token: URLs are shown without their query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectFailure {
    /// The negotiate endpoint could not be reached.
    #[error("negotiate failed: {url} cannot be reached ({detail}); is the server running?")]
    NegotiateUnreachable {
        /// The endpoint, without its query.
        url: String,
        /// The transport's words.
        detail: String,
    },
    /// The address of the negotiate endpoint is none.
    #[error("negotiate failed: `{url}` is no http(s)://HOST/… address")]
    NegotiateAddress {
        /// The address as given, without its query.
        url: String,
    },
    /// The negotiate endpoint answered with an error status.
    #[error("negotiate failed: {url} answered {status}; is this the address of a negotiate endpoint?")]
    NegotiateStatus {
        /// The endpoint, without its query.
        url: String,
        /// The HTTP status code.
        status: u16,
    },
    /// The negotiate endpoint answered something that is no `{"url": "ws…"}`.
    #[error(
        "negotiate failed: {url} answered {found} instead of {{\"url\": \"wss://…\"}}; is this the address of a negotiate endpoint?"
    )]
    NegotiateAnswer {
        /// The endpoint, without its query.
        url: String,
        /// What came instead.
        found: String,
    },
    /// The service did not accept the WebSocket.
    #[error("connection refused: {url} did not accept the WebSocket ({detail})")]
    Refused {
        /// The service's client endpoint, without its query.
        url: String,
        /// The transport's words, or the HTTP status where it can be seen.
        detail: String,
        /// The HTTP status of the refusal. Browsers do not tell it.
        status: Option<u16>,
    },
    /// Neither acceptance nor refusal came in time.
    #[error("connection timed out: {url} did not answer within {seconds} s")]
    TimedOut {
        /// What was waited for, without its query.
        url: String,
        /// How long was waited.
        seconds: u64,
    },
}

impl ConnectFailure {
    /// Whether trying again can help without anybody changing anything.
    ///
    /// A wrong address stays wrong; a server that is down, overloaded or restarting comes back.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NegotiateUnreachable { .. } | Self::TimedOut { .. } => true,
            Self::NegotiateStatus { status, .. } => is_passing_status(*status),
            Self::NegotiateAnswer { .. } | Self::NegotiateAddress { .. } => false,
            Self::Refused { status, .. } => status.is_none_or(is_passing_status),
        }
    }
}

/// Statuses that speak of the server's moment, not of the request.
fn is_passing_status(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

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
    /// Nothing was heard for longer than a live connection is ever silent.
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

/// Why a message was not delivered, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendFailure {
    /// The service said no. Sending it again does not help.
    #[error("the service refused the message: {0}")]
    Refused(AckError),
    /// The client stopped before the service answered; the message may have been delivered or not.
    #[error("the client stopped before the service acknowledged the message")]
    Stopped,
}

fn reason_suffix(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(", {reason}") }
}
