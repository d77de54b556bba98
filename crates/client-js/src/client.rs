//! The class that JavaScript sees.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
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
    events::Listeners,
    promises::{Ends, broken},
};

/// Most messages that may wait for room in the window of unacknowledged ones; one more is refused.
const MAX_WAITING_MESSAGES: usize = 4096;

/// What the promises of a client hang on.
#[derive(Default)]
struct Promises {
    /// By ack id: sent, or kept by the client to be sent.
    pending: HashMap<u64, Ends>,
    /// Messages for which the client had no room.
    waiting: VecDeque<(Outgoing, bool, Ends)>,
    /// Waits for the first connection.
    starting: Option<Ends>,
}

struct Shared {
    listeners: Listeners,
    promises: RefCell<Promises>,
    client: RefCell<Option<WebClient>>,
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
            listeners: Listeners::default(),
            promises: RefCell::default(),
            client: RefCell::new(None),
        });
        Ok(Self { negotiate_url, options: client_options, shared })
    }

    /// Connects, and keeps connected until stopped. The promise is kept with the first connection, and broken by a
    /// stop before it.
    pub fn start(&self) -> Promise {
        if self.shared.client.borrow().is_some() {
            return broken("the client runs already");
        }
        let ends = Ends::new();
        let started = ends.promise();
        self.shared.promises.borrow_mut().starting = Some(ends);
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
        #[wasm_bindgen(unchecked_optional_param_type = "SendOptions")] options: &JsValue,
    ) -> Promise {
        let Ok(group) = GroupName::new(group) else { return broken("this is no group name") };
        let outgoing = content::read(content, data_type).map(|payload| Outgoing::to_group(group, payload));
        self.send(outgoing, options)
    }

    /// Raises an event at the application's server; see `sendToGroup`.
    #[wasm_bindgen(js_name = sendEvent)]
    pub fn send_event(
        &self,
        name: &str,
        #[wasm_bindgen(unchecked_param_type = "unknown")] content: &JsValue,
        #[wasm_bindgen(js_name = dataType, unchecked_param_type = "DataType")] data_type: &str,
        #[wasm_bindgen(unchecked_optional_param_type = "SendOptions")] options: &JsValue,
    ) -> Promise {
        let Ok(name) = EventName::new(name) else { return broken("this is no event name") };
        let outgoing = content::read(content, data_type).map(|payload| Outgoing::event(name, payload));
        self.send(outgoing, options)
    }

    /// Calls `listener` with each event of this name.
    #[wasm_bindgen(skip_typescript)]
    pub fn on(&self, event: String, listener: Function) {
        self.shared.listeners.add(event, listener);
    }

    /// Calls it no more.
    #[wasm_bindgen(skip_typescript)]
    pub fn off(&self, event: &str, listener: &Function) {
        self.shared.listeners.remove(event, listener);
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
            Ok(ack_id) => {
                let ends = Ends::new();
                let done = ends.promise();
                self.shared.promises.borrow_mut().pending.insert(ack_id, ends);
                done
            }
            Err(words) => broken(&words),
        }
    }

    fn send(&self, outgoing: Result<Outgoing, String>, options: &JsValue) -> Promise {
        let outgoing = match outgoing {
            Ok(outgoing) if member(options, "noEcho").is_truthy() => outgoing.without_echo(),
            Ok(outgoing) => outgoing,
            Err(words) => return broken(&words),
        };
        let forgets = member(options, "fireAndForget").is_truthy();
        let ends = Ends::new();
        let done = ends.promise();
        self.shared.send(outgoing, forgets, ends);
        done
    }
}

const NOT_STARTED: &str = "the client was not started";

impl Shared {
    /// Sends a message, or lets it wait behind those that wait already.
    fn send(&self, outgoing: Outgoing, forgets: bool, ends: Ends) {
        if self.promises.borrow().waiting.is_empty() {
            self.try_send(outgoing, forgets, ends);
            return;
        }
        let mut promises = self.promises.borrow_mut();
        if promises.waiting.len() < MAX_WAITING_MESSAGES {
            promises.waiting.push_back((outgoing, forgets, ends));
        } else {
            ends.reject("too many messages wait to be sent; wait until some have been acknowledged");
        }
    }

    fn try_send(&self, outgoing: Outgoing, forgets: bool, ends: Ends) {
        let client = self.client.borrow();
        let Some(client) = client.as_ref() else { return ends.reject(NOT_STARTED) };
        let sent = if forgets {
            client.send_and_forget(outgoing).map(|()| None)
        } else {
            client.send(outgoing).map(Some)
        };
        match sent {
            Ok(Some(ack_id)) => drop(self.promises.borrow_mut().pending.insert(ack_id, ends)),
            Ok(None) => ends.resolve(),
            Err(SendRefused::WindowFull(outgoing)) => {
                self.promises.borrow_mut().waiting.push_front((outgoing, forgets, ends));
            }
            Err(refused) => ends.reject(&refused.to_string()),
        }
    }

    fn outcome(&self, outcome: Outcome) {
        match outcome {
            Outcome::Settled { ack_id, outcome } => {
                let ends = self.promises.borrow_mut().pending.remove(&ack_id);
                match (ends, outcome) {
                    (Some(ends), Ok(())) => ends.resolve(),
                    (Some(ends), Err(failure)) => ends.reject(&failure.to_string()),
                    (None, _) => {}
                }
            }
            Outcome::Writable => self.send_waiting(),
            _ => {}
        }
    }

    /// Sends what waits, until there is no room again: then the message is in front once more.
    fn send_waiting(&self) {
        loop {
            let before = self.promises.borrow().waiting.len();
            let Some((outgoing, forgets, ends)) = self.promises.borrow_mut().waiting.pop_front() else {
                return;
            };
            self.try_send(outgoing, forgets, ends);
            if self.promises.borrow().waiting.len() >= before {
                return;
            }
        }
    }

    fn told(&self, event: &ClientEvent) {
        match event {
            ClientEvent::Connected { .. } => {
                let starting = self.promises.borrow_mut().starting.take();
                if let Some(ends) = starting {
                    ends.resolve();
                }
            }
            ClientEvent::Stopped => {
                let promises = std::mem::take(&mut *self.promises.borrow_mut());
                let waiting = promises.waiting.into_iter().map(|(_, _, ends)| ends);
                for ends in promises.pending.into_values().chain(waiting).chain(promises.starting) {
                    ends.reject("the client has stopped");
                }
                self.client.borrow_mut().take();
            }
            _ => {}
        }
        self.listeners.tell(event);
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
