//! Errors of a client: one type for each operation, with a kind to match and the reason of the service, if it gave one.

use webpubsub_protocol::{message::AckError, name::NameError, payload::Payload};

use crate::{
    failure::{ConnectFailure, InvokeFailure, SendFailure, StartRefused, StreamFailure, WriteRefused},
    outgoing::{Outgoing, SendRefused},
};

/// Failure of [`ClientBuilder::connect`](crate::ClientBuilder::connect), or of another negotiation.
///
/// Its [`source`](std::error::Error::source) is the [`ConnectFailure`], if there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot connect{}", detail(failure.as_ref()))]
pub struct ConnectError {
    #[source]
    failure: Option<ConnectFailure>,
}

fn detail(failure: Option<&ConnectFailure>) -> String {
    failure.map_or_else(|| ": the client has stopped".to_owned(), |failure| format!(": {failure}"))
}

/// Kind of a [`ConnectError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectErrorKind {
    /// The negotiate endpoint or the function that replaces it cannot be reached, or failed.
    Unreachable,
    /// The certificate of the server is not trusted.
    UntrustedCertificate,
    /// The address of the negotiate endpoint or of the service is invalid.
    InvalidAddress,
    /// The negotiate endpoint or the service refused the client, with a status that a retry does not change.
    Refused,
    /// The negotiate endpoint or the service answered with a status that describes its present state, or closed the connection.
    Unavailable,
    /// The endpoint is not one of a Web PubSub service.
    Unsupported,
    /// There was no answer in time.
    TimedOut,
    /// The client was closed.
    Stopped,
}

impl ConnectError {
    pub(super) fn new(failure: Option<ConnectFailure>) -> Self {
        Self { failure }
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> ConnectErrorKind {
        use ConnectErrorKind as Kind;
        let Some(failure) = &self.failure else { return Kind::Stopped };
        match failure {
            ConnectFailure::NegotiateUnreachable { .. }
            | ConnectFailure::NegotiateFunction { .. }
            | ConnectFailure::NegotiateOrigin { .. } => Kind::Unreachable,
            ConnectFailure::UntrustedCertificate { .. } => Kind::UntrustedCertificate,
            ConnectFailure::NotAServiceUrl { .. } | ConnectFailure::NegotiateAddress { .. } => {
                Kind::InvalidAddress
            }
            ConnectFailure::NegotiateAnswer { .. } | ConnectFailure::NoSubprotocol { .. } => {
                Kind::Unsupported
            }
            ConnectFailure::TimedOut { .. } => Kind::TimedOut,
            ConnectFailure::NegotiateStatus { .. } | ConnectFailure::Refused { .. } => {
                if failure.is_permanent(false) { Kind::Refused } else { Kind::Unavailable }
            }
        }
    }

    /// Returns the failure; `None` if the client was closed.
    #[must_use]
    pub fn failure(&self) -> Option<&ConnectFailure> {
        self.failure.as_ref()
    }
}

/// Failure to publish a message or to send an event.
///
/// Its [`source`](std::error::Error::source) is the [`AckError`] of the service, if it refused the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct PublishError(#[from] PublishFailure);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum PublishFailure {
    #[error(transparent)]
    Send(#[from] SendFailure),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("too many requests are queued")]
    QueueFull(Outgoing),
}

/// Kind of a [`PublishError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PublishErrorKind {
    /// The service refused the message: see [`PublishError::refusal`].
    Refused,
    /// The message is longer than the service accepts.
    TooLarge,
    /// The payload is not the JSON that it is declared to be, or is `null`.
    InvalidPayload,
    /// The name of the group or of the event is invalid.
    InvalidName,
    /// As many requests are queued as [`Limits`](crate::Limits) allow, and this one should not wait.
    QueueFull,
    /// There is no connection, and this message should not wait for one.
    NotConnected,
    /// The client stopped before the acknowledgement. The message may have been delivered or not.
    Stopped,
}

impl PublishError {
    pub(super) fn name(error: NameError) -> Self {
        Self(error.into())
    }

