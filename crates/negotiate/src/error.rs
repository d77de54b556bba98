//! Reasons why a client gets no URL.

use webpubsub_protocol::name::{GroupName, NameError};

/// Error of a negotiation. Its text is meant for the client, and names no secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct NegotiateError(#[from] pub(crate) Reason);

/// Kind of a [`NegotiateError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NegotiateErrorKind {
    /// A parameter of the request is invalid, or too long.
    InvalidRequest,
    /// The group is not open to clients.
    GroupNotOpen,
    /// The publish key of the request is not the key of this server.
    WrongPublishKey,
    /// Publishing requires the publish key.
    PublishKeyRequired,
    /// No client can publish.
    PublishingDisabled,
    /// The token cannot be signed.
    Signing,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    #[error("the user id (`id`) is longer than {limit} bytes")]
    UserIdTooLong { limit: usize },
    #[error("{0}")]
    InvalidGroupName(NameError),
    #[error(
        "too many groups for one token: at most {limit}, with names of {bytes} bytes in total; send several requests"
    )]
    TooManyGroups { limit: usize, bytes: usize },
    #[error("`role` must be `viewer` or `publisher`, not `{given}`")]
    InvalidRole { given: String },
    #[error("the group `{0}` is not open on this server")]
    GroupNotOpen(GroupName),
    #[error("wrong publish key; use the key that the server was started with")]
    WrongPublishKey,
    #[error("publishing requires the publish key of this server as a bearer token")]
    PublishKeyRequired,
    #[error("publishing is disabled on this server")]
    PublishingDisabled,
    #[error("cannot sign a token: {0}")]
    Signing(String),
}

impl NegotiateError {
    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> NegotiateErrorKind {
        match &self.0 {
            Reason::UserIdTooLong { .. }
            | Reason::InvalidGroupName(_)
            | Reason::TooManyGroups { .. }
            | Reason::InvalidRole { .. } => NegotiateErrorKind::InvalidRequest,
            Reason::GroupNotOpen(_) => NegotiateErrorKind::GroupNotOpen,
            Reason::WrongPublishKey => NegotiateErrorKind::WrongPublishKey,
            Reason::PublishKeyRequired => NegotiateErrorKind::PublishKeyRequired,
            Reason::PublishingDisabled => NegotiateErrorKind::PublishingDisabled,
            Reason::Signing(_) => NegotiateErrorKind::Signing,
        }
    }
}
