//! Status of a source: the state of its connection and of its membership in the group.

use webpubsub_client::ClientEvent;
use webpubsub_protocol::{message::AckError, name::GroupName};

use super::display_text::display_text;

/// State of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// The first connection is being established.
    Connecting,
    /// Connected, and a member of the group.
    Connected,
    /// The connection was lost; another is being established.
    Disconnected,
    /// Connected, but not allowed to join the group.
    Forbidden,
    /// No connection could be established so far, or no further attempt will be made.
    Failed,
}

impl ConnectionState {
    /// Returns the value of the `data-state` attribute.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Forbidden => "forbidden",
            Self::Failed => "failed",
        }
    }
}

/// Identity that the service gave to a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionIdentity {
    /// Connection id.
    pub id: String,
    /// User id; `None` for an anonymous client.
    pub user_id: Option<String>,
}

/// Status of a connection, for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusLine {
    /// State of the connection.
    pub state: ConnectionState,
    /// State in a few words.
    pub headline: String,
    /// Separator and detail: a short reason, without an address or a close code.
    pub detail: Option<(&'static str, String)>,
    /// Last failure as a whole sentence, with the address and the close code. Stays after the connection is restored.
    pub last_failure: Option<String>,
    /// Headline without a countdown, for screen readers.
    pub announcement: String,
    /// Identity of the connection, while there is one.
    pub connection: Option<ConnectionIdentity>,
    /// Whether the user may retry at once.
    pub can_retry: bool,
}

impl StatusLine {
    /// Creates the status of a page that cannot connect, for `reason`.
    #[must_use]
    pub fn unusable(reason: String) -> Self {
        const HEADLINE: &str = "The log cannot be shown";
        Self {
            state: ConnectionState::Failed,
            headline: HEADLINE.to_owned(),
            detail: Some((": ", visible(&reason))),
            last_failure: None,
            announcement: HEADLINE.to_owned(),
            connection: None,
            can_retry: false,
        }
    }

    /// Returns headline and detail as one text.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.detail {
            Some((separator, detail)) => format!("{}{separator}{detail}", self.headline),
            None => self.headline.clone(),
        }
    }
}

/// Time of the next attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Retry {
    Now,
    At { unix_ms: f64 },
    NotScheduled,
    Never,
}

/// Phase of a connection. Each owns the values that are valid only then.
#[derive(Debug)]
enum Phase {
    Connecting,
    Joining(ConnectionIdentity),
    Joined(ConnectionIdentity),
    Refused {
        connection: ConnectionIdentity,
        error: AckError,
    },
    Failing {
        reason: String,
        retry: Retry,
    },
    /// The client tries to resume the connection, which then returns to the phase before.
    Recovering {
        before: Box<Phase>,
        reason: String,
        retry: Retry,
    },
}

/// Status of a source, derived from its client's events.
#[derive(Debug)]
pub struct Status {
    group: GroupName,
    phase: Phase,
    was_connected: bool,
    /// Last failure as a whole sentence.
    last_failure: Option<String>,
}

impl Status {
    /// Creates the status of a source that is about to connect and join `group`.
    #[must_use]
    pub fn new(group: GroupName) -> Self {
        Self { group, phase: Phase::Connecting, was_connected: false, last_failure: None }
    }

    /// Handles an event of the client at the time `unix_ms`.
    pub fn handle_event(&mut self, event: &ClientEvent, unix_ms: f64) {
        match event {
            ClientEvent::Connecting => match &mut self.phase {
                Phase::Failing { retry, .. } => *retry = Retry::Now,
                phase => *phase = Phase::Connecting,
            },
            ClientEvent::Connected { connection_id, user_id, .. } => {
                self.was_connected = true;
                self.phase = Phase::Joining(ConnectionIdentity {
                    id: visible(connection_id),
                    user_id: user_id.as_deref().map(visible),
                });
            }
            ClientEvent::Joined { group } if *group == self.group => {
                if let Some(connection) = self.connection().cloned() {
                    self.phase = Phase::Joined(connection);
                }
            }
            ClientEvent::JoinRefused { group, error } if *group == self.group => {
                if let Some(connection) = self.connection().cloned() {
                    self.phase = Phase::Refused { connection, error: error.clone() };
                    self.record_failure(&format!("group `{group}` could not be joined: {error}"));
                }
            }
            ClientEvent::Disconnected { reason } => {
                self.record_failure(reason);
                self.fail(&reason.summary());
            }
            ClientEvent::Recovering { reason } => {
                self.record_failure(reason);
                let before = Box::new(std::mem::replace(&mut self.phase, Phase::Connecting));
                let reason = visible(&reason.summary());
                self.phase = Phase::Recovering { before, reason, retry: Retry::Now };
            }
            ClientEvent::Recovered => {
                if let Phase::Recovering { before, .. } = &mut self.phase {
                    self.phase = std::mem::replace(before, Phase::Connecting);
                }
            }
            ClientEvent::ConnectFailed { failure } => {
                self.record_failure(failure);
                if let Phase::Recovering { reason, .. } = &mut self.phase {
                    *reason = visible(&failure.summary());
                } else {
                    self.fail(&failure.summary());
                }
            }
            ClientEvent::RetryScheduled { after } => {
                if let Phase::Failing { retry, .. } | Phase::Recovering { retry, .. } = &mut self.phase {
                    *retry = Retry::At { unix_ms: unix_ms + after.as_secs_f64() * 1_000.0 };
                }
            }
            ClientEvent::Stopped => match &mut self.phase {
                Phase::Failing { retry, .. } => *retry = Retry::Never,
                phase => *phase = Phase::Failing { reason: "stopped".to_owned(), retry: Retry::Never },
            },
            // Messages do not affect the state, and the events are not exhaustive.
            _ => {}
        }
    }

