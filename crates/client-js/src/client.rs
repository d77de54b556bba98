//! The class that JavaScript sees.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use js_sys::{Array, Function, Promise, Reflect};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_client::{
    ClientEvent, ClientOptions, Outgoing, SendRefused,
    web::{Outcome, WebClient},
};
use webpubsub_protocol::{
    name::{EventName, GroupName},
    subprotocol::Subprotocol,
};

use crate::{
    content,
    events::Events,
    promises::{Promises, broken},
};

/// Most messages that may wait for room in the window of unacknowledged ones; one more is refused.
const MAX_WAITING_MESSAGES: usize = 4096;

/// The promise of the first connection has this number; those of requests have their ack ids, which begin with 1.
const START: f64 = 0.0;

/// A message for which the client had no room.
struct Waiting {
    outgoing: Outgoing,
    forgets: bool,
    /// Of its promise: below nought, so that it is no ack id.
    number: f64,
}

struct Shared {
    events: Events,
    promises: Promises,
    waiting: RefCell<VecDeque<Waiting>>,
    last_waiting: Cell<f64>,
    client: RefCell<Option<WebClient>>,
    /// The last group that was published to: most often it is that of the next message, too.
    last_group: RefCell<Option<GroupName>>,
}

#[wasm_bindgen]
extern "C" {
    /// How to send.
    #[wasm_bindgen(typescript_type = "SendOptions")]
    pub type SendOptions;

    #[wasm_bindgen(method, getter, js_name = noEcho)]
    fn no_echo(this: &SendOptions) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = fireAndForget)]
    fn fire_and_forget(this: &SendOptions) -> JsValue;
}

/// A client of one hub.
#[wasm_bindgen]
pub struct WebPubSubClient {
    negotiate_url: String,
    options: ClientOptions,
    shared: Rc<Shared>,
}

#[wasm_bindgen]
impl WebPubSubClient {
    /// A client that will negotiate at `negotiateUrl`, a GET that answers `{"url": …}`.
    ///
    /// # Errors
    /// When a group's name breaks the rules.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(js_name = negotiateUrl)] negotiate_url: String,
        #[wasm_bindgen(unchecked_optional_param_type = "ClientOptions")] options: &JsValue,
    ) -> Result<WebPubSubClient, JsValue> {
        let mut client_options = ClientOptions::new();
        let groups = member(options, "groups");
        if groups.is_truthy() {
            for group in Array::from(&groups) {
                client_options = client_options.join(group_name(&group.as_string().unwrap_or_default())?);
            }
        }
        match member(options, "protocol").as_string().as_deref() {
            None | Some("json.reliable") => {}
            Some("json") => client_options = client_options.prefer(Subprotocol::Json),
            Some("protobuf.reliable") => {
                client_options = client_options.prefer(Subprotocol::ReliableProtobuf)
            }
            Some("protobuf") => client_options = client_options.prefer(Subprotocol::Protobuf),
            Some(other) => {
                let words = format!(
                    "there is no protocol {other:?}: give json.reliable, json, protobuf.reliable or protobuf"
                );
                return Err(js_sys::Error::new(&words).into());
            }
        }
        let shared = Rc::new(Shared {
            events: Events::new(),
            promises: Promises::new(),
            waiting: RefCell::default(),
            last_waiting: Cell::new(0.0),
            client: RefCell::new(None),
            last_group: RefCell::new(None),
        });
        Ok(Self { negotiate_url, options: client_options, shared })
    }

    /// Connects, and keeps connected until stopped. The promise is kept with the first connection, and broken by a
    /// stop before it.
    pub fn start(&self) -> Promise {
        if self.shared.client.borrow().is_some() {
            return broken("the client runs already");
        }
        let started = self.shared.promises.keep(START);
        let shared = Rc::downgrade(&self.shared);
        let client = WebClient::start(self.options.clone(), self.negotiate_url.clone(), move |event| {
            if let Some(shared) = shared.upgrade() {
                shared.told(&event);
            }
        });
        let shared = Rc::downgrade(&self.shared);
        client.on_outcome(move |outcome| {
            if let Some(shared) = shared.upgrade() {
                shared.outcome(outcome);
            }
        });
        *self.shared.client.borrow_mut() = Some(client);
        started
    }

    /// Closes the connection, and makes no other. The event `stopped` is the last; the client may then be started anew.
    pub fn stop(&self) {
        if let Some(client) = self.shared.client.borrow().as_ref() {
            client.stop();
        }
    }

    /// Joins a group, on this connection and on each one to come.
    #[wasm_bindgen(js_name = joinGroup)]
    pub fn join_group(&self, group: &str) -> Promise {
        self.group_request(group, WebClient::join_group)
    }

    /// Leaves a group, and does not join it on connections to come.
    #[wasm_bindgen(js_name = leaveGroup)]
    pub fn leave_group(&self, group: &str) -> Promise {
        self.group_request(group, WebClient::leave_group)
    }

    /// Publishes to a group. The promise is kept when the service has the message, however often the connection is lost
    /// meanwhile, and broken when the service refuses it.
    #[wasm_bindgen(js_name = sendToGroup)]
    pub fn send_to_group(
        &self,
        group: &str,
        #[wasm_bindgen(unchecked_param_type = "unknown")] content: &JsValue,
        #[wasm_bindgen(js_name = dataType, unchecked_param_type = "DataType")] data_type: &str,
        options: Option<SendOptions>,
    ) -> Promise {
        let Some(group) = self.shared.group(group) else { return broken("this is no group name") };
        let outgoing = content::read(content, data_type).map(|payload| Outgoing::to_group(group, payload));
        self.send(outgoing, options.as_ref())
    }

    /// Raises an event at the application's server; see `sendToGroup`.
    #[wasm_bindgen(js_name = sendEvent)]
    pub fn send_event(
        &self,
        name: &str,
        #[wasm_bindgen(unchecked_param_type = "unknown")] content: &JsValue,
        #[wasm_bindgen(js_name = dataType, unchecked_param_type = "DataType")] data_type: &str,
        options: Option<SendOptions>,
    ) -> Promise {
        let Ok(name) = EventName::new(name) else { return broken("this is no event name") };
        let outgoing = content::read(content, data_type).map(|payload| Outgoing::event(name, payload));
        self.send(outgoing, options.as_ref())
    }

    /// Calls `listener` with each event of this name.
    #[wasm_bindgen(skip_typescript)]
    pub fn on(&self, event: &str, listener: &Function) {
        self.shared.events.add(event, listener);
    }

    /// Calls it no more.
    #[wasm_bindgen(skip_typescript)]
    pub fn off(&self, event: &str, listener: &Function) {
        self.shared.events.remove(event, listener);
    }

    fn group_request<E: std::fmt::Display>(
        &self,
        group: &str,
        ask: impl FnOnce(&WebClient, &GroupName) -> Result<u64, E>,
    ) -> Promise {
        let Ok(group) = GroupName::new(group) else { return broken("this is no group name") };
        let asked = match self.shared.client.borrow().as_ref() {
            Some(client) => ask(client, &group).map_err(|refused| refused.to_string()),
            None => Err(NOT_STARTED.to_owned()),
        };
        match asked {
            Ok(ack_id) => self.shared.promises.keep(number(ack_id)),
            Err(words) => broken(&words),
        }
    }

    fn send(&self, outgoing: Result<Outgoing, String>, options: Option<&SendOptions>) -> Promise {
        let outgoing = match outgoing {
            Ok(outgoing) if options.is_some_and(|options| options.no_echo().is_truthy()) => {
                outgoing.without_echo()
            }
            Ok(outgoing) => outgoing,
            Err(words) => return broken(&words),
        };
        let forgets = options.is_some_and(|options| options.fire_and_forget().is_truthy());
        self.shared.send(outgoing, forgets)
    }
}

