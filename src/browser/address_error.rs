//! Errors of settings that name no usable connections.

use webpubsub_protocol::name::NameError;

use crate::model::source::MAX_SOURCES;

/// Error of the settings of a viewer. Displays as a sentence for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A group has an invalid name.
    #[error(transparent)]
    Group(#[from] NameError),
    /// A negotiate endpoint has another address than an http or https URL.
    #[error("`{0}` is not the address of a negotiate endpoint: it must be an http or https URL")]
    Negotiate(String),
    /// The service has another address than a ws or wss URL, which is not shown: it may contain a token.
    #[error("`url` is not the address of a service: it must be a ws or wss URL")]
    Service,
    /// The connections have so many groups, more than [`MAX_SOURCES`].
    #[error("this address asks for {0} groups; a viewer shows at most {MAX_SOURCES}")]
    TooManyGroups(usize),
    /// No subprotocol has this name.
    #[error("unknown subprotocol `{0}`: give protobuf.reliable, protobuf, json.reliable or json")]
    Subprotocol(String),
}
