//! Driver for browsers: carries out the effects of the machine with `fetch`, `WebSocket` and `setTimeout`.
//!
//! Everything runs on the page's one thread. Callbacks of a replaced WebSocket have no effect: each belongs to the socket
//! that it was created for, and is dropped with it.
//!
//! The driver detects sleep by the wall clock, and checks its connection at once on the events `online`, `offline`,
//! `pageshow` and `visibilitychange`. A page that goes into the browser's back/forward cache closes its socket, and recovers the
//! connection when the user returns. In a background tab, where the browser may throttle timers to one a minute, frames
//! still arrive at once and a lost connection is recovered at once; only further attempts come late.
//!
//! Applications use [`Client`](crate::Client). [`WebClient`] is for bindings to other languages, which have futures of their own.

mod clock;
mod driver;
mod frame_queue;
mod history;
mod negotiate;
mod nudges;
pub(crate) mod platform;
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
    machine::{GroupRefused, Input, StreamEvent, StreamOptions},
    negotiate::ServiceUrl,
    options::ClientOptions,
    outgoing::{Outgoing, SendRefused},
};
use driver::{Driver, Sink};

pub use history::read_history;
pub use negotiate::negotiate_by;

/// A negotiation in flight. Dropping it cancels it: the client drops one that has timed out, or that a stop has made
/// superfluous.
pub type Negotiation = Pin<Box<dyn Future<Output = Result<ServiceUrl, ConnectFailure>>>>;

/// The outcome of a request of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A message, join or leave is settled.
    Settled {
        /// The id that the call returned.
        ack_id: u64,
        /// Whether the service had carried it out already, and only its acknowledgement was lost.
        is_duplicate: bool,
        /// Whether the service carried it out.
        outcome: Result<(), SendFailure>,
    },
    /// An invocation is settled.
    Answered {
        /// The number that the call returned.
        invocation: u64,
        /// The answer, which may have no payload.
        outcome: Result<Option<Payload<'static>>, InvokeFailure>,
    },
    /// The state of a stream changed.
    Stream {
        /// The number that the call returned.
        stream: u64,
        /// The change.
        event: StreamEvent,
    },
    /// There is capacity again, after a request was refused because the window or the socket was full.
    Writable,
}

/// A running client whose methods do not wait: it reports events and outcomes to listeners, and what is full to the caller. For
/// bindings to other languages; applications use [`Client`](crate::Client). Stops when dropped.
pub struct WebClient(Rc<Driver>);

impl WebClient {
    /// Negotiates at `negotiate_url` (a GET that answers `{"url": …}`), connects, joins the groups of `options`, and
    /// reconnects until stopped. `on_event` receives all events in order, from the browser's event loop and never from
    /// within a call of this type's methods.
    pub fn start(
        options: ClientOptions,
        negotiate_url: String,
        on_event: impl FnMut(ClientEvent) + 'static,
    ) -> Self {
        let negotiate = move || negotiate::negotiate_at(negotiate_url.clone());
        Self::start_with(options, negotiate, on_event)
    }

    /// Like [`WebClient::start`], with a negotiation of the application's own. `negotiate` is called for each new
    /// connection; a failure is reported and retried like any other.
    pub fn start_with(
        options: ClientOptions,
        negotiate: impl Fn() -> Negotiation + 'static,
        on_event: impl FnMut(ClientEvent) + 'static,
    ) -> Self {
        let sink = Sink::Listeners { on_event: Box::new(on_event), on_outcome: None };
        let driver = Driver::new(options, Box::new(negotiate), sink);
        driver.handle(Input::Start);
        driver.deliver_soon();
        Self(driver)
    }

    /// Sets the listener for the outcomes of requests from now on. It is called in the same way as the listener for events.
    /// There is one such listener; another replaces it, except while it is running.
    pub fn on_outcome(&self, on_outcome: impl FnMut(Outcome) + 'static) {
        self.0.set_outcome_listener(Box::new(on_outcome));
    }

    /// Closes the connection, and makes no other. The last event is [`ClientEvent::Stopped`].
    pub fn stop(&self) {
        self.0.handle(Input::Stop);
        self.0.deliver_soon();
    }

