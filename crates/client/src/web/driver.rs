//! The driver: carries out the effects of the machine in a browser.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
    time::Duration,
};

use futures_util::future::{AbortHandle, abortable};
use gloo_timers::callback::Timeout;
use webpubsub_protocol::{close, subprotocol::Subprotocol};

use super::{
    Negotiation, Outcome,
    clock::Clock,
    frame_queue::{FrameQueue, IncomingFrame},
    nudges::{Nudge, Nudges},
    socket::{Socket, SocketEvent},
};
use crate::{
    client::{Command, Dispatcher},
    codec::FrameRef,
    event::ClientEvent,
    failure::ConnectFailure,
    machine::{Effect, Input, Machine},
    moment::Moment,
    negotiate::ServiceUrl,
    options::ClientOptions,
};

/// Interval at which the socket's `bufferedAmount` is polled while the application waits for it to fall.
const BUFFER_CHECK_PAUSE: Duration = Duration::from_millis(50);

/// A pending `setTimeout`.
struct Timer {
    due: Moment,
    _timeout: Timeout,
}

pub(super) type EventListener = Box<dyn FnMut(ClientEvent)>;
pub(super) type Negotiate = Box<dyn Fn() -> Negotiation>;
pub(super) type OutcomeListener = Box<dyn FnMut(Outcome)>;

/// Receiver of the effects that are for the application.
pub(super) enum Sink {
    /// Of a [`Client`](crate::Client).
    Dispatcher(Dispatcher),
    /// Of a [`WebClient`](super::WebClient).
    Listeners { on_event: EventListener, on_outcome: Option<OutcomeListener> },
    /// Of a client that was dropped.
    Nothing,
}

impl Sink {
    fn take(&mut self, notification: Notification, machine: &RefCell<Machine>) {
        match (self, notification) {
            (Self::Dispatcher(dispatcher), Notification::Effect(effect)) => {
                // Effects for the driver are not in the queue.
                drop(dispatcher.dispatch(effect, &mut machine.borrow_mut()));
            }
            (Self::Dispatcher(dispatcher), Notification::Writable) => dispatcher.control().wake(),
            (Self::Listeners { on_event, .. }, Notification::Effect(Effect::Report(event))) => {
                on_event(event)
            }
            (Self::Listeners { on_outcome: Some(on_outcome), .. }, notification) => {
                if let Some(outcome) = outcome(notification) {
                    on_outcome(outcome);
                }
            }
            (Self::Listeners { .. } | Self::Nothing, _) => {}
        }
    }
}

fn outcome(notification: Notification) -> Option<Outcome> {
    Some(match notification {
        Notification::Writable => Outcome::Writable,
        Notification::Effect(Effect::Settle { ack_id, is_duplicate, outcome }) => {
            Outcome::Settled { ack_id, is_duplicate, outcome }
        }
        Notification::Effect(Effect::Answer { invocation, outcome }) => {
            Outcome::Answered { invocation, outcome }
        }
        Notification::Effect(Effect::Stream { stream, event }) => Outcome::Stream { stream, event },
        Notification::Effect(_) => return None,
    })
}

enum Notification {
    Effect(Effect),
    /// There is capacity again after a request was refused.
    Writable,
}

/// State of the page, which the browser may freeze to keep it for the user's return.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    /// It runs.
    Active,
    /// It is frozen, or about to be.
    Frozen,
    /// It is frozen, and lost a socket by that, which the machine does not know yet.
    FrozenWithoutItsSocket,
}

/// A negotiation in flight. Dropping it cancels the negotiation, and with it the request.
struct OngoingNegotiation(AbortHandle);

