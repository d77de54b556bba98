//! The size of an element, observed until the owner is cleaned up.
//!
//! `leptos-use-element-size` does the same; it parses numbers from text, which adds 14 KiB to the page, compressed.

use leptos::{html::ElementType, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, ResizeObserver};

/// An observer and the closure that it calls. Disconnects when it is dropped.
struct Observation {
    observer: ResizeObserver,
    _on_resize: Closure<dyn FnMut()>,
}

impl Observation {
    /// Observes an element. `None` where the browser cannot observe sizes.
    fn start(element: &Element, on_resize: impl FnMut() + 'static) -> Option<Self> {
        let on_resize = Closure::<dyn FnMut()>::new(on_resize);
        let observer = ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok()?;
        observer.observe(element);
        Some(Self { observer, _on_resize: on_resize })
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}

/// Calls `on_resize` when an element is laid out first, and whenever its size changes.
pub fn use_resize_observer<T>(element: NodeRef<T>, on_resize: impl Fn() + Clone + 'static)
where
    T: ElementType + 'static,
    T::Output: JsCast + Clone + 'static,
{
    Effect::new(move |_: Option<Option<Observation>>| {
        Observation::start(element.get()?.unchecked_ref(), on_resize.clone())
    });
}
