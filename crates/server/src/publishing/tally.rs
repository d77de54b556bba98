//! How many lines were read, and what became of them.

use std::{
    cell::{Cell, RefCell},
    io,
};

use webpubsub_protocol::message::AckError;

use super::line_batcher::{MAX_LINE_BYTES, Oddities};
use crate::failure::Failure;

/// How the client ended, and the last trouble it had, if it was still in trouble.
#[derive(Debug)]
pub(super) enum Ending {
    /// It stopped by itself.
    GaveUp(Option<String>),
    /// It was told to stop.
    Stopped(Option<String>),
}

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
    pub(super) fn conclude(&self, command: &str, ending: Ending) -> Result<(), Failure> {
        self.tell_oddities(command);
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
        } else {
            let input_error = self.input_error.borrow();
            let input_failed = || Some(format!("standard input cannot be read: {}", input_error.as_ref()?));
            match ending {
                Ending::GaveUp(trouble) => {
                    Some(format!("gave up: {}", trouble.as_deref().unwrap_or("the connection ended")))
                }
                // Trouble that came after the last acknowledgement is nobody's.
                Ending::Stopped(Some(trouble)) if missing > 0 => Some(trouble),
                Ending::Stopped(_) => input_failed(),
            }
        };
        let words: Vec<String> = cause.into_iter().chain(unacknowledged).collect();
        if words.is_empty() { Ok(()) } else { Err(Failure::at_run_time(words.join("; "))) }
    }

    fn tell_oddities(&self, command: &str) {
        let Oddities { invalid_lines, nul_lines, cut_lines } = self.oddities.get();
        for (count, words) in [
            (invalid_lines, "held bytes that are not UTF-8; they were sent as U+FFFD".to_owned()),
            (nul_lines, "held NUL characters".to_owned()),
            (cut_lines, format!("were longer than {MAX_LINE_BYTES} bytes and were sent in pieces")),
        ] {
            if count > 0 {
                eprintln!("tailcast {command}: {count} lines {words}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(tally: &Tally, ending: Ending) -> String {
        tally.conclude("stream", ending).map_or_else(|failure| failure.to_string(), |()| "done".to_owned())
    }

    fn trouble() -> Option<String> {
        Some("no network".to_owned())
    }

    #[test]
    fn only_a_run_with_every_line_acknowledged_is_a_success() {
        let tally = Tally::default();
        tally.read(5);
        tally.acknowledged(3);
        let missing = "2 of 5 lines read were not acknowledged";
        assert_eq!(words(&tally, Ending::Stopped(None)), missing);
        assert_eq!(words(&tally, Ending::Stopped(trouble())), format!("no network; {missing}"));
        assert_eq!(words(&tally, Ending::GaveUp(trouble())), format!("gave up: no network; {missing}"));
        tally.acknowledged(2);
        assert_eq!(words(&tally, Ending::Stopped(trouble())), "done");
        assert_eq!(words(&tally, Ending::GaveUp(trouble())), "gave up: no network");
    }

    #[test]
    fn a_refusal_says_what_to_check() {
        let tally = Tally::default();
        tally.read(1);
        tally.refused(AckError { name: "Forbidden".into(), message: "No.".into() });
        let words = words(&tally, Ending::Stopped(None));
        assert!(words.contains("No.; this negotiate endpoint gives no permission to publish"), "{words}");
        assert!(words.ends_with("the line read was not acknowledged"), "{words}");
    }
}