    fn record_failure(&mut self, failure: &impl ToString) {
        self.last_failure = Some(visible(&failure.to_string()));
    }

    fn fail(&mut self, reason: &str) {
        self.phase = Phase::Failing { reason: visible(reason), retry: Retry::NotScheduled };
    }

    /// Returns the identity of the connection, while there is one.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionIdentity> {
        match &self.phase {
            Phase::Joining(connection) | Phase::Joined(connection) | Phase::Refused { connection, .. } => {
                Some(connection)
            }
            Phase::Connecting | Phase::Failing { .. } | Phase::Recovering { .. } => None,
        }
    }

    /// Whether [`Self::line`] changes with time alone.
    #[must_use]
    pub fn is_counting_down(&self) -> bool {
        matches!(
            self.phase,
            Phase::Failing { retry: Retry::At { .. }, .. }
                | Phase::Recovering { retry: Retry::At { .. }, .. }
        )
    }

    /// Returns the status for display at the time `unix_ms`.
    #[must_use]
    pub fn line(&self, unix_ms: f64) -> StatusLine {
        let group = || visible(self.group.as_str());
        let line = |state, headline: String, detail, announcement: &str| StatusLine {
            state,
            headline,
            detail,
            last_failure: self.last_failure.clone(),
            announcement: announcement.to_owned(),
            connection: self.connection().cloned(),
            can_retry: self.can_retry(),
        };
        match &self.phase {
            Phase::Connecting => line(ConnectionState::Connecting, "Connecting…".into(), None, "Connecting"),
            Phase::Joining(_) => {
                let headline = format!("Joining group `{}`…", group());
                line(ConnectionState::Connecting, headline, None, "Connecting")
            }
            Phase::Joined(connection) => {
                let user = connection.user_id.as_ref().map_or_else(String::new, |user| format!(" as {user}"));
                line(ConnectionState::Connected, format!("Connected{user}"), None, "Connected")
            }
            Phase::Refused { error, .. } if error.is_forbidden() => {
                let headline = format!("Not allowed to join group `{}`", group());
                let detail = Some((": ", visible(&error.message)));
                line(ConnectionState::Forbidden, headline, detail, "Not allowed")
            }
            Phase::Refused { error, .. } => {
                let headline = format!("Group `{}` could not be joined", group());
                let detail = Some((": ", visible(&error.to_string())));
                line(ConnectionState::Failed, headline, detail, "Not joined")
            }
            Phase::Failing { reason, retry } | Phase::Recovering { reason, retry, .. } => {
                let (headline, announcement) = self.retry_text(*retry, unix_ms);
                line(self.failing_state(*retry), headline, Some((": ", reason.clone())), announcement)
            }
        }
    }

    /// Whether the user may retry at once. A retry would discard a connection that is about to recover.
    fn can_retry(&self) -> bool {
        matches!(&self.phase, Phase::Failing { retry: Retry::At { .. } | Retry::Never, .. })
    }

    fn failing_state(&self, retry: Retry) -> ConnectionState {
        if self.was_connected && retry != Retry::Never {
            ConnectionState::Disconnected
        } else {
            ConnectionState::Failed
        }
    }

    /// Returns headline and announcement of a connection that was lost or not established.
    fn retry_text(&self, retry: Retry, unix_ms: f64) -> (String, &'static str) {
        let verb = if self.was_connected { "Reconnecting" } else { "Retrying" };
        match retry {
            Retry::At { unix_ms: at } => {
                // The cast saturates, and no pause is longer than a few minutes.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let seconds = (((at - unix_ms) / 1_000.0).ceil() as u64).max(1);
                (format!("{verb} in {seconds} s"), verb)
            }
            Retry::Now => (format!("{verb} now"), verb),
            Retry::NotScheduled | Retry::Never => ("Not connected".to_owned(), "Not connected"),
        }
    }
}

/// Makes invisible characters in a text of the service visible.
fn visible(text: &str) -> String {
    display_text(text).text.into_owned()
}

#[cfg(test)]
mod tests;