    pub(super) fn queue_full(outgoing: Outgoing) -> Self {
        Self(PublishFailure::QueueFull(outgoing))
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> PublishErrorKind {
        use PublishErrorKind as Kind;
        match &self.0 {
            PublishFailure::Name(_) => Kind::InvalidName,
            PublishFailure::QueueFull(_) => Kind::QueueFull,
            PublishFailure::Send(SendFailure::Refused(_)) => Kind::Refused,
            PublishFailure::Send(SendFailure::Stopped) => Kind::Stopped,
            PublishFailure::Send(SendFailure::NotTaken(refused)) => match refused {
                SendRefused::TooLarge { .. } => Kind::TooLarge,
                SendRefused::NotJson(_) => Kind::InvalidPayload,
                SendRefused::NotConnected(_) => Kind::NotConnected,
                SendRefused::WindowFull(_) => Kind::QueueFull,
                SendRefused::Stopped(_) => Kind::Stopped,
            },
        }
    }

    /// Returns the error of the service, if it refused the message.
    #[must_use]
    pub fn refusal(&self) -> Option<&AckError> {
        match &self.0 {
            PublishFailure::Send(SendFailure::Refused(error)) => Some(error),
            _ => None,
        }
    }

    /// Returns the message, if it was not sent.
    #[must_use]
    pub fn into_message(self) -> Option<Outgoing> {
        match self.0 {
            PublishFailure::Send(SendFailure::NotTaken(refused)) => Some(refused.into_outgoing()),
            PublishFailure::QueueFull(outgoing) => Some(outgoing),
            _ => None,
        }
    }
}

impl From<SendFailure> for PublishError {
    fn from(failure: SendFailure) -> Self {
        Self(failure.into())
    }
}

impl From<SendRefused> for PublishError {
    fn from(refused: SendRefused) -> Self {
        SendFailure::NotTaken(refused).into()
    }
}

/// Failure to join a group.
///
/// Its [`source`](std::error::Error::source) is the [`AckError`] of the service, if it refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct SubscribeError(#[from] pub(crate) SubscribeFailure);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SubscribeFailure {
    #[error("the service refused to add the client to the group: {0}")]
    Refused(#[source] AckError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("the client has stopped")]
    Stopped,
}

/// Kind of a [`SubscribeError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubscribeErrorKind {
    /// The service refused: see [`SubscribeError::refusal`].
    Refused,
    /// The name of the group is invalid.
    InvalidName,
    /// The client has stopped.
    Stopped,
}

impl SubscribeError {
    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> SubscribeErrorKind {
        match &self.0 {
            SubscribeFailure::Refused(_) => SubscribeErrorKind::Refused,
            SubscribeFailure::Name(_) => SubscribeErrorKind::InvalidName,
            SubscribeFailure::Stopped => SubscribeErrorKind::Stopped,
        }
    }

    /// Returns the error of the service, if it refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&AckError> {
        match &self.0 {
            SubscribeFailure::Refused(error) => Some(error),
            _ => None,
        }
    }
}

/// Failure of an invocation.
///
/// Its [`source`](std::error::Error::source) is the [`AckError`] of the service, if it or the application's server refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct InvokeError(#[from] InvokeReason);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum InvokeReason {
    #[error(transparent)]
    Failure(#[from] InvokeFailure),
    #[error(transparent)]
    Name(#[from] NameError),
}

/// Kind of an [`InvokeError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvokeErrorKind {
    /// The application's server or the service refused: see [`InvokeError::refusal`].
    Refused,
    /// The connection was lost before the answer. The server may have acted or not.
    ConnectionLost,
    /// There is no connection.
    NotConnected,
    /// As many invocations are pending as [`Limits`](crate::Limits) allow.
    TooMany,
    /// The subprotocol has no invocations.
    Unsupported,
    /// The payload is too large, or not the JSON that it is declared to be.
    InvalidPayload,
    /// The name of the event is invalid.
    InvalidName,
    /// The client has stopped.
    Stopped,
}

impl InvokeError {
    pub(super) fn name(error: NameError) -> Self {
        Self(error.into())
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> InvokeErrorKind {
        use InvokeErrorKind as Kind;
        match &self.0 {
            InvokeReason::Name(_) => Kind::InvalidName,
            InvokeReason::Failure(InvokeFailure::Refused(_)) => Kind::Refused,
            InvokeReason::Failure(InvokeFailure::ConnectionLost) => Kind::ConnectionLost,
            InvokeReason::Failure(InvokeFailure::Stopped) => Kind::Stopped,
            InvokeReason::Failure(InvokeFailure::NotTaken(refused)) => match refused {
                StartRefused::NotConnected => Kind::NotConnected,
                StartRefused::TooMany { .. } => Kind::TooMany,
                StartRefused::Unsupported => Kind::Unsupported,
                StartRefused::Payload => Kind::InvalidPayload,
                StartRefused::Stopped => Kind::Stopped,
            },
        }
    }

    /// Returns the error of the service or of the application's server, if one of them refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&AckError> {
        match &self.0 {
            InvokeReason::Failure(InvokeFailure::Refused(error)) => Some(error),
            _ => None,
        }
    }
}

impl From<InvokeFailure> for InvokeError {
    fn from(failure: InvokeFailure) -> Self {
        Self(failure.into())
    }
}

/// Failure of an outbound stream: it was not opened, or ended early.
///
/// Its [`source`](std::error::Error::source) is the [`AckError`] of the service, if it ended the stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct GroupStreamError(#[from] GroupStreamReason);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum GroupStreamReason {
    #[error(transparent)]
    Failure(#[from] StreamFailure),
    #[error(transparent)]
    Name(#[from] NameError),
}

/// Kind of a [`GroupStreamError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupStreamErrorKind {
    /// The service ended the stream: see [`GroupStreamError::refusal`].
    Refused,
    /// The connection of the stream was lost for good.
    ConnectionLost,
    /// There is no connection.
    NotConnected,
    /// As many streams are open as [`Limits`](crate::Limits) allow.
    TooMany,
    /// The service did not respond in time: it may not support streams.
    TimedOut,
    /// The service broke the rules of streams.
    Protocol,
    /// The subprotocol has no streams.
    Unsupported,
    /// The name of the group is invalid.
    InvalidName,
    /// The client has stopped.
    Stopped,
}

