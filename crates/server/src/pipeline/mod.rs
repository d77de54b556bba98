//! Publishing pipeline: lines of standard input, a command or files, to a group.
//!
//! ```text
//! reader ─► chunks ─► line batcher ─► client (window of unacknowledged messages) ─► service
//!                                          │ receipts
//!                                          ▼
//!                                        tally: lines read, acknowledged, refused
//! ```
//!
//! There are no timers: input is sent immediately, and while the in-flight window is full, lines accumulate into larger
//! messages. Every stage is bounded, so a fast producer is blocked: at most [`MAX_IN_FLIGHT_MESSAGES`] messages and
//! [`MAX_IN_FLIGHT_BYTES`](webpubsub_client::MAX_IN_FLIGHT_BYTES) are buffered until the service has acknowledged them.
//!
//! A dropped connection is recovered without duplicates. Only if the service has discarded the connection, by a restart or
//! after 30 seconds, lines without an acknowledgement can be duplicated; a warning is then printed.

pub(crate) mod input;
pub(crate) mod line_assembler;
mod line_batcher;
mod publish_error;
pub(crate) mod stop_requests;
mod tally;

use std::{pin::pin, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use webpubsub_client::{
    ClientEvent, ClientOptions, MAX_IN_FLIGHT_MESSAGES, SendFailure,
    native::{self, Client, Events, NegotiateEndpoint, Receipt},
};
use webpubsub_protocol::{name::GroupName, payload::Payload};

use crate::{
    cli::{DEFAULT_GROUP, TargetOptions},
    failure::Failure,
    terminal::without_controls,
    usage_error::UsageError,
};
use input::Input;
use line_batcher::LineBatcher;
use stop_requests::StopRequests;
use tally::{ClientEnd, Tally};

/// Timeout for the acknowledgement of the lines read so far, after a request to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Publishes until the input ends, a stop is requested, or the client gives up. `command` is the prefix of messages on
/// standard error.
pub(crate) async fn run(
    command: &'static str,
    target: TargetOptions,
    input: Input,
    mut stop_requests: StopRequests,
) -> Result<(), Failure> {
    let group = target.group_name()?;
    let mut endpoint = NegotiateEndpoint::new(url_with_group(&target.negotiate, &group));
    if let Some(key) = target.publish_key {
        endpoint = endpoint.with_credential(key);
    }
    let client_options = ClientOptions::new().give_up_after(target.give_up_after).stop_on_lasting_failure();
    let (client, events) = native::start(client_options, endpoint);
    let mut reporting = tokio::spawn(report_events(command, events));
    let mut gave_up = None;
    let (stop_reading, reading_stopped) = watch::channel(false);
    let (sent, unsettled) = mpsc::channel(MAX_IN_FLIGHT_MESSAGES);
    let tally = Tally::default();
    {
        let mut sending = pin!(send_lines(&group, &client, input, &tally, sent, reading_stopped));
        let mut settling = pin!(await_receipts(unsettled, &tally, &stop_reading));
        let mut is_sending = true;
        let mut drain_deadline: Option<Instant> = None;
        loop {
            tokio::select! {
                () = &mut settling => break,
                () = &mut sending, if is_sending => is_sending = false,
                last_error = &mut reporting, if gave_up.is_none() => {
                    // The client has stopped, so further input cannot be sent.
                    gave_up = Some(last_error.ok().flatten());
                    stop_reading.send_replace(true);
                }
                () = stop_requests.next() => {
                    if drain_deadline.is_some() {
                        break;
                    }
                    eprintln!("tailcast {command}: stopping when the lines read so far are acknowledged; interrupt again to stop immediately");
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
            client.stop();
            // Waits until the close frame is sent.
            ClientEnd::Stopped(reporting.await.ok().flatten())
        }
    };
    Ok(tally.conclude(command, end)?)
}

impl TargetOptions {
    /// Returns the validated name of the group.
    pub(crate) fn group_name(&self) -> Result<GroupName, UsageError> {
        Ok(GroupName::new(&self.group)?)
    }
}

/// Adds the group to the URL of the negotiate endpoint, unless the URL has a `group` parameter. The default group is not
/// added: other implementations of the endpoint do not support the parameter. An invalid URL is returned unchanged; the
/// client reports it.
pub(crate) fn url_with_group(negotiate: &str, group: &GroupName) -> String {
    if group.as_str() == DEFAULT_GROUP {
        return negotiate.to_owned();
    }
    let Ok(mut url) = reqwest::Url::parse(negotiate) else { return negotiate.to_owned() };
    if !url.query_pairs().any(|(name, _)| name == "group") {
        url.query_pairs_mut().append_pair("group", group.as_str());
    }
    url.into()
}

/// Message that was passed to the client, or that the client did not accept.
struct SentMessage {
    lines: u64,
    receipt: Result<Receipt, SendFailure>,
}

/// Sends the input as messages until it ends or reading is stopped.
async fn send_lines(
    group: &GroupName,
    client: &Client,
    mut input: Input,
    tally: &Tally,
    sent: mpsc::Sender<SentMessage>,
    mut reading_stopped: watch::Receiver<bool>,
) {
    let mut lines = LineBatcher::default();
    loop {
        let chunk = tokio::select! {
            chunk = input.next() => chunk,
            _ = reading_stopped.wait_for(|stopped| *stopped) => input.close_and_drain(),
        };
        let Some(chunk) = chunk else { break };
        tally.add_read(lines.push(&chunk));
        // Queued chunks go into the same message.
        while let Some(chunk) = input.try_next() {
            tally.add_read(lines.push(&chunk));
        }
        while let Some(batch) = lines.next_batch() {
            let receipt = client.send_to_group(group, Payload::Text(batch.text.into())).await;
            // The receiver outlives this future. If it is gone, the tally is not used anymore.
            drop(sent.send(SentMessage { lines: batch.lines, receipt }).await);
        }
    }
    tally.add_read(lines.finish());
    while let Some(batch) = lines.next_batch() {
        let receipt = client.send_to_group(group, Payload::Text(batch.text.into())).await;
        drop(sent.send(SentMessage { lines: batch.lines, receipt }).await);
    }
    tally.end_input(input.take_error(), lines.warnings());
}

/// Awaits receipts in order, until the last one. A refusal applies to all further lines too, so it stops reading.
async fn await_receipts(
    mut unsettled: mpsc::Receiver<SentMessage>,
    tally: &Tally,
    stop_reading: &watch::Sender<bool>,
) {
    while let Some(SentMessage { lines, receipt }) = unsettled.recv().await {
        let outcome = match receipt {
            Ok(receipt) => receipt.await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(()) => tally.add_acknowledged(lines),
            Err(SendFailure::Refused(error)) => {
                tally.set_ack_error(error);
                stop_reading.send_replace(true);
            }
            Err(_) => {}
        }
    }
}

/// Prints changes of the connection state. Returns the last connection error if it was not resolved.
async fn report_events(command: &str, mut events: Events) -> Option<String> {
    let mut last_error: Option<String> = None;
    while let Some(event) = events.next().await {
        match event {
            ClientEvent::Connected { .. } | ClientEvent::Recovered => {
                let was_lost = last_error.take().is_some();
                if was_lost {
                    eprintln!("tailcast {command}: reconnected");
                }
            }
            ClientEvent::Resending { messages } => {
                eprintln!(
                    "tailcast {command}: resending {messages} unacknowledged messages; their lines may appear twice"
                );
            }
            ClientEvent::Disconnected { reason: webpubsub_client::Disconnect::Stopped } => {}
            ClientEvent::Disconnected { reason } | ClientEvent::Recovering { reason } => {
                last_error = Some(reason.to_string());
            }
            ClientEvent::ConnectFailed { failure } => last_error = Some(failure.to_string()),
            ClientEvent::RetryScheduled { after } => {
                let error = without_controls(last_error.as_deref().unwrap_or("no connection"));
                eprintln!("tailcast {command}: {error}; retrying in {:.1} s", after.as_secs_f64());
            }
            _ => {}
        }
    }
    last_error
}
