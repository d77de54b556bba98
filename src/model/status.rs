//! The state of the connection, in words.

use webpubsub_client::ClientEvent;
use webpubsub_protocol::{message::AckError, name::GroupName};

use super::display_text::display_text;

/// The state as one word, for the page's markup and colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// No connection yet, none refused.
    Connecting,
    /// Connected, and a member of the group.
    Connected,
    /// There was a connection; another is being made.
    Disconnected,
    /// Connected, but not allowed into the group.
    Forbidden,
    /// No connection could be made so far, or none will be tried.
    Failed,
}

impl ConnectionState {
    /// The word.
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

/// The connection that there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connection {
    /// The service's name for it.
    pub id: String,
    /// Who the service thinks we are; `None` for an anonymous client.
    pub user_id: Option<String>,
}

/// What the page says about the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusLine {
    /// The state as one word.
    pub state: ConnectionState,
    /// The state in few words.
    pub headline: String,
    /// What stands between the two, and the rest: why, or who.
    pub detail: Option<(&'static str, String)>,
    /// The headline without numbers that change by the second: what a screen reader is told.
    pub spoken: String,
    /// The connection, if there is one.
    pub connection: Option<Connection>,
    /// Whether the reader may want to try at once.
    pub can_retry: bool,
}

impl StatusLine {
    /// What a page says that cannot even try to connect.
    #[must_use]
    pub fn unusable(words: String) -> Self {
        Self {
            state: ConnectionState::Failed,
            headline: "This address cannot be shown".to_owned(),
            detail: Some((": ", visible(&words))),
            spoken: "This address cannot be shown".to_owned(),
            connection: None,
            can_retry: false,
        }
    }

    /// All of it as one text.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.detail {
            Some((between, detail)) => format!("{}{between}{detail}", self.headline),
            None => self.headline.clone(),
        }
    }
}

/// When the next attempt is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Retry {
    Now,
    At { unix_ms: f64 },
    Unknown,
    Never,
}

/// Each phase owns what is true only then.
#[derive(Debug)]
enum Phase {
    Connecting,
    Joining(Connection),
    Joined(Connection),
    Refused {
        connection: Connection,
        error: AckError,
    },
    Troubled {
        words: String,
        retry: Retry,
    },
    /// The connection is being taken up again; what it was before comes back with it.
    Recovering {
        before: Box<Phase>,
        words: String,
        retry: Retry,
    },
}

/// Reduces what a client tells to what the page says.
#[derive(Debug)]
pub struct Status {
    group: GroupName,
    phase: Phase,
    was_connected: bool,
}

impl Status {
    /// The status of a page that is about to connect and join `group`.
    #[must_use]
    pub fn new(group: GroupName) -> Self {
        Self { group, phase: Phase::Connecting, was_connected: false }
    }

    /// Takes one event at the time `unix_ms`.
    pub fn handle(&mut self, event: &ClientEvent, unix_ms: f64) {
        match event {
            ClientEvent::Connecting => match &mut self.phase {
                Phase::Troubled { retry, .. } => *retry = Retry::Now,
                phase => *phase = Phase::Connecting,
            },
            ClientEvent::Connected { connection_id, user_id, .. } => {
                self.was_connected = true;
                let connection =
                    Connection { id: visible(connection_id), user_id: user_id.as_deref().map(visible) };
                self.phase = Phase::Joining(connection);
            }
            ClientEvent::Joined { group } if *group == self.group => {
                if let Some(connection) = self.connection().cloned() {
                    self.phase = Phase::Joined(connection);
                }
            }
            ClientEvent::JoinRefused { group, error } if *group == self.group => {
                if let Some(connection) = self.connection().cloned() {
                    self.phase = Phase::Refused { connection, error: error.clone() };
                }
            }
            ClientEvent::Disconnected { reason } => self.trouble(reason.to_string()),
            ClientEvent::Recovering { reason } => {
                let before = Box::new(std::mem::replace(&mut self.phase, Phase::Connecting));
                let words = visible(&reason.to_string());
                self.phase = Phase::Recovering { before, words, retry: Retry::Now };
            }
            ClientEvent::Recovered => {
                if let Phase::Recovering { before, .. } = &mut self.phase {
                    self.phase = std::mem::replace(before, Phase::Connecting);
                }
            }
            ClientEvent::ConnectFailed { failure } => {
                if let Phase::Recovering { words, .. } = &mut self.phase {
                    *words = visible(&failure.to_string());
                } else {
                    self.trouble(failure.to_string());
                }
            }
            ClientEvent::RetryScheduled { after } => {
                if let Phase::Troubled { retry, .. } | Phase::Recovering { retry, .. } = &mut self.phase {
                    *retry = Retry::At { unix_ms: unix_ms + after.as_secs_f64() * 1_000.0 };
                }
            }
            ClientEvent::Stopped => match &mut self.phase {
                Phase::Troubled { retry, .. } => *retry = Retry::Never,
                phase => *phase = Phase::Troubled { words: "stopped".to_owned(), retry: Retry::Never },
            },
            // Messages say nothing about the state, and what a later client may tell is not known here.
            _ => {}
        }
    }

