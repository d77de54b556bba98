//! Events of the browser about the network and the page: reasons to check the connection.

use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Event, EventTarget, PageTransitionEvent};

/// Events at the window (or at a worker's global scope) that may mean a changed network or the end of a sleep.
const AT_WINDOW: [&str; 4] = ["online", "offline", RETURNING, LEAVING];
/// Event of a page that the user leaves.
const LEAVING: &str = "pagehide";
/// Event of a page that the user opens, or returns to.
const RETURNING: &str = "pageshow";
/// Events at the document, likewise.
const AT_DOCUMENT: [&str; 1] = ["visibilitychange"];

/// Reason to look after the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nudge {
    /// The network may have changed, or the device or the page may have slept.
    Check,
    /// The page leaves for the browser's cache of pages, where it is frozen, with its socket open.
    Freeze,
    /// The page is back from there.
    Thaw,
}

/// Listens until it is dropped.
pub(super) struct Nudges {
    listening: Vec<(EventTarget, &'static str)>,
    react: Closure<dyn FnMut(Event)>,
}

impl Nudges {
    pub(super) fn listen(mut react: impl FnMut(Nudge) + 'static) -> Self {
        let react = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            let is_kept = event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted);
            match event.type_().as_str() {
                LEAVING if is_kept => react(Nudge::Freeze),
                LEAVING => {}
                RETURNING => react(Nudge::Thaw),
                _ => react(Nudge::Check),
            }
        });
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
