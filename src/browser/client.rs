//! Clients of the viewer's connections: the one module that knows the real client.

use std::{
    cell::RefCell,
    future::{Future, ready},
    pin::Pin,
    rc::Rc,
};

use webpubsub_client::{
    ClientEvent, ClientOptions, HistoryAccess,
    negotiate::ServiceUrl,
    web::{Outcome, WebClient},
};
use webpubsub_protocol::{name::GroupName, payload::Payload, subprotocol::Subprotocol};

use super::page_address::PageAddress;

/// Reason reported for a message whose client was replaced by another one.
pub const ABANDONED: &str =
    "not acknowledged before the viewer connected again: it may have been delivered or not";

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

impl ViewerClient for WebClient {
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String> {
        let payload = Payload::Text(text.to_owned().into());
        self.send_to_group(group, payload).map_err(|error| error.to_string())
    }

    fn renew_history(&self, access: &HistoryAccess) -> Renewal {
        let renewal = WebClient::renew_history(self, access);
        Box::pin(async move {
            let access = renewal.await.map_err(|failure| failure.to_string())?;
            access.ok_or_else(|| "the server has no history any more".to_owned())
        })
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
        let options = ClientOptions::new().prefer(subprotocol);
        let options = target.groups.iter().cloned().fold(options, ClientOptions::join);
        let url = target.url.clone();
        let is_direct = target.is_direct();
        Some(start_client(sink, |on_event| {
            if is_direct {
                WebClient::start_with(options, move || Box::pin(ready(ServiceUrl::given(&url))), on_event)
            } else {
                WebClient::start(options, url, on_event)
            }
        }))
    })
}

/// Starts a client that reports to `sink`.
pub fn start_client(
    sink: ReportSink,
    start: impl FnOnce(Box<dyn FnMut(ClientEvent)>) -> WebClient,
) -> Box<dyn ViewerClient> {
    let sink = Rc::new(RefCell::new(sink));
    let events = Rc::clone(&sink);
    let client = start(Box::new(move |event| (events.borrow_mut())(ClientReport::Event(event))));
    client.on_outcome(move |outcome| {
        if let Outcome::Settled { ack_id, outcome, .. } = outcome {
            let outcome = outcome.map_err(|error| error.to_string());
            (sink.borrow_mut())(ClientReport::Settled(ack_id, outcome));
        }
    });
    Box::new(client)
}
