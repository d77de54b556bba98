//! Pending promises of a client.

use js_sys::{Error, Promise};
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// Pending promises by number.
    pub type Promises;

    /// Creates an empty table.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Promises;

    /// Creates a promise.
    #[wasm_bindgen(method)]
    pub fn create(this: &Promises, number: f64) -> Promise;

    /// Changes the number of a promise.
    #[wasm_bindgen(method)]
    pub fn renumber(this: &Promises, number: f64, other: f64);

    /// Resolves a promise, if there is one of this number.
    #[wasm_bindgen(method)]
    pub fn resolve(this: &Promises, number: f64);

    /// Resolves a promise with a value, if there is one of this number.
    #[wasm_bindgen(method, js_name = resolve)]
    pub fn resolve_with(this: &Promises, number: f64, value: &JsValue);

    /// Creates a promise whose rejection need not be handled.
    #[wasm_bindgen(method, js_name = createHandled)]
    pub fn create_handled(this: &Promises, number: f64) -> Promise;

    /// Rejects a promise with an `Error`, if there is one of this number.
    #[wasm_bindgen(method)]
    pub fn reject(this: &Promises, number: f64, message: &str);

    /// Rejects all promises with an `Error`.
    #[wasm_bindgen(method, js_name = rejectAll)]
    pub fn reject_all(this: &Promises, message: &str);
}

/// Returns a promise that is rejected with an `Error`.
pub fn rejected(message: &str) -> Promise {
    Promise::reject(&Error::new(message))
}
