//! Clients of the viewer's connections: the one module that knows the real client.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    pin::Pin,
    rc::Rc,
};

use webpubsub_client::{
    Client, ClientBuilder, ClientEvent, ClientOptions, GroupName, HistoryAccess, Limits, Outgoing,
    PublishError, PublishErrorKind, ServiceEndpoint, Subprotocol,
};

use super::page_address::PageAddress;

/// Reason reported for a message whose client was replaced by another one.
pub const ABANDONED: &str =
    "not acknowledged before the viewer connected again: it may have been delivered or not";

/// Maximum number of texts that are published before the client has taken any of them: a host page may publish many at once.
const QUEUED_REQUESTS: usize = 256;

/// A report of a client.
#[derive(Debug)]
pub enum ClientReport {
    /// Something happened.
    Event(ClientEvent),
    /// A message published under this number was acknowledged, or refused for this reason.
    Settled(u64, Result<(), String>),
}

/// Receives the reports of one client.
pub type ReportSink = Box<dyn FnMut(ClientReport)>;
/// Starts the client of the connection with this number. It reports to the sink, and runs until it is dropped.
pub type StartClient = Rc<dyn Fn(usize, ReportSink) -> Option<Box<dyn ViewerClient>>>;

/// Outcome of [`ViewerClient::renew_history`].
pub type Renewal = Pin<Box<dyn Future<Output = Result<HistoryAccess, String>>>>;

/// A running client, as the viewer uses it.
pub trait ViewerClient {
    /// Publishes a text. Returns the number under which the sink receives the outcome.
    ///
    /// # Errors
    /// The reason why the client does not take it, as a sentence.
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String>;

    /// Negotiates again for a history whose token has expired. Fails with the reason, as a sentence.
    fn renew_history(&self, access: &HistoryAccess) -> Renewal;
}

/// Reports of one viewer. They end when it is dropped, also those of messages in flight.
pub(super) struct Reporter {
    sink: RefCell<ReportSink>,
    last_number: Cell<u64>,
}

impl Reporter {
    pub(super) fn new(sink: ReportSink) -> Rc<Self> {
        Rc::new(Self { sink: RefCell::new(sink), last_number: Cell::new(0) })
    }

    pub(super) fn report(&self, report: ClientReport) {
        // A viewer starts and ends nothing of its own while it handles a report.
        if let Ok(mut sink) = self.sink.try_borrow_mut() {
            sink(report);
        }
    }

    /// Publishes a text, and reports its outcome later.
    pub(super) fn publish(
        self: &Rc<Self>,
        client: &Client,
        group: &GroupName,
        text: &str,
    ) -> Result<u64, String> {
        let outgoing = Outgoing::to_group(group.clone(), text.to_owned().into());
        let receipt = client.try_send(outgoing).map_err(|error| error.to_string())?;
        let number = self.last_number.get() + 1;
        self.last_number.set(number);
        let reporter = Rc::downgrade(self);
        leptos::task::spawn_local(async move {
            let outcome = receipt.await.map_err(|error| reason(&error));
            if let Some(reporter) = reporter.upgrade() {
                reporter.report(ClientReport::Settled(number, outcome));
            }
        });
        Ok(number)
    }
}

fn reason(error: &PublishError) -> String {
    match error.kind() {
        PublishErrorKind::Stopped => ABANDONED.to_owned(),
        _ => error.to_string(),
    }
}

/// Negotiates again with the endpoint of a client.
pub(super) fn renew_history(client: &Client, access: &HistoryAccess) -> Renewal {
    let (client, access) = (client.clone(), access.clone());
    Box::pin(async move {
        let access = client.renew_history(&access).await.map_err(|error| error.to_string())?;
        access.ok_or_else(|| "the server has no history any more".to_owned())
    })
}

/// Client of one viewer.
struct OwnClient {
    client: Client,
    reporter: Rc<Reporter>,
}

impl ViewerClient for OwnClient {
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String> {
        self.reporter.publish(&self.client, group, text)
    }

    fn renew_history(&self, access: &HistoryAccess) -> Renewal {
        renew_history(&self.client, access)
    }
}

/// Subprotocol of a standalone page. It shows the text of a message and nothing else, and reading the binary form is half the
/// work: nothing in it is escaped, and no text is copied from JavaScript.
const PAGE_SUBPROTOCOL: Subprotocol = Subprotocol::ReliableProtobuf;

/// Returns the function that starts the clients of an address.
#[must_use]
pub fn clients_of(address: &PageAddress) -> StartClient {
    let targets = address.targets.clone();
    let subprotocol = address.subprotocol.unwrap_or(PAGE_SUBPROTOCOL);
    Rc::new(move |connection, sink| {
        let target = targets.get(connection)?;
        let endpoint = if target.is_direct() {
            ServiceEndpoint::access_url(&target.url)
        } else {
            ServiceEndpoint::negotiate(&target.url)
        };
        Some(start_client(endpoint, subprotocol, &target.groups, sink))
    })
}

/// Starts a client that joins groups and reports to `sink`.
pub fn start_client(
    endpoint: ServiceEndpoint,
    subprotocol: Subprotocol,
    groups: &[GroupName],
    sink: ReportSink,
) -> Box<dyn ViewerClient> {
    let reporter = Reporter::new(sink);
    let weak = Rc::downgrade(&reporter);
    let builder = groups.iter().cloned().fold(builder(endpoint, subprotocol), ClientBuilder::join);
    let client = builder.on_event(move |event| {
        if let Some(reporter) = weak.upgrade() {
            reporter.report(ClientReport::Event(event));
        }
    });
    Box::new(OwnClient { client: client.connect_lazy(), reporter })
}

/// Returns the settings that all clients of viewers have.
pub(super) fn builder(endpoint: ServiceEndpoint, subprotocol: Subprotocol) -> ClientBuilder {
    let mut limits = Limits::default();
    limits.queued_requests = QUEUED_REQUESTS;
    Client::builder(endpoint).options(ClientOptions::new().prefer(subprotocol).limits(limits))
}
