//! Promises whose ends are kept.

use js_sys::{Error, Function, Promise};
use wasm_bindgen::JsValue;

/// The two ends of a promise.
#[derive(Clone)]
pub struct Ends {
    resolve: Function,
    reject: Function,
}

impl Ends {
    /// Keeps its promise. Calling the ends of a promise never fails.
    pub fn resolve(&self) {
        drop(self.resolve.call0(&JsValue::NULL));
    }

    /// Breaks it, and says why.
    pub fn reject(&self, words: &str) {
        drop(self.reject.call1(&JsValue::NULL, &Error::new(words)));
    }
}

/// A promise with its ends.
pub fn promise() -> (Promise, Option<Ends>) {
    let mut ends = None;
    let promise = Promise::new(&mut |resolve, reject| ends = Some(Ends { resolve, reject }));
    (promise, ends)
}

/// A promise that is broken already.
pub fn broken(words: &str) -> Promise {
    Promise::reject(&Error::new(words))
}
