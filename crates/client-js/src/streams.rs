//! Published streams.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_client::{StreamEvent, StreamOptions, WriteRefused, web::WebClient};
use webpubsub_protocol::{name::GroupName, payload::Payload, stream::PublisherError};

use crate::{
    budget::{Budget, Held},
    client_session::{ClientSession, MAX_WAITING_MESSAGES},
    content,
    options::{self, JsStreamEndError},
    promises::Promises,
    rejection::{ErrorClass, Rejection},
};

/// The published streams of one client object. Their ids are unique across restarts; the numbers that the running client
/// gives them are not.
pub struct Streams {
    published: RefCell<BTreeMap<u64, Published>>,
    last_id: Cell<u64>,
    promises: Promises,
    last_promise: Cell<f64>,
}

struct Published {
    /// Its number in the running client.
    number: u64,
    /// Number of the promise of its opening, then of its end.
    promise: f64,
    is_open: bool,
    /// Steps that wait for the stream's buffer, in order. Bounded by [`MAX_WAITING_MESSAGES`] and the [`Budget`].
    waiting: VecDeque<Step>,
    has_ended: bool,
}

enum Step {
    Write { payload: Payload<'static>, promise: f64, held: Held },
    End(Option<PublisherError>),
}

impl Streams {
    /// Creates an empty table.
    pub fn new(create_error: &JsValue) -> Self {
        Self {
            published: RefCell::default(),
            last_id: Cell::new(0),
            promises: Promises::new(create_error),
            last_promise: Cell::new(0.0),
        }
    }

    /// Opens a stream. The promise resolves with its [`GroupStreamWriter`].
    pub fn open(&self, client: &WebClient, group: &GroupName, options: StreamOptions) -> Promise {
        match client.open_stream(group, options) {
            Ok(number) => {
                let promise = self.next_promise();
                let waiting = VecDeque::new();
                let published = Published { number, promise, is_open: false, waiting, has_ended: false };
                self.last_id.set(self.last_id.get() + 1);
                self.published.borrow_mut().insert(self.last_id.get(), published);
                self.promises.create(promise)
            }
            Err(refused) => self.promises.rejected(&Rejection::not_begun(refused, ErrorClass::Other)),
        }
    }

    /// Returns a rejected promise.
    pub fn rejected(&self, rejection: &Rejection) -> Promise {
        self.promises.rejected(rejection)
    }

    fn write(&self, client: &WebClient, budget: &Budget, id: u64, payload: Payload<'static>) -> Promise {
        let mut all = self.published.borrow_mut();
        let Some(published) = all.get_mut(&id).filter(|published| !published.has_ended) else {
            return self.promises.rejected(&Rejection::stream_ended());
        };
        let held = budget.take(payload.len()).filter(|_| published.waiting.len() < MAX_WAITING_MESSAGES);
        let Some(held) = held else {
            let message = "too many fragments wait to be sent; wait for the promises of earlier ones";
            return self.promises.rejected(&Rejection::queue_full(message).of_class(ErrorClass::Other));
        };
        let promise = self.next_promise();
        let written = self.promises.create(promise);
        published.waiting.push_back(Step::Write { payload, promise, held });
        self.advance(client, published);
        written
    }

    /// Ends a stream. Returns `false` if it was ended before.
    fn end(&self, client: &WebClient, id: u64, error: Option<PublisherError>) -> bool {
        let mut all = self.published.borrow_mut();
        let Some(published) = all.get_mut(&id).filter(|published| !published.has_ended) else {
            return false;
        };
        published.has_ended = true;
        published.waiting.push_back(Step::End(error));
        self.advance(client, published);
        true
    }

    /// Takes waiting steps until the stream's buffer is full.
    fn advance(&self, client: &WebClient, published: &mut Published) {
        while let Some(step) = published.waiting.pop_front() {
            match step {
                Step::End(error) => client.end_stream(published.number, error),
                Step::Write { payload, promise, held } => {
                    match client.write_stream(published.number, payload) {
                        Ok(()) => self.promises.resolve(promise),
                        Err(WriteRefused::Full(payload)) => {
                            return published.waiting.push_front(Step::Write { payload, promise, held });
                        }
                        Err(refused) => self.promises.reject(promise, &Rejection::write(&refused)),
                    }
                }
            }
        }
    }

