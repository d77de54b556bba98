//! The driver for browsers: carries out the machine's effects with `fetch`, `WebSocket` and `setTimeout`.
//!
//! Everything runs on the page's one thread. Callbacks of a transport that has been replaced say nothing: each is tied
//! to the socket it was made for, and dropped with it.

mod socket;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
    time::Duration,
};

use gloo_net::http::Request;
use gloo_timers::callback::Timeout;
use webpubsub_protocol::{name::GroupName, payload::Payload, subprotocol::Subprotocol};

use crate::{
    event::ClientEvent,
    failure::ConnectFailure,
    machine::{Effect, Input, Machine, SendRefused},
    moment::Moment,
    negotiate::{MAX_ANSWER_BYTES, ServiceUrl, read_answer, without_query},
    options::ClientOptions,
};
use socket::{Socket, SocketEvent};

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
        let driver = Rc::new(Driver {
            machine: RefCell::new(Machine::new(options, seed)),
            negotiate_url,
            started_at_ms: now_ms(),
            socket: RefCell::new(None),
            attempt: Cell::new(0),
            timer: RefCell::new(None),
            on_event: RefCell::new(Box::new(on_event)),
            undelivered: RefCell::new(VecDeque::new()),
            delivery: RefCell::new(None),
        });
        driver.handle(Input::Start);
        driver.deliver_soon();
        Self(driver)
    }

    /// Closes the connection, and makes no other. The last event is [`ClientEvent::Stopped`].
    pub fn stop(&self) {
        self.0.handle(Input::Stop);
        self.0.deliver_soon();
    }

    /// Publishes to `group`; see [`Machine::send_to_group`].
    ///
    /// # Errors
    /// [`SendRefused`], with the payload inside.
    pub fn send_to_group(&self, group: &GroupName, payload: Payload<'static>) -> Result<u64, SendRefused> {
        let sent = self.0.machine.borrow_mut().send_to_group(group, payload);
        self.0.carry_out();
        self.0.deliver_soon();
        sent
    }
}

impl Drop for WebClient {
    fn drop(&mut self) {
        // No event reaches an application that has let go of its client.
        *self.0.on_event.borrow_mut() = Box::new(|_| {});
        self.0.handle(Input::Stop);
        self.0.timer.borrow_mut().take();
    }
}

/// The browser's monotonic clock.
fn now_ms() -> f64 {
    js_sys::Reflect::get(&js_sys::global(), &"performance".into())
        .ok()
        .and_then(|performance| wasm_bindgen::JsCast::dyn_into::<web_sys::Performance>(performance).ok())
        .map_or_else(js_sys::Date::now, |performance| performance.now())
}

/// A `setTimeout` under way.
struct Timer {
    due: Moment,
    _timeout: Timeout,
}

struct Driver {
    machine: RefCell<Machine>,
    negotiate_url: String,
    started_at_ms: f64,
    socket: RefCell<Option<Socket>>,
    /// Counts negotiations and sockets, so that the answer to an abandoned one can be told.
    attempt: Cell<u64>,
    timer: RefCell<Option<Timer>>,
    on_event: RefCell<Box<dyn FnMut(ClientEvent)>>,
    /// Events that wait for their turn. Bounded by what one input makes the machine report.
    undelivered: RefCell<VecDeque<ClientEvent>>,
    delivery: RefCell<Option<Timeout>>,
}

impl Driver {
    fn now(&self) -> Moment {
        let elapsed = (now_ms() - self.started_at_ms).max(0.0);
        Moment::after_start(Duration::from_secs_f64(elapsed / 1000.0))
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
                Effect::OpenTransport(url) => self.open(&url),
                Effect::SendFrame(frame) => {
                    if let Some(socket) = &*self.socket.borrow() {
                        // A socket that cannot send is closing, and its close event follows.
                        socket.send(&frame);
                    }
                }
                Effect::CloseTransport => self.close(),
                Effect::Report(event) => self.undelivered.borrow_mut().push_back(event),
                // Nobody waits for single messages here yet; the event stream tells of the connection.
                Effect::Settle { .. } => {}
            }
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

    fn open(self: &Rc<Self>, url: &ServiceUrl) {
        let attempt = self.next_attempt();
        let driver = Rc::downgrade(self);
        let on_event = move |event: SocketEvent| {
            let Some(driver) = current(&driver, attempt) else { return };
            match event {
                SocketEvent::Opened => driver.handle_and_deliver(Input::TransportOpened),
                SocketEvent::Text(text) => driver.handle_and_deliver(Input::FrameReceived(&text)),
                SocketEvent::Closed { code, reason } => {
                    driver.socket.borrow_mut().take();
                    driver.handle_and_deliver(Input::TransportClosed { code, reason });
                }
            }
        };
        match Socket::open(url.reveal(), Subprotocol::Json.name(), on_event) {
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

    fn close(&self) {
        self.next_attempt();
        self.socket.borrow_mut().take();
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
        const LONGEST_WAIT: Duration = Duration::from_secs(60);
        let Some(deadline) = self.machine.borrow().next_deadline() else {
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
        // An event handler that is itself running delivers the rest when it returns.
        let Ok(mut on_event) = self.on_event.try_borrow_mut() else { return };
        loop {
            let Some(event) = self.undelivered.borrow_mut().pop_front() else { break };
            on_event(event);
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
