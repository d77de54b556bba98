//! Events of the element, with their details as the host page receives them.

use js_sys::Function;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;
use webpubsub_client::ClientEvent;
use webpubsub_protocol::payload::Payload;

/// Emits events to the host page.
#[derive(Clone)]
pub struct ElementEvents {
    emit: Function,
    wants_messages: Function,
}

/// Detail of `tailcast-connected`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connected<'a> {
    connection_id: &'a str,
    user_id: Option<&'a str>,
}

/// Detail of `tailcast-disconnected`.
#[derive(Serialize)]
struct Disconnected {
    reason: String,
}

/// Detail of `tailcast-gap`: the number of missing messages, or `null` if it is unknown.
#[derive(Serialize)]
struct Gap {
    messages: Option<u64>,
}

/// Detail of `tailcast-error`.
#[derive(Serialize)]
struct Failure<'a> {
    message: &'a str,
}

/// Detail of `tailcast-message`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    group: Option<&'a str>,
    from_user_id: Option<&'a str>,
    data_type: &'static str,
    /// A string, what JSON describes, or a `Uint8Array`.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    data: JsValue,
}

impl ElementEvents {
    /// Returns events that are passed to `emit`; messages only while `wants_messages` returns true.
    #[must_use]
    pub fn new(emit: Function, wants_messages: Function) -> Self {
        Self { emit, wants_messages }
    }

    /// Emits that the viewer has started.
    pub fn ready(&self) {
        self.call("ready", &JsValue::UNDEFINED);
    }

    /// Emits an error.
    pub fn error(&self, message: &str) {
        self.send("error", &Failure { message });
    }

    /// Emits an event of a client, if the host page is to know of it.
    pub fn emit(&self, event: &ClientEvent) {
        match event {
            ClientEvent::Connected { connection_id, user_id, .. } => {
                self.send("connected", &Connected { connection_id, user_id: user_id.as_deref() });
            }
            ClientEvent::Disconnected { reason } => {
                self.send("disconnected", &Disconnected { reason: reason.to_string() });
            }
            ClientEvent::Gap { messages } => self.send("gap", &Gap { messages: *messages }),
            ClientEvent::ConnectFailed { failure } => self.error(&failure.to_string()),
            ClientEvent::JoinRefused { group, error } => {
                self.error(&format!("not allowed to join group `{group}`: {}", error.message));
            }
            ClientEvent::GroupMessage { group, from_user_id, payload, .. } => {
                self.message(Some(group), from_user_id.as_deref(), payload);
            }
            ClientEvent::ServerMessage { payload, .. } => self.message(None, None, payload),
            _ => {}
        }
    }

    fn message(&self, group: Option<&str>, from_user_id: Option<&str>, payload: &Payload<'_>) {
        if !self.wants_messages.call0(&JsValue::NULL).is_ok_and(|wants| wants.is_truthy()) {
            return;
        }
        let (data_type, data) = match payload {
            Payload::Text(text) => ("text", JsValue::from_str(text)),
            // The service sends valid JSON only.
            Payload::Json(json) => ("json", js_sys::JSON::parse(json).unwrap_or(JsValue::NULL)),
            Payload::Binary(bytes) | Payload::Protobuf(bytes) => {
                ("binary", js_sys::Uint8Array::from(&**bytes).into())
            }
        };
        self.send("message", &Message { group, from_user_id, data_type, data });
    }

    fn send(&self, name: &str, detail: &impl Serialize) {
        match detail.serialize(&Serializer::new().serialize_missing_as_null(true)) {
            Ok(detail) => self.call(name, &detail),
            Err(error) => leptos::logging::error!("the detail of {name} cannot be passed on: {error}"),
        }
    }

    /// Calls the host page. What a listener of its throws is reported by the browser.
    fn call(&self, name: &str, detail: &JsValue) {
        if let Err(error) = self.emit.call2(&JsValue::NULL, &JsValue::from_str(name), detail) {
            leptos::logging::error!("the event {name} cannot be emitted: {error:?}");
        }
    }
}
