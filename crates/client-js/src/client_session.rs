//! State of one client object across starts and stops: listeners, pending promises, waiting messages.

use std::{
    cell::{Cell, Ref, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use js_sys::Promise;
use serde::Serialize;
use serde_wasm_bindgen::preserve;
use wasm_bindgen::JsValue;
use webpubsub_client::{
    ClientEvent, ClientOptions, ConnectFailure, Outgoing, SendRefused,
    web::{Outcome, WebClient},
};
use webpubsub_protocol::{name::GroupName, payload::Payload};

use crate::{
    budget::{Budget, Held},
    content,
    event_listeners::EventListeners,
    options::{self, SessionOptions},
    promises::Promises,
    rejection::{ErrorClass, Rejection},
    streams::Streams,
    url_source::UrlSource,
};

/// Maximum number of messages that wait for the in-flight window, and of fragments that wait for the buffer of their
/// stream; one more is refused.
pub const MAX_WAITING_MESSAGES: usize = 4096;

/// Number of the promise of the first connection. Those of requests have their ack ids, which begin with 1.
const START: f64 = 0.0;

/// A message that waits for the in-flight window.
struct WaitingMessage {
    outgoing: Outgoing,
    fire_and_forget: bool,
    held: Held,
    /// Number of its promise: negative, so that it is no ack id.
    number: f64,
}

/// State of one client object, running or not.
pub struct ClientSession {
    events: EventListeners,
    promises: Promises,
    invocations: Promises,
    streams: Streams,
    waiting: RefCell<VecDeque<WaitingMessage>>,
    last_waiting: Cell<f64>,
    client: RefCell<Option<WebClient>>,
    /// The group of the last request: mostly, the next request has the same one.
    last_group: RefCell<Option<(JsValue, GroupName)>>,
    /// Groups that the application joins now, by ack id.
    joining: RefCell<Vec<(u64, GroupName)>>,
    budget: Budget,
    options: SessionOptions,
    reconnection: Cell<Reconnection>,
    /// Reason why the last attempt to connect failed, while there is no connection.
    last_failure: RefCell<Option<ConnectFailure>>,
}

/// Progress of a running client from its start to its connection, and from a lost one to the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reconnection {
    /// There was no connection yet.
    Starting,
    /// There is a connection, or it is being recovered.
    Connected,
    /// The connection was lost for good, and so many attempts have failed.
    Lost { attempts: u32 },
}

/// Converts an id to a number of JavaScript. Exact for all ack ids, which stay below 2^53, and for all practical numbers of
/// invocations.
#[allow(clippy::cast_precision_loss)]
fn number(id: u64) -> f64 {
    id as f64
}

/// Converts a number of JavaScript to an id; `None` for one that is no ack id and no invocation.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn id(number: f64) -> Option<u64> {
    (number >= 1.0).then_some(number as u64)
}

impl ClientSession {
    /// Creates the state of a client that is not started. `create_error` creates an error from a rejection.
    pub fn new(options: SessionOptions, create_error: &JsValue) -> Self {
        Self {
            events: EventListeners::new(),
            promises: Promises::new(create_error),
            invocations: Promises::new(create_error),
            streams: Streams::new(create_error),
            waiting: RefCell::default(),
            last_waiting: Cell::new(0.0),
            client: RefCell::new(None),
            last_group: RefCell::new(None),
            joining: RefCell::default(),
            budget: Budget::new(),
            options,
            reconnection: Cell::new(Reconnection::Starting),
            last_failure: RefCell::new(None),
        }
    }

    /// Starts a client. It owns a reference to this session until it stops.
    pub fn start(self: &Rc<Self>, source: &UrlSource, options: ClientOptions) -> Promise {
        if self.client.borrow().is_some() {
            return self.rejected(&Rejection::already_started());
        }
        self.reconnection.set(Reconnection::Starting);
        let started = self.promises.create(START);
        let session = Rc::clone(self);
        let client = source.start(options, move |event| session.handle_event(&event));
        let session = Rc::clone(self);
        client.on_outcome(move |outcome| session.handle_outcome(outcome));
        *self.client.borrow_mut() = Some(client);
        started
    }

