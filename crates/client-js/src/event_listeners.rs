//! Dispatch of events to the listeners of JavaScript.

use std::cell::RefCell;

use serde::Serialize;
use serde_wasm_bindgen::{Serializer, preserve};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};
use webpubsub_client::ClientEvent;
use webpubsub_protocol::{payload::Payload, stream::StreamInfo};

use crate::rejection::connect_code;

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// Listeners by the name of their event.
    type Listeners;

    #[wasm_bindgen(constructor)]
    fn new() -> Listeners;
    #[wasm_bindgen(method)]
    fn add(this: &Listeners, name: &JsValue, listener: &JsValue);
    #[wasm_bindgen(method)]
    fn remove(this: &Listeners, name: &JsValue, listener: &JsValue);
    #[wasm_bindgen(method)]
    fn dispatch(this: &Listeners, name: &str, event: &JsValue);

    #[wasm_bindgen(method)]
    fn fragment(this: &Listeners, stream: &JsValue);

    // A message of a group, or of the server if `group` is `undefined`. One call each, without a serialized object: at
    // thousands of messages a second, every further call between WebAssembly and JavaScript counts.
    #[wasm_bindgen(method)]
    fn text(
        this: &Listeners,
        group: &JsValue,
        from_user_id: Option<&str>,
        sequence_id: Option<f64>,
        text: &str,
    );
    #[wasm_bindgen(method)]
    fn json(
        this: &Listeners,
        group: &JsValue,
        from_user_id: Option<&str>,
        sequence_id: Option<f64>,
        json: &str,
    );
    #[wasm_bindgen(method)]
    fn bytes(
        this: &Listeners,
        group: &JsValue,
        from_user_id: Option<&str>,
        sequence_id: Option<f64>,
        data_type: &str,
        bytes: &[u8],
    );
}

/// Dispatches events to their listeners.
pub struct EventListeners {
    listeners: Listeners,
    /// The group of the last message as a string of JavaScript: mostly, the next message has the same one.
    last_group: RefCell<Option<(String, JsValue)>>,
    /// Id of the last connection.
    connection_id: RefCell<Option<String>>,
}

impl EventListeners {
    /// Creates a dispatcher without listeners.
    pub fn new() -> Self {
        Self {
            listeners: Listeners::new(),
            last_group: RefCell::default(),
            connection_id: RefCell::default(),
        }
    }

    /// Adds a listener for the events of this name.
    pub fn add(&self, name: &JsValue, listener: &JsValue) {
        self.listeners.add(name, listener);
    }

    /// Removes a listener.
    pub fn remove(&self, name: &JsValue, listener: &JsValue) {
        self.listeners.remove(name, listener);
    }

    /// Dispatches an event. A listener may add and remove listeners.
    pub fn dispatch(&self, event: &ClientEvent) {
        match event {
            ClientEvent::GroupMessage { group, from_user_id, payload, stream, sequence_id, .. } => {
                if let Some(stream) = stream {
                    self.listeners.fragment(&stream_position(stream));
                }
                let sequence_id = sequence_id.map(number);
                self.dispatch_message(&self.group(group), from_user_id.as_deref(), sequence_id, payload);
            }
            ClientEvent::ServerMessage { payload, .. } => {
                self.dispatch_message(&JsValue::UNDEFINED, None, None, payload);
            }
            _ => {
                if let ClientEvent::Connected { connection_id, .. } = event {
                    *self.connection_id.borrow_mut() = Some(connection_id.clone());
                }
                let connection_id = self.connection_id.borrow().clone();
                if let Some((name, detail)) = detail(event, connection_id.as_deref()) {
                    self.listeners.dispatch(name, &detail.to_object());
                }
            }
        }
    }

    /// Dispatches the refusal of a join that the client requested itself, on a new connection.
    pub fn dispatch_refused_join(&self, group: &str, error: JsValue) {
        self.listeners.dispatch("rejoin-group-failed", &Detail::JoinRefused { group, error }.to_object());
    }

    fn dispatch_message(
        &self,
        group: &JsValue,
        from_user_id: Option<&str>,
        sequence_id: Option<f64>,
        payload: &Payload<'_>,
    ) {
        let listeners = &self.listeners;
        match payload {
            Payload::Text(text) => listeners.text(group, from_user_id, sequence_id, text),
            Payload::Json(json) => listeners.json(group, from_user_id, sequence_id, json),
            Payload::Binary(bytes) => listeners.bytes(group, from_user_id, sequence_id, "binary", bytes),
            Payload::Protobuf(bytes) => listeners.bytes(group, from_user_id, sequence_id, "protobuf", bytes),
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

/// The object that listeners receive. Messages have none: see [`Listeners`].
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Detail<'e> {
    Connected {
        connection_id: &'e str,
        user_id: Option<&'e str>,
    },
    ConnectFailed {
        message: String,
        code: &'static str,
    },
    Disconnected {
        connection_id: Option<&'e str>,
        message: Reason,
    },
    Recovering {
        message: String,
    },
    Gap {
        messages: Option<f64>,
    },
    JoinRefused {
        group: &'e str,
        #[serde(serialize_with = "preserve::serialize")]
        error: JsValue,
    },
    Empty {},
}

/// Reason of a lost connection, in the form of the service's own message.
#[derive(Serialize)]
struct Reason {
    kind: &'static str,
    message: String,
}

impl Detail<'_> {
    fn to_object(&self) -> JsValue {
        // What is missing is `null` in an event. There is nothing here that cannot be serialized.
        self.serialize(&Serializer::new().serialize_missing_as_null(true)).unwrap_or_default()
    }
}

/// Returns the name and the detail of an event; `None` for one that is not exposed to JavaScript.
fn detail<'e>(event: &'e ClientEvent, connection_id: Option<&'e str>) -> Option<(&'static str, Detail<'e>)> {
    Some(match event {
        ClientEvent::Connected { connection_id, user_id, .. } => {
            ("connected", Detail::Connected { connection_id, user_id: user_id.as_deref() })
        }
        ClientEvent::ConnectFailed { failure } => {
            let (message, code) = (failure.to_string(), connect_code(failure));
            ("connect-failed", Detail::ConnectFailed { message, code })
        }
        ClientEvent::Disconnected { reason } => {
            let message = Reason { kind: "disconnected", message: reason.to_string() };
            ("disconnected", Detail::Disconnected { connection_id, message })
        }
        ClientEvent::Recovering { reason } => {
            ("recovering", Detail::Recovering { message: reason.to_string() })
        }
        ClientEvent::Recovered => ("recovered", Detail::Empty {}),
        ClientEvent::Gap { messages } => ("gap", Detail::Gap { messages: messages.map(number) }),
        ClientEvent::Stopped => ("stopped", Detail::Empty {}),
        _ => return None,
    })
}

