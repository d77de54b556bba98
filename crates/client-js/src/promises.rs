//! Promises whose ends are kept.
//!
//! They are made by a few lines of JavaScript: a closure of ours, made and called for each promise, would cost more than
//! all else that a message costs here.

use js_sys::{Error, Promise};
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen(inline_js = "
export function keepPromise() {
  const ends = {};
  ends.promise = new Promise((resolve, reject) => {
    ends.resolve = resolve;
    ends.reject = reject;
  });
  return ends;
}
export const promiseOf = (ends) => ends.promise;
export const resolvePromise = (ends) => ends.resolve();
export const rejectPromise = (ends, words) => ends.reject(new Error(words));
")]
extern "C" {
    /// A promise with its ends.
    #[derive(Clone)]
    pub type Ends;

    #[wasm_bindgen(js_name = keepPromise)]
    fn keep_promise() -> Ends;
    #[wasm_bindgen(js_name = promiseOf)]
    fn promise_of(ends: &Ends) -> Promise;
    #[wasm_bindgen(js_name = resolvePromise)]
    fn resolve_promise(ends: &Ends);
    #[wasm_bindgen(js_name = rejectPromise)]
    fn reject_promise(ends: &Ends, words: &str);
}

impl Ends {
    /// Those of a new promise.
    pub fn new() -> Self {
        keep_promise()
    }

    /// The promise.
    pub fn promise(&self) -> Promise {
        promise_of(self)
    }

    /// Keeps it.
    pub fn resolve(&self) {
        resolve_promise(self);
    }

    /// Breaks it, and says why.
    pub fn reject(&self, words: &str) {
        reject_promise(self, words);
    }
}

/// A promise that is broken already.
pub fn broken(words: &str) -> Promise {
    Promise::reject(&Error::new(words))
}
