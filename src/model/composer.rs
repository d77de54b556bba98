//! What the reader publishes: the lines sent, what became of them, and those sent before.

use std::collections::VecDeque;

use super::grouped_number::counted;

/// Most lines that are remembered to be sent again. Of more, the oldest is forgotten.
pub const MAX_HISTORY: usize = 100;

/// A line on its way: the connection, and the client's number for it.
type OnItsWay = (usize, u64);

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Composer {
    on_their_way: Vec<OnItsWay>,
    delivered: u64,
    /// What became of the newest line that was refused, until another is sent.
    refused: Option<String>,
    history: VecDeque<String>,
    /// Which of them is shown; as many as there are when none is.
    place: usize,
}

impl Composer {
    /// A line was handed to the client of a connection, or was not taken. Whether it was.
    pub fn sent(&mut self, connection: usize, text: &str, taken: Result<u64, String>) -> bool {
        self.refused = None;
        match taken {
            Ok(number) => {
                self.on_their_way.push((connection, number));
                if self.history.back().is_none_or(|newest| newest != text) {
                    self.history.push_back(text.to_owned());
                }
                if self.history.len() > MAX_HISTORY {
                    self.history.pop_front();
                }
                self.place = self.history.len();
                true
            }
            Err(reason) => {
                self.refused = Some(reason);
                false
            }
        }
    }

    /// What became of a line. Others of the client are not known here.
    pub fn settled(&mut self, connection: usize, number: u64, outcome: Result<(), String>) {
        let Some(at) = self.on_their_way.iter().position(|sent| *sent == (connection, number)) else {
            return;
        };
        self.on_their_way.remove(at);
        match outcome {
            Ok(()) => self.delivered += 1,
            Err(reason) => self.refused = Some(reason),
        }
    }

    /// Another client takes the place of a connection's: what was on its way is told of no more. Gives the numbers.
    pub fn abandon(&mut self, connection: usize) -> Vec<u64> {
        let (lost, left): (Vec<OnItsWay>, Vec<OnItsWay>) =
            std::mem::take(&mut self.on_their_way).into_iter().partition(|sent| sent.0 == connection);
        self.on_their_way = left;
        if !lost.is_empty() {
            let lines = counted(lost.len() as u64, "line was", "lines were");
            self.refused = Some(format!("{lines} not acknowledged before the page connected anew"));
        }
        lost.into_iter().map(|(_, number)| number).collect()
    }

    /// The line sent before the one shown, or after it; empty after the newest. `None` where there is none.
    pub fn recall(&mut self, is_older: bool) -> Option<&str> {
        let place = if is_older { self.place.checked_sub(1)? } else { self.place + 1 };
        if place > self.history.len() {
            return None;
        }
        self.place = place;
        Some(self.history.get(place).map_or("", String::as_str))
    }

    /// How it stands, in words.
    #[must_use]
    pub fn words(&self) -> String {
        if let Some(reason) = &self.refused {
            return format!("not delivered: {reason}");
        }
        match (self.on_their_way.len(), self.delivered) {
            (0, 0) => String::new(),
            (0, delivered) => format!("delivered ({delivered})"),
            (waiting, _) => format!("sending {}…", counted(waiting as u64, "line", "lines")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_told_as_sending_delivered_or_refused() {
        let mut composer = Composer::default();
        assert_eq!(composer.words(), "");
        assert!(composer.sent(0, "a", Ok(7)) && composer.sent(0, "b", Ok(8)));
        assert_eq!(composer.words(), "sending 2 lines…");
        composer.settled(1, 7, Ok(()));
        composer.settled(0, 99, Err("of somebody else".into()));
        composer.settled(0, 7, Ok(()));
        assert_eq!(composer.words(), "sending 1 line…");
        composer.settled(0, 8, Err("the role is missing".into()));
        assert_eq!(composer.words(), "not delivered: the role is missing");
        assert!(!composer.sent(0, "c", Err("too many".into())));
        assert_eq!(composer.words(), "not delivered: too many");
        composer.sent(0, "c", Ok(9));
        composer.settled(0, 9, Ok(()));
        assert_eq!(composer.words(), "delivered (2)");
    }

    #[test]
    fn what_a_replaced_client_leaves_behind_is_told() {
        let mut composer = Composer::default();
        composer.sent(0, "a", Ok(1));
        composer.sent(1, "b", Ok(1));
        assert_eq!(composer.abandon(0), [1]);
        assert!(composer.words().contains("1 line was not acknowledged"), "{}", composer.words());
        composer.settled(1, 1, Ok(()));
        assert_eq!(composer.on_their_way.len(), 0);
    }

    #[test]
    fn lines_sent_before_are_recalled_and_bounded() {
        let mut composer = Composer::default();
        assert_eq!(composer.recall(true), None);
        for number in 0..150_u64 {
            composer.sent(0, &(number / 2).to_string(), Ok(number));
        }
        assert_eq!(composer.recall(false), None);
        assert_eq!(composer.history.len(), 75);
        assert_eq!(composer.recall(true), Some("74"));
        assert_eq!(composer.recall(true), Some("73"));
        assert_eq!(composer.recall(false), Some("74"));
        assert_eq!(composer.recall(false), Some(""));
        for number in 0..500 {
            composer.sent(0, &number.to_string(), Ok(number));
        }
        assert_eq!(composer.history.len(), MAX_HISTORY);
    }
}
