//! Counts of the lines read and acknowledged.

use std::{
    cell::{Cell, RefCell},
    io,
};

use tokio::sync::Notify;
use webpubsub_protocol::message::AckError;

use super::{
    line_batcher::{InputWarnings, MAX_LINE_BYTES},
    publish_error::{Cause, PublishError},
};
use crate::terminal::{counted, notice};

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
    has_update_in_flight: Cell<bool>,
    update_settled: Notify,
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

    /// Whether a message that shows an unfinished line waits for its acknowledgement.
    pub(super) fn has_update_in_flight(&self) -> bool {
        self.has_update_in_flight.get()
    }

    /// Sets whether a message that shows an unfinished line waits for its acknowledgement.
    pub(super) fn set_update_in_flight(&self, is_in_flight: bool) {
        self.has_update_in_flight.set(is_in_flight);
        if !is_in_flight {
            self.update_settled.notify_one();
        }
    }

    /// Waits until no message that shows an unfinished line waits for its acknowledgement.
    pub(super) async fn update_settled(&self) {
        while self.has_update_in_flight() {
            self.update_settled.notified().await;
        }
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

    /// Prints warnings. Returns the number of lines, if every line read was acknowledged.
    pub(super) fn conclude(&self, program: &str, end: ClientEnd) -> Result<u64, PublishError> {
        self.print_warnings(program);
        let (read, missing) = (self.read.get(), self.read.get() - self.acknowledged.get());
        let cause = self.cause(end, missing);
        if cause.is_none() && missing == 0 { Ok(read) } else { Err(PublishError { cause, missing, read }) }
    }

    fn cause(&self, end: ClientEnd, missing: u64) -> Option<Cause> {
        if let Some(error) = self.ack_error.borrow().as_ref() {
            return Some(Cause::Refused(error.clone()));
        }
        match end {
            ClientEnd::GaveUp(error) => Some(Cause::GaveUp(error)),
            // A connection error after the last acknowledgement loses nothing.
            ClientEnd::Stopped(Some(error)) if missing > 0 => Some(Cause::NotConnected(error)),
            ClientEnd::Stopped(_) => {
                self.input_error.borrow().as_ref().map(|error| Cause::Input(error.to_string()))
            }
        }
    }

    fn print_warnings(&self, program: &str) {
        let InputWarnings { invalid_lines, nul_lines, split_lines } = self.warnings.get();
        for (count, problem) in [
            (invalid_lines, "contained invalid UTF-8, which was replaced by U+FFFD".to_owned()),
            (nul_lines, "contained NUL characters".to_owned()),
            (split_lines, format!("exceeded {MAX_LINE_BYTES} bytes; long lines are split")),
        ] {
            if count > 0 {
                notice!("{program}: {} {problem}", counted(count, "line"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection_error() -> Option<String> {
        Some("no network".to_owned())
    }

    #[test]
    fn success_requires_every_line_to_be_acknowledged() {
        let tally = Tally::default();
        let conclude = |end| tally.conclude("stream", end);
        tally.add_read(5);
        tally.add_acknowledged(3);
        let lost = |cause| Err(PublishError { cause, missing: 2, read: 5 });
        assert_eq!(conclude(ClientEnd::Stopped(None)), lost(None));
        let not_connected = Cause::NotConnected("no network".to_owned());
        assert_eq!(conclude(ClientEnd::Stopped(connection_error())), lost(Some(not_connected)));
        let gave_up = || Some(Cause::GaveUp(connection_error()));
        assert_eq!(conclude(ClientEnd::GaveUp(connection_error())), lost(gave_up()));
        tally.add_acknowledged(2);
        assert_eq!(conclude(ClientEnd::Stopped(connection_error())), Ok(5));
        let nothing_lost = PublishError { cause: gave_up(), missing: 0, read: 5 };
        assert_eq!(conclude(ClientEnd::GaveUp(connection_error())), Err(nothing_lost));
    }

    #[test]
    fn a_refusal_has_precedence_over_the_end_of_the_client() {
        let tally = Tally::default();
        tally.add_read(1);
        let refusal = AckError { name: "Forbidden".into(), message: "No.".into() };
        tally.set_ack_error(refusal.clone());
        assert_eq!(
            tally.conclude("stream", ClientEnd::GaveUp(connection_error())),
            Err(PublishError { cause: Some(Cause::Refused(refusal)), missing: 1, read: 1 })
        );
    }

    #[test]
    fn an_input_that_fails_is_an_error_although_every_line_is_acknowledged() {
        let tally = Tally::default();
        tally.end_input(Some(io::Error::other("broken")), InputWarnings::default());
        assert_eq!(
            tally.conclude("stream", ClientEnd::Stopped(None)),
            Err(PublishError { cause: Some(Cause::Input("broken".to_owned())), missing: 0, read: 0 })
        );
    }
}
