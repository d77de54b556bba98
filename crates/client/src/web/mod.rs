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
//! # fn page() -> Result<WebClient, Box<dyn std::error::Error>> {
//! let group = GroupName::new("chat")?;
//! let client = WebClient::start(ClientOptions::new().join(group.clone()), "/negotiate".to_owned(), |event| {
//!     if let ClientEvent::GroupMessage { payload: Payload::Text(text), .. } = event {
//!         web_sys::console::log_1(&text.as_ref().into());
//!     }
//! });
//! client.send_to_group(&group, Payload::Text("hello".into()))?;
//! // Dropping it would stop it.
//! # Ok(client)
//! # }
//! ```

mod clock;
mod nudges;
mod socket;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
    time::Duration,
};

use gloo_net::http::Request;
use gloo_timers::callback::Timeout;
use webpubsub_protocol::{
    name::{EventName, GroupName},
    payload::Payload,
    stream::PublisherError,
    subprotocol::Subprotocol,
};

use crate::{
    codec::FrameRef,
    event::ClientEvent,
    failure::{ConnectFailure, InvokeFailure, SendFailure, StartRefused, WriteRefused},
    machine::{Effect, GroupRefused, Input, Machine, StreamEvent, StreamOptions},
    moment::Moment,
    negotiate::{MAX_ANSWER_BYTES, ServiceUrl, read_answer, without_query},
    options::ClientOptions,
    outgoing::{Outgoing, SendRefused},
};
use clock::Clock;
use nudges::Nudges;
use socket::{Socket, SocketEvent};

/// Bytes that the browser may hold for the socket before nothing further is taken from the application.
pub const MAX_BUFFERED_BYTES: u32 = 1024 * 1024;
/// How often the browser is asked whether it has sent what it holds, while the application waits for that.
const BUFFER_CHECK_PAUSE: Duration = Duration::from_millis(50);

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
        let seed = js_sys::Math::random().to_bits();
        let driver = Rc::new_cyclic(|driver: &Weak<Driver>| Driver {
            machine: RefCell::new(Machine::new(options, seed)),
            negotiate_url,
            clock: Clock::start(),
            socket: RefCell::new(None),
            attempt: Cell::new(0),
            timer: RefCell::new(None),
            on_event: RefCell::new(Box::new(on_event)),
            on_outcome: RefCell::new(None),
            undelivered: RefCell::new(VecDeque::new()),
            delivery: RefCell::new(None),
            wants_room: Cell::new(false),
            _nudges: Nudges::listen({
                let driver = Weak::clone(driver);
                move || {
                    if let Some(driver) = driver.upgrade() {
                        driver.handle_and_deliver(Input::Nudged);
                    }
                }
            }),
        });
        driver.handle(Input::Start);
        driver.deliver_soon();
        Self(driver)
    }

    /// Tells `on_outcome` what becomes of what is asked for from here on, as events are told. There is one such
    /// function; another takes its place, except while the one before is running.
    pub fn on_outcome(&self, on_outcome: impl FnMut(Outcome) + 'static) {
        if let Ok(mut listener) = self.0.on_outcome.try_borrow_mut() {
            *listener = Some(Box::new(on_outcome));
        }
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
            self.0.wants_room.set(true);
            self.0.set_timer();
            return Err(SendRefused::WindowFull(outgoing));
        }
        self.0.ask(|machine, _| machine.send(outgoing))
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
            self.0.wants_room.set(true);
            self.0.set_timer();
            return Err(SendRefused::WindowFull(outgoing));
        }
        self.0.ask(|machine, _| machine.send_and_forget(outgoing))
    }

    /// Joins a group; see [`Machine::join_group`].
    ///
    /// # Errors
    /// [`GroupRefused`].
    pub fn join_group(&self, group: &GroupName) -> Result<u64, GroupRefused> {
        self.0.ask(|machine, _| machine.join_group(group))
    }

    /// Leaves a group; see [`Machine::leave_group`].
    ///
    /// # Errors
    /// [`GroupRefused`].
    pub fn leave_group(&self, group: &GroupName) -> Result<u64, GroupRefused> {
        self.0.ask(|machine, _| machine.leave_group(group))
    }

    /// Asks the application's server; see [`Machine::invoke`]. [`Outcome::Answered`] tells the answer.
    ///
    /// # Errors
    /// [`StartRefused`].
    pub fn invoke(&self, event: &EventName, payload: Option<Payload<'static>>) -> Result<u64, StartRefused> {
        self.0.ask(|machine, _| machine.invoke(event, payload))
    }

    /// Opens a stream; see [`Machine::open_stream`]. [`Outcome::Stream`] tells its fate.
    ///
    /// # Errors
    /// [`StartRefused`].
    pub fn open_stream(&self, group: &GroupName, options: StreamOptions) -> Result<u64, StartRefused> {
        self.0.ask(|machine, _| machine.open_stream(group, options))
    }

    /// Appends a fragment to a stream; see [`Machine::write_stream`].
    ///
    /// # Errors
    /// [`WriteRefused`], with the payload inside.
    pub fn write_stream(&self, stream: u64, payload: Payload<'static>) -> Result<(), WriteRefused> {
        self.0.ask(|machine, now| machine.write_stream(stream, payload, now))
    }

    /// Ends a stream; see [`Machine::end_stream`].
    pub fn end_stream(&self, stream: u64, error: Option<PublisherError>) {
        self.0.ask(|machine, now| machine.end_stream(stream, error, now));
    }
}

