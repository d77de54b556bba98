//! The example page, in a browser, with a service in place of its `WebSocket` and `fetch`.

#![cfg(all(target_arch = "wasm32", feature = "web"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy does not recognize tests in a browser"
)]

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{HtmlElement, HtmlInputElement};

#[path = "../examples/leptos_chat.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod leptos_chat;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
async fn the_example_page_shows_what_it_publishes_and_closes_its_connection() {
    js_sys::eval(include_str!("service_stub.js")).unwrap();
    let document = web_sys::window().unwrap().document().unwrap();
    let place: HtmlElement = document.create_element("div").unwrap().unchecked_into();
    document.body().unwrap().append_child(&place).unwrap();
    let mounted = leptos::mount::mount_to(place.clone(), || {
        leptos::view! { <leptos_chat::page::Chat endpoint="http://stub/negotiate" group="chat" /> }
    });
    let until = async |text: &str| {
        while !place.text_content().unwrap().contains(text) {
            TimeoutFuture::new(0).await;
        }
    };
    until("connected").await;
    let field: HtmlInputElement = place.query_selector("input").unwrap().unwrap().unchecked_into();
    field.set_value("hello");
    place.query_selector("button").unwrap().unwrap().unchecked_into::<HtmlElement>().click();
    until("hello").await;
    drop(mounted);
    let log = || js_sys::eval("serviceStub.log.join()").unwrap().as_string().unwrap();
    while !log().contains("close 1000") {
        TimeoutFuture::new(0).await;
    }
}
