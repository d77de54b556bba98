//! What the page asks of a client, and what it is told: the one place that knows the real one.

use std::{cell::RefCell, future::ready, rc::Rc};

use webpubsub_client::{
    ClientEvent, ClientOptions,
    negotiate::ServiceUrl,
    web::{Outcome, WebClient},
};
use webpubsub_protocol::{name::GroupName, payload::Payload, subprotocol::Subprotocol};

use super::page_address::PageAddress;

/// What is told of a line whose client gave way to another.
pub const ABANDONED: &str = "not acknowledged before the page connected anew: it may have arrived or not";

/// What a client tells.
#[derive(Debug)]
pub enum Told {
    /// Something happened.
    Event(ClientEvent),
    /// What was published under this number has reached the service, or was refused for this reason.
    Settled(u64, Result<(), String>),
}

/// Takes what a client tells.
pub type Sink = Box<dyn FnMut(Told)>;
/// Starts the client of the connection with this number, which tells the sink and runs until it is dropped.
pub type StartClient = Rc<dyn Fn(usize, Sink) -> Option<Box<dyn Client>>>;

/// A running client.
pub trait Client {
    /// Publishes a text. Gives the number under which the sink is told what became of it.
    ///
    /// # Errors
    /// Why it was not taken, in words.
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String>;
}

impl Client for WebClient {
    fn publish(&self, group: &GroupName, text: &str) -> Result<u64, String> {
        let payload = Payload::Text(text.to_owned().into());
        self.send_to_group(group, payload).map_err(|error| error.to_string())
    }
}

/// What a page speaks where nothing else is said. It shows text and nothing else of a message, and for that the binary form
/// is half the work: nothing in it is escaped, and no text has to cross over from JavaScript.
const PAGE_SUBPROTOCOL: Subprotocol = Subprotocol::ReliableProtobuf;

/// How the clients of an address are started.
#[must_use]
pub fn clients_of(address: &PageAddress) -> StartClient {
    let negotiations = address.negotiations.clone();
    let subprotocol = address.subprotocol.unwrap_or(PAGE_SUBPROTOCOL);
    Rc::new(move |connection, sink| {
        let negotiation = negotiations.get(connection)?;
        let options = ClientOptions::new().prefer(subprotocol);
        let options = negotiation.groups.iter().cloned().fold(options, ClientOptions::join);
        let url = negotiation.url.clone();
        let is_direct = negotiation.is_direct();
        Some(client_of(sink, |on_event| {
            if is_direct {
                WebClient::start_with(options, move || Box::pin(ready(ServiceUrl::given(&url))), on_event)
            } else {
                WebClient::start(options, url, on_event)
            }
        }))
    })
}

/// A started client, which tells `sink`.
pub(super) fn client_of(
    sink: Sink,
    start: impl FnOnce(Box<dyn FnMut(ClientEvent)>) -> WebClient,
) -> Box<dyn Client> {
    let sink = Rc::new(RefCell::new(sink));
    let events = Rc::clone(&sink);
    let client = start(Box::new(move |event| (events.borrow_mut())(Told::Event(event))));
    client.on_outcome(move |outcome| {
        if let Outcome::Settled { ack_id, outcome } = outcome {
            let outcome = outcome.map_err(|error| error.to_string());
            (sink.borrow_mut())(Told::Settled(ack_id, outcome));
        }
    });
    Box::new(client)
}
