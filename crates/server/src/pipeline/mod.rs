//! Publishing pipeline: lines of standard input, a command or files, to a group.
//!
//! ```text
//! readers ─► chunks ─► line batcher ─► client (window of unacknowledged messages) ─► service
//!                                           │ receipts
//!                                           ▼
//!                                         tally: lines read, acknowledged, refused
//! ```
//!
//! Complete lines are sent immediately, and while the in-flight window is full, they accumulate into larger messages. The only
//! timer is that of unfinished lines: what they show is sent too, one message at a time. Every stage is bounded, so a fast producer is blocked: at most [`MAX_IN_FLIGHT_MESSAGES`] messages and
//! [`MAX_IN_FLIGHT_BYTES`](webpubsub_client::MAX_IN_FLIGHT_BYTES) are buffered until the service has acknowledged them.
//!
//! A dropped connection is recovered without duplicates. Only if the service has discarded the connection, by a restart or
//! after 30 seconds, lines without an acknowledgement can be duplicated; a warning is then printed.

pub(crate) mod input;
mod line_batcher;
mod publish_error;
pub(crate) mod publisher;
mod screen_line;
mod source_lines;
pub(crate) mod stop_requests;
mod tally;

use std::{pin::pin, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use webpubsub_client::{
    Client, ClientEvent, Events, GroupName, MAX_IN_FLIGHT_MESSAGES, PublishError, Receipt,
};

use crate::{
    connection_reports::{Advice, ConnectionReports},
    failure::Failure,
    target::Target,
    terminal::notice,
};
use input::{Input, InputPart};
use line_batcher::{Batch, LineBatcher};
use publisher::Publisher;
use stop_requests::StopRequests;
use tally::{ClientEnd, Tally};

/// Maximum size of queued input that is gathered before its messages are sent, in bytes.
const MAX_GATHERED_BYTES: usize = 512 * 1024;
/// Timeout for the acknowledgement of the lines read so far, after a request to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Publishes until the input ends, a stop is requested, or the client gives up. Returns the number of lines. `program` is the
/// prefix of messages on standard error.
pub(crate) async fn run(
    program: &'static str,
    target: &Target,
    publisher: Publisher,
    input: Input,
    stop_requests: &mut StopRequests,
) -> Result<u64, Failure> {
    let group = &target.group;
    let mut builder = target.publisher();
    let events = builder.events();
    let client = builder.connect_lazy();
    let (report_connection, first_connection) = watch::channel(FirstConnection::Pending);
    let reports = ConnectionReports::new(Advice::publisher(target));
    let mut reporting = tokio::spawn(report_events(program, events, reports, report_connection));
    let mut gave_up = None;
    let (stop_reading, reading_stopped) = watch::channel(false);
    let (sent, unsettled) = mpsc::channel(MAX_IN_FLIGHT_MESSAGES);
    let tally = Tally::default();
    {
        let sender = MessageSender { group, client: &client, tally: &tally, sent };
        let mut sending = pin!(sender.send_input(LineBatcher::new(publisher), input, reading_stopped));
        let mut settling = pin!(await_receipts(unsettled, &tally, &stop_reading));
        let mut is_sending = true;
        let mut drain_deadline: Option<Instant> = None;
        // Set at the end of the input.
        let mut connect_deadline: Option<Instant> = None;
        loop {
            tokio::select! {
                () = &mut settling => break,
                () = &mut sending, if is_sending => {
                    is_sending = false;
                    connect_deadline = Some(Instant::now() + target.connect_timeout);
                }
                () = tokio::time::sleep_until(connect_deadline.unwrap_or_else(Instant::now)), if connect_deadline.is_some() => {
                    let now = Instant::now();
                    connect_deadline = match *first_connection.borrow() {
                        FirstConnection::Pending => Some(now + target.connect_timeout),
                        // The attempt after the time that the server asks for has the whole limit.
                        FirstConnection::Failed { retry_at: Some(at) } if now < at + target.connect_timeout => {
                            Some(at + target.connect_timeout)
                        }
                        FirstConnection::Failed { .. } => break,
                        FirstConnection::Made => None,
                    };
                }
                last_error = &mut reporting, if gave_up.is_none() => {
                    // The client has stopped, so further input cannot be sent.
                    gave_up = Some(last_error.ok().flatten());
                    stop_reading.send_replace(true);
                }
                () = stop_requests.next() => {
                    if drain_deadline.is_some() {
                        break;
                    }
                    notice!("{program}: stopping when the lines read so far are acknowledged; interrupt again to stop immediately");
                    stop_reading.send_replace(true);
                    drain_deadline = Some(Instant::now() + DRAIN_TIMEOUT);
                }
                () = tokio::time::sleep_until(drain_deadline.unwrap_or_else(Instant::now)), if drain_deadline.is_some() => break,
            }
        }
    }
    let end = match gave_up {
        Some(last_error) => ClientEnd::GaveUp(last_error),
        None => {
            client.close().await;
            ClientEnd::Stopped(reporting.await.ok().flatten())
        }
    };
    Ok(tally.conclude(program, end)?)
}

/// Message that was passed to the client, or that the client did not accept.
struct SentMessage {
    lines: u64,
    is_update: bool,
    /// `None` if the lines were in earlier messages.
    receipt: Option<Result<Receipt, PublishError>>,
}

/// Sender of messages to a group.
struct MessageSender<'a> {
    group: &'a GroupName,
    client: &'a Client,
    tally: &'a Tally,
    sent: mpsc::Sender<SentMessage>,
}