/// The position of a message in its stream, with the names of the official SDK.
fn stream_position(stream: &StreamInfo) -> JsValue {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Position<'s> {
        stream_id: &'s str,
        stream_sequence_id: f64,
        end_of_stream: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<EndError<'s>>,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct EndError<'s> {
        name: &'s str,
        message: Option<&'s str>,
        user_error_code: Option<&'s str>,
    }

    let error = stream.error.as_ref().map(|error| EndError {
        name: &error.name,
        message: error.message.as_deref(),
        user_error_code: error.user_error_code.as_deref(),
    });
    let position = Position {
        stream_id: &stream.stream_id,
        stream_sequence_id: number(stream.stream_sequence_id),
        end_of_stream: stream.end_of_stream,
        error,
    };
    // There is nothing here that cannot be serialized.
    serde_wasm_bindgen::to_value(&position).unwrap_or_default()
}

/// Converts a count to a number of JavaScript. Not as `u64`, whose serialization fails above 2^53: a number that is not
/// exact there is better than an event that is not dispatched.
#[allow(clippy::cast_precision_loss)]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use js_sys::JSON;
    use wasm_bindgen_test::wasm_bindgen_test;
    use webpubsub_client::{ConnectFailure, Disconnect};
    use webpubsub_protocol::{stream::StreamError, subprotocol::Subprotocol};

    use super::*;

    fn json(value: &JsValue) -> String {
        JSON::stringify(value).unwrap().into()
    }

    fn dispatched(event: &ClientEvent) -> Option<(&'static str, String)> {
        detail(event, Some("c")).map(|(name, detail)| (name, json(&detail.to_object())))
    }

    #[wasm_bindgen_test]
    fn details_have_the_documented_properties() {
        let connected = |user_id: Option<&str>| ClientEvent::Connected {
            connection_id: "c".to_owned(),
            user_id: user_id.map(str::to_owned),
            subprotocol: Subprotocol::Json,
            history: None,
        };
        let failure = ConnectFailure::NegotiateAddress { url: "x".to_owned() };
        let message = r#"{"message":"stopped"}"#;
        let disconnected = r#"{"connectionId":"c","message":{"kind":"disconnected","message":"stopped"}}"#;
        for (event, name, expected) in [
            (connected(Some("ada")), "connected", r#"{"connectionId":"c","userId":"ada"}"#),
            (connected(None), "connected", r#"{"connectionId":"c","userId":null}"#),
            (
                ClientEvent::ConnectFailed { failure: failure.clone() },
                "connect-failed",
                &format!(r#"{{"message":"{failure}","code":"InvalidUrl"}}"#),
            ),
            (ClientEvent::Disconnected { reason: Disconnect::Stopped }, "disconnected", disconnected),
            (ClientEvent::Recovering { reason: Disconnect::Stopped }, "recovering", message),
            (ClientEvent::Recovered, "recovered", "{}"),
            (ClientEvent::Gap { messages: Some(3) }, "gap", r#"{"messages":3}"#),
            (ClientEvent::Gap { messages: Some(u64::MAX) }, "gap", r#"{"messages":18446744073709552000}"#),
            (ClientEvent::Gap { messages: None }, "gap", r#"{"messages":null}"#),
            (ClientEvent::Stopped, "stopped", "{}"),
        ] {
            assert_eq!(dispatched(&event), Some((name, expected.to_owned())));
        }
        assert_eq!(dispatched(&ClientEvent::Connecting), None);
    }

    #[wasm_bindgen_test]
    fn a_stream_position_has_an_error_only_if_the_stream_failed() {
        let mut stream = StreamInfo {
            stream_id: "s".to_owned(),
            stream_sequence_id: 7,
            end_of_stream: false,
            error: None,
        };
        let position = r#"{"streamId":"s","streamSequenceId":7,"endOfStream":false"#;
        assert_eq!(json(&stream_position(&stream)), format!("{position}}}"));
        stream.error = Some(StreamError {
            name: "UserError".to_owned(),
            message: Some("failed".to_owned()),
            user_error_code: None,
        });
        let error = r#""error":{"name":"UserError","message":"failed"}"#;
        assert_eq!(json(&stream_position(&stream)), format!("{position},{error}}}"));
    }
}
