//! The text form of requests and responses: `json.webpubsub.azure.v1`, and the reliable one.
//!
//! One JSON object per WebSocket text message. Unknown members are ignored, the order of members is free.
//! Source: "JSON WebSocket subprotocol" and "reliable JSON WebSocket subprotocol" in the service documentation.

mod data;
pub mod history;
mod metadata;
pub mod reader;
mod request;
mod response;
mod scan;
mod usual_response;
mod usual_send;
mod write;

pub use request::{decode_request, encode_request};
pub use response::{append_response, decode_response, encode_response, likely_len};

/// Why a frame was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedFrame {
    /// Not a JSON object, or a member has the wrong type.
    #[error("the frame is not a valid JSON object of the protocol: {0}")]
    Json(#[from] serde_json::Error),
    /// Not a JSON object.
    #[error("the frame is not a valid JSON object: it goes wrong at byte {at}")]
    Syntax {
        /// Where it ceases to be one.
        at: usize,
    },
    /// A member comes twice.
    #[error("the member `{member}` comes twice")]
    Twice {
        /// The member.
        member: String,
    },
    /// A member has the wrong type.
    #[error("the member `{member}` has the wrong type")]
    MemberType {
        /// The member.
        member: &'static str,
    },
    /// A member that this type of frame needs is missing.
    #[error("the `{frame}` frame has no `{member}`")]
    MissingMember {
        /// The frame's type.
        frame: &'static str,
        /// The missing member.
        member: &'static str,
    },
    /// The `type` is none that a client may send.
    #[error("no frame type is called `{name}`")]
    UnknownType {
        /// The type as given, cut to a printable length.
        name: String,
    },
    /// A group or event name breaks the rules.
    #[error(transparent)]
    Name(#[from] crate::name::NameError),
    /// `dataType` is unknown, or `data` does not fit it.
    #[error("`data` is not valid for its `dataType`, which must be json, text, binary or protobuf")]
    Data,
    /// `ttlSeconds` is out of range.
    #[error("`ttlSeconds` is {given}, beyond {}", crate::message::MAX_TTL_SECONDS)]
    TimeToLive {
        /// The value as given.
        given: u32,
    },
    /// The annotations break the rules.
    #[error("`metadata` breaks the rules: names are ASCII tokens, values ASCII, both short, none twice")]
    Metadata,
}