    /// Handles an event of the stream that has this number in the running client.
    pub fn handle_event(&self, session: &Rc<ClientSession>, number: u64, event: StreamEvent) {
        let mut all = self.published.borrow_mut();
        let Some((&id, published)) = all.iter_mut().find(|(_, published)| published.number == number) else {
            return;
        };
        match event {
            StreamEvent::Opened => {
                let opening = std::mem::replace(&mut published.promise, self.next_promise());
                published.is_open = true;
                let closed = self.promises.create_handled(published.promise);
                let writer = GroupStreamWriter { id, session: Rc::clone(session), closed };
                self.promises.resolve_with(opening, &writer.into());
            }
            StreamEvent::Writable => {
                if let Some(client) = session.client() {
                    self.advance(&client, published);
                }
            }
            StreamEvent::Closed(outcome) => {
                if let Some(published) = all.remove(&id) {
                    self.settle(published, &outcome.map_err(|failure| Rejection::stream(&failure)));
                }
            }
            _ => {}
        }
    }

    fn settle(&self, published: Published, outcome: &Result<(), Rejection>) {
        let rejection = outcome.as_ref().err().cloned().unwrap_or_else(Rejection::stream_ended);
        for step in published.waiting {
            if let Step::Write { promise, .. } = step {
                self.promises.reject(promise, &rejection);
            }
        }
        if published.is_open && outcome.is_ok() {
            self.promises.resolve(published.promise);
        } else {
            self.promises.reject(published.promise, &rejection);
        }
    }

    fn next_promise(&self) -> f64 {
        let number = self.last_promise.get() + 1.0;
        self.last_promise.set(number);
        number
    }
}

/// An open stream to a group. Its fragments arrive in order and once each, however often the connection is lost and
/// recovered. A stream that is freed or garbage-collected before its end is aborted.
#[wasm_bindgen]
pub struct GroupStreamWriter {
    id: u64,
    session: Rc<ClientSession>,
    closed: Promise,
}

#[wasm_bindgen]
impl GroupStreamWriter {
    /// Resolves when the stream is ended and the service has all of it. Rejects if it ends early: because its connection is
    /// lost for good, or the service ends it.
    #[wasm_bindgen(getter, unchecked_return_type = "Promise<void>")]
    pub fn closed(&self) -> Promise {
        self.closed.clone()
    }

    /// Appends a fragment. Resolves when the stream's buffer has taken it. Fragments keep their order, whether or not the
    /// application waits for that.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn write(
        &self,
        #[wasm_bindgen(unchecked_param_type = "unknown")] content: &JsValue,
        #[wasm_bindgen(js_name = dataType, unchecked_param_type = "DataType")] data_type: &JsValue,
    ) -> Promise {
        match content::read(content, data_type) {
            Ok(payload) => {
                self.with(|streams, client| streams.write(client, self.session.budget(), self.id, payload))
            }
            Err(message) => self.session.streams().rejected(&Rejection::argument(message)),
        }
    }

    /// Ends the stream after the fragments written so far. Settles like `closed`.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn end(&self) -> Promise {
        self.finish(None)
    }

    /// Ends the stream after the fragments written so far, and reports to its subscribers that it is incomplete. Settles
    /// like `closed`.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn abort(&self, error: Option<JsStreamEndError>) -> Promise {
        self.finish(Some(options::publisher_error(error.as_ref())))
    }

    fn finish(&self, error: Option<PublisherError>) -> Promise {
        self.with(|streams, client| {
            let was_open = streams.end(client, self.id, error);
            if was_open { self.closed.clone() } else { streams.rejected(&Rejection::stream_ended()) }
        })
    }

    fn with(&self, action: impl FnOnce(&Streams, &WebClient) -> Promise) -> Promise {
        match self.session.client() {
            Some(client) => action(self.session.streams(), &client),
            None => self.session.streams().rejected(&Rejection::stream_ended()),
        }
    }
}

impl Drop for GroupStreamWriter {
    fn drop(&mut self) {
        if let Some(client) = self.session.client() {
            let error = PublisherError { message: Some("abandoned".to_owned()), user_error_code: None };
            self.session.streams().end(&client, self.id, Some(error));
        }
    }
}
