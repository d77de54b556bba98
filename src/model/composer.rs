//! The composer: lines that the user publishes, their delivery, and the history of lines sent.

use std::collections::VecDeque;

use super::{grouped_number::counted, navigation::Direction};

/// Maximum count of lines in the history. A further one replaces the oldest.
pub const MAX_HISTORY: usize = 100;

/// Line that is not acknowledged yet.
#[derive(Debug)]
struct Pending {
    connection: usize,
    /// The client's number for it.
    number: u64,
    text: String,
}

/// Lines published and their delivery. See the [module](self).
#[derive(Debug, Default)]
pub struct Composer {
    pending: Vec<Pending>,
    delivered: u64,
    /// Reason for which the newest line was not delivered, until another is sent.
    failure: Option<String>,
    history: VecDeque<String>,
    /// Index of the recalled line; the length of the history when there is none.
    recalled: usize,
}

impl Composer {
    /// Records that a line was handed to the client of a connection, which accepted it under a number or rejected it.
    /// Returns whether it was accepted.
    pub fn sent(&mut self, connection: usize, text: &str, outcome: Result<u64, String>) -> bool {
        self.failure = None;
        match outcome {
            Ok(number) => {
                self.pending.push(Pending { connection, number, text: text.to_owned() });
                self.remember(text);
                true
            }
            Err(reason) => {
                self.failure = Some(reason);
                false
            }
        }
    }

    fn remember(&mut self, text: &str) {
        if self.history.back().is_none_or(|newest| newest != text) {
            self.history.push_back(text.to_owned());
        }
        if self.history.len() > MAX_HISTORY {
            self.history.pop_front();
        }
        self.recalled = self.history.len();
    }

    /// Records the outcome of a line's delivery. Numbers of lines that were sent elsewhere are ignored. Returns the text of a line
    /// that was not delivered, so that it can be edited and sent again.
    pub fn settled(&mut self, connection: usize, number: u64, outcome: Result<(), String>) -> Option<String> {
        let is_settled = |line: &Pending| line.connection == connection && line.number == number;
        let at = self.pending.iter().position(is_settled)?;
        let line = self.pending.remove(at);
        match outcome {
            Ok(()) => {
                self.delivered += 1;
                None
            }
            Err(reason) => {
                self.failure = Some(reason);
                Some(line.text)
            }
        }
    }

    /// Abandons the pending lines of a connection whose client is replaced. Returns their numbers.
    pub fn abandon(&mut self, connection: usize) -> Vec<u64> {
        let (lost, pending): (Vec<Pending>, Vec<Pending>) =
            std::mem::take(&mut self.pending).into_iter().partition(|line| line.connection == connection);
        self.pending = pending;
        if !lost.is_empty() {
            let lines = counted(lost.len() as u64, "line was", "lines were");
            self.failure = Some(format!("{lines} not acknowledged before the page reconnected"));
        }
        lost.into_iter().map(|line| line.number).collect()
    }

    /// Returns the line sent before or after the one recalled last; empty after the newest, `None` beyond either end.
    pub fn recall(&mut self, direction: Direction) -> Option<&str> {
        let recalled = match direction {
            Direction::Backward => self.recalled.checked_sub(1)?,
            Direction::Forward => self.recalled + 1,
        };
        if recalled > self.history.len() {
            return None;
        }
        self.recalled = recalled;
        Some(self.history.get(recalled).map_or("", String::as_str))
    }

    /// Returns the state of delivery, for display.
    #[must_use]
    pub fn status_text(&self) -> String {
        if let Some(reason) = &self.failure {
            return format!("not delivered: {reason}");
        }
        match (self.pending.len(), self.delivered) {
            (0, 0) => String::new(),
            (0, delivered) => format!("delivered ({delivered})"),
            (pending, _) => format!("sending {}…", counted(pending as u64, "line", "lines")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_sending_delivered_or_not_delivered() {
        let mut composer = Composer::default();
        assert_eq!(composer.status_text(), "");
        assert!(composer.sent(0, "a", Ok(7)) && composer.sent(0, "b", Ok(8)));
        assert_eq!(composer.status_text(), "sending 2 lines…");
        composer.settled(1, 7, Ok(()));
        composer.settled(0, 99, Err("of another sender".into()));
        composer.settled(0, 7, Ok(()));
        assert_eq!(composer.status_text(), "sending 1 line…");
        let refused = composer.settled(0, 8, Err("the role is missing".into()));
        assert_eq!(refused.as_deref(), Some("b"));
        assert_eq!(composer.status_text(), "not delivered: the role is missing");
        assert!(!composer.sent(0, "c", Err("too many".into())));
        assert_eq!(composer.status_text(), "not delivered: too many");
        composer.sent(0, "c", Ok(9));
        composer.settled(0, 9, Ok(()));
        assert_eq!(composer.status_text(), "delivered (2)");
    }

    #[test]
    fn pending_lines_of_a_replaced_client_are_reported() {
        let mut composer = Composer::default();
        composer.sent(0, "a", Ok(1));
        composer.sent(1, "b", Ok(1));
        assert_eq!(composer.abandon(0), [1]);
        assert_eq!(
            composer.status_text(),
            "not delivered: 1 line was not acknowledged before the page reconnected"
        );
        composer.settled(1, 1, Ok(()));
        assert_eq!(composer.pending.len(), 0);
    }

    #[test]
    fn lines_sent_before_are_recalled_and_their_count_is_limited() {
        let mut composer = Composer::default();
        assert_eq!(composer.recall(Direction::Backward), None);
        for number in 0..150_u64 {
            composer.sent(0, &(number / 2).to_string(), Ok(number));
        }
        assert_eq!(composer.recall(Direction::Forward), None);
        assert_eq!(composer.history.len(), 75);
        for (direction, line) in [
            (Direction::Backward, "74"),
            (Direction::Backward, "73"),
            (Direction::Forward, "74"),
            (Direction::Forward, ""),
        ] {
            assert_eq!(composer.recall(direction), Some(line));
        }
        for number in 0..500 {
            composer.sent(0, &number.to_string(), Ok(number));
        }
        assert_eq!(composer.history.len(), MAX_HISTORY);
    }
}