    fn trouble(&mut self, words: String) {
        self.phase = Phase::Troubled { words: visible(&words), retry: Retry::Unknown };
    }

    /// The connection that there is.
    #[must_use]
    pub fn connection(&self) -> Option<&Connection> {
        match &self.phase {
            Phase::Joining(connection) | Phase::Joined(connection) | Phase::Refused { connection, .. } => {
                Some(connection)
            }
            Phase::Connecting | Phase::Troubled { .. } | Phase::Recovering { .. } => None,
        }
    }

    /// Whether [`Self::line`] changes by time alone: a countdown.
    #[must_use]
    pub fn is_counting_down(&self) -> bool {
        matches!(
            self.phase,
            Phase::Troubled { retry: Retry::At { .. }, .. }
                | Phase::Recovering { retry: Retry::At { .. }, .. }
        )
    }

    /// What the page says at the time `unix_ms`.
    #[must_use]
    pub fn line(&self, unix_ms: f64) -> StatusLine {
        let (state, headline, detail, spoken) = match &self.phase {
            Phase::Connecting => (ConnectionState::Connecting, "Connecting…".to_owned(), None, "Connecting"),
            Phase::Joining(_) => {
                let headline = format!("Joining group `{}`…", visible(self.group.as_str()));
                (ConnectionState::Connecting, headline, None, "Connecting")
            }
            Phase::Joined(connection) => {
                let headline = match &connection.user_id {
                    Some(user) => format!("Connected as {user}"),
                    None => "Connected".to_owned(),
                };
                let detail = (" · ", format!("connection {}", connection.id));
                (ConnectionState::Connected, headline, Some(detail), "Connected")
            }
            Phase::Refused { error, .. } => self.refused(error),
            Phase::Troubled { words, retry } | Phase::Recovering { words, retry, .. } => {
                self.troubled(words, *retry, unix_ms)
            }
        };
        // While a connection is being taken up again, another try would throw it away.
        let can_retry = matches!(&self.phase, Phase::Troubled { retry: Retry::At { .. } | Retry::Never, .. });
        let connection = self.connection().cloned();
        StatusLine { state, headline, detail, spoken: spoken.to_owned(), connection, can_retry }
    }

    fn refused(&self, error: &AckError) -> Said {
        let group = visible(self.group.as_str());
        if error.is_forbidden() {
            let headline = format!("Not allowed to join group `{group}`");
            (ConnectionState::Forbidden, headline, Some((": ", visible(&error.message))), "Not allowed")
        } else {
            let headline = format!("Group `{group}` could not be joined");
            (ConnectionState::Failed, headline, Some((": ", visible(&error.to_string()))), "Not joined")
        }
    }

    fn troubled(&self, words: &str, retry: Retry, unix_ms: f64) -> Said {
        let state = if self.was_connected && retry != Retry::Never {
            ConnectionState::Disconnected
        } else {
            ConnectionState::Failed
        };
        let verb = if self.was_connected { "Reconnecting" } else { "Trying again" };
        let (headline, spoken) = match retry {
            Retry::At { unix_ms: at } => {
                // A float becomes an integer by saturating, and no pause is longer than a few minutes.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let seconds = (((at - unix_ms) / 1_000.0).ceil() as u64).max(1);
                (format!("{verb} in {seconds} s"), verb)
            }
            Retry::Now => (format!("{verb} now"), verb),
            Retry::Unknown | Retry::Never => ("Not connected".to_owned(), "Not connected"),
        };
        (state, headline, Some((": ", words.to_owned())), spoken)
    }
}

/// State, headline, detail, and what is spoken.
type Said = (ConnectionState, String, Option<(&'static str, String)>, &'static str);

/// Words of the service, fit to be shown.
fn visible(words: &str) -> String {
    display_text(words).text.into_owned()
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