impl MessageSender<'_> {
    /// Sends the input as messages until it ends or reading is stopped.
    async fn send_input(
        self,
        mut lines: LineBatcher,
        mut input: Input,
        mut reading_stopped: watch::Receiver<bool>,
    ) {
        if let Some(start) = lines.start_command() {
            self.send(start, false).await;
        }
        loop {
            let update_at = lines.next_update_at().filter(|_| !self.tally.has_update_in_flight());
            let part = tokio::select! {
                biased;
                _ = reading_stopped.wait_for(|stopped| *stopped) => input.close_and_drain(),
                part = input.next() => part,
                () = self.tally.update_settled(), if lines.next_update_at().is_some() && update_at.is_none() => {
                    continue;
                }
                () = tokio::time::sleep_until(update_at.unwrap_or_else(std::time::Instant::now).into()), if update_at.is_some() => {
                    self.send_update(&mut lines).await;
                    continue;
                }
            };
            let Some(part) = part else { break };
            self.send_part(&mut lines, part, &mut input).await;
        }
        self.tally.add_read(lines.finish());
        self.send_batches(&mut lines).await;
        self.pass_shown_lines(&mut lines).await;
        self.tally.end_input(input.take_error(), lines.warnings());
    }

    async fn send_part(&self, lines: &mut LineBatcher, part: InputPart, input: &mut Input) {
        let (mut next, mut gathered) = (Some(part), 0);
        // Queued chunks go into the same message.
        while let Some(part) = next {
            match part {
                InputPart::Bytes(source, bytes) => {
                    gathered += bytes.len();
                    self.tally.add_read(lines.push(source, &bytes, std::time::Instant::now()));
                }
                InputPart::MoveLine { from, to } => lines.move_line(from, to),
                InputPart::CommandEnd(end) => {
                    self.tally.add_read(lines.finish());
                    self.send_batches(lines).await;
                    self.pass_shown_lines(lines).await;
                    self.send(lines.end_command(end), false).await;
                }
            }
            // A producer can fill the queue as fast as it is emptied.
            next = if gathered < MAX_GATHERED_BYTES { input.try_next() } else { None };
        }
        if !self.send_batches(lines).await {
            // A line that changes all the time is published too.
            self.send_update(lines).await;
        }
    }

    /// Sends complete lines. Returns whether there were any.
    async fn send_batches(&self, lines: &mut LineBatcher) -> bool {
        let mut has_sent = false;
        while let Some(batch) = lines.next_batch() {
            self.send(batch, false).await;
            has_sent = true;
        }
        has_sent
    }

    /// Passes on the count of lines that were complete when they were published as unfinished ones.
    async fn pass_shown_lines(&self, lines: &mut LineBatcher) {
        let shown = lines.take_shown_lines();
        if shown > 0 {
            self.pass(SentMessage { lines: shown, is_update: false, receipt: None }).await;
        }
    }

    /// Sends what an unfinished line shows, if that is due and no such message waits for its acknowledgement.
    async fn send_update(&self, lines: &mut LineBatcher) {
        if lines.next_update_at().is_none() || self.tally.has_update_in_flight() {
            return;
        }
        if let Some(batch) = lines.next_update(std::time::Instant::now()) {
            self.tally.set_update_in_flight(true);
            self.send(batch, true).await;
        }
    }

    async fn send(&self, batch: Batch, is_update: bool) {
        let receipt = self.client.publish(self.group, batch.text).await;
        self.pass(SentMessage { lines: batch.lines, is_update, receipt: Some(receipt) }).await;
    }

    async fn pass(&self, message: SentMessage) {
        // The receiver outlives this future. If it is gone, the tally is not used anymore.
        drop(self.sent.send(message).await);
    }
}

/// Awaits receipts in order, until the last one. A refusal applies to all further lines too, so it stops reading.
async fn await_receipts(
    mut unsettled: mpsc::Receiver<SentMessage>,
    tally: &Tally,
    stop_reading: &watch::Sender<bool>,
) {
    let mut is_delivered = true;
    while let Some(SentMessage { lines, is_update, receipt }) = unsettled.recv().await {
        let outcome = match receipt {
            Some(Ok(receipt)) => Some(receipt.await),
            Some(Err(failure)) => Some(Err(failure)),
            None => None,
        };
        if is_update {
            tally.set_update_in_flight(false);
        }
        match outcome {
            None if !is_delivered => {}
            None | Some(Ok(())) => tally.add_acknowledged(lines),
            Some(Err(failure)) => {
                is_delivered = false;
                if let Some(error) = failure.refusal() {
                    tally.set_ack_error(error.clone());
                    stop_reading.send_replace(true);
                }
            }
        }
    }
}

/// State of the first connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstConnection {
    /// The first attempt has no outcome yet.
    Pending,
    /// There was no connection yet. The server asks to wait until `retry_at`, if it does.
    Failed { retry_at: Option<Instant> },
    /// There was a connection.
    Made,
}

/// Prints changes of the connection state, and sends that of the first connection. Returns the last connection error if it was not
/// resolved.
async fn report_events(
    program: &str,
    mut events: Events,
    mut reports: ConnectionReports,
    first_connection: watch::Sender<FirstConnection>,
) -> Option<String> {
    while let Some(event) = events.next().await {
        let was_made = *first_connection.borrow() == FirstConnection::Made;
        match &event {
            ClientEvent::Connected { .. } => drop(first_connection.send_replace(FirstConnection::Made)),
            ClientEvent::ConnectFailed { failure } if !was_made => {
                let retry_at = failure.retry_after().map(|wait| Instant::now() + wait);
                first_connection.send_replace(FirstConnection::Failed { retry_at });
            }
            _ => {}
        }
        if let Some(line) = reports.report(&event, std::time::Instant::now()) {
            notice!("{program}: {line}");
        }
    }
    reports.take_error()
}
