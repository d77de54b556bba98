//! What the browser tells of the network and of the page: a reason to look after the connection.

use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Event, EventTarget};

/// Events at the window (or at a worker's global scope) that may mean a changed network or the end of a sleep.
const AT_WINDOW: [&str; 3] = ["online", "offline", "pageshow"];
/// Events at the document, likewise.
const AT_DOCUMENT: [&str; 1] = ["visibilitychange"];

/// Listens until it is dropped.
pub(super) struct Nudges {
    listening: Vec<(EventTarget, &'static str)>,
    react: Closure<dyn FnMut(Event)>,
}

impl Nudges {
    pub(super) fn listen(mut react: impl FnMut() + 'static) -> Self {
        let react = Closure::<dyn FnMut(Event)>::new(move |_| react());
        let window: Option<EventTarget> = js_sys::global().dyn_into().ok();
        let document = web_sys::window().and_then(|window| window.document()).map(EventTarget::from);
        let at_window = window.into_iter().flat_map(|target| AT_WINDOW.map(|name| (target.clone(), name)));
        let at_document =
            document.into_iter().flat_map(|target| AT_DOCUMENT.map(|name| (target.clone(), name)));
        let listening: Vec<_> = at_window.chain(at_document).collect();
        for (target, name) in &listening {
            // Fails only for arguments that are no function.
            target.add_event_listener_with_callback(name, react.as_ref().unchecked_ref()).unwrap_or_default();
        }
        Self { listening, react }
    }
}

impl Drop for Nudges {
    fn drop(&mut self) {
        for (target, name) in &self.listening {
            // Fails only for arguments that are no function.
            target
                .remove_event_listener_with_callback(name, self.react.as_ref().unchecked_ref())
                .unwrap_or_default();
        }
    }
}
