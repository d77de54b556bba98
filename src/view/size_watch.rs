//! Tells when an element's size changed, until it is dropped.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Element, ResizeObserver};

/// See the [module](self).
pub struct SizeWatch {
    observer: ResizeObserver,
    _react: Closure<dyn FnMut()>,
}

impl SizeWatch {
    /// Calls `react` at once and whenever the size of `element` changed.
    ///
    /// # Errors
    /// What the browser says when it cannot observe sizes.
    pub fn new(element: &Element, react: impl FnMut() + 'static) -> Result<Self, JsValue> {
        let react = Closure::<dyn FnMut()>::new(react);
        let observer = ResizeObserver::new(react.as_ref().unchecked_ref())?;
        observer.observe(element);
        Ok(Self { observer, _react: react })
    }
}

impl Drop for SizeWatch {
    fn drop(&mut self) {
        self.observer.disconnect();
    }
}