impl Drop for WebClient {
    fn drop(&mut self) {
        self.0.handle(Input::Stop);
        // No event reaches an application that has let go of its client, not even from within one.
        self.0.undelivered.borrow_mut().clear();
        if let Ok(mut on_event) = self.0.on_event.try_borrow_mut() {
            *on_event = Box::new(|_| {});
        }
        if let Ok(mut on_outcome) = self.0.on_outcome.try_borrow_mut() {
            *on_outcome = None;
        }
        self.0.timer.borrow_mut().take();
    }
}

/// A `setTimeout` under way.
struct Timer {
    due: Moment,
    _timeout: Timeout,
}

type OutcomeListener = Box<dyn FnMut(Outcome)>;

enum Told {
    Event(ClientEvent),
    Outcome(Outcome),
}

struct Driver {
    machine: RefCell<Machine>,
    negotiate_url: String,
    clock: Clock,
    socket: RefCell<Option<Socket>>,
    /// Counts negotiations and sockets, so that the answer to an abandoned one can be told.
    attempt: Cell<u64>,
    timer: RefCell<Option<Timer>>,
    on_event: RefCell<Box<dyn FnMut(ClientEvent)>>,
    on_outcome: RefCell<Option<OutcomeListener>>,
    /// What waits to be told. Bounded by what one input makes the machine report.
    undelivered: RefCell<VecDeque<Told>>,
    delivery: RefCell<Option<Timeout>>,
    /// Whether a request was refused for want of room, and nobody has been told yet that there is some.
    wants_room: Cell<bool>,
    _nudges: Nudges,
}

impl Driver {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Asks the machine for something, and does what it wants done for it.
    fn ask<T>(self: &Rc<Self>, ask: impl FnOnce(&mut Machine, Moment) -> T) -> T {
        let answer = ask(&mut self.machine.borrow_mut(), self.now());
        self.carry_out();
        self.deliver_soon();
        answer
    }

    fn is_socket_full(&self) -> bool {
        self.socket.borrow().as_ref().is_some_and(|socket| socket.buffered_bytes() >= MAX_BUFFERED_BYTES)
    }

    fn has_room(&self) -> bool {
        self.machine.borrow().has_room() && !self.is_socket_full()
    }

    fn tell(&self, outcome: Outcome) {
        if self.on_outcome.try_borrow().is_ok_and(|listener| listener.is_none()) {
            return;
        }
        self.undelivered.borrow_mut().push_back(Told::Outcome(outcome));
    }

    fn handle(self: &Rc<Self>, input: Input<'_>) {
        let now = self.now();
        self.machine.borrow_mut().handle(input, now);
        self.carry_out();
    }

    /// For inputs that come from the event loop: what they cause is told before the next one comes.
    fn handle_and_deliver(self: &Rc<Self>, input: Input<'_>) {
        self.handle(input);
        self.deliver();
    }

    /// Carries out every effect, then sets the timer.
    fn carry_out(self: &Rc<Self>) {
        loop {
            // The borrow must end before the effect runs: some effects hand the next input in.
            let Some(effect) = self.machine.borrow_mut().poll_effect() else { break };
            match effect {
                Effect::Negotiate => self.negotiate(),
                Effect::OpenTransport { url, subprotocols } => self.open(&url, &subprotocols),
                Effect::SendFrame(frame) => {
                    if let Some(socket) = &*self.socket.borrow() {
                        // A socket that cannot send is closing, and its close event follows.
                        socket.send(&frame);
                    }
                }
                Effect::CloseTransport => {
                    self.next_attempt();
                    if let Some(socket) = self.socket.borrow_mut().take() {
                        socket.say_goodbye();
                    }
                }
                Effect::AbandonTransport => {
                    self.next_attempt();
                    self.socket.borrow_mut().take();
                }
                Effect::Report(event) => self.undelivered.borrow_mut().push_back(Told::Event(event)),
                Effect::Settle { ack_id, outcome } => self.tell(Outcome::Settled { ack_id, outcome }),
                Effect::Answer { invocation, outcome } => {
                    self.tell(Outcome::Answered { invocation, outcome });
                }
                Effect::Stream { stream, event } => self.tell(Outcome::Stream { stream, event }),
            }
        }
        if self.wants_room.get() && self.has_room() {
            self.wants_room.set(false);
            self.tell(Outcome::Writable);
        }
        self.set_timer();
    }

    fn negotiate(self: &Rc<Self>) {
        let attempt = self.next_attempt();
        let url = self.negotiate_url.clone();
        let driver = Rc::downgrade(self);
        wasm_bindgen_futures::spawn_local(async move {
            let outcome = fetch_service_url(&url).await;
            if let Some(driver) = current(&driver, attempt) {
                driver.handle_and_deliver(Input::Negotiated(outcome));
            }
        });
    }

