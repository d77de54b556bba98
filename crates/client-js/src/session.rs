//! What becomes of a client's requests and events.

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
    events::Events,
    options,
    promises::{Promises, broken},
    streams::Streams,
    url_source::UrlSource,
};

/// Most messages that may wait for room in the window of unacknowledged ones, and most fragments of a stream that may for
/// room in it; one more is refused.
pub const MAX_WAITING_MESSAGES: usize = 4096;

/// The promise of the first connection has this number; those of requests have their ack ids, which begin with 1.
const START: f64 = 0.0;

/// A message for which the client had no room.
struct Waiting {
    outgoing: Outgoing,
    forgets: bool,
    held: Held,
    /// Of its promise: below nought, so that it is no ack id.
    number: f64,
}

/// What there is for one client of JavaScript, be it running or not.
pub struct Session {
    events: Events,
    promises: Promises,
    invocations: Promises,
    streams: Streams,
    waiting: RefCell<VecDeque<Waiting>>,
    last_waiting: Cell<f64>,
    client: RefCell<Option<WebClient>>,
    /// The last group that was published to: most often it is that of the next message, too.
    last_group: RefCell<Option<(JsValue, GroupName)>>,
    budget: Budget,
    /// Why the last attempt to connect failed, while there is no connection.
    last_failure: RefCell<Option<String>>,
}

/// What is said of a request that comes too early.
pub const NOT_STARTED: &str = "the client was not started";

const STOPPED: &str = "the client has stopped";

/// JavaScript's numbers hold every ack id, and more invocations than there can be.
#[allow(clippy::cast_precision_loss)]
fn number(ack_id: u64) -> f64 {
    ack_id as f64
}

impl Session {
    /// Nothing was started.
    pub fn new() -> Self {
        Self {
            events: Events::new(),
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

    /// Starts a client. It holds this session while it runs, and lets go of it when it stops.
    pub fn start(self: &Rc<Self>, source: &UrlSource, options: ClientOptions) -> Promise {
        if self.client.borrow().is_some() {
            return broken("the client runs already; after stop(), wait for the event `stopped`");
        }
        let started = self.promises.keep(START);
        let session = Rc::clone(self);
        let client = source.start(options, move |event| session.told(&event));
        let session = Rc::clone(self);
        client.on_outcome(move |outcome| session.outcome(outcome));
        *self.client.borrow_mut() = Some(client);
        started
    }

    /// The client, while it runs.
    pub fn client(&self) -> Option<Ref<'_, WebClient>> {
        Ref::filter_map(self.client.borrow(), Option::as_ref).ok()
    }

    /// Who listens to what.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// A promise that what becomes of a request settles.
    pub fn keep(&self, ack_id: u64) -> Promise {
        self.promises.keep(number(ack_id))
    }

    /// A promise that what becomes of an invocation settles.
    pub fn keep_invocation(&self, invocation: u64) -> Promise {
        self.invocations.keep(number(invocation))
    }

    /// What it publishes in streams.
    pub fn streams(&self) -> &Streams {
        &self.streams
    }

    /// How much may wait.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The group of this name; the error is in words.
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

    /// Sends a message, or lets it wait behind those that wait already.
    pub fn send(&self, outgoing: Outgoing, forgets: bool) -> Promise {
        if self.client.borrow().is_none() {
            return broken(NOT_STARTED);
        }
        if self.waiting.borrow().is_empty() {
            match self.try_send(outgoing, forgets) {
                Ok(Some(ack_id)) => self.keep(ack_id),
                Ok(None) => Promise::resolve(&JsValue::UNDEFINED),
                Err(SendRefused::WindowFull(outgoing)) => self.wait(outgoing, forgets),
                Err(refused) => broken(&refused.to_string()),
            }
        } else {
            self.wait(outgoing, forgets)
        }
    }

    fn wait(&self, outgoing: Outgoing, forgets: bool) -> Promise {
        let mut waiting = self.waiting.borrow_mut();
        let held =
            self.budget.take(outgoing.payload().len()).filter(|_| waiting.len() < MAX_WAITING_MESSAGES);
        let Some(held) = held else {
            return broken("too many messages wait to be sent; wait until some have been acknowledged");
        };
        let number = self.last_waiting.get() - 1.0;
        self.last_waiting.set(number);
        waiting.push_back(Waiting { outgoing, forgets, held, number });
        self.promises.keep(number)
    }

    /// Gives the ack id, unless the message is to be forgotten.
    fn try_send(&self, outgoing: Outgoing, forgets: bool) -> Result<Option<u64>, SendRefused> {
        let Some(client) = self.client() else { return Err(SendRefused::Stopped(outgoing)) };
        if forgets {
            client.send_and_forget(outgoing).map(|()| None)
        } else {
            client.send(outgoing).map(Some)
        }
    }

    fn outcome(self: &Rc<Self>, outcome: Outcome) {
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
            Outcome::Stream { stream, event } => self.streams.happened(self, stream, event),
            Outcome::Writable => self.send_waiting(),
            _ => {}
        }
    }

    /// Sends what waits, until there is no room again: then the message is in front once more.
    fn send_waiting(&self) {
        loop {
            let first = self.waiting.borrow_mut().pop_front();
            let Some(Waiting { outgoing, forgets, held, number: waited }) = first else { return };
            match self.try_send(outgoing, forgets) {
                Ok(Some(ack_id)) => self.promises.renumber(waited, number(ack_id)),
                Ok(None) => self.promises.resolve(waited),
                Err(SendRefused::WindowFull(outgoing)) => {
                    let first = Waiting { outgoing, forgets, held, number: waited };
                    return self.waiting.borrow_mut().push_front(first);
                }
                Err(refused) => self.promises.reject(waited, &refused.to_string()),
            }
        }
    }

    fn told(&self, event: &ClientEvent) {
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
                let words =
                    failure.map_or_else(|| STOPPED.to_owned(), |failure| format!("{STOPPED}: {failure}"));
                self.promises.reject_all(&words);
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
