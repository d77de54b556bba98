//! Reports of the connection state: one line when a connection is lost, one a minute while it stays so, and the outcome.

use std::time::{Duration, Instant};

use webpubsub_client::{ClientEvent, ConnectFailure, Disconnect};

use crate::target::Target;

use crate::terminal::{counted, without_controls};

/// Time between two lines about the same interruption.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);
/// Status of a server that requires another credential.
const UNAUTHORIZED: u16 = 401;

/// Advice of a command about its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Advice {
    /// What to do if there is no server.
    pub(crate) unreachable: &'static str,
    /// What to do if the server requires a credential, and the command has none of its own kind.
    pub(crate) unauthorized: Option<&'static str>,
}

impl Advice {
    /// Returns the advice for a command that publishes.
    pub(crate) fn publisher(target: &Target) -> Self {
        Self {
            unreachable: "start one with `tailcast serve`, let this command serve the page with --serve, or name another one with --server URL",
            unauthorized: target.publish_key.is_none().then_some(
                "publishers give the publish key, in TAILCAST_PUBLISH_KEY or with --publish-key-file FILE",
            ),
        }
    }

    /// Returns the advice for a command that prints lines.
    pub(crate) fn viewer(target: &Target) -> Self {
        let has_credential = target.viewer_password().is_some() || target.publish_key.is_some();
        Self {
            unreachable: "start one with `tailcast serve`, or name another one with --server URL",
            unauthorized: (!has_credential).then_some(
                "viewers give the password, in TAILCAST_VIEWER_PASSWORD or with --viewer-password-file FILE",
            ),
        }
    }
}

/// State of the reports of one client.
#[derive(Debug)]
pub(crate) struct ConnectionReports {
    advice: Advice,
    /// Time until the next attempt that the server asked for.
    requested: Option<Duration>,
    last_error: Option<String>,
    /// Time from which on the present interruption is reported again; `None` before its first line.
    next_report_at: Option<Instant>,
}

impl ConnectionReports {
    /// Creates the state of a client without a connection.
    pub(crate) fn new(advice: Advice) -> Self {
        Self { advice, requested: None, last_error: None, next_report_at: None }
    }

    fn describe(&self, failure: &ConnectFailure) -> String {
        match failure {
            ConnectFailure::NegotiateUnreachable { url, detail } => {
                format!("negotiate failed: {url} cannot be reached ({detail}); {}", self.advice.unreachable)
            }
            ConnectFailure::NegotiateStatus { status: UNAUTHORIZED, .. } => match self.advice.unauthorized {
                Some(advice) => format!("{failure}; {advice}"),
                None => failure.to_string(),
            },
            other => other.to_string(),
        }
    }

    /// Returns the line to print for an event of the client, if any.
    pub(crate) fn report(&mut self, event: &ClientEvent, now: Instant) -> Option<String> {
        match event {
            ClientEvent::Connected { .. } | ClientEvent::Recovered => {
                self.last_error = None;
                let was_reported = self.next_report_at.take().is_some();
                was_reported.then(|| "reconnected".to_owned())
            }
            ClientEvent::Resending { messages } => {
                let messages = counted(*messages as u64, "unacknowledged message");
                Some(format!("resending {messages}; lines may appear twice"))
            }
            ClientEvent::Disconnected { reason: Disconnect::Stopped } => None,
            ClientEvent::Disconnected { reason } | ClientEvent::Recovering { reason } => {
                self.last_error = Some(reason.to_string());
                None
            }
            ClientEvent::ConnectFailed { failure } => {
                self.last_error = Some(self.describe(failure));
                self.requested = failure.retry_after();
                None
            }
            ClientEvent::RetryScheduled { .. } => self.interruption(now),
            _ => None,
        }
    }

