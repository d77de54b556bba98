//! The web driver in a dedicated worker, which has no `window`.

#![cfg(all(target_arch = "wasm32", feature = "web"))]

use std::{cell::RefCell, rc::Rc};

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use webpubsub_client::{ClientEvent, ClientOptions, ConnectFailure, web::WebClient};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
async fn a_worker_negotiates() {
    let failures = Rc::new(RefCell::new(Vec::new()));
    let _client = WebClient::start(ClientOptions::new(), "http://127.0.0.1:1/negotiate".to_owned(), {
        let failures = Rc::clone(&failures);
        move |event| {
            if let ClientEvent::ConnectFailed { failure } = event {
                failures.borrow_mut().push(failure);
            }
        }
    });
    while failures.borrow().is_empty() {
        TimeoutFuture::new(10).await;
    }
    let failures = failures.borrow();
    assert!(
        matches!(
            &failures[..],
            [ConnectFailure::NegotiateUnreachable { url, .. }, ..] if url == "http://127.0.0.1:1/negotiate"
        ),
        "{failures:?}"
    );
}
