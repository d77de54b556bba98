//! How many lines were read, and what became of them.

use std::{
    cell::{Cell, RefCell},
    io,
};

use webpubsub_protocol::message::AckError;

use super::line_batcher::{MAX_LINE_BYTES, Oddities};
use crate::failure::Failure;

/// The account of a run.
#[derive(Debug, Default)]
pub(super) struct Tally {
    read: Cell<u64>,
    acknowledged: Cell<u64>,
    refusal: RefCell<Option<AckError>>,
    input_error: RefCell<Option<io::Error>>,
    oddities: Cell<Oddities>,
}

impl Tally {
    /// Lines came in.
    pub(super) fn read(&self, lines: u64) {
        self.read.set(self.read.get() + lines);
    }

    /// The service has these lines.
    pub(super) fn acknowledged(&self, lines: u64) {
        self.acknowledged.set(self.acknowledged.get() + lines);
    }

    /// The service does not take lines, and said why.
    pub(super) fn refused(&self, error: AckError) {
        self.refusal.borrow_mut().get_or_insert(error);
    }

    /// No more lines will come in.
    pub(super) fn input_ended(&self, error: Option<io::Error>, oddities: Oddities) {
        *self.input_error.borrow_mut() = error;
        self.oddities.set(oddities);
    }

    /// Closes the account: success only when every line that was read is acknowledged.
    pub(super) fn conclude(&self, last_trouble: Option<String>) -> Result<(), Failure> {
        self.tell_oddities();
        let (read, missing) = (self.read.get(), self.read.get() - self.acknowledged.get());
        let unacknowledged = match (missing, read) {
            (0, _) => None,
            (1, 1) => Some("the line read was not acknowledged".to_owned()),
            (missing, read) => Some(format!("{missing} of {read} lines read were not acknowledged")),
        };
        let cause = if let Some(error) = self.refusal.borrow().as_ref() {
            let mend = if error.is_forbidden() {
                "; this negotiate endpoint gives no permission to publish to the group: check --group, or give --publish-key"
            } else {
                ""
            };
            Some(format!("the service refused the message: {}{mend}", error.message))
        } else if let Some(trouble) = last_trouble {
            Some(format!("gave up: {trouble}"))
        } else {
            self.input_error.borrow().as_ref().map(|error| format!("standard input cannot be read: {error}"))
        };
        let words: Vec<String> = cause.into_iter().chain(unacknowledged).collect();
        if words.is_empty() { Ok(()) } else { Err(Failure::at_run_time(words.join("; "))) }
    }

    fn tell_oddities(&self) {
        let Oddities { invalid_lines, nul_lines, cut_lines } = self.oddities.get();
        for (count, words) in [
            (invalid_lines, "held bytes that are not UTF-8; they were sent as U+FFFD".to_owned()),
            (nul_lines, "held NUL characters".to_owned()),
            (cut_lines, format!("were longer than {MAX_LINE_BYTES} bytes and were sent in pieces")),
        ] {
            if count > 0 {
                eprintln!("tailcast stream: {count} lines {words}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(tally: &Tally, trouble: Option<&str>) -> String {
        tally.conclude(trouble.map(str::to_owned)).map_or_else(|failure| failure.to_string(), |()| "done".to_owned())
    }

    #[test]
    fn only_a_run_with_every_line_acknowledged_is_a_success() {
        let tally = Tally::default();
        tally.read(5);
        tally.acknowledged(3);
        assert_eq!(words(&tally, None), "2 of 5 lines read were not acknowledged");
        assert_eq!(words(&tally, Some("no")), "gave up: no; 2 of 5 lines read were not acknowledged");
        tally.acknowledged(2);
        assert_eq!(words(&tally, None), "done");
        assert_eq!(words(&tally, Some("no")), "gave up: no");
    }

    #[test]
    fn a_refusal_says_what_to_check() {
        let tally = Tally::default();
        tally.read(1);
        tally.refused(AckError { name: "Forbidden".into(), message: "No.".into() });
        let words = words(&tally, None);
        assert!(words.contains("No.; this negotiate endpoint gives no permission to publish"), "{words}");
        assert!(words.ends_with("the line read was not acknowledged"), "{words}");
    }
}
