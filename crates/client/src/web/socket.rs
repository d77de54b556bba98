//! One browser WebSocket and its callbacks, released together.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use gloo_timers::callback::Timeout;
use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, WebSocket};
use webpubsub_protocol::{close, subprotocol::Subprotocol};

use super::frame_queue::IncomingFrame;
use crate::{codec::Frame, negotiate::without_queries};

/// Time within which the event `close` follows the event `error`, in milliseconds. Node.js dispatches none after a refused attempt:
/// the socket then counts as closed.
const CLOSE_AFTER_ERROR_MS: u32 = 100;

thread_local! {
    /// Listener for errors of a socket that is no longer used. The package `ws` of Node.js ends the process without one.
    static IGNORE_ERROR: Closure<dyn FnMut(Event)> = Closure::new(|_| {});
}

/// Event of a socket.
pub(super) enum SocketEvent {
    Opened { subprotocol: Option<Subprotocol> },
    Message(IncomingFrame),
    Closed { code: u16, reason: String },
}

/// An open or opening WebSocket. Dropping it closes it without a code, and silences it at once.
pub(super) struct Socket {
    socket: WebSocket,
    /// Upper bound of the bytes that the browser holds: its last answer, and all that was sent since.
    held_at_most: Cell<u32>,
    /// High-water mark, in bytes.
    max_buffered_bytes: u32,
    _on_open: Closure<dyn FnMut(Event)>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
    /// Timer from an error to the end of the socket. Dropping it cancels it.
    _failing: Rc<RefCell<Option<Timeout>>>,
}

impl Socket {
    /// Opens a WebSocket that offers `subprotocols`, in this order.
    ///
    /// # Errors
    /// The browser's words, when it takes the URL for none or forbids it (`ws:` from an `https:` page).
    pub(super) fn open(
        url: &str,
        subprotocols: &[Subprotocol],
        max_buffered_bytes: u32,
        on_event: impl Fn(SocketEvent) + 'static,
    ) -> Result<Self, String> {
        let offered: js_sys::Array =
            subprotocols.iter().map(|subprotocol| JsValue::from(subprotocol.name())).collect();
        let socket = WebSocket::new_with_str_sequence(url, &offered).map_err(|error| describe(&error))?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let on_event = Rc::new(on_event);
        let on_open = Closure::new({
            let (on_event, socket) = (Rc::clone(&on_event), socket.clone());
            move |_: Event| {
                on_event(SocketEvent::Opened { subprotocol: Subprotocol::from_name(&socket.protocol()) });
            }
        });
        let on_message = Closure::new({
            let on_event = Rc::clone(&on_event);
            move |message: MessageEvent| on_event(SocketEvent::Message(message.data().unchecked_into()))
        });
        let on_close = Closure::new({
            let on_event = Rc::clone(&on_event);
            move |event: CloseEvent| {
                on_event(SocketEvent::Closed { code: event.code(), reason: event.reason() });
            }
        });
        let failing = Rc::new(RefCell::new(None));
        let on_error = Closure::new({
            let failing = Rc::clone(&failing);
            move |event: Event| {
                let (on_event, reason) = (Rc::clone(&on_event), reason(&event));
                let closed = SocketEvent::Closed { code: close::ABNORMAL, reason };
                *failing.borrow_mut() = Some(Timeout::new(CLOSE_AFTER_ERROR_MS, move || on_event(closed)));
            }
        });
        socket.set_onopen(Some(Closure::as_ref(&on_open).unchecked_ref()));
        socket.set_onmessage(Some(Closure::as_ref(&on_message).unchecked_ref()));
        socket.set_onclose(Some(Closure::as_ref(&on_close).unchecked_ref()));
        socket.set_onerror(Some(Closure::as_ref(&on_error).unchecked_ref()));
        Ok(Self {
            socket,
            held_at_most: Cell::new(0),
            max_buffered_bytes,
            _on_open: on_open,
            _on_message: on_message,
            _on_close: on_close,
            _on_error: on_error,
            _failing: failing,
        })
    }

    /// Sends a message. Does nothing when the socket is closing: its close event is on the way.
    pub(super) fn send(&self, frame: &Frame) {
        let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        self.held_at_most.set(self.held_at_most.get().saturating_add(bytes));
        match frame {
            Frame::Text(text) => self.socket.send_with_str(text),
            Frame::Binary(bytes) => self.socket.send_with_u8_array(bytes),
        }
        .unwrap_or_default();
        if self.may_be_full() {
            self.held_at_most.set(self.socket.buffered_amount());
        }
    }

    /// Whether the browser holds as many bytes that it has not sent yet as the high-water mark. Asks the browser only when that may be.
    pub(super) fn is_full(&self) -> bool {
        self.may_be_full() && self.socket.buffered_amount() >= self.max_buffered_bytes
    }

    fn may_be_full(&self) -> bool {
        self.held_at_most.get() >= self.max_buffered_bytes
    }

    /// Closes with code 1000: the connection will not be recovered.
    pub(super) fn say_goodbye(self) {
        // Fails only for codes and reasons that we do not use.
        self.socket.close_with_code(close::NORMAL).unwrap_or_default();
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        IGNORE_ERROR.with(|ignore| self.socket.set_onerror(Some(Closure::as_ref(ignore).unchecked_ref())));
        // A close frame without a code, if any: the service keeps the connection. After a farewell it does nothing.
        self.socket.close().unwrap_or_default();
    }
}

/// Returns the reason of an error event. Browsers give none.
fn reason(event: &Event) -> String {
    let message = Reflect::get(event, &"message".into()).ok().and_then(|message| message.as_string());
    without_queries(&message.unwrap_or_default())
}

/// What the browser says of an error, without the tokens in it: browsers put whole URLs into their words.
pub(super) fn describe(error: &JsValue) -> String {
    // Not by its type: an error of another window has another.
    let message = Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    without_queries(&message.unwrap_or_else(|| format!("{error:?}")))
}
