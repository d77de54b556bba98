//! Reports of the connection state: one line when a connection is lost, one a minute while it stays so, and the outcome.

use std::time::{Duration, Instant};

use webpubsub_client::{ClientEvent, ConnectFailure, Disconnect};

use crate::terminal::{counted, without_controls};

/// Time between two lines about the same interruption.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// State of the reports of one client.
#[derive(Debug)]
pub(crate) struct ConnectionReports {
    /// Advice if there is no server.
    remedy: &'static str,
    last_error: Option<String>,
    /// Time from which on the present interruption is reported again; `None` before its first line.
    next_report_at: Option<Instant>,
}

impl ConnectionReports {
    /// Creates the state of a client without a connection. `remedy` is the advice if there is no server.
    pub(crate) fn new(remedy: &'static str) -> Self {
        Self { remedy, last_error: None, next_report_at: None }
    }

    fn describe(&self, failure: &ConnectFailure) -> String {
        match failure {
            ConnectFailure::NegotiateUnreachable { url, detail } => {
                format!("negotiate failed: {url} cannot be reached ({detail}); {}", self.remedy)
            }
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
        Some(format!("{error}; {}", if is_first { "retrying" } else { "still retrying" }))
    }

    /// Takes the last connection error if it was not resolved.
    pub(crate) fn take_error(&mut self) -> Option<String> {
        self.last_error.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(seconds: u64) -> ClientEvent {
        ClientEvent::ConnectFailed { failure: ConnectFailure::TimedOut { url: "h".into(), seconds } }
    }

    #[test]
    fn an_interruption_is_reported_once_a_minute_and_its_end_once() {
        let (mut reports, start) = (ConnectionReports::new("remedy"), Instant::now());
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
    fn an_error_is_unresolved_until_the_connection_is_back() {
        let now = Instant::now();
        let mut reports = ConnectionReports::new("remedy");
        reports.report(&failed(3), now);
        reports.report(&ClientEvent::Recovered, now);
        assert_eq!(reports.take_error(), None);
        let mut reports = ConnectionReports::new("remedy");
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
