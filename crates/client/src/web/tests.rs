//! The driver in a real browser, without a service: what a page sees when nobody is there.

use std::{cell::RefCell, rc::Rc};

use gloo_timers::callback::Timeout;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::*;

wasm_bindgen_test_configure!(run_in_browser);

/// Nobody listens on port 1, and browsers do not even ask.
const NOWHERE: &str = "http://127.0.0.1:1/negotiate?id=secret";

/// What a client has told, in order.
#[derive(Clone, Default)]
struct Told(Rc<RefCell<Vec<ClientEvent>>>);

impl Told {
    fn start(&self, negotiate_url: &str) -> WebClient {
        let told = self.clone();
        WebClient::start(ClientOptions::new(), negotiate_url.to_owned(), move |event| {
            told.0.borrow_mut().push(event)
        })
    }

    /// Lets the browser go on until an event fits.
    async fn until(&self, fits: impl Fn(&ClientEvent) -> bool) {
        while !self.0.borrow().iter().any(&fits) {
            next_turn().await;
        }
    }
}

/// One turn of the event loop.
async fn next_turn() {
    let (done, turn) = resolvable();
    let _timer = Timeout::new(0, done);
    turn.await;
}

/// A closure that ends the future beside it.
fn resolvable() -> (impl FnOnce() + 'static, impl Future<Output = ()>) {
    let mut resolve = None;
    let promise = js_sys::Promise::new(&mut |resolved, _| resolve = Some(resolved));
    let done = move || {
        if let Some(resolve) = resolve {
            drop(resolve.call0(&wasm_bindgen::JsValue::NULL));
        }
    };
    let turn = async move {
        drop(wasm_bindgen_futures::JsFuture::from(promise).await);
    };
    (done, turn)
}

#[wasm_bindgen_test]
async fn who_cannot_be_reached_is_named_without_the_query_and_tried_again() {
    let told = Told::default();
    let _client = told.start(NOWHERE);
    assert!(told.0.borrow().is_empty(), "no event comes from within a call");
    told.until(|event| matches!(event, ClientEvent::RetryScheduled { .. })).await;
    let events = told.0.borrow();
    let ClientEvent::ConnectFailed { failure } = &events[1] else { panic!("{events:?}") };
    let words = failure.to_string();
    assert!(words.contains("http://127.0.0.1:1/negotiate cannot be reached"), "{words}");
    assert!(!words.contains("secret"), "{words}");
}

#[wasm_bindgen_test]
async fn an_address_that_is_none_is_told_and_not_thrown() {
    let told = Told::default();
    let _client = told.start("http://not a host/");
    told.until(|event| matches!(event, ClientEvent::ConnectFailed { .. })).await;
}

#[wasm_bindgen_test]
async fn a_stop_is_the_last_that_is_heard() {
    let told = Told::default();
    let client = told.start(NOWHERE);
    client.stop();
    client.stop();
    told.until(|event| *event == ClientEvent::Stopped).await;
    let stops = told.0.borrow().iter().filter(|event| **event == ClientEvent::Stopped).count();
    assert_eq!((stops, told.0.borrow().last()), (1, Some(&ClientEvent::Stopped)));
    let refused = client.send_to_group(&GroupName::new("g").unwrap(), Payload::Text("x".into()));
    assert!(matches!(refused, Err(SendRefused::Stopped(_))));
}

#[wasm_bindgen_test]
async fn a_client_that_was_dropped_says_nothing() {
    let told = Told::default();
    drop(told.start(NOWHERE));
    // Another client's events prove that the event loop has gone on.
    let other = Told::default();
    let _client = other.start(NOWHERE);
    other.until(|event| matches!(event, ClientEvent::RetryScheduled { .. })).await;
    assert!(told.0.borrow().is_empty());
}