    fn open(self: &Rc<Self>, url: &ServiceUrl, subprotocols: &[Subprotocol]) {
        let attempt = self.next_attempt();
        let driver = Rc::downgrade(self);
        let on_event = move |event: SocketEvent| {
            let Some(driver) = current(&driver, attempt) else { return };
            match event {
                SocketEvent::Opened { subprotocol } => {
                    driver.handle_and_deliver(Input::TransportOpened { subprotocol });
                }
                SocketEvent::Text(text) => {
                    driver.handle_and_deliver(Input::FrameReceived(FrameRef::Text(&text)));
                }
                SocketEvent::Binary(bytes) => {
                    driver.handle_and_deliver(Input::FrameReceived(FrameRef::Binary(&bytes)));
                }
                SocketEvent::Closed { code, reason } => {
                    driver.socket.borrow_mut().take();
                    driver.handle_and_deliver(Input::TransportClosed { code, reason });
                }
            }
        };
        match Socket::open(url.reveal(), subprotocols, on_event) {
            Ok(socket) => *self.socket.borrow_mut() = Some(socket),
            Err(detail) => {
                let url = url.without_query().to_owned();
                self.machine.borrow_mut().handle(
                    Input::TransportRefused(ConnectFailure::Refused { url, detail, status: None }),
                    self.now(),
                );
            }
        }
    }

    /// Makes whatever was under way the business of the past.
    fn next_attempt(&self) -> u64 {
        self.attempt.set(self.attempt.get() + 1);
        self.attempt.get()
    }

    /// Wakes us at the machine's deadline. A timer that is due earlier is left alone: most deadlines move with every
    /// frame, and waking early does no harm.
    fn set_timer(self: &Rc<Self>) {
        /// Far below the longest time that `setTimeout` takes, and short enough not to oversleep by much when a laptop
        /// slept meanwhile.
        const LONGEST_WAIT: Duration = Duration::from_secs(10);
        let mut deadline = self.machine.borrow().next_deadline();
        if self.wants_room.get() && self.is_socket_full() {
            let check = self.now() + BUFFER_CHECK_PAUSE;
            deadline = Some(deadline.map_or(check, |deadline| deadline.min(check)));
        }
        let Some(deadline) = deadline else {
            self.timer.borrow_mut().take();
            return;
        };
        if self.timer.borrow().as_ref().is_some_and(|timer| timer.due <= deadline) {
            return;
        }
        let now = self.now();
        let wait = deadline.since(now).min(LONGEST_WAIT);
        let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).saturating_add(1);
        let driver = Rc::downgrade(self);
        let timeout = Timeout::new(wait_ms, move || {
            if let Some(driver) = driver.upgrade() {
                driver.timer.borrow_mut().take();
                driver.handle_and_deliver(Input::DeadlineReached);
            }
        });
        // Replacing a timer cancels it.
        *self.timer.borrow_mut() = Some(Timer { due: now + wait, _timeout: timeout });
    }

    /// Hands events to the application once the present call stack is done: an application may call us from its
    /// handler, and must not be called from its own calls.
    fn deliver_soon(self: &Rc<Self>) {
        if self.undelivered.borrow().is_empty() || self.delivery.borrow().is_some() {
            return;
        }
        let driver = Rc::downgrade(self);
        let delivery = Timeout::new(0, move || {
            if let Some(driver) = driver.upgrade() {
                driver.deliver();
            }
        });
        *self.delivery.borrow_mut() = Some(delivery);
    }

    fn deliver(&self) {
        self.delivery.borrow_mut().take();
        // A function that is itself running delivers the rest when it returns.
        let Ok(mut on_event) = self.on_event.try_borrow_mut() else { return };
        let Ok(mut on_outcome) = self.on_outcome.try_borrow_mut() else { return };
        loop {
            let Some(told) = self.undelivered.borrow_mut().pop_front() else { break };
            match told {
                Told::Event(event) => on_event(event),
                Told::Outcome(outcome) => {
                    if let Some(on_outcome) = on_outcome.as_mut() {
                        on_outcome(outcome);
                    }
                }
            }
        }
    }
}

/// The driver, if it still lives and `attempt` is still what it is about.
fn current(driver: &Weak<Driver>, attempt: u64) -> Option<Rc<Driver>> {
    driver.upgrade().filter(|driver| driver.attempt.get() == attempt)
}

async fn fetch_service_url(url: &str) -> Result<ServiceUrl, ConnectFailure> {
    let unreachable = |error: gloo_net::Error| ConnectFailure::NegotiateUnreachable {
        url: without_query(url).to_owned(),
        detail: error.to_string(),
    };
    let response = Request::get(url).send().await.map_err(unreachable)?;
    let body = response.text().await.map_err(unreachable)?;
    if body.len() > MAX_ANSWER_BYTES {
        return Err(ConnectFailure::NegotiateAnswer {
            url: without_query(url).to_owned(),
            found: format!("{} bytes", body.len()),
        });
    }
    read_answer(url, response.status(), &body)
}

#[cfg(test)]
mod tests;
