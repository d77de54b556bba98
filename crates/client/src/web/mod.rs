//! The driver for browsers: carries out the machine's effects with `fetch`, `WebSocket` and `setTimeout`.
//!
//! Everything runs on the page's one thread. Callbacks of a transport that has been replaced say nothing: each is tied
//! to the socket it was made for, and dropped with it.
//!
//! Sleep is noticed by the wall clock, and the events `online`, `offline`, `pageshow` and `visibilitychange` make the
//! client look after its connection at once. In a background tab, where the browser wakes timers once a minute at worst,
//! frames still come at once, a lost connection is taken up again at once, and only further attempts come late.
//!
//! ```no_run
//! use webpubsub_client::{ClientEvent, ClientOptions, web::WebClient};
//! use webpubsub_protocol::{name::GroupName, payload::Payload};
//!
//! # fn show(_: &str) {}
//! # fn page() -> Result<WebClient, Box<dyn std::error::Error>> {
//! let group = GroupName::new("chat")?;
//! let client = WebClient::start(ClientOptions::new().join(group.clone()), "/negotiate".to_owned(), |event| {
//!     if let ClientEvent::GroupMessage { payload: Payload::Text(text), .. } = event {
//!         show(&text);
//!     }
//! });
//! client.send_to_group(&group, Payload::Text("hello".into()))?;
//! // Dropping it would stop it.
//! # Ok(client)
//! # }
//! ```

mod clock;
mod driver;
mod line;
mod negotiate;
mod nudges;
mod socket;

use std::{future::Future, pin::Pin, rc::Rc};

use webpubsub_protocol::{
    name::{EventName, GroupName},
    payload::Payload,
    stream::PublisherError,
};

use crate::{
    event::ClientEvent,
    failure::{ConnectFailure, InvokeFailure, SendFailure, StartRefused, WriteRefused},
    machine::{GroupRefused, Input, Machine, StreamEvent, StreamOptions},
    negotiate::ServiceUrl,
    options::ClientOptions,
    outgoing::{Outgoing, SendRefused},
};
use driver::Driver;

pub use negotiate::negotiate_by;

/// Bytes that the browser may hold for the socket before nothing further is taken from the application.
pub const MAX_BUFFERED_BYTES: u32 = 1024 * 1024;

/// A negotiation under way.
pub type Negotiation = Pin<Box<dyn Future<Output = Result<ServiceUrl, ConnectFailure>>>>;

/// What became of something that the application asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A request is done with.
    Settled {
        /// The id that the call gave.
        ack_id: u64,
        /// Whether the service carried it out.
        outcome: Result<(), SendFailure>,
    },
    /// An invocation is done with.
    Answered {
        /// The number that the call gave.
        invocation: u64,
        /// The answer, which may have no payload.
        outcome: Result<Option<Payload<'static>>, InvokeFailure>,
    },
    /// Something happened to a stream.
    Stream {
        /// The number that the call gave.
        stream: u64,
        /// What happened.
        event: StreamEvent,
    },
    /// There is room again, after a request was refused for want of it.
    Writable,
}

/// A running client. Stops when dropped.
pub struct WebClient(Rc<Driver>);

impl WebClient {
    /// Negotiates at `negotiate_url` (a GET that answers `{"url": …}`), connects, joins the groups of `options`, and
    /// keeps doing so until stopped. Everything that happens is told to `on_event`, in order, from the browser's event
    /// loop and never from within a call of this type's methods.
    pub fn start(
        options: ClientOptions,
        negotiate_url: String,
        on_event: impl FnMut(ClientEvent) + 'static,
    ) -> Self {
        let negotiate = move || negotiate::negotiate_at(negotiate_url.clone());
        Self::start_with(options, negotiate, on_event)
    }

    /// As [`WebClient::start`], with a negotiation of the application's own. It is asked anew for each new connection; a
    /// failure is told, and tried again like any other.
    pub fn start_with(
        options: ClientOptions,
        negotiate: impl Fn() -> Negotiation + 'static,
        on_event: impl FnMut(ClientEvent) + 'static,
    ) -> Self {
        let seed = js_sys::Math::random().to_bits();
        let driver = Driver::new(Machine::new(options, seed), Box::new(negotiate), Box::new(on_event));
        driver.handle(Input::Start);
        driver.deliver_soon();
        Self(driver)
    }

