//! `tailcast watch`: prints the lines of a group, earlier ones and those that arrive.

mod losses;
mod output;
mod printer;

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use webpubsub_client::{
    Client, ClientEvent, Events, GroupName, HistoryAccess, HistoryFailure, HistoryRange, HistoryStart,
    Payload,
    history::{Disposition, GroupHistory, HeldMessage, HistoryEnd, HistoryMessage, HistoryRecord},
    protocol::message::Response,
};

use crate::{
    cli::WatchOptions,
    connection_reports::{Advice, ConnectionReports},
    failure::Failure,
    signals::Signals,
    target::Target,
    terminal::{counted, notice},
    usage_error::UsageError,
};
use losses::Losses;
use output::{Output, WRITE_BYTES, reader_left};
use printer::Printer;

/// Time for the close frame after the last line, and for the last lines after a signal.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Prints until a signal, a lasting connection failure, or the end of the output's reader.
pub(crate) async fn run(options: WatchOptions) -> Result<(), Failure> {
    let target = Target::from_options(&options.server, false)?;
    let group = target.group.clone();
    if group.as_str().contains(',') {
        // The page opens several groups by such a name.
        return Err(UsageError::SeveralGroups { given: group.to_string() }.into());
    }
    let mut signals = Signals::listen()?;
    let mut builder = target.viewer().join(group.clone());
    let mut events = builder.events();
    let client = builder.connect_lazy();
    let mut watcher = Watcher::new(client.clone(), group, &options, Advice::viewer(&target));
    let outcome = tokio::select! {
        outcome = watcher.print_all(&mut events) => outcome,
        _ = signals.next() => watcher.stop().await,
        // Like the error of a write: `tailcast watch | head`.
        () = reader_left() => Ok(()),
    };
    watcher.losses.take().iter().for_each(|line| notice!("tailcast watch: {line}"));
    let is_complete = !watcher.losses.has_any();
    let outcome = outcome.and(if is_complete { Ok(()) } else { Err(WatchError::Incomplete) });
    // Events that nobody reads would delay it.
    drop(events);
    client.close().await;
    match outcome {
        Ok(()) => Ok(()),
        // The reader of the output has seen enough: `tailcast watch | head`.
        Err(WatchError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::runtime(error.to_string())),
    }
}

/// Failure that ends the command.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error("cannot write the lines: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Connection(String),
    #[error("cannot join the group `{group}`: {reason}")]
    Refused { group: GroupName, reason: String },
    #[error("lines are missing, see above")]
    Incomplete,
    #[error("the history cannot be read: {0}")]
    History(HistoryFailure),
    #[error(
        "the service has no history: only `tailcast watch` without --no-follow shows lines, those that are published from now on"
    )]
    NoHistory,
}

/// Lines of one group, and their order.
struct Watcher {
    client: Client,
    group: GroupName,
    first: HistoryRange,
    /// Maximum number of earlier lines.
    last_lines: Option<u64>,
    /// Whether no earlier line was printed yet.
    is_first: bool,
    follows: bool,
    history: GroupHistory<()>,
    /// Lines that were published while this runs and are missing.
    losses: Losses,
    printer: Printer<VecDeque<u8>>,
    output: Output,
    reports: ConnectionReports,
}

impl Watcher {
    fn new(client: Client, group: GroupName, options: &WatchOptions, advice: Advice) -> Self {
        let (start, last_lines) = match &options.since {
            Some(since) => (HistoryStart::Since(since.clone()), None),
            // A message has at least one line. The service refuses 0 messages.
            None => (HistoryStart::Last(options.lines.clamp(1, MAX_LINES)), Some(options.lines)),
        };
        Self {
            client,
            group,
            first: start.into(),
            last_lines,
            is_first: true,
            follows: !options.no_follow,
            history: GroupHistory::default(),
            losses: Losses::default(),
            printer: Printer::new(VecDeque::new()),
            output: Output::new(),
            reports: ConnectionReports::new(advice),
        }
    }

    /// Prints until the last line, or a lasting connection failure.
    async fn print_all(&mut self, events: &mut Events) -> Result<(), WatchError> {
        self.watch(events).await?;
        self.printer.finish()?;
        self.write().await
    }

    /// Prints what was received before a signal, unless standard output is blocked.
    async fn stop(&mut self) -> Result<(), WatchError> {
        self.printer.finish()?;
        tokio::time::timeout(CLOSE_TIMEOUT, self.write()).await.unwrap_or(Ok(()))
    }

    /// Writes the printed lines.
    async fn write(&mut self) -> Result<(), WatchError> {
        Ok(self.output.write(self.printer.output()).await?)
    }

    /// Returns the next event. Writes the printed lines before it waits for one.
    async fn next_event(&mut self, events: &mut Events) -> Result<Option<ClientEvent>, WatchError> {
        loop {
            let printed = self.printer.output().len();
            let report_at = self.losses.next_report_at(Instant::now());
            tokio::select! {
                biased;
                event = events.next(), if printed < WRITE_BYTES => return Ok(event),
                () = std::future::ready(()), if printed > 0 => self.write().await?,
                () = tokio::time::sleep_until(report_at.unwrap_or_else(Instant::now).into()), if report_at.is_some() => {
                    self.report_losses();
                }
            }
        }
    }