const NOT_STARTED: &str = "the client was not started";

/// JavaScript's numbers hold every ack id.
#[allow(clippy::cast_precision_loss)]
fn number(ack_id: u64) -> f64 {
    ack_id as f64
}

impl Shared {
    /// The group of this name; `None` for what is no name of a group.
    fn group(&self, name: &str) -> Option<GroupName> {
        let mut last = self.last_group.borrow_mut();
        if last.as_ref().is_none_or(|group| group.as_str() != name) {
            *last = Some(GroupName::new(name).ok()?);
        }
        last.clone()
    }

    /// Sends a message, or lets it wait behind those that wait already.
    fn send(&self, outgoing: Outgoing, forgets: bool) -> Promise {
        if self.client.borrow().is_none() {
            return broken(NOT_STARTED);
        }
        if self.waiting.borrow().is_empty() {
            match self.try_send(outgoing, forgets) {
                Ok(Some(ack_id)) => self.promises.keep(number(ack_id)),
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
        if waiting.len() >= MAX_WAITING_MESSAGES {
            return broken("too many messages wait to be sent; wait until some have been acknowledged");
        }
        let number = self.last_waiting.get() - 1.0;
        self.last_waiting.set(number);
        waiting.push_back(Waiting { outgoing, forgets, number });
        self.promises.keep(number)
    }

    /// Gives the ack id, unless the message is to be forgotten.
    fn try_send(&self, outgoing: Outgoing, forgets: bool) -> Result<Option<u64>, SendRefused> {
        let client = self.client.borrow();
        let Some(client) = client.as_ref() else { return Err(SendRefused::Stopped(outgoing)) };
        if forgets {
            client.send_and_forget(outgoing).map(|()| None)
        } else {
            client.send(outgoing).map(Some)
        }
    }

    fn outcome(&self, outcome: Outcome) {
        match outcome {
            Outcome::Settled { ack_id, outcome: Ok(()) } => self.promises.resolve(number(ack_id)),
            Outcome::Settled { ack_id, outcome: Err(failure) } => {
                self.promises.reject(number(ack_id), &failure.to_string());
            }
            Outcome::Writable => self.send_waiting(),
            _ => {}
        }
    }

    /// Sends what waits, until there is no room again: then the message is in front once more.
    fn send_waiting(&self) {
        loop {
            let Some(Waiting { outgoing, forgets, number: waited }) = self.waiting.borrow_mut().pop_front()
            else {
                return;
            };
            match self.try_send(outgoing, forgets) {
                Ok(Some(ack_id)) => self.promises.renumber(waited, number(ack_id)),
                Ok(None) => self.promises.resolve(waited),
                Err(SendRefused::WindowFull(outgoing)) => {
                    let first = Waiting { outgoing, forgets, number: waited };
                    return self.waiting.borrow_mut().push_front(first);
                }
                Err(refused) => self.promises.reject(waited, &refused.to_string()),
            }
        }
    }

    fn told(&self, event: &ClientEvent) {
        match event {
            ClientEvent::Connected { .. } => self.promises.resolve(START),
            ClientEvent::Stopped => {
                self.waiting.borrow_mut().clear();
                self.promises.reject_all("the client has stopped");
                self.client.borrow_mut().take();
            }
            _ => {}
        }
        self.events.tell(event);
    }
}

/// A member of an object that may be missing itself.
fn member(object: &JsValue, name: &str) -> JsValue {
    if object.is_object() {
        Reflect::get(object, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
    } else {
        JsValue::UNDEFINED
    }
}

fn group_name(name: &str) -> Result<GroupName, JsValue> {
    GroupName::new(name).map_err(|error| js_sys::Error::new(&error.to_string()).into())
}
