//! Connections that an operation of the data plane applies to.

use webpubsub_protocol::name::GroupName;

use crate::hub::Audience;

/// Connections that an operation applies to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recipients {
    Everyone,
    Group(GroupName),
    User(String),
    Connection(String),
}

impl Recipients {
    /// Returns the same connections as an audience of a hub.
    pub(super) fn audience(&self) -> Audience<'_> {
        match self {
            Self::Everyone => Audience::Everyone,
            Self::Group(group) => Audience::Group(group.as_str()),
            Self::User(user) => Audience::User(user),
            Self::Connection(id) => Audience::Connection(id),
        }
    }
}
