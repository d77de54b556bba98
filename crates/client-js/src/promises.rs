//! The promises that a client gave and has yet to keep.

use js_sys::{Error, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// Promises by the number of what they wait for.
    pub type Promises;

    /// None.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Promises;

    /// A new promise.
    #[wasm_bindgen(method)]
    pub fn keep(this: &Promises, number: f64) -> Promise;

    /// The promise of `number` waits for `other` from here on.
    #[wasm_bindgen(method)]
    pub fn renumber(this: &Promises, number: f64, other: f64);

    /// Keeps it, if there is one.
    #[wasm_bindgen(method)]
    pub fn resolve(this: &Promises, number: f64);

    /// Keeps it, if there is one, with a value.
    #[wasm_bindgen(method, js_name = resolve)]
    pub fn resolve_with(this: &Promises, number: f64, value: &JsValue);

    /// A new promise that nobody need look after.
    #[wasm_bindgen(method, js_name = keepQuietly)]
    pub fn keep_quietly(this: &Promises, number: f64) -> Promise;

    /// Breaks it, if there is one, and says why.
    #[wasm_bindgen(method)]
    pub fn reject(this: &Promises, number: f64, words: &str);

    /// Breaks all.
    #[wasm_bindgen(method, js_name = rejectAll)]
    pub fn reject_all(this: &Promises, words: &str);
}

/// A promise that is broken already.
pub fn broken(words: &str) -> Promise {
    Promise::reject(&Error::new(words))
}
