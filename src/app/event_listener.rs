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

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use leptos::{html, task::tick};
    use wasm_bindgen_test::wasm_bindgen_test;
    use web_sys::Event;

    use super::*;
    use crate::test_page::{Mounted, Stage, bubbling_event};

    /// Names of the events that a handler received.
    type Received = Rc<RefCell<Vec<String>>>;

    /// Returns a handler that tries to prevent what it receives.
    fn preventing(received: &Received) -> impl Fn(&Event) + Clone + 'static {
        let received = Rc::clone(received);
        move |event: &Event| {
            event.prevent_default();
            received.borrow_mut().push(event.type_());
        }
    }

    #[wasm_bindgen_test]
    fn a_listener_of_the_window_ends_with_its_owner_and_only_some_prevent() {
        let window: EventTarget = web_sys::window().unwrap().into();
        let (received, owner) = (Received::default(), Owner::default());
        owner.with(|| {
            use_event_listener(&window, "observed", preventing(&received));
            use_preventing_listener(&window, "prevented", preventing(&received));
        });
        let dispatch = |name| window.dispatch_event(&bubbling_event(name)).unwrap();
        assert_eq!((dispatch("observed"), dispatch("prevented")), (true, false));
        assert_eq!(*received.borrow(), ["observed", "prevented"]);
        owner.cleanup();
        assert_eq!((dispatch("observed"), dispatch("prevented")), (true, true));
        assert_eq!(received.borrow().len(), 2);
        assert_eq!(Rc::strong_count(&received), 1, "the handlers were dropped");
    }

    #[wasm_bindgen_test]
    async fn a_passive_listener_of_an_element_ends_with_its_owner() {
        let (stage, received) = (Stage::new(), Received::default());
        let handler = preventing(&received);
        let mounted = Mounted::new(stage.root(), move || {
            let element = NodeRef::<html::Div>::new();
            use_passive_listener(element, "wheel", handler);
            view! { <div id="element" node_ref=element></div> }
        });
        tick().await;
        let element = stage.get("#element");
        assert!(element.dispatch_event(&bubbling_event("wheel")).unwrap(), "the browser scrolls");
        assert_eq!(received.borrow().len(), 1);
        drop(mounted);
        tick().await;
        assert!(element.dispatch_event(&bubbling_event("wheel")).unwrap());
        assert_eq!((received.borrow().len(), Rc::strong_count(&received)), (1, 1));
    }

    #[wasm_bindgen_test]
    async fn a_passive_listener_follows_the_reference_to_another_element() {
        let (stage, received) = (Stage::new(), Received::default());
        let handler = preventing(&received);
        let is_shown = RwSignal::new(true);
        let _mounted = Mounted::new(stage.root(), move || {
            let element = NodeRef::<html::Div>::new();
            use_passive_listener(element, "wheel", handler);
            view! {
                <Show when=move || is_shown.get()>
                    <div id="element" node_ref=element></div>
                </Show>
            }
        });
        tick().await;
        let first = stage.get("#element");
        for shown in [false, true] {
            is_shown.set(shown);
            tick().await;
        }
        for element in [first, stage.get("#element")] {
            element.dispatch_event(&bubbling_event("wheel")).unwrap();
        }
        assert_eq!(received.borrow().len(), 1, "the first element has no listener left");
    }
}
