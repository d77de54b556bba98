//! Events, as JavaScript listens to them.

use std::{cell::RefCell, collections::HashMap};

use js_sys::{Error, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsValue, intern};
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
        let Some(name) = name(event) else { return };
        let Some(listeners) = self.0.borrow().get(name).filter(|listeners| !listeners.is_empty()).cloned()
        else {
            return;
        };
        let value = written(event);
        for listener in listeners {
            // A listener that throws concerns neither the others nor the client: the browser reports a broken promise
            // that nobody looks after, as it reports errors of its own listeners.
            if let Err(error) = listener.call1(&JsValue::NULL, &value) {
                drop(Promise::reject(&error));
            }
        }
    }
}

/// What JavaScript calls an event; `None` for one that it does not hear of.
fn name(event: &ClientEvent) -> Option<&'static str> {
    Some(match event {
        ClientEvent::Connected { .. } => "connected",
        ClientEvent::Disconnected { .. } => "disconnected",
        ClientEvent::Recovering { .. } => "recovering",
        ClientEvent::Recovered => "recovered",
        ClientEvent::Gap { .. } => "gap",
        ClientEvent::GroupMessage { .. } => "group-message",
        ClientEvent::ServerMessage { .. } => "server-message",
        ClientEvent::JoinRefused { .. } => "rejoin-group-failed",
        ClientEvent::Stopped => "stopped",
        _ => return None,
    })
}

/// The object that listeners are given.
fn written(event: &ClientEvent) -> Object {
    let words = |text: &str| JsValue::from_str(text);
    let optional = |text: &Option<String>| text.as_deref().map_or(JsValue::NULL, JsValue::from_str);
    match event {
        ClientEvent::Connected { connection_id, user_id, .. } => {
            object(&[("connectionId", words(connection_id)), ("userId", optional(user_id))])
        }
        ClientEvent::Disconnected { reason } | ClientEvent::Recovering { reason } => {
            object(&[("message", words(&reason.to_string()))])
        }
        ClientEvent::Gap { messages } => {
            // Exact up to 2^53, and no gap is larger.
            #[allow(clippy::cast_precision_loss)]
            let messages = messages.map_or(JsValue::NULL, |messages| JsValue::from_f64(messages as f64));
            object(&[("messages", messages)])
        }
        ClientEvent::GroupMessage { group, from_user_id, payload, .. } => {
            let (data_type, data) = content::written(payload);
            let message = object(&[
                ("group", words(group)),
                ("fromUserId", optional(from_user_id)),
                ("dataType", words(intern(data_type))),
                ("data", data),
            ]);
            object(&[("message", message.into())])
        }
        ClientEvent::ServerMessage { payload, .. } => {
            let (data_type, data) = content::written(payload);
            let message = object(&[("dataType", words(intern(data_type))), ("data", data)]);
            object(&[("message", message.into())])
        }
        ClientEvent::JoinRefused { group, error } => {
            object(&[("group", words(group.as_str())), ("error", Error::new(&error.to_string()).into())])
        }
        _ => object(&[]),
    }
}

/// Names are interned: making the same string anew costs more than all else about a member.
fn object(members: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in members {
        // Fails only for objects that are frozen.
        Reflect::set(&object, &JsValue::from_str(intern(name)), value).unwrap_or_default();
    }
    object
}