impl GroupStreamError {
    pub(super) fn name(error: NameError) -> Self {
        Self(error.into())
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> GroupStreamErrorKind {
        use GroupStreamErrorKind as Kind;
        let failure = match &self.0 {
            GroupStreamReason::Name(_) => return Kind::InvalidName,
            GroupStreamReason::Failure(failure) => failure,
        };
        match failure {
            StreamFailure::Closed(_) => Kind::Refused,
            StreamFailure::ConnectionLost => Kind::ConnectionLost,
            StreamFailure::Unanswered { .. } => Kind::TimedOut,
            StreamFailure::ProtocolViolation => Kind::Protocol,
            StreamFailure::Stopped | StreamFailure::NotTaken(StartRefused::Stopped) => Kind::Stopped,
            StreamFailure::NotTaken(StartRefused::NotConnected) => Kind::NotConnected,
            StreamFailure::NotTaken(StartRefused::TooMany { .. }) => Kind::TooMany,
            StreamFailure::NotTaken(StartRefused::Unsupported | StartRefused::Payload) => Kind::Unsupported,
        }
    }

    /// Returns the error of the service, if it ended the stream.
    #[must_use]
    pub fn refusal(&self) -> Option<&AckError> {
        match &self.0 {
            GroupStreamReason::Failure(StreamFailure::Closed(error)) => Some(error),
            _ => None,
        }
    }
}

impl From<StreamFailure> for GroupStreamError {
    fn from(failure: StreamFailure) -> Self {
        Self(failure.into())
    }
}

/// Failure to append a fragment to a stream. It contains the fragment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct StreamWriteError(#[from] WriteRefused);

/// Kind of a [`StreamWriteError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamWriteErrorKind {
    /// The stream has ended. [`StreamWriter::end`](crate::StreamWriter::end) returns the reason.
    Ended,
    /// The fragment is too large, or not the JSON that it is declared to be.
    InvalidPayload,
}

impl StreamWriteError {
    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> StreamWriteErrorKind {
        match &self.0 {
            WriteRefused::Full(_) | WriteRefused::Ended(_) => StreamWriteErrorKind::Ended,
            WriteRefused::Payload(_) => StreamWriteErrorKind::InvalidPayload,
        }
    }

    /// Returns the fragment.
    #[must_use]
    pub fn into_payload(self) -> Payload<'static> {
        match self.0 {
            WriteRefused::Full(payload) | WriteRefused::Ended(payload) | WriteRefused::Payload(payload) => {
                payload
            }
        }
    }
}

/// Failure of an operation because the client has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client has stopped")]
pub struct ClientStopped;

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn an_error_has_a_kind_and_the_error_of_the_service_as_its_source() {
        let refusal = AckError { name: AckError::FORBIDDEN.into(), message: "no".into() };
        let publish = PublishError::from(SendFailure::Refused(refusal.clone()));
        assert_eq!((publish.kind(), publish.refusal()), (PublishErrorKind::Refused, Some(&refusal)));
        let invoke = InvokeError::from(InvokeFailure::Refused(refusal.clone()));
        assert_eq!((invoke.kind(), invoke.refusal()), (InvokeErrorKind::Refused, Some(&refusal)));
        let stream = GroupStreamError::from(StreamFailure::Closed(refusal.clone()));
        assert_eq!((stream.kind(), stream.refusal()), (GroupStreamErrorKind::Refused, Some(&refusal)));
        let subscribe = SubscribeError::from(SubscribeFailure::Refused(refusal.clone()));
        assert_eq!((subscribe.kind(), subscribe.refusal()), (SubscribeErrorKind::Refused, Some(&refusal)));
        for source in [publish.source(), invoke.source(), stream.source(), subscribe.source()] {
            assert_eq!(source.and_then(|source| source.downcast_ref()), Some(&refusal));
        }
        let failure = ConnectFailure::TimedOut { url: "h".into(), seconds: 1 };
        let connect = ConnectError::new(Some(failure.clone()));
        assert_eq!(connect.kind(), ConnectErrorKind::TimedOut);
        assert_eq!(connect.source().and_then(|source| source.downcast_ref()), Some(&failure));
        assert_eq!(ConnectError::new(None).kind(), ConnectErrorKind::Stopped);
    }

    #[test]
    fn a_message_that_was_not_sent_is_returned() {
        let message = Outgoing::to_group("g".try_into().unwrap(), "x".into());
        let error = PublishError::from(SendRefused::NotJson(message.clone()));
        assert_eq!((error.kind(), error.into_message()), (PublishErrorKind::InvalidPayload, Some(message)));
        let refused = WriteRefused::Ended("x".into());
        assert_eq!(StreamWriteError::from(refused).into_payload(), "x".into());
    }
}
