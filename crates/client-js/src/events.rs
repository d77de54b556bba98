//! Events, as JavaScript listens to them.

use std::cell::RefCell;

use js_sys::{Error, Object, Reflect};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_client::ClientEvent;
use webpubsub_protocol::{payload::Payload, stream::StreamInfo};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// Who listens to what.
    type Listeners;

    #[wasm_bindgen(constructor)]
    fn new() -> Listeners;
    #[wasm_bindgen(method)]
    fn add(this: &Listeners, name: &JsValue, listener: &JsValue);
    #[wasm_bindgen(method)]
    fn remove(this: &Listeners, name: &JsValue, listener: &JsValue);
    #[wasm_bindgen(method)]
    fn tell(this: &Listeners, name: &str, event: &Object);

    #[wasm_bindgen(method)]
    fn fragment(this: &Listeners, stream: &Object);

    // A message of a group, or, where that is `undefined`, of the server: in one step each, for there are many.
    #[wasm_bindgen(method)]
    fn text(this: &Listeners, group: &JsValue, from_user_id: Option<&str>, text: &str);
    #[wasm_bindgen(method)]
    fn json(this: &Listeners, group: &JsValue, from_user_id: Option<&str>, json: &str);
    #[wasm_bindgen(method)]
    fn bytes(this: &Listeners, group: &JsValue, from_user_id: Option<&str>, data_type: &str, bytes: &[u8]);
}

/// Tells events to whoever listens to them.
pub struct Events {
    listeners: Listeners,
    /// The group of the last message, as JavaScript has it: most often it is that of the next one, too.
    last_group: RefCell<Option<(String, JsValue)>>,
}

impl Events {
    /// Nobody listens.
    pub fn new() -> Self {
        Self { listeners: Listeners::new(), last_group: RefCell::default() }
    }

    /// Calls `listener` with each event of this name.
    pub fn add(&self, name: &JsValue, listener: &JsValue) {
        self.listeners.add(name, listener);
    }

    /// Calls it no more.
    pub fn remove(&self, name: &JsValue, listener: &JsValue) {
        self.listeners.remove(name, listener);
    }

    /// Tells an event. A listener may add and remove listeners.
    pub fn tell(&self, event: &ClientEvent) {
        match event {
            ClientEvent::GroupMessage { group, from_user_id, payload, stream, .. } => {
                if let Some(stream) = stream {
                    self.listeners.fragment(&place_in(stream));
                }
                self.tell_message(&self.group(group), from_user_id.as_deref(), payload);
            }
            ClientEvent::ServerMessage { payload, .. } => {
                self.tell_message(&JsValue::UNDEFINED, None, payload);
            }
            _ => {
                if let Some((name, event)) = written(event) {
                    self.listeners.tell(name, &event);
                }
            }
        }
    }

    fn tell_message(&self, group: &JsValue, from_user_id: Option<&str>, payload: &Payload<'_>) {
        match payload {
            Payload::Text(text) => self.listeners.text(group, from_user_id, text),
            Payload::Json(json) => self.listeners.json(group, from_user_id, json),
            Payload::Binary(bytes) => self.listeners.bytes(group, from_user_id, "binary", bytes),
            Payload::Protobuf(bytes) => self.listeners.bytes(group, from_user_id, "protobuf", bytes),
        }
    }

    /// The last group is kept as JavaScript has it.
    fn group(&self, group: &str) -> JsValue {
        let mut last = self.last_group.borrow_mut();
        match &*last {
            Some((name, value)) if name == group => value.clone(),
            _ => {
                let value = JsValue::from_str(group);
                *last = Some((group.to_owned(), value.clone()));
                value
            }
        }
    }
}

/// What JavaScript calls an event of which there are few, and the object that listeners are given; `None` for one that it
/// does not hear of.
fn written(event: &ClientEvent) -> Option<(&'static str, Object)> {
    let words = |text: &str| JsValue::from_str(text);
    let optional = |text: &Option<String>| text.as_deref().map_or(JsValue::NULL, JsValue::from_str);
    Some(match event {
        ClientEvent::Connected { connection_id, user_id, .. } => {
            ("connected", object(&[("connectionId", words(connection_id)), ("userId", optional(user_id))]))
        }
        ClientEvent::ConnectFailed { failure } => {
            ("connect-failed", object(&[("message", words(&failure.to_string()))]))
        }
        ClientEvent::Disconnected { reason } => {
            ("disconnected", object(&[("message", words(&reason.to_string()))]))
        }
        ClientEvent::Recovering { reason } => {
            ("recovering", object(&[("message", words(&reason.to_string()))]))
        }
        ClientEvent::Recovered => ("recovered", object(&[])),
        ClientEvent::Gap { messages } => {
            // Exact up to 2^53, and no gap is larger.
            #[allow(clippy::cast_precision_loss)]
            let messages = messages.map_or(JsValue::NULL, |messages| JsValue::from_f64(messages as f64));
            ("gap", object(&[("messages", messages)]))
        }
        ClientEvent::JoinRefused { group, error } => (
            "rejoin-group-failed",
            object(&[("group", words(group.as_str())), ("error", Error::new(&error.to_string()).into())]),
        ),
        ClientEvent::Stopped => ("stopped", object(&[])),
        _ => return None,
    })
}

/// Where in a stream a message belongs, in the words of the official SDK.
fn place_in(stream: &StreamInfo) -> Object {
    let optional = |text: &Option<String>| text.as_deref().map_or(JsValue::UNDEFINED, JsValue::from_str);
    // Exact up to 2^53.
    #[allow(clippy::cast_precision_loss)]
    let number = JsValue::from_f64(stream.stream_sequence_id as f64);
    let mut members = vec![
        ("streamId", JsValue::from_str(&stream.stream_id)),
        ("streamSequenceId", number),
        ("endOfStream", JsValue::from_bool(stream.end_of_stream)),
    ];
    if let Some(error) = &stream.error {
        let error = object(&[
            ("name", JsValue::from_str(&error.name)),
            ("message", optional(&error.message)),
            ("userErrorCode", optional(&error.user_error_code)),
        ]);
        members.push(("error", error.into()));
    }
    object(&members)
}

/// An object with these members.
pub fn object(members: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in members {
        // Fails only for objects that are frozen.
        Reflect::set(&object, &JsValue::from_str(name), value).unwrap_or_default();
    }
    object
}
