//! Messages and events that an application sends.

use webpubsub_protocol::{
    json::reader::is_json,
    message::{MAX_TTL_SECONDS, Metadata, Request},
    metadata,
    name::{EventName, GroupName},
    payload::Payload,
};

/// Longest frame that is sent, in bytes as encoded (service limits: 1 MB a message). The service ends the connection
/// over a longer one, each time it is sent, so it is refused before.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// A message to a group or an event for the application's server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing(Request<'static>);

impl Outgoing {
    /// A message to the members of `group`.
    #[must_use]
    pub fn to_group(group: GroupName, payload: Payload<'static>) -> Self {
        let metadata = Metadata::new();
        Self(Request::SendToGroup {
            group: group.into(),
            ack_id: None,
            no_echo: false,
            ttl_seconds: 0,
            payload,
            metadata,
        })
    }

    /// An event for the application's server.
    #[must_use]
    pub fn event(event: EventName, payload: Payload<'static>) -> Self {
        Self(Request::Event { event, ack_id: None, payload, metadata: Metadata::new() })
    }

    /// Leaves the sender out, if it is a member of the group. Means nothing for an event.
    #[must_use]
    pub fn without_echo(mut self) -> Self {
        if let Request::SendToGroup { no_echo, .. } = &mut self.0 {
            *no_echo = true;
        }
        self
    }

    /// Sets the time that the message may wait for a receiver; 0, the default, for ever. At most
    /// [`MAX_TTL_SECONDS`], to which more is cut. Means nothing for an event.
    #[must_use]
    pub fn with_ttl_seconds(mut self, seconds: u32) -> Self {
        if let Request::SendToGroup { ttl_seconds, .. } = &mut self.0 {
            *ttl_seconds = seconds.min(MAX_TTL_SECONDS);
        }
        self
    }

    /// Adds annotations.
    ///
    /// # Errors
    /// [`MetadataRefused`] when they break the protocol's rules.
    pub fn with_metadata(
        mut self,
        entries: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, MetadataRefused> {
        let checked = metadata::checked(entries).ok_or(MetadataRefused)?;
        match &mut self.0 {
            Request::SendToGroup { metadata, .. } | Request::Event { metadata, .. } => *metadata = checked,
            _ => {}
        }
        Ok(self)
    }

    /// Returns the payload.
    #[must_use]
    pub fn payload(&self) -> &Payload<'static> {
        match &self.0 {
            Request::SendToGroup { payload, .. } | Request::Event { payload, .. } => payload,
            _ => &NOTHING,
        }
    }

    /// Takes the payload out.
    #[must_use]
    pub fn into_payload(self) -> Payload<'static> {
        match self.0 {
            Request::SendToGroup { payload, .. } | Request::Event { payload, .. } => payload,
            _ => NOTHING,
        }
    }

    pub(crate) fn into_request(mut self, id: Option<u64>) -> Request<'static> {
        match &mut self.0 {
            Request::SendToGroup { ack_id, .. } | Request::Event { ack_id, .. } => *ack_id = id,
            _ => {}
        }
        self.0
    }

    pub(crate) fn from_request(request: Request<'static>) -> Self {
        Self(request)
    }
}

const NOTHING: Payload<'static> = Payload::Text(std::borrow::Cow::Borrowed(""));

/// The annotations break the protocol's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the metadata breaks the rules: names are ASCII tokens of at most 256 bytes, values ASCII of at most 1024, all together 8192, no name twice"
)]
pub struct MetadataRefused;

/// Reason why a message was not accepted. The error contains the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendRefused {
    /// The in-flight window is full: retry after an acknowledgement.
    #[error("the in-flight window is full; wait until a message is acknowledged")]
    WindowFull(Outgoing),
    /// The frame would be longer than the service takes: split it.
    #[error(
        "the message is {bytes} bytes long when encoded, more than the {MAX_FRAME_BYTES} that the service takes"
    )]
    TooLarge {
        /// The message.
        outgoing: Outgoing,
        /// Its length as encoded.
        bytes: usize,
    },
    /// The payload claims to be JSON and is not, or is `null`, which the protocol does not allow.
    #[error("the payload is no JSON value that the protocol allows (anything but null)")]
    NotJson(Outgoing),
    /// There is no connection, and a message without an acknowledgement does not wait for one.
    #[error("there is no connection to send on")]
    NotConnected(Outgoing),
    /// The client has stopped.
    #[error("the client has stopped")]
    Stopped(Outgoing),
}

impl SendRefused {
    /// Takes the message back.
    #[must_use]
    pub fn into_outgoing(self) -> Outgoing {
        match self {
            Self::WindowFull(outgoing)
            | Self::TooLarge { outgoing, .. }
            | Self::NotJson(outgoing)
            | Self::NotConnected(outgoing)
            | Self::Stopped(outgoing) => outgoing,
        }
    }
}

/// Whether the service could take this payload. One that it cannot would end the connection, again and again.
pub(crate) fn is_acceptable(payload: &Payload<'_>) -> bool {
    match payload {
        Payload::Json(json) => is_json(json) && json.trim() != "null",
        _ => true,
    }
}