    fn interruption(&mut self, now: Instant) -> Option<String> {
        if self.next_report_at.is_some_and(|at| now < at) {
            return None;
        }
        let is_first = self.next_report_at.replace(now + REPORT_INTERVAL).is_none();
        let error = without_controls(self.last_error.as_deref().unwrap_or("no connection"));
        let error = error.trim_end_matches('.');
        let still = if is_first { "" } else { "still " };
        Some(match self.requested {
            Some(wait) => format!("{error}; {still}retrying after {} s, as the server asks", wait.as_secs()),
            None => format!("{error}; {still}retrying"),
        })
    }

    /// Takes the last connection error if it was not resolved.
    pub(crate) fn take_error(&mut self) -> Option<String> {
        self.last_error.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADVICE: Advice = Advice { unreachable: "remedy", unauthorized: Some("give the key") };

    fn failed(seconds: u64) -> ClientEvent {
        ClientEvent::ConnectFailed { failure: ConnectFailure::TimedOut { url: "h".into(), seconds } }
    }

    #[test]
    fn an_interruption_is_reported_once_a_minute_and_its_end_once() {
        let (mut reports, start) = (ConnectionReports::new(ADVICE), Instant::now());
        let retry = ClientEvent::RetryScheduled { after: Duration::from_secs(1) };
        let mut lines = Vec::new();
        for second in 0..=130 {
            let now = start + Duration::from_secs(second);
            for event in [failed(second), retry.clone()] {
                lines.extend(reports.report(&event, now).map(|line| (second, line)));
            }
        }
        let seconds: Vec<u64> = lines.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [0, 60, 120], "{lines:?}");
        assert!(lines[0].1.ends_with("; retrying") && lines[1].1.ends_with("; still retrying"), "{lines:?}");
        let end = reports.report(&ClientEvent::Recovered, start);
        assert_eq!(end.as_deref(), Some("reconnected"));
        assert_eq!(reports.report(&ClientEvent::Recovered, start), None, "nothing was interrupted");
        assert!(reports.report(&retry, start).is_some(), "the next interruption is reported at once");
    }

    #[test]
    fn a_refusal_for_want_of_a_credential_names_it() {
        let refusal = |status| ConnectFailure::NegotiateStatus {
            url: "h".into(),
            status,
            reason: Some("no".into()),
            retry_after: None,
        };
        let reports = ConnectionReports::new(ADVICE);
        let words = "negotiate failed: h answered 401 Unauthorized: no; give the key";
        assert_eq!(reports.describe(&refusal(401)), words);
        assert!(reports.describe(&refusal(403)).ends_with(": no"));
    }

    #[test]
    fn the_time_that_a_server_asks_for_is_reported() {
        let (mut reports, now) = (ConnectionReports::new(ADVICE), Instant::now());
        let wait = Duration::from_secs(6);
        let failure = ConnectFailure::NegotiateStatus {
            url: "h".into(),
            status: 429,
            reason: Some("too many".into()),
            retry_after: Some(wait),
        };
        reports.report(&ClientEvent::ConnectFailed { failure }, now);
        let line = reports.report(&ClientEvent::RetryScheduled { after: wait }, now).unwrap();
        assert!(line.ends_with(": too many; retrying after 6 s, as the server asks"), "{line}");
    }

    #[test]
    fn an_error_is_unresolved_until_the_connection_is_back() {
        let now = Instant::now();
        let mut reports = ConnectionReports::new(ADVICE);
        reports.report(&failed(3), now);
        reports.report(&ClientEvent::Recovered, now);
        assert_eq!(reports.take_error(), None);
        let mut reports = ConnectionReports::new(ADVICE);
        reports.report(&failed(3), now);
        assert_eq!(
            reports.take_error().as_deref(),
            Some("connection timed out: h did not answer within 3 s")
        );
        let failure = ConnectFailure::NegotiateUnreachable { url: "h".into(), detail: "refused".into() };
        reports.report(&ClientEvent::ConnectFailed { failure }, now);
        assert_eq!(
            reports.take_error().as_deref(),
            Some("negotiate failed: h cannot be reached (refused); remedy")
        );
    }
}
