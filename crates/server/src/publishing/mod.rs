//! Lines to a group, from wherever they come: standard input, a command, files.
//!
//! ```text
//! reader ─► chunks ─► line batcher ─► client (window of unacknowledged messages) ─► service
//!                                          │ receipts
//!                                          ▼
//!                                        tally: lines sent, acknowledged, refused
//! ```
//!
//! Nothing waits on a timer: what is there is sent at once, and while the window is full, lines pile up into larger
//! messages. Every stage is bounded, so a fast producer waits instead of filling memory: at most
//! [`MAX_IN_FLIGHT_MESSAGES`] messages and [`MAX_IN_FLIGHT_BYTES`](webpubsub_client::MAX_IN_FLIGHT_BYTES) are kept until
//! the service has acknowledged them.
//!
//! A connection that is cut is recovered, and no line appears twice. Only where the service has forgotten it, by a
//! restart or after its half minute, lines whose acknowledgement was lost may, and standard error says so.

pub(crate) mod input;
mod line_batcher;
pub(crate) mod stopping;
mod tally;
pub(crate) mod whole_lines;

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
    cli::{Destination, USUAL_GROUP},
    failure::Failure,
    terminal::plain,
};
use input::Input;
use line_batcher::LineBatcher;
use stopping::Stopping;
use tally::{Ending, Tally};

/// After a request to stop: how long the lines read so far may take to be acknowledged.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Publishes until the input ends, a stop is requested, or the client gives up. `command` speaks on standard error.
pub(crate) async fn publish(
    command: &'static str,
    destination: Destination,
    input: Input,
    mut stopping: Stopping,
) -> Result<(), Failure> {
    let group = destination.group_name()?;
    let mut endpoint = NegotiateEndpoint::new(asking_for(&destination.negotiate, &group));
    if let Some(key) = destination.publish_key {
        endpoint = endpoint.with_credential(key);
    }
    let client_options =
        ClientOptions::new().give_up_after(destination.give_up_after).stop_on_lasting_failure();
    let (publisher, events) = native::start(client_options, endpoint);
    let mut narrating = tokio::spawn(narrate(command, events));
    let mut gave_up = None;
    let (stop_reading, reading_stopped) = watch::channel(false);
    let (sent, unsettled) = mpsc::channel(MAX_IN_FLIGHT_MESSAGES);
    let tally = Tally::default();
    {
        let mut pumping = pin!(pump(&group, &publisher, input, &tally, sent, reading_stopped));
        let mut settling = pin!(settle(unsettled, &tally, &stop_reading));
        let mut is_pumping = true;
        let mut drain_deadline: Option<Instant> = None;
        loop {
            tokio::select! {
                () = &mut settling => break,
                () = &mut pumping, if is_pumping => is_pumping = false,
                trouble = &mut narrating, if gave_up.is_none() => {
                    // The client has stopped by itself: nothing that is read from here on could be sent.
                    gave_up = Some(trouble.ok().flatten());
                    stop_reading.send_replace(true);
                }
                () = stopping.requested() => {
                    if drain_deadline.is_some() {
                        break;
                    }
                    eprintln!("tailcast {command}: stopping; waiting for what was read to be acknowledged (again to stop at once)");
                    stop_reading.send_replace(true);
                    drain_deadline = Some(Instant::now() + DRAIN_TIMEOUT);
                }
                () = tokio::time::sleep_until(drain_deadline.unwrap_or_else(Instant::now)), if drain_deadline.is_some() => break,
            }
        }
    }
    let ending = match gave_up {
        Some(trouble) => Ending::GaveUp(trouble),
        None => {
            publisher.stop();
            // Waits for the farewell to be sent.
            Ending::Stopped(narrating.await.ok().flatten())
        }
    };
    tally.conclude(command, ending)
}

impl Destination {
    /// The group, if its name is one.
    pub(crate) fn group_name(&self) -> Result<GroupName, Failure> {
        GroupName::new(&self.group).map_err(|error| Failure::usage(error.to_string()))
    }
}

