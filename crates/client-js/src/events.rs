//! Events, as JavaScript listens to them.

use std::{cell::RefCell, collections::HashMap};

use js_sys::{Error, Function, Object, Promise, Reflect};
use wasm_bindgen::JsValue;
use webpubsub_client::ClientEvent;

use crate::content;

/// Who listens to what.
#[derive(Default)]
pub struct Listeners(RefCell<HashMap<String, Vec<Function>>>);

impl Listeners {
    /// Calls `listener` with each event of this name.
    pub fn add(&self, name: String, listener: Function) {
        self.0.borrow_mut().entry(name).or_default().push(listener);
    }

    /// Calls it no more.
    pub fn remove(&self, name: &str, listener: &Function) {
        if let Some(listeners) = self.0.borrow_mut().get_mut(name) {
            listeners.retain(|other| !Object::is(other, listener));
        }
    }

    /// Tells an event to whoever listens to it. A listener may add and remove listeners.
    pub fn tell(&self, event: &ClientEvent) {
        let Some((name, value)) = written(event) else { return };
        let listeners = self.0.borrow().get(name).cloned().unwrap_or_default();
        for listener in listeners {
            // A listener that throws concerns neither the others nor the client: the browser reports a broken promise
            // that nobody looks after, as it reports errors of its own listeners.
            if let Err(error) = listener.call1(&JsValue::NULL, &value) {
                drop(Promise::reject(&error));
            }
        }
    }
}

/// Name and object of an event; `None` for one that JavaScript does not hear of.
fn written(event: &ClientEvent) -> Option<(&'static str, Object)> {
    let words = |text: &str| JsValue::from_str(text);
    let optional = |text: &Option<String>| text.as_deref().map_or(JsValue::NULL, JsValue::from_str);
    Some(match event {
        ClientEvent::Connected { connection_id, user_id, .. } => {
            ("connected", object(&[("connectionId", words(connection_id)), ("userId", optional(user_id))]))
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
        ClientEvent::GroupMessage { group, from_user_id, payload, .. } => {
            let (data_type, data) = content::written(payload);
            let message = object(&[
                ("group", words(group)),
                ("fromUserId", optional(from_user_id)),
                ("dataType", words(data_type)),
                ("data", data),
            ]);
            ("group-message", object(&[("message", message.into())]))
        }
        ClientEvent::ServerMessage { payload, .. } => {
            let (data_type, data) = content::written(payload);
            let message = object(&[("dataType", words(data_type)), ("data", data)]);
            ("server-message", object(&[("message", message.into())]))
        }
        ClientEvent::JoinRefused { group, error } => (
            "rejoin-group-failed",
            object(&[("group", words(group.as_str())), ("error", Error::new(&error.to_string()).into())]),
        ),
        ClientEvent::Stopped => ("stopped", object(&[])),
        _ => return None,
    })
}

fn object(members: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in members {
        // Fails only for objects that are frozen.
        Reflect::set(&object, &JsValue::from_str(name), value).unwrap_or_default();
    }
    object
}
