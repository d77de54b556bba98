//! Why something failed, in words that a reader can act on.

use webpubsub_protocol::{message::AckError, payload::Payload};

use crate::outgoing::SendRefused;

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
    /// The negotiate endpoint answers, but a browser does not let this page read that.
    #[error(
        "negotiate failed: {url} does not answer pages of {origin}; allow that origin there (CORS), as `tailcast serve --allow-origin {origin}` does"
    )]
    NegotiateOrigin {
        /// The endpoint, without its query.
        url: String,
        /// Whose page this is.
        origin: String,
    },
    /// The application's own way to come by a URL failed.
    #[error("negotiate failed: the page's own function says: {detail}")]
    NegotiateFunction {
        /// The function's words.
        detail: String,
    },
    /// What was given in place of an answer of a negotiate endpoint is no URL of a service.
    #[error("cannot connect: {found} is no client access URL (wss://HOST/client/hubs/HUB?access_token=…)")]
    NotAServiceUrl {
        /// What it looks like.
        found: String,
    },
    /// The address of the negotiate endpoint is none.
    #[error("negotiate failed: `{url}` is no http(s)://HOST/… address")]
    NegotiateAddress {
        /// The address as given, without its query.
        url: String,
    },
    /// The negotiate endpoint answered with an error status.
    #[error("negotiate failed: {url} answered {status}; {}", negotiate_hint(*status))]
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
    /// The service opened the WebSocket without choosing a subprotocol that was offered.
    #[error("connection refused: {url} speaks none of {offered}; is this a Web PubSub service?")]
    NoSubprotocol {
        /// The service's client endpoint, without its query.
        url: String,
        /// What was offered.
        offered: String,
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
            Self::NegotiateUnreachable { .. } | Self::NegotiateFunction { .. } | Self::TimedOut { .. } => {
                true
            }
            Self::NegotiateStatus { status, .. } => is_passing_status(*status),
            Self::NegotiateOrigin { .. }
            | Self::NegotiateAnswer { .. }
            | Self::NegotiateAddress { .. }
            | Self::NotAServiceUrl { .. }
            | Self::NoSubprotocol { .. } => false,
            Self::Refused { status, .. } => status.is_none_or(is_passing_status),
        }
    }
}

/// What to look at when a negotiate endpoint answers `status`.
fn negotiate_hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "check the group and the publish key",
        429 => "too many ask from this address",
        _ => "is this the address of a negotiate endpoint?",
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

fn reason_suffix(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(", {reason}") }
}
