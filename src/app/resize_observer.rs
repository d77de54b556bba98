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

#[cfg(test)]
mod tests {
    use std::{cell::Cell, rc::Rc};

    use leptos::{html, task::tick};
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::test_page::{Mounted, Stage, next_frame};

    /// Observes an element. Returns how often its size was reported.
    fn observe(stage: &Stage) -> (Mounted, Rc<Cell<u32>>) {
        let reports = Rc::new(Cell::new(0));
        let count = Rc::clone(&reports);
        let mounted = Mounted::new(stage.root(), move || {
            let element = NodeRef::<html::Div>::new();
            use_resize_observer(element, move || count.set(count.get() + 1));
            view! { <div id="element" node_ref=element></div> }
        });
        (mounted, reports)
    }

    /// Waits until sizes are reported: a browser does that after the callbacks of a frame.
    async fn laid_out() {
        next_frame().await;
        next_frame().await;
    }

    #[wasm_bindgen_test]
    async fn the_first_layout_and_each_change_are_reported() {
        let stage = Stage::new();
        let (_mounted, reports) = observe(&stage);
        laid_out().await;
        assert_eq!(reports.get(), 1);
        laid_out().await;
        assert_eq!(reports.get(), 1, "nothing has changed");
        stage.get("#element").style().set_property("height", "77px").unwrap();
        laid_out().await;
        assert_eq!(reports.get(), 2);
    }

    #[wasm_bindgen_test]
    async fn an_observation_ends_with_its_owner() {
        let stage = Stage::new();
        let (mounted, reports) = observe(&stage);
        laid_out().await;
        let element = stage.get("#element");
        drop(mounted);
        tick().await;
        assert_eq!(Rc::strong_count(&reports), 1, "the callback was dropped");
        // The element is in the document again, with another size.
        stage.root().append_child(&element).unwrap();
        element.style().set_property("height", "77px").unwrap();
        laid_out().await;
        assert_eq!(reports.get(), 1);
    }
}
