//! Pending promises of a client.

use js_sys::Promise;
use wasm_bindgen::{JsValue, prelude::wasm_bindgen};

use crate::rejection::Rejection;

#[wasm_bindgen(module = "/src/browser.js")]
extern "C" {
    /// Pending promises by number.
    pub type Promises;

    /// Creates an empty table. `create_error` is the function that creates an error from a rejection, or `undefined`.
    #[wasm_bindgen(constructor)]
    pub fn new(create_error: &JsValue) -> Promises;

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

    /// Resolves the promise of the request with this ack id.
    #[wasm_bindgen(method)]
    pub fn acknowledge(this: &Promises, number: f64, is_duplicated: bool);

    /// Resolves the promise of a message that requests no acknowledgement.
    #[wasm_bindgen(method)]
    pub fn forget(this: &Promises, number: f64);

    /// Returns the resolved promise of a message that requests no acknowledgement.
    #[wasm_bindgen(method)]
    pub fn forgotten(this: &Promises) -> Promise;

    /// Creates a promise whose rejection need not be handled.
    #[wasm_bindgen(method, js_name = createHandled)]
    pub fn create_handled(this: &Promises, number: f64) -> Promise;

    /// Rejects a pending promise. Returns its number; `undefined` if it is not pending.
    #[wasm_bindgen(method)]
    pub fn withdraw(this: &Promises, promise: &JsValue, rejection: &JsValue) -> Option<f64>;

    #[wasm_bindgen(method, js_name = reject)]
    fn reject_with(this: &Promises, number: f64, rejection: &JsValue);
    #[wasm_bindgen(method, js_name = rejectAll)]
    fn reject_all_with(this: &Promises, rejection: &JsValue);
    #[wasm_bindgen(method, js_name = rejected)]
    fn rejected_with(this: &Promises, rejection: &JsValue) -> Promise;
    #[wasm_bindgen(method, js_name = error)]
    fn error_of(this: &Promises, rejection: &JsValue) -> JsValue;
}

impl Promises {
    /// Rejects a promise, if there is one of this number.
    pub fn reject(&self, number: f64, rejection: &Rejection) {
        self.reject_with(number, &rejection.to_object());
    }

    /// Rejects all promises.
    pub fn reject_all(&self, rejection: &Rejection) {
        self.reject_all_with(&rejection.to_object());
    }

    /// Returns a rejected promise.
    pub fn rejected(&self, rejection: &Rejection) -> Promise {
        self.rejected_with(&rejection.to_object())
    }

    /// Creates an error.
    pub fn error(&self, rejection: &Rejection) -> JsValue {
        self.error_of(&rejection.to_object())
    }
}