    /// The client, while it runs.
    pub fn client(&self) -> Option<Ref<'_, WebClient>> {
        Ref::filter_map(self.client.borrow(), Option::as_ref).ok()
    }

    /// The listeners.
    pub fn events(&self) -> &EventListeners {
        &self.events
    }

    /// Creates the promise of a request.
    pub fn ack_promise(&self, ack_id: u64) -> Promise {
        self.promises.create(number(ack_id))
    }

    /// Returns a rejected promise.
    pub fn rejected(&self, rejection: &Rejection) -> Promise {
        self.promises.rejected(rejection)
    }

    /// Records that the application joins a group: it receives a refusal by its promise, and not by an event.
    pub fn expect_join(&self, ack_id: u64, group: GroupName) {
        self.joining.borrow_mut().push((ack_id, group));
    }

    /// Rejects the promise of a request, which is not sent (again).
    pub fn withdraw(&self, promise: &JsValue, rejection: &JsValue) {
        let Some(found) = self.promises.withdraw(promise, rejection) else { return };
        self.waiting.borrow_mut().retain(|message| message.number.to_bits() != found.to_bits());
        if let (Some(ack_id), Some(client)) = (id(found), self.client()) {
            self.joining.borrow_mut().retain(|(joining, _)| *joining != ack_id);
            client.withdraw(ack_id);
        }
    }

    /// Rejects the promise of an invocation, and cancels it.
    pub fn withdraw_invocation(&self, promise: &JsValue, rejection: &JsValue) {
        let found = self.invocations.withdraw(promise, rejection).and_then(id);
        if let (Some(invocation), Some(client)) = (found, self.client()) {
            client.cancel_invocation(invocation);
        }
    }

    /// Creates the promise of an invocation.
    pub fn invocation_promise(&self, invocation: u64) -> Promise {
        self.invocations.create(number(invocation))
    }

    /// The published streams.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The budget of waiting content.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Reads the name of a group.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn group(&self, name: &JsValue) -> Result<GroupName, String> {
        let mut last = self.last_group.borrow_mut();
        match &*last {
            Some((last, group)) if last == name => Ok(group.clone()),
            _ => {
                let group = options::group_name(name)?;
                *last = Some((name.clone(), group.clone()));
                Ok(group)
            }
        }
    }

    /// Sends a message, or queues it behind those that wait already.
    pub fn send(&self, outgoing: Outgoing, fire_and_forget: bool) -> Promise {
        if self.client.borrow().is_none() {
            return self.rejected(&Rejection::not_started().of_class(ErrorClass::Message));
        }
        if self.waiting.borrow().is_empty() {
            match self.try_send(outgoing, fire_and_forget) {
                Ok(Some(ack_id)) => self.ack_promise(ack_id),
                Ok(None) => self.promises.forgotten(),
                Err(SendRefused::WindowFull(outgoing)) => self.enqueue(outgoing, fire_and_forget),
                Err(refused) => self.rejected(&Rejection::not_sent(&refused)),
            }
        } else {
            self.enqueue(outgoing, fire_and_forget)
        }
    }

    fn enqueue(&self, outgoing: Outgoing, fire_and_forget: bool) -> Promise {
        let mut waiting = self.waiting.borrow_mut();
        let held =
            self.budget.take(outgoing.payload().len()).filter(|_| waiting.len() < MAX_WAITING_MESSAGES);
        let Some(held) = held else {
            let message = "too many messages wait to be sent; wait until some have been acknowledged";
            return self.rejected(&Rejection::queue_full(message));
        };
        let number = self.last_waiting.get() - 1.0;
        self.last_waiting.set(number);
        waiting.push_back(WaitingMessage { outgoing, fire_and_forget, held, number });
        self.promises.create(number)
    }

    /// Returns the ack id, if the message has one.
    fn try_send(&self, outgoing: Outgoing, fire_and_forget: bool) -> Result<Option<u64>, SendRefused> {
        let Some(client) = self.client() else { return Err(SendRefused::Stopped(outgoing)) };
        if fire_and_forget {
            client.send_and_forget(outgoing).map(|()| None)
        } else {
            client.send(outgoing).map(Some)
        }
    }

    fn handle_outcome(self: &Rc<Self>, outcome: Outcome) {
        match outcome {
            Outcome::Settled { ack_id, is_duplicate, outcome } => {
                self.joining.borrow_mut().retain(|(joining, _)| *joining != ack_id);
                match outcome {
                    Ok(()) => self.promises.acknowledge(number(ack_id), is_duplicate),
                    Err(failure) => self.promises.reject(number(ack_id), &Rejection::send(&failure)),
                }
            }
            Outcome::Answered { invocation, outcome: Ok(answer) } => {
                self.invocations.resolve_with(number(invocation), &to_object(invocation, answer.as_ref()));
            }
            Outcome::Answered { invocation, outcome: Err(failure) } => {
                self.invocations.reject(number(invocation), &Rejection::invoke(&failure));
            }
            Outcome::Stream { stream, event } => self.streams.handle_event(self, stream, event),
            Outcome::Writable => self.send_waiting(),
            _ => {}
        }
    }

    /// Sends waiting messages until the window is full again.
    fn send_waiting(&self) {
        loop {
            let first = self.waiting.borrow_mut().pop_front();
            let Some(WaitingMessage { outgoing, fire_and_forget, held, number: waiting_number }) = first
            else {
                return;
            };
            match self.try_send(outgoing, fire_and_forget) {
                Ok(Some(ack_id)) => self.promises.renumber(waiting_number, number(ack_id)),
                Ok(None) => self.promises.forget(waiting_number),
                Err(SendRefused::WindowFull(outgoing)) => {
                    let first = WaitingMessage { outgoing, fire_and_forget, held, number: waiting_number };
                    return self.waiting.borrow_mut().push_front(first);
                }
                Err(refused) => self.promises.reject(waiting_number, &Rejection::not_sent(&refused)),
            }
        }
    }

    fn handle_event(&self, event: &ClientEvent) {
        if let ClientEvent::JoinRefused { group, error } = event {
            let is_awaited = self.joining.borrow().iter().any(|(_, joining)| joining == group);
            if !is_awaited {
                let error = self.promises.error(&Rejection::join(error));
                self.events.dispatch_refused_join(group.as_str(), error);
            }
            return;
        }
        let was_connected = self.reconnection.get() != Reconnection::Starting;
        match event {
            ClientEvent::Connected { .. } => {
                self.reconnection.set(Reconnection::Connected);
                self.last_failure.borrow_mut().take();
                self.promises.resolve(START);
            }
            ClientEvent::Disconnected { .. } => {
                self.reconnection.set(Reconnection::Lost { attempts: 0 });
                self.stop_if(!self.options.reconnects);
            }
            ClientEvent::ConnectFailed { failure } => {
                *self.last_failure.borrow_mut() = Some(failure.clone());
                self.stop_if(self.attempt_was_last());
            }
            ClientEvent::Stopped => self.end(),
            _ => {}
        }
        // A start that fails rejects its promise, and is not an end.
        if was_connected || *event != ClientEvent::Stopped {
            self.events.dispatch(event);
        }
    }

    /// Counts a failed attempt to connect. Returns whether no further one is wanted.
    fn attempt_was_last(&self) -> bool {
        match self.reconnection.get() {
            Reconnection::Starting => !self.options.retries_start,
            Reconnection::Connected => false,
            Reconnection::Lost { attempts } => {
                let attempts = attempts.saturating_add(1);
                self.reconnection.set(Reconnection::Lost { attempts });
                self.options.max_retries.is_some_and(|limit| attempts > limit)
            }
        }
    }

    fn stop_if(&self, is_last: bool) {
        if let Some(client) = self.client().filter(|_| is_last) {
            client.stop();
        }
    }

    fn end(&self) {
        self.waiting.borrow_mut().clear();
        self.joining.borrow_mut().clear();
        let failure = self.last_failure.borrow_mut().take();
        if let Some(failure) = &failure {
            self.promises.reject(START, &Rejection::connect(failure));
        }
        self.promises.reject(START, &Rejection::stopped(ErrorClass::Other, None));
        let cause = failure.map(|failure| failure.to_string());
        self.promises.reject_all(&Rejection::stopped(ErrorClass::Message, cause.as_deref()));
        let stopped = self.client.borrow_mut().take();
        drop(stopped);
    }
}

/// Converts an answer, which may have no payload.
fn to_object(invocation: u64, answer: Option<&Payload<'_>>) -> JsValue {
    #[derive(Serialize)]
    #[serde(untagged, rename_all_fields = "camelCase")]
    enum Answer {
        Payload {
            invocation_id: String,
            data_type: &'static str,
            #[serde(serialize_with = "preserve::serialize")]
            data: JsValue,
        },
        Empty {
            invocation_id: String,
        },
    }

    let invocation_id = invocation.to_string();
    let answer = match answer.map(content::written) {
        Some((data_type, data)) => Answer::Payload { invocation_id, data_type, data },
        None => Answer::Empty { invocation_id },
    };
    // There is nothing here that cannot be serialized.
    serde_wasm_bindgen::to_value(&answer).unwrap_or_default()
}