impl Drop for OngoingNegotiation {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) struct Driver {
    machine: RefCell<Machine>,
    negotiate: Negotiate,
    clock: Clock,
    negotiation: RefCell<Option<OngoingNegotiation>>,
    socket: RefCell<Option<Socket>>,
    /// Frames that arrived on the socket and are not handled yet.
    frames: FrameQueue,
    /// Number of the newest negotiation or socket. Callbacks of an older one are ignored.
    attempt: Cell<u64>,
    timer: RefCell<Option<Timer>>,
    sink: RefCell<Sink>,
    /// High-water mark of the socket's `bufferedAmount`, in bytes.
    max_buffered_bytes: u32,
    /// Notifications to deliver. Bounded by what one input makes the machine report.
    undelivered: RefCell<VecDeque<Notification>>,
    delivery: RefCell<Option<Timeout>>,
    /// Whether a request was refused because the window or the socket was full, and [`Outcome::Writable`] is due.
    awaits_writable: Cell<bool>,
    page: Cell<Page>,
    _nudges: Nudges,
}

impl Driver {
    pub(super) fn new(options: ClientOptions, negotiate: Negotiate, sink: Sink) -> Rc<Self> {
        let max_buffered_bytes = u32::try_from(options.limits.socket_bytes).unwrap_or(u32::MAX);
        let machine = Machine::new(options, js_sys::Math::random().to_bits());
        Rc::new_cyclic(|driver: &Weak<Driver>| Driver {
            machine: RefCell::new(machine),
            negotiate,
            clock: Clock::start(),
            negotiation: RefCell::new(None),
            socket: RefCell::new(None),
            frames: FrameQueue::new({
                let driver = Weak::clone(driver);
                move || {
                    if let Some(driver) = driver.upgrade() {
                        driver.handle_batch();
                    }
                }
            }),
            attempt: Cell::new(0),
            timer: RefCell::new(None),
            sink: RefCell::new(sink),
            max_buffered_bytes,
            undelivered: RefCell::new(VecDeque::new()),
            delivery: RefCell::new(None),
            awaits_writable: Cell::new(false),
            page: Cell::new(Page::Active),
            _nudges: Nudges::listen({
                let driver = Weak::clone(driver);
                move |nudge| {
                    if let Some(driver) = driver.upgrade() {
                        driver.nudged(nudge);
                    }
                }
            }),
        })
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Calls a method of the machine and carries out the effects.
    pub(super) fn call<T>(self: &Rc<Self>, method: impl FnOnce(&mut Machine) -> T) -> T {
        let result = method(&mut self.machine.borrow_mut());
        self.carry_out();
        self.deliver_soon();
        result
    }

    pub(super) fn set_outcome_listener(&self, listener: OutcomeListener) {
        if let Ok(mut sink) = self.sink.try_borrow_mut()
            && let Sink::Listeners { on_outcome, .. } = &mut *sink
        {
            *on_outcome = Some(listener);
        }
    }

    /// Removes the listeners: no event reaches an application that has dropped its client, not even while a listener runs.
    pub(super) fn remove_listeners(&self) {
        self.undelivered.borrow_mut().clear();
        if let Ok(mut sink) = self.sink.try_borrow_mut() {
            *sink = Sink::Nothing;
        }
        self.timer.borrow_mut().take();
    }

    /// Passes requests to the dispatcher of a [`Client`](crate::Client), as far as there is capacity.
    pub(super) fn take_commands(self: &Rc<Self>, first: Command, mut next: impl FnMut() -> Option<Command>) {
        let mut command = Some(first);
        while let Some(taken) = command {
            if let Sink::Dispatcher(dispatcher) = &mut *self.sink.borrow_mut() {
                let now = self.now();
                dispatcher.take(taken, &mut self.machine.borrow_mut(), now);
            }
            self.carry_out();
            command = if self.is_writable() { next() } else { None };
        }
        self.deliver();
    }

    /// Handles a wake of the control of a [`Client`](crate::Client).
    pub(super) fn woken(self: &Rc<Self>) {
        let is_stopping = match &mut *self.sink.borrow_mut() {
            Sink::Dispatcher(dispatcher) => {
                dispatcher.woken(&mut self.machine.borrow_mut());
                let control = dispatcher.control();
                let machine = self.machine.borrow();
                control.is_stopping()
                    || (control.has_no_client() && !machine.has_room() && !machine.is_connected())
            }
            _ => false,
        };
        if is_stopping {
            self.handle(Input::Stop);
        }
        self.carry_out();
        self.deliver();
    }

    /// Whether a [`Client`](crate::Client) has stopped.
    pub(super) fn has_stopped(&self) -> bool {
        match &*self.sink.borrow() {
            Sink::Dispatcher(dispatcher) => dispatcher.has_stopped(),
            _ => false,
        }
    }

    /// Requests [`Outcome::Writable`] for when there is capacity again.
    pub(super) fn notify_when_writable(self: &Rc<Self>) {
        self.awaits_writable.set(true);
        self.set_timer();
    }

    pub(super) fn is_socket_full(&self) -> bool {
        self.socket.borrow().as_ref().is_some_and(Socket::is_full)
    }

    pub(super) fn is_writable(&self) -> bool {
        self.machine.borrow().has_room() && !self.is_socket_full()
    }

    pub(super) fn handle(self: &Rc<Self>, input: Input<'_>) {
        let now = self.now();
        self.machine.borrow_mut().handle(input, now);
        self.carry_out();
    }

    /// Handles an input from the event loop and delivers the notifications that it causes before the next one.
    pub(super) fn handle_and_deliver(self: &Rc<Self>, input: Input<'_>) {
        self.handle(input);
        self.deliver();
    }

    fn nudged(self: &Rc<Self>, nudge: Nudge) {
        match nudge {
            Nudge::Freeze => self.freeze(),
            Nudge::Thaw => {
                if self.page.replace(Page::Active) == Page::FrozenWithoutItsSocket {
                    let reason = String::new();
                    self.handle_and_deliver(Input::TransportClosed { code: close::ABNORMAL, reason });
                }
                self.handle_and_deliver(Input::Nudged);
            }
            // The page is hidden after it was announced that it will be frozen.
            Nudge::Check if self.is_frozen() => {}
            Nudge::Check => self.handle_and_deliver(Input::Nudged),
        }
    }

    fn is_frozen(&self) -> bool {
        self.page.get() != Page::Active
    }

    /// Closes the socket of a page that is about to be frozen: nobody would read from it, while the service still counted the client
    /// and queued messages for it. The connection is recovered when the user returns.
    ///
    /// No other socket is opened until then. Chromium lets one socket at a time connect to an address, and one that a frozen page
    /// opens stays in the way of all others.
    fn freeze(self: &Rc<Self>) {
        self.handle_queued_frames();
        let had_socket = self.socket.borrow_mut().take().is_some();
        self.page.set(if had_socket { Page::FrozenWithoutItsSocket } else { Page::Frozen });
        self.timer.borrow_mut().take();
    }

    /// Carries out every effect, then sets the timer.
    fn carry_out(self: &Rc<Self>) {
        loop {
            // The borrow must end before the effect runs: some effects cause the next input.
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
                for_application => {
                    self.undelivered.borrow_mut().push_back(Notification::Effect(for_application));
                }
            }
        }
        if self.awaits_writable.get() && self.is_writable() {
            self.awaits_writable.set(false);
            self.undelivered.borrow_mut().push_back(Notification::Writable);
        }
        self.set_timer();
    }

