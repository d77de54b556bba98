//! Events, as JavaScript listens to them.

use std::{cell::RefCell, collections::HashMap};

use js_sys::{Error, Function, Object, Promise, Reflect};
use wasm_bindgen::{JsValue, intern, prelude::wasm_bindgen};
use webpubsub_client::ClientEvent;

use crate::content;

/// Who listens to what.
#[derive(Default)]
pub struct Listeners {
    by_event: RefCell<HashMap<String, Vec<Function>>>,
    /// The group of the last message, as JavaScript has it: most often it is that of the next one, too.
    last_group: RefCell<Option<(String, JsValue)>>,
}

impl Listeners {
    /// Calls `listener` with each event of this name.
    pub fn add(&self, name: String, listener: Function) {
        self.by_event.borrow_mut().entry(name).or_default().push(listener);
    }

    /// Calls it no more.
    pub fn remove(&self, name: &str, listener: &Function) {
        if let Some(listeners) = self.by_event.borrow_mut().get_mut(name) {
            listeners.retain(|other| !Object::is(other, listener));
        }
    }

    /// Tells an event to whoever listens to it. A listener may add and remove listeners.
    pub fn tell(&self, event: &ClientEvent) {
        let Some(name) = name(event) else { return };
        let Some(listeners) =
            self.by_event.borrow().get(name).filter(|listeners| !listeners.is_empty()).cloned()
        else {
            return;
        };
        let value = self.written(event);
        for listener in listeners {
            // A listener that throws concerns neither the others nor the client: the browser reports a broken promise
            // that nobody looks after, as it reports errors of its own listeners.
            if let Err(error) = listener.call1(&JsValue::NULL, &value) {
                drop(Promise::reject(&error));
            }
        }
    }

    /// The object that listeners are given.
    fn written(&self, event: &ClientEvent) -> Object {
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
                group_message(&self.group(group), from_user_id.as_deref(), &interned(data_type), &data)
            }
            ClientEvent::ServerMessage { payload, .. } => {
                let (data_type, data) = content::written(payload);
                server_message(&interned(data_type), &data)
            }
            ClientEvent::JoinRefused { group, error } => {
                object(&[("group", words(group.as_str())), ("error", Error::new(&error.to_string()).into())])
            }
            _ => object(&[]),
        }
    }

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

// The events of which there are many, in one step each.
#[wasm_bindgen(inline_js = "
export const groupMessage = (group, fromUserId, dataType, data) => ({
  message: { group, fromUserId: fromUserId ?? null, dataType, data },
});
export const serverMessage = (dataType, data) => ({ message: { dataType, data } });
")]
extern "C" {
    #[wasm_bindgen(js_name = groupMessage)]
    fn group_message(
        group: &JsValue,
        from_user_id: Option<&str>,
        data_type: &JsValue,
        data: &JsValue,
    ) -> Object;
    #[wasm_bindgen(js_name = serverMessage)]
    fn server_message(data_type: &JsValue, data: &JsValue) -> Object;
}

/// A text of which there are few, as JavaScript has it: made once.
fn interned(text: &str) -> JsValue {
    JsValue::from_str(intern(text))
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
