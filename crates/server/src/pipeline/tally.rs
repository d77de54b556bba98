//! Counts of the lines read and acknowledged.

use std::{
    cell::{Cell, RefCell},
    io,
};

use webpubsub_protocol::message::AckError;

use super::line_batcher::{InputWarnings, MAX_LINE_BYTES};
use crate::failure::Failure;

/// Reason for which the client ended, with its unresolved connection error, if any.
#[derive(Debug)]
pub(super) enum ClientEnd {
    /// The client gave up reconnecting.
    GaveUp(Option<String>),
    /// The client was stopped.
    Stopped(Option<String>),
}

/// Line counts and errors of one run.
#[derive(Debug, Default)]
pub(super) struct Tally {
    read: Cell<u64>,
    acknowledged: Cell<u64>,
    ack_error: RefCell<Option<AckError>>,
    input_error: RefCell<Option<io::Error>>,
    warnings: Cell<InputWarnings>,
}

impl Tally {
    /// Counts lines that were read.
    pub(super) fn add_read(&self, lines: u64) {
        self.read.set(self.read.get() + lines);
    }

    /// Counts lines that the service acknowledged.
    pub(super) fn add_acknowledged(&self, lines: u64) {
        self.acknowledged.set(self.acknowledged.get() + lines);
    }

    /// Stores the first error with which the service refused a message.
    pub(super) fn set_ack_error(&self, error: AckError) {
        self.ack_error.borrow_mut().get_or_insert(error);
    }

    /// Stores the outcome of the input.
    pub(super) fn end_input(&self, error: Option<io::Error>, warnings: InputWarnings) {
        *self.input_error.borrow_mut() = error;
        self.warnings.set(warnings);
    }

    /// Prints warnings. Returns success only if every line read was acknowledged.
    pub(super) fn conclude(&self, command: &str, end: ClientEnd) -> Result<(), Failure> {
        self.print_warnings(command);
        let (read, missing) = (self.read.get(), self.read.get() - self.acknowledged.get());
        let unacknowledged = match (missing, read) {
            (0, _) => None,
            (1, 1) => Some("the line read was not acknowledged".to_owned()),
            (missing, read) => Some(format!("{missing} of {read} lines read were not acknowledged")),
        };
        let cause = if let Some(error) = self.ack_error.borrow().as_ref() {
            let advice = if error.is_forbidden() {
                "; the negotiate endpoint does not grant permission to publish to this group: check --group, or pass --publish-key"
            } else {
                ""
            };
            Some(format!("the service refused the message: {}{advice}", error.message))
        } else {
            let input_error = self.input_error.borrow();
            let input_failed = || Some(format!("cannot read standard input: {}", input_error.as_ref()?));
            match end {
                ClientEnd::GaveUp(error) => {
                    Some(format!("gave up: {}", error.as_deref().unwrap_or("the connection ended")))
                }
                // A connection error after the last acknowledgement loses nothing.
                ClientEnd::Stopped(Some(error)) if missing > 0 => Some(error),
                ClientEnd::Stopped(_) => input_failed(),
            }
        };
        let errors: Vec<String> = cause.into_iter().chain(unacknowledged).collect();
        if errors.is_empty() { Ok(()) } else { Err(Failure::runtime(errors.join("; "))) }
    }

    fn print_warnings(&self, command: &str) {
        let InputWarnings { invalid_lines, nul_lines, split_lines } = self.warnings.get();
        for (count, problem) in [
            (invalid_lines, "contained invalid UTF-8, which was replaced by U+FFFD".to_owned()),
            (nul_lines, "contained NUL characters".to_owned()),
            (split_lines, format!("exceeded {MAX_LINE_BYTES} bytes; long lines are split")),
        ] {
            if count > 0 {
                let lines = if count == 1 { "line" } else { "lines" };
                eprintln!("tailcast {command}: {count} {lines} {problem}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(tally: &Tally, end: ClientEnd) -> String {
        tally.conclude("stream", end).map_or_else(|failure| failure.to_string(), |()| "success".to_owned())
    }

    fn connection_error() -> Option<String> {
        Some("no network".to_owned())
    }

    #[test]
    fn success_requires_every_line_to_be_acknowledged() {
        let tally = Tally::default();
        tally.add_read(5);
        tally.add_acknowledged(3);
        let missing = "2 of 5 lines read were not acknowledged";
        assert_eq!(outcome(&tally, ClientEnd::Stopped(None)), missing);
        assert_eq!(outcome(&tally, ClientEnd::Stopped(connection_error())), format!("no network; {missing}"));
        let gave_up = format!("gave up: no network; {missing}");
        assert_eq!(outcome(&tally, ClientEnd::GaveUp(connection_error())), gave_up);
        tally.add_acknowledged(2);
        assert_eq!(outcome(&tally, ClientEnd::Stopped(connection_error())), "success");
        assert_eq!(outcome(&tally, ClientEnd::GaveUp(connection_error())), "gave up: no network");
    }

    #[test]
    fn a_refused_message_is_reported_with_advice() {
        let tally = Tally::default();
        tally.add_read(1);
        tally.set_ack_error(AckError { name: "Forbidden".into(), message: "No.".into() });
        let message = outcome(&tally, ClientEnd::Stopped(None));
        assert!(message.contains("No.; the negotiate endpoint does not grant permission"), "{message}");
        assert!(message.ends_with("the line read was not acknowledged"), "{message}");
    }
}