    fn negotiate(self: &Rc<Self>) {
        let attempt = self.next_attempt();
        let (negotiation, handle) = abortable((self.negotiate)());
        *self.negotiation.borrow_mut() = Some(OngoingNegotiation(handle));
        let driver = Rc::downgrade(self);
        wasm_bindgen_futures::spawn_local(async move {
            let Ok(outcome) = negotiation.await else { return };
            if let Some(driver) = current(&driver, attempt) {
                driver.handle_and_deliver(Input::Negotiated(outcome));
            }
        });
    }

    fn open(self: &Rc<Self>, url: &ServiceUrl, subprotocols: &[Subprotocol]) {
        let attempt = self.next_attempt();
        if self.is_frozen() {
            self.page.set(Page::FrozenWithoutItsSocket);
            return;
        }
        let driver = Rc::downgrade(self);
        let on_event = move |event: SocketEvent| {
            let Some(driver) = current(&driver, attempt) else { return };
            match event {
                SocketEvent::Opened { subprotocol } => {
                    driver.handle_and_deliver(Input::TransportOpened { subprotocol });
                }
                SocketEvent::Message(frame) => driver.frame_received(frame),
                SocketEvent::Closed { code, reason } => {
                    driver.handle_queued_frames();
                    // Handling them may have replaced this socket.
                    if driver.attempt.get() == attempt {
                        driver.socket.borrow_mut().take();
                        driver.handle_and_deliver(Input::TransportClosed { code, reason });
                    }
                }
            }
        };
        match Socket::open(url.reveal(), subprotocols, self.max_buffered_bytes, on_event) {
            Ok(socket) => *self.socket.borrow_mut() = Some(socket),
            Err(detail) => {
                let url = url.shown();
                self.machine.borrow_mut().handle(
                    Input::TransportRefused(ConnectFailure::Refused { url, detail, status: None }),
                    self.now(),
                );
            }
        }
    }

