//! Why a WebSocket connection ends.
//!
//! Codes: RFC 6455, section 7.4.1. Texts: what the cloud service says in the same place, as far as known. Clients
//! must not parse them.

use std::borrow::Cow;

/// Longest close reason, in bytes of UTF-8 (RFC 6455, section 5.5: a control frame carries 125, the code takes two).
pub const MAX_REASON_BYTES: usize = 123;

/// A close code with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The WebSocket close code.
    pub code: u16,
    /// Words for people; at most [`MAX_REASON_BYTES`].
    pub reason: Cow<'static, str>,
}

/// Done: the peer wanted it, or an application server did.
pub const NORMAL: u16 = 1000;
/// The endpoint goes away: the service shuts down.
pub const GOING_AWAY: u16 = 1001;
/// A frame broke RFC 6455.
pub const PROTOCOL_ERROR: u16 = 1002;
/// A text message where binary is spoken, or the other way round.
pub const UNSUPPORTED_DATA: u16 = 1003;
/// No close frame came at all. Never sent.
pub const ABNORMAL: u16 = 1006;
/// The message makes no sense in the subprotocol.
pub const INVALID_PAYLOAD: u16 = 1007;
/// Refused by policy. A connection closed so cannot be recovered.
pub const POLICY_VIOLATION: u16 = 1008;
/// The message is larger than the service takes.
pub const MESSAGE_TOO_BIG: u16 = 1009;
/// The service is overloaded: the client may connect again later.
pub const TRY_AGAIN_LATER: u16 = 1013;
/// The service failed.
pub const INTERNAL_ERROR: u16 = 1011;

impl Close {
    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// The usual end.
    pub const NORMAL: Self = Self::new(NORMAL, "");
    /// The service is shutting down.
    pub const SHUTTING_DOWN: Self = Self::new(GOING_AWAY, "The service is shutting down.");
    /// A frame broke RFC 6455.
    pub const INVALID_FRAME: Self = Self::new(PROTOCOL_ERROR, "The client frame is invalid.");
    /// A text message held bytes that are not UTF-8 (RFC 6455, section 8.1).
    pub const INVALID_UTF8: Self = Self::new(INVALID_PAYLOAD, "The client text message is not valid UTF-8.");
    /// A JSON client sent a binary message.
    pub const JSON_WANTS_TEXT: Self =
        Self::new(UNSUPPORTED_DATA, "The JSON subprotocol requires text messages.");
    /// A JSON client sent something that is no request.
    pub const INVALID_JSON_MESSAGE: Self =
        Self::new(INVALID_PAYLOAD, "The client message is not a valid JSON protocol message.");
    /// A protobuf client sent a text message. `protocol` is its subprotocol's name.
    #[must_use]
    pub fn wants_binary(protocol: &str) -> Self {
        Self {
            code: UNSUPPORTED_DATA,
            reason: format!("The {protocol} subprotocol requires binary messages.").into(),
        }
    }

    /// A protobuf client sent something that is no request. `protocol` is its subprotocol's name.
    #[must_use]
    pub fn invalid_protobuf(protocol: &str) -> Self {
        Self {
            code: INVALID_PAYLOAD,
            reason: format!("The client message is not a valid {protocol} protocol message.").into(),
        }
    }

    /// A message beyond the size limit.
    pub const TOO_LARGE: Self = Self::new(MESSAGE_TOO_BIG, "The client message is too large.");
    /// A message that was begun did not end in time.
    pub const MESSAGE_TIMEOUT: Self =
        Self::new(POLICY_VIOLATION, "The client did not complete a message in time.");
    /// The memory of the service does not suffice for the message.
    pub const OUT_OF_MEMORY: Self =
        Self::new(TRY_AGAIN_LATER, "The service has no memory for a message of this size: retry later.");
    /// Memory ran short, and the client held more of it than others.
    pub const EVICTED: Self = Self::new(
        TRY_AGAIN_LATER,
        "The service is short of memory, and this client held the most: retry later.",
    );
    /// The receiver reads more slowly than its queue can bridge.
    pub const SLOW_RECEIVER: Self = Self::new(POLICY_VIOLATION, "The outbound message queue is full.");
    /// A reliable client acknowledges more slowly than what it has not acknowledged can be kept.
    pub const UNACKNOWLEDGED_FULL: Self = Self::new(POLICY_VIOLATION, "The reliable message buffer is full.");
    /// The peer did not answer pings.
    pub const PING_TIMEOUT: Self = Self::new(POLICY_VIOLATION, "The client did not answer pings.");
    /// A simple client in `sendToGroup` mode lacks the permission.
    pub const RAW_SEND_FORBIDDEN: Self =
        Self::new(POLICY_VIOLATION, "The connection is not authorized for raw sendToGroup mode.");
    /// A connection asked to be recovered and cannot be.
    pub const NOT_RECOVERABLE: Self = Self::new(POLICY_VIOLATION, "The connection could not be recovered.");
    /// A simple client's message reached no event handler.
    pub const RAW_EVENT_FAILED: Self = Self::new(INTERNAL_ERROR, "Internal server error");
}