    /// Tells `on_outcome` what becomes of what is asked for from here on, as events are told. There is one such
    /// function; another takes its place, except while the one before is running.
    pub fn on_outcome(&self, on_outcome: impl FnMut(Outcome) + 'static) {
        self.0.listen_for_outcomes(Box::new(on_outcome));
    }

    /// Closes the connection, and makes no other. The last event is [`ClientEvent::Stopped`].
    pub fn stop(&self) {
        self.0.handle(Input::Stop);
        self.0.deliver_soon();
    }

    /// Whether a request would be taken now. After one that was not, [`Outcome::Writable`] tells when to try again.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.0.has_room()
    }

    /// Sends a message or an event; see [`Machine::send`]. [`Outcome::Settled`] tells what became of it.
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside.
    pub fn send(&self, outgoing: Outgoing) -> Result<u64, SendRefused> {
        if !self.0.has_room() {
            self.0.ask_for_room();
            return Err(SendRefused::WindowFull(outgoing));
        }
        self.0.ask(|machine| machine.send(outgoing))
    }

    /// Publishes to `group`; see [`WebClient::send`].
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside.
    pub fn send_to_group(&self, group: &GroupName, payload: Payload<'static>) -> Result<u64, SendRefused> {
        self.send(Outgoing::to_group(group.clone(), payload))
    }

    /// Sends a message or an event once, without asking what became of it; see [`Machine::send_and_forget`].
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside; [`SendRefused::WindowFull`] while the browser holds
    /// [`MAX_BUFFERED_BYTES`] that it has not sent.
    pub fn send_and_forget(&self, outgoing: Outgoing) -> Result<(), SendRefused> {
        if self.0.is_socket_full() {
            self.0.ask_for_room();
            return Err(SendRefused::WindowFull(outgoing));
        }
        self.0.ask(|machine| machine.send_and_forget(outgoing))
    }

    /// Joins a group; see [`Machine::join_group`].
    ///
    /// # Errors
    /// [`GroupRefused`].
    pub fn join_group(&self, group: &GroupName) -> Result<u64, GroupRefused> {
        self.0.ask(|machine| machine.join_group(group))
    }

    /// Leaves a group; see [`Machine::leave_group`].
    ///
    /// # Errors
    /// [`GroupRefused`].
    pub fn leave_group(&self, group: &GroupName) -> Result<u64, GroupRefused> {
        self.0.ask(|machine| machine.leave_group(group))
    }

    /// Asks the application's server; see [`Machine::invoke`]. [`Outcome::Answered`] tells the answer.
    ///
    /// # Errors
    /// [`StartRefused`].
    pub fn invoke(&self, event: &EventName, payload: Option<Payload<'static>>) -> Result<u64, StartRefused> {
        self.0.ask(|machine| machine.invoke(event, payload))
    }

    /// Opens a stream; see [`Machine::open_stream`]. [`Outcome::Stream`] tells its fate.
    ///
    /// # Errors
    /// [`StartRefused`].
    pub fn open_stream(&self, group: &GroupName, options: StreamOptions) -> Result<u64, StartRefused> {
        let now = self.0.now();
        self.0.ask(|machine| machine.open_stream(group, options, now))
    }

    /// Appends a fragment to a stream; see [`Machine::write_stream`].
    ///
    /// # Errors
    /// [`WriteRefused`], with the payload inside.
    pub fn write_stream(&self, stream: u64, payload: Payload<'static>) -> Result<(), WriteRefused> {
        let now = self.0.now();
        self.0.ask(|machine| machine.write_stream(stream, payload, now))
    }

    /// Ends a stream; see [`Machine::end_stream`].
    pub fn end_stream(&self, stream: u64, error: Option<PublisherError>) {
        let now = self.0.now();
        self.0.ask(|machine| machine.end_stream(stream, error, now));
    }
}

impl Drop for WebClient {
    fn drop(&mut self) {
        self.0.handle(Input::Stop);
        self.0.fall_silent();
    }
}

#[cfg(test)]
mod tests;
