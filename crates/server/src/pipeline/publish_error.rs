//! Error of a run that could not publish everything.

use std::fmt;

use webpubsub_protocol::message::AckError;

use crate::failure::Failure;

/// Reason for which a run failed, and the lines without an acknowledgement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PublishError {
    /// `None` if the run ended before the last acknowledgements, by request.
    pub(super) cause: Option<Cause>,
    /// Lines read that were not acknowledged.
    pub(super) missing: u64,
    /// Lines read.
    pub(super) read: u64,
}

/// Reason for which a run failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The service refused a message.
    Refused(AckError),
    /// The client gave up reconnecting, after this connection error.
    GaveUp(Option<String>),
    /// There was no connection at the end, because of this error.
    NotConnected(String),
    /// Reading standard input failed.
    Input(String),
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cause) = &self.cause {
            // A sentence of the service can be in the middle.
            f.write_str(cause.to_string().trim_end_matches('.'))?;
            if self.missing > 0 {
                f.write_str("; ")?;
            }
        }
        match (self.missing, self.read) {
            (0, _) => Ok(()),
            (1, 1) => f.write_str("the line read was not acknowledged"),
            (missing, read) => write!(f, "{missing} of {read} lines read were not acknowledged"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => {
                let advice = if error.is_forbidden() {
                    "; the negotiate endpoint does not grant permission to publish to this group: check --group, or give the publish key \
                     in TAILCAST_PUBLISH_KEY or with --publish-key-file FILE"
                } else {
                    ""
                };
                write!(f, "the service refused the message: {}{advice}", error.message.trim_end_matches('.'))
            }
            Self::GaveUp(error) => {
                write!(f, "gave up: {}", error.as_deref().unwrap_or("the connection ended"))
            }
            Self::NotConnected(error) => f.write_str(error),
            Self::Input(error) => write!(f, "cannot read standard input: {error}"),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        Self::runtime(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_the_cause_with_advice_and_the_number_of_lost_lines() {
        let forbidden = AckError { name: AckError::FORBIDDEN.into(), message: "No.".into() };
        for (cause, missing, read, words) in [
            (None, 1, 1, "the line read was not acknowledged"),
            (None, 2, 5, "2 of 5 lines read were not acknowledged"),
            (
                Some(Cause::Refused(forbidden)),
                1,
                2,
                "the service refused the message: No; the negotiate endpoint does not grant permission to publish to this \
                 group: check --group, or give the publish key in TAILCAST_PUBLISH_KEY or with --publish-key-file FILE; 1 of 2 lines \
                 read were not acknowledged",
            ),
            (Some(Cause::GaveUp(Some("no network".into()))), 0, 5, "gave up: no network"),
            (Some(Cause::GaveUp(None)), 0, 5, "gave up: the connection ended"),
            (
                Some(Cause::NotConnected("no network.".into())),
                5,
                5,
                "no network; 5 of 5 lines read were not acknowledged",
            ),
            (Some(Cause::Input("broken".into())), 0, 5, "cannot read standard input: broken"),
        ] {
            assert_eq!(PublishError { cause, missing, read }.to_string(), words);
        }
    }
}
