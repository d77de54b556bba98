//! One browser WebSocket and its callbacks, released together.

use std::rc::Rc;

use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};
use webpubsub_protocol::close;

/// What a socket tells.
pub(super) enum SocketEvent {
    Opened,
    Text(String),
    Closed { code: u16, reason: String },
}

/// An open or opening WebSocket. Dropping it closes it with code 1000, and silences it at once.
pub(super) struct Socket {
    socket: WebSocket,
    _on_open: Closure<dyn FnMut(Event)>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl Socket {
    /// Opens a WebSocket that offers `subprotocol`.
    ///
    /// # Errors
    /// The browser's words, when it takes the URL for none or forbids it (`ws:` from an `https:` page).
    pub(super) fn open(
        url: &str,
        subprotocol: &str,
        on_event: impl Fn(SocketEvent) + 'static,
    ) -> Result<Self, String> {
        let socket = WebSocket::new_with_str(url, subprotocol).map_err(|error| describe(&error))?;
        let on_event = Rc::new(on_event);
        let on_open = Closure::new({
            let on_event = Rc::clone(&on_event);
            move |_: Event| on_event(SocketEvent::Opened)
        });
        let on_message = Closure::new({
            let on_event = Rc::clone(&on_event);
            move |message: MessageEvent| {
                // The JSON subprotocol has no binary messages; the machine need not know of one.
                if let Some(text) = message.data().as_string() {
                    on_event(SocketEvent::Text(text));
                }
            }
        });
        let on_close = Closure::new(move |event: CloseEvent| {
            on_event(SocketEvent::Closed { code: event.code(), reason: event.reason() });
        });
        socket.set_onopen(Some(Closure::as_ref(&on_open).unchecked_ref()));
        socket.set_onmessage(Some(Closure::as_ref(&on_message).unchecked_ref()));
        socket.set_onclose(Some(Closure::as_ref(&on_close).unchecked_ref()));
        Ok(Self { socket, _on_open: on_open, _on_message: on_message, _on_close: on_close })
    }

    /// Sends a text message. Does nothing when the socket is closing: its close event is on the way.
    pub(super) fn send(&self, text: &str) {
        self.socket.send_with_str(text).unwrap_or_default();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Fails only for codes and reasons that we do not use.
        self.socket.close_with_code(close::NORMAL).unwrap_or_default();
    }
}

fn describe(error: &wasm_bindgen::JsValue) -> String {
    error
        .dyn_ref::<js_sys::Error>()
        .map_or_else(|| format!("{error:?}"), |error| String::from(error.message()))
}