    /// Handles a frame, or queues it behind others.
    fn frame_received(self: &Rc<Self>, frame: IncomingFrame) {
        if self.frames.is_batching() {
            if !self.frames.push(frame) {
                self.handle_queued_frames();
            }
            return;
        }
        self.handle_frame(&frame);
        if frame.is_small() {
            self.frames.schedule();
        }
    }

    fn handle_batch(self: &Rc<Self>) {
        if self.frames.end_batch() {
            self.handle_queued_frames();
            self.frames.schedule();
        }
    }

    /// Handles all queued frames. Their effects may clear the queue.
    fn handle_queued_frames(self: &Rc<Self>) {
        while let Some(frame) = self.frames.pop() {
            self.handle_frame(&frame);
        }
    }

    fn handle_frame(self: &Rc<Self>, frame: &IncomingFrame) {
        if let Some(text) = frame.as_string() {
            self.handle_and_deliver(Input::FrameReceived(FrameRef::Text(&text)));
        } else {
            let bytes = js_sys::Uint8Array::new(frame).to_vec();
            self.handle_and_deliver(Input::FrameReceived(FrameRef::Binary(&bytes)));
        }
    }

    /// Cancels the negotiation in flight, discards queued frames and returns the number of the next attempt.
    fn next_attempt(&self) -> u64 {
        self.negotiation.borrow_mut().take();
        if self.is_frozen() {
            self.page.set(Page::Frozen);
        }
        self.frames.clear();
        self.attempt.set(self.attempt.get() + 1);
        self.attempt.get()
    }

    /// Sets the timer to the machine's deadline. A timer that is due earlier stays: most deadlines move with every frame,
    /// and an early [`Input::DeadlineReached`] does no harm.
    fn set_timer(self: &Rc<Self>) {
        /// Far below the maximum of `setTimeout`, and short enough not to be late by much after the device slept.
        const LONGEST_WAIT: Duration = Duration::from_secs(10);
        if self.is_frozen() {
            return;
        }
        let mut deadline = self.machine.borrow().next_deadline();
        if self.awaits_writable.get() && self.is_socket_full() {
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
                // Queued frames prove that the connection is alive.
                driver.handle_queued_frames();
                driver.handle_and_deliver(Input::DeadlineReached);
            }
        });
        // Replacing a timer cancels it.
        *self.timer.borrow_mut() = Some(Timer { due: now + wait, _timeout: timeout });
    }

    /// Delivers notifications in a new task: an application may call the client from its listener, and its listener must
    /// not be called from within its own calls.
    pub(super) fn deliver_soon(self: &Rc<Self>) {
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

    fn deliver(self: &Rc<Self>) {
        self.delivery.borrow_mut().take();
        {
            // A listener that is running: the rest is delivered when it returns.
            let Ok(mut sink) = self.sink.try_borrow_mut() else { return };
            loop {
                let Some(notification) = self.undelivered.borrow_mut().pop_front() else { break };
                sink.take(notification, &self.machine);
            }
        }
        // A dispatcher leaves groups that nobody needs any more.
        if self.machine.borrow().has_effects() {
            self.carry_out();
            self.deliver_soon();
        }
    }
}

/// Returns the driver, if it still exists and `attempt` is its newest.
fn current(driver: &Weak<Driver>, attempt: u64) -> Option<Rc<Driver>> {
    driver.upgrade().filter(|driver| driver.attempt.get() == attempt)
}
