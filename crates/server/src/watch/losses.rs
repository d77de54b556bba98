//! Reports of missing messages: the first one at once, further ones as sums.

use std::time::{Duration, Instant};

use webpubsub_client::history::Missing;

use crate::terminal::counted;

/// Time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Messages that are missing, and the time of the next report.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Messages that did not arrive.
    lost: u64,
    /// Messages that the server no longer keeps.
    gone: u64,
    was_restarted: bool,
    /// `None` before the first report.
    next_report_at: Option<Instant>,
    has_any: bool,
}

impl Losses {
    /// Counts messages that did not arrive.
    pub(super) fn add_lost(&mut self, messages: u64) {
        self.lost = self.lost.saturating_add(messages);
        self.has_any = true;
    }

    /// Counts what is missing in the history.
    pub(super) fn add_missing(&mut self, missing: Option<Missing>) {
        match missing {
            Some(Missing::Count(messages)) => self.gone = self.gone.saturating_add(messages),
            Some(Missing::Restart) => self.was_restarted = true,
            None => return,
        }
        self.has_any = true;
    }

    /// Counts messages that could not be read, which was reported already.
    pub(super) fn add_reported(&mut self) {
        self.has_any = true;
    }

    /// Whether anything is missing.
    pub(super) fn has_any(&self) -> bool {
        self.has_any
    }

    /// Returns the time of the next report; `None` if there is nothing to report.
    pub(super) fn next_report_at(&self, now: Instant) -> Option<Instant> {
        let is_unreported = self.lost > 0 || self.gone > 0 || self.was_restarted;
        is_unreported.then(|| self.next_report_at.unwrap_or(now))
    }

    /// Returns the lines of the report that is due.
    pub(super) fn report(&mut self, now: Instant) -> Vec<String> {
        match self.next_report_at(now) {
            Some(at) if at <= now => {
                self.next_report_at = Some(now + REPORT_INTERVAL);
                self.take()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the lines of the last report.
    pub(super) fn take(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        if std::mem::take(&mut self.was_restarted) {
            let line = "the server was restarted: lines that were published before may be missing";
            lines.push(line.to_owned());
        }
        match std::mem::take(&mut self.gone) {
            0 => {}
            1 => lines.push("1 message is missing: the server no longer keeps it".to_owned()),
            gone => lines.push(format!("{gone} messages are missing: the server no longer keeps them")),
        }
        match std::mem::take(&mut self.lost) {
            0 => {}
            lost => lines.push(format!(
                "{} {} missing",
                counted(lost, "message"),
                if lost == 1 { "is" } else { "are" }
            )),
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_loss_is_reported_at_once_and_further_ones_as_a_sum() {
        let (mut losses, start) = (Losses::default(), Instant::now());
        assert_eq!((losses.next_report_at(start), losses.report(start)), (None, vec![]));
        losses.add_lost(1);
        assert_eq!(losses.report(start), ["1 message is missing"]);
        for _ in 0..1000 {
            losses.add_lost(2);
            assert_eq!(losses.report(start), Vec::<String>::new());
        }
        let due = losses.next_report_at(start).unwrap();
        assert_eq!(losses.report(due), ["2000 messages are missing"]);
        losses.add_missing(Some(Missing::Restart));
        losses.add_missing(Some(Missing::Count(u64::MAX)));
        losses.add_missing(Some(Missing::Count(u64::MAX)));
        let lines = losses.take();
        assert!(lines[0].contains("restarted") && lines[1].starts_with(&u64::MAX.to_string()), "{lines:?}");
        assert!(losses.has_any() && losses.take().is_empty());
    }
}
