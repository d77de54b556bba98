//! An event listener that ends with its owner.

use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{AddEventListenerOptions, Event, EventTarget};

/// Listens until it is dropped.
pub struct Listener {
    target: EventTarget,
    name: &'static str,
    react: Closure<dyn FnMut(Event)>,
}

impl Listener {
    /// Calls `react` with each event `name`, which cannot be prevented: the browser need not wait before it scrolls.
    pub fn passive<E: JsCast>(
        target: &EventTarget,
        name: &'static str,
        react: impl FnMut(&E) + 'static,
    ) -> Self {
        Self::listen(target, name, true, react)
    }

    /// Calls `react` with each event `name`, which may be prevented.
    pub fn active<E: JsCast>(
        target: &EventTarget,
        name: &'static str,
        react: impl FnMut(&E) + 'static,
    ) -> Self {
        Self::listen(target, name, false, react)
    }

    fn listen<E: JsCast>(
        target: &EventTarget,
        name: &'static str,
        passive: bool,
        mut react: impl FnMut(&E) + 'static,
    ) -> Self {
        let react = Closure::<dyn FnMut(Event)>::new(move |event: Event| react(event.unchecked_ref()));
        let options = AddEventListenerOptions::new();
        options.set_passive(passive);
        // Fails only for arguments that are no function.
        target
            .add_event_listener_with_callback_and_add_event_listener_options(
                name,
                react.as_ref().unchecked_ref(),
                &options,
            )
            .unwrap_or_default();
        Self { target: target.clone(), name, react }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // Fails only for arguments that are no function.
        self.target
            .remove_event_listener_with_callback(self.name, self.react.as_ref().unchecked_ref())
            .unwrap_or_default();
    }
}
