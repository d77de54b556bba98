//! The binary form of requests and responses: `protobuf.webpubsub.azure.v1`, and the reliable one.
//!
//! One `UpstreamMessage` or `DownstreamMessage` per WebSocket binary message. Fields that are not known are skipped.
//! Source: schema `webpubsub.v1.proto` of the vendor (repository azure-webpubsub, 2026); "Protobuf WebSocket subprotocol" and "reliable Protobuf WebSocket subprotocol" in the service
//! documentation.

mod data;
pub mod history;
#[cfg(test)]
mod reference;
mod request;
mod response;
mod schema;
mod usual;
mod wire;

pub use request::{decode_request, encode_request};
pub use response::{DataMessage, append_response, decode_response, encode_response};

/// Why a frame was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedMessage {
    /// Not a message of the schema.
    #[error("the frame is not a valid message of the protocol: {0}")]
    Wire(&'static str),
    /// A part that this kind of message needs is missing, or of no kind that is known.
    #[error("the message lacks its `{part}`, or has one of a kind that is not known")]
    Missing {
        /// The missing part.
        part: &'static str,
    },
    /// An event starts a stream, which only messages to groups can.
    #[error("an event cannot start a stream; send its data with the event, or start a stream to a group")]
    EventStream,
    /// A group or event name breaks the rules.
    #[error(transparent)]
    Name(#[from] crate::name::NameError),
    /// The data is not what it claims to be.
    #[error("the data is not valid for its kind")]
    Data,
    /// The time to live is out of range.
    #[error("`ttl_seconds` is {given}, beyond {}", crate::message::MAX_TTL_SECONDS)]
    TimeToLive {
        /// The value as given.
        given: u32,
    },
    /// The annotations break the rules.
    #[error("`metadata` breaks the rules: names are ASCII tokens, values ASCII, both short")]
    Metadata,
}
