//! Listeners on targets that no component owns, and passive listeners, which `on:` does not offer. They end with their owner.

use gloo_events::{EventListener, EventListenerOptions};
use leptos::{html::ElementType, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::EventTarget;

/// Listens to events of the document or the window. The handler cannot prevent them.
pub fn use_event_listener<E: JsCast>(
    target: &EventTarget,
    name: &'static str,
    handler: impl Fn(&E) + 'static,
) {
    listen(target, name, EventListenerOptions::default(), handler);
}

/// Listens to events of the document or the window that the handler may prevent.
pub fn use_preventing_listener<E: JsCast>(
    target: &EventTarget,
    name: &'static str,
    handler: impl Fn(&E) + 'static,
) {
    listen(target, name, EventListenerOptions::enable_prevent_default(), handler);
}

fn listen<E: JsCast>(
    target: &EventTarget,
    name: &'static str,
    options: EventListenerOptions,
    handler: impl Fn(&E) + 'static,
) {
    let listener = EventListener::new_with_options(target, name, options, move |event| {
        handler(event.unchecked_ref());
    });
    // Dropped with the owner.
    StoredValue::new_local(listener);
}

/// Listens passively to events of an element: the browser scrolls without waiting for the handler.
pub fn use_passive_listener<T, E>(
    element: NodeRef<T>,
    name: &'static str,
    handler: impl Fn(&E) + Clone + 'static,
) where
    T: ElementType + 'static,
    T::Output: JsCast + Clone + 'static,
    E: JsCast,
{
    Effect::new(move |_: Option<Option<EventListener>>| {
        let handler = handler.clone();
        element.get().map(|element| {
            EventListener::new(element.unchecked_ref(), name, move |event| handler(event.unchecked_ref()))
        })
    });
}
