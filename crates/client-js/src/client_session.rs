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
    ClientEvent, ClientOptions, Outgoing, SendRefused,
    web::{Outcome, WebClient},
};
use webpubsub_protocol::{name::GroupName, payload::Payload};

use crate::{
    budget::{Budget, Held},
    content,
    event_listeners::EventListeners,
    options,
    promises::{Promises, rejected},
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
    budget: Budget,
    /// Reason why the last attempt to connect failed, while there is no connection.
    last_failure: RefCell<Option<String>>,
}

/// Error of a request before the start.
pub const NOT_STARTED: &str = "the client was not started";

const STOPPED: &str = "the client has stopped";

/// Converts an id to a number of JavaScript. Exact for all ack ids, which stay below 2^53, and for all practical numbers of
/// invocations.
#[allow(clippy::cast_precision_loss)]
fn number(id: u64) -> f64 {
    id as f64
}

impl ClientSession {
    /// Creates the state of a client that is not started.
    pub fn new() -> Self {
        Self {
            events: EventListeners::new(),
            promises: Promises::new(),
            invocations: Promises::new(),
            streams: Streams::new(),
            waiting: RefCell::default(),
            last_waiting: Cell::new(0.0),
            client: RefCell::new(None),
            last_group: RefCell::new(None),
            budget: Budget::new(),
            last_failure: RefCell::new(None),
        }
    }

    /// Starts a client. It owns a reference to this session until it stops.
    pub fn start(self: &Rc<Self>, source: &UrlSource, options: ClientOptions) -> Promise {
        if self.client.borrow().is_some() {
            return rejected("the client runs already; after stop(), wait for the event `stopped`");
        }
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
            return rejected(NOT_STARTED);
        }
        if self.waiting.borrow().is_empty() {
            match self.try_send(outgoing, fire_and_forget) {
                Ok(Some(ack_id)) => self.ack_promise(ack_id),
                Ok(None) => Promise::resolve(&JsValue::UNDEFINED),
                Err(SendRefused::WindowFull(outgoing)) => self.enqueue(outgoing, fire_and_forget),
                Err(refused) => rejected(&refused.to_string()),
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
            return rejected("too many messages wait to be sent; wait until some have been acknowledged");
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
            Outcome::Settled { ack_id, outcome: Ok(()) } => self.promises.resolve(number(ack_id)),
            Outcome::Settled { ack_id, outcome: Err(failure) } => {
                self.promises.reject(number(ack_id), &failure.to_string());
            }
            Outcome::Answered { invocation, outcome: Ok(answer) } => {
                self.invocations.resolve_with(number(invocation), &to_object(answer.as_ref()));
            }
            Outcome::Answered { invocation, outcome: Err(failure) } => {
                self.invocations.reject(number(invocation), &failure.to_string());
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
                Ok(None) => self.promises.resolve(waiting_number),
                Err(SendRefused::WindowFull(outgoing)) => {
                    let first = WaitingMessage { outgoing, fire_and_forget, held, number: waiting_number };
                    return self.waiting.borrow_mut().push_front(first);
                }
                Err(refused) => self.promises.reject(waiting_number, &refused.to_string()),
            }
        }
    }

    fn handle_event(&self, event: &ClientEvent) {
        match event {
            ClientEvent::Connected { .. } => {
                self.last_failure.borrow_mut().take();
                self.promises.resolve(START);
            }
            ClientEvent::ConnectFailed { failure } => {
                *self.last_failure.borrow_mut() = Some(failure.to_string());
            }
            ClientEvent::Stopped => {
                self.waiting.borrow_mut().clear();
                let failure = self.last_failure.borrow_mut().take();
                let message =
                    failure.map_or_else(|| STOPPED.to_owned(), |failure| format!("{STOPPED}: {failure}"));
                self.promises.reject_all(&message);
                let stopped = self.client.borrow_mut().take();
                drop(stopped);
            }
            _ => {}
        }
        self.events.dispatch(event);
    }
}

/// Converts an answer, which may have no payload.
fn to_object(answer: Option<&Payload<'_>>) -> JsValue {
    #[derive(Serialize)]
    #[serde(untagged, rename_all_fields = "camelCase")]
    enum Answer {
        Payload {
            data_type: &'static str,
            #[serde(serialize_with = "preserve::serialize")]
            data: JsValue,
        },
        Empty {},
    }

    let answer = answer.map(content::written);
    let answer = answer.map_or(Answer::Empty {}, |(data_type, data)| Answer::Payload { data_type, data });
    // There is nothing here that cannot be serialized.
    serde_wasm_bindgen::to_value(&answer).unwrap_or_default()
}