/// The negotiate endpoint's address with the group, unless it names one already. The usual group is not named: servers of
/// other makes know no parameters. What is no address stays as it is, and is told later.
fn asking_for(negotiate: &str, group: &GroupName) -> String {
    if group.as_str() == USUAL_GROUP {
        return negotiate.to_owned();
    }
    let Ok(mut url) = reqwest::Url::parse(negotiate) else { return negotiate.to_owned() };
    if !url.query_pairs().any(|(name, _)| name == "group") {
        url.query_pairs_mut().append_pair("group", group.as_str());
    }
    url.into()
}

/// A message that was handed to the client, or could not be.
struct Sent {
    lines: u64,
    receipt: Result<Receipt, SendFailure>,
}

/// Moves the input into messages until it ends or is to be read no further.
async fn pump(
    group: &GroupName,
    publisher: &Client,
    mut input: Input,
    tally: &Tally,
    sent: mpsc::Sender<Sent>,
    mut reading_stopped: watch::Receiver<bool>,
) {
    let mut lines = LineBatcher::default();
    loop {
        let chunk = tokio::select! {
            chunk = input.next() => chunk,
            _ = reading_stopped.wait_for(|stopped| *stopped) => input.stop(),
        };
        let Some(chunk) = chunk else { break };
        tally.read(lines.push(&chunk));
        // What has piled up meanwhile belongs into the same message.
        while let Some(chunk) = input.ready() {
            tally.read(lines.push(&chunk));
        }
        while let Some(batch) = lines.next_batch() {
            let receipt = publisher.send_to_group(group, Payload::Text(batch.text.into())).await;
            // Settling outlives pumping, and a tally that nobody takes is not needed.
            drop(sent.send(Sent { lines: batch.lines, receipt }).await);
        }
    }
    tally.read(lines.finish());
    while let Some(batch) = lines.next_batch() {
        let receipt = publisher.send_to_group(group, Payload::Text(batch.text.into())).await;
        drop(sent.send(Sent { lines: batch.lines, receipt }).await);
    }
    tally.input_ended(input.error(), lines.oddities());
}

/// Takes receipts in order until the last one. A refusal concerns every line to come, so it ends the reading.
async fn settle(mut unsettled: mpsc::Receiver<Sent>, tally: &Tally, stop_reading: &watch::Sender<bool>) {
    while let Some(Sent { lines, receipt }) = unsettled.recv().await {
        let outcome = match receipt {
            Ok(receipt) => receipt.await,
            Err(failure) => Err(failure),
        };
        match outcome {
            Ok(()) => tally.acknowledged(lines),
            Err(SendFailure::Refused(error)) => {
                tally.refused(error);
                stop_reading.send_replace(true);
            }
            Err(_) => {}
        }
    }
}

/// Tells on standard error what a person at the keyboard should know; gives the last trouble there was.
async fn narrate(command: &str, mut events: Events) -> Option<String> {
    let mut trouble: Option<String> = None;
    while let Some(event) = events.next().await {
        match event {
            ClientEvent::Connected { .. } | ClientEvent::Recovered => {
                let was_lost = trouble.take().is_some();
                if was_lost {
                    eprintln!("tailcast {command}: connected again");
                }
            }
            ClientEvent::Resending { messages } => {
                eprintln!(
                    "tailcast {command}: sending {messages} unacknowledged messages again; lines of theirs may appear twice"
                );
            }
            ClientEvent::Disconnected { reason: webpubsub_client::Disconnect::Stopped } => {}
            ClientEvent::Disconnected { reason } | ClientEvent::Recovering { reason } => {
                trouble = Some(reason.to_string());
            }
            ClientEvent::ConnectFailed { failure } => trouble = Some(failure.to_string()),
            ClientEvent::RetryScheduled { after } => {
                let trouble = trouble.as_deref().unwrap_or("no connection");
                let trouble = plain(trouble);
                eprintln!("tailcast {command}: {trouble}; trying again in {:.1} s", after.as_secs_f64());
            }
            _ => {}
        }
    }
    trouble
}