    /// Whether a request would be accepted now. After one that was refused, [`Outcome::Writable`] reports when to retry.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.0.is_writable()
    }

    /// Sends a message or an event; see [`Machine::send`](crate::machine::Machine::send). [`Outcome::Settled`] reports its outcome.
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside.
    pub fn send(&self, outgoing: Outgoing) -> Result<u64, SendRefused> {
        if !self.0.is_writable() {
            self.0.notify_when_writable();
            return Err(SendRefused::WindowFull(outgoing));
        }
        self.0.call(|machine| machine.send(outgoing))
    }

    /// Publishes to `group`; see [`WebClient::send`].
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside.
    pub fn send_to_group(&self, group: &GroupName, payload: Payload<'static>) -> Result<u64, SendRefused> {
        self.send(Outgoing::to_group(group.clone(), payload))
    }

    /// Sends a message or an event once, without an acknowledgement; see [`Machine::send_and_forget`](crate::machine::Machine::send_and_forget).
    ///
    /// # Errors
    /// [`SendRefused`], with the message inside; [`SendRefused::WindowFull`] while the browser has
    /// as many bytes to send as [`Limits::socket_bytes`](crate::Limits::socket_bytes).
    pub fn send_and_forget(&self, outgoing: Outgoing) -> Result<(), SendRefused> {
        if self.0.is_socket_full() {
            self.0.notify_when_writable();
            return Err(SendRefused::WindowFull(outgoing));
        }
        self.0.call(|machine| machine.send_and_forget(outgoing))
    }

    /// Joins a group; see [`Machine::join_group`](crate::machine::Machine::join_group).
    ///
    /// # Errors
    /// [`GroupRefused`].
    pub fn join_group(&self, group: &GroupName) -> Result<u64, GroupRefused> {
        self.0.call(|machine| machine.join_group(group))
    }

    /// Leaves a group; see [`Machine::leave_group`](crate::machine::Machine::leave_group).
    ///
    /// # Errors
    /// [`GroupRefused`].
    pub fn leave_group(&self, group: &GroupName) -> Result<u64, GroupRefused> {
        self.0.call(|machine| machine.leave_group(group))
    }

    /// Invokes an event of the application's server; see [`Machine::invoke`](crate::machine::Machine::invoke). [`Outcome::Answered`] reports the answer.
    ///
    /// # Errors
    /// [`StartRefused`].
    pub fn invoke(&self, event: &EventName, payload: Option<Payload<'static>>) -> Result<u64, StartRefused> {
        self.0.call(|machine| machine.invoke(event, payload))
    }

    /// Withdraws a request; see [`Machine::withdraw`](crate::machine::Machine::withdraw).
    pub fn withdraw(&self, ack_id: u64) {
        self.0.call(|machine| machine.withdraw(ack_id));
    }

    /// Cancels an invocation; see [`Machine::cancel_invocation`](crate::machine::Machine::cancel_invocation).
    pub fn cancel_invocation(&self, invocation: u64) {
        self.0.call(|machine| machine.cancel_invocation(invocation));
    }

    /// Opens a stream; see [`Machine::open_stream`](crate::machine::Machine::open_stream). [`Outcome::Stream`] reports its state.
    ///
    /// # Errors
    /// [`StartRefused`].
    pub fn open_stream(&self, group: &GroupName, options: StreamOptions) -> Result<u64, StartRefused> {
        let now = self.0.now();
        self.0.call(|machine| machine.open_stream(group, options, now))
    }

    /// Appends a fragment to a stream; see [`Machine::write_stream`](crate::machine::Machine::write_stream).
    ///
    /// # Errors
    /// [`WriteRefused`], with the payload inside.
    pub fn write_stream(&self, stream: u64, payload: Payload<'static>) -> Result<(), WriteRefused> {
        let now = self.0.now();
        self.0.call(|machine| machine.write_stream(stream, payload, now))
    }

    /// Ends a stream; see [`Machine::end_stream`](crate::machine::Machine::end_stream).
    pub fn end_stream(&self, stream: u64, error: Option<PublisherError>) {
        let now = self.0.now();
        self.0.call(|machine| machine.end_stream(stream, error, now));
    }
}

impl Drop for WebClient {
    fn drop(&mut self) {
        self.0.handle(Input::Stop);
        self.0.remove_listeners();
    }
}

#[cfg(test)]
mod tests;