    fn report_losses(&mut self) {
        self.losses.report(Instant::now()).iter().for_each(|line| notice!("tailcast watch: {line}"));
    }

    async fn watch(&mut self, events: &mut Events) -> Result<(), WatchError> {
        while let Some(event) = self.next_event(events).await? {
            if let Some(line) = self.reports.report(&event, Instant::now()) {
                notice!("tailcast watch: {line}");
            }
            match event {
                ClientEvent::Connected { history, .. } => {
                    self.history.connected(history.as_ref());
                }
                ClientEvent::Joined { .. } => {
                    if self.history.is_unavailable() && !self.follows {
                        return Err(WatchError::NoHistory);
                    }
                    if let Some(range) = self.history.begin(self.first.clone()) {
                        self.catch_up(range).await?;
                    }
                    if !self.follows {
                        return Ok(());
                    }
                }
                ClientEvent::JoinRefused { error, .. } => {
                    let (group, reason) = (self.group.clone(), error.message);
                    return Err(WatchError::Refused { group, reason });
                }
                ClientEvent::GroupMessage { payload, sequence_id, .. } => {
                    self.message(payload, sequence_id)?;
                }
                ClientEvent::Gap { messages: Some(messages) } => {
                    self.losses.add_lost(messages);
                    self.report_losses();
                }
                _ => {}
            }
        }
        Err(WatchError::Connection(self.reports.take_error().unwrap_or_else(|| "no connection".to_owned())))
    }

    fn message(&mut self, payload: Payload<'static>, sequence_id: Option<u64>) -> Result<(), WatchError> {
        match self.history.disposition(sequence_id) {
            Disposition::Skip => {}
            Disposition::Append => {
                self.history.appended(sequence_id);
                self.printer.print(&payload)?;
            }
            Disposition::Hold => self.history.hold(HeldMessage { sequence_id, payload, arrived: () }),
        }
        Ok(())
    }

    /// Prints what came before the next message. Messages that arrive meanwhile wait in the client.
    async fn catch_up(&mut self, first: HistoryRange) -> Result<(), WatchError> {
        let mut range = Some(first);
        while let Some(wanted) = range.take() {
            let Some(access) = self.history.access().cloned() else { return Ok(()) };
            let mut messages = Vec::new();
            match self.read(&access, &wanted, &mut messages).await {
                Ok(end) => {
                    self.print_earlier(&messages).await?;
                    let (held, further) = self.history.caught_up(end.sequence_id);
                    self.losses.add_missing(self.history.take_missing());
                    self.report_losses();
                    for message in held {
                        self.message(message.payload, message.sequence_id)?;
                    }
                    range = further;
                }
                Err(failure) if !self.follows => return Err(WatchError::History(failure)),
                Err(failure) => {
                    self.print_earlier(&messages).await?;
                    notice!("tailcast watch: earlier lines are incomplete: {failure}");
                    self.losses.add_reported();
                    for message in self.history.failed(failure.to_string()) {
                        self.message(message.payload, message.sequence_id)?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn read(
        &mut self,
        access: &HistoryAccess,
        range: &HistoryRange,
        messages: &mut Vec<Payload<'static>>,
    ) -> Result<HistoryEnd, HistoryFailure> {
        let request = access.request(&self.group, range);
        let (history, losses) = (&mut self.history, &mut self.losses);
        let reading = self.client.read_history(request, |record| match record {
            HistoryRecord::Head(head) => {
                history.head_loaded(&head);
                losses.add_missing(history.take_missing());
            }
            HistoryRecord::Message(HistoryMessage {
                message: Response::GroupMessage { payload, sequence: Some(sequence), .. },
                number,
                ..
            }) => {
                if history.message_loaded(sequence.id, number) {
                    losses.add_missing(history.take_missing());
                    messages.push(payload.into_owned());
                }
            }
            HistoryRecord::Message(_) | HistoryRecord::End(_) => {}
        });
        reading.await
    }

    /// Prints earlier messages: the first time, their last lines only.
    async fn print_earlier(&mut self, messages: &[Payload<'static>]) -> Result<(), WatchError> {
        if std::mem::take(&mut self.is_first) {
            let are_all_wanted =
                self.last_lines.is_none_or(|lines| self.printer.skip_all_but(lines, messages));
            let gone = self.history.lines_gone();
            if are_all_wanted && gone > 0 && self.history.begins_with_oldest() {
                let are = if gone == 1 { "is" } else { "are" };
                notice!("tailcast watch: {} {are} no longer kept by the server", counted(gone, "older line"));
            }
        }
        for payload in messages {
            self.printer.print(payload)?;
            if self.printer.output().len() >= WRITE_BYTES {
                self.write().await?;
            }
        }
        Ok(())
    }
}

/// Maximum number of messages that a service returns.
const MAX_LINES: u64 = 1_000_000;
