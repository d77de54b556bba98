//! The client in a browser, with a service in place of its `WebSocket` and `fetch`.

#![cfg(all(target_arch = "wasm32", feature = "web"))]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy does not recognize tests in a browser"
)]

use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use webpubsub_client::{
    Client, ClientEvent, ClientState, Limits, Outgoing, Payload, PublishErrorKind, ServiceEndpoint,
    Subprotocol, SubscribeErrorKind, Subscription, SubscriptionEvent,
};

wasm_bindgen_test_configure!(run_in_browser);

/// Installs the service, with an empty log.
fn install_service() {
    js_sys::eval(include_str!("service_stub.js")).unwrap();
}

/// Returns the requests that the service received.
fn log() -> Vec<String> {
    let stub = js_sys::Reflect::get(&js_sys::global(), &"serviceStub".into()).unwrap();
    let log = js_sys::Reflect::get(&stub, &"log".into()).unwrap();
    log.unchecked_into::<js_sys::Array>().iter().filter_map(|entry: JsValue| entry.as_string()).collect()
}

async fn until_logged(entry: &str) {
    while !log().iter().any(|logged| logged == entry) {
        gloo_timers::future::TimeoutFuture::new(0).await;
    }
}

async fn connected() -> Client {
    install_service();
    Client::builder("http://stub/negotiate").only(Subprotocol::Json).connect().await.unwrap()
}

async fn text(subscription: &mut Subscription) -> String {
    match subscription.next().await {
        Some(SubscriptionEvent::Message(message)) => match message.payload {
            Payload::Text(text) => text.into_owned(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[wasm_bindgen_test]
async fn messages_are_published_acknowledged_and_received() {
    let client = connected().await;
    assert_eq!(client.connection().unwrap().user_id.as_deref(), Some("ada"));
    let mut subscription = client.subscribe("chat").await.unwrap();
    client.publish("chat", "hello").await.unwrap().await.unwrap();
    assert_eq!(text(&mut subscription).await, "hello");
    client.publish("chat", "again").await.unwrap();
    client.drain().await.unwrap();
    assert_eq!(text(&mut subscription).await, "again");
    client.close().await;
    assert_eq!(client.state().get(), ClientState::Stopped { failure: None });
    assert_eq!(subscription.next().await, None);
    until_logged("close 1000").await;
}

#[wasm_bindgen_test]
async fn a_group_is_joined_once_and_left_with_its_last_subscription() {
    let client = connected().await;
    let first = client.subscribe("chat").await.unwrap();
    let second = client.subscribe("chat").await.unwrap();
    drop(first);
    client.publish("chat", "x").await.unwrap().await.unwrap();
    assert_eq!(log().iter().filter(|entry| *entry == "joinGroup chat").count(), 1);
    assert!(!log().contains(&"leaveGroup chat".to_owned()));
    drop(second);
    until_logged("leaveGroup chat").await;
}

#[wasm_bindgen_test]
async fn refusals_have_a_kind() {
    let client = connected().await;
    let refused = client.subscribe("closed").await.unwrap_err();
    assert_eq!(refused.kind(), SubscribeErrorKind::Refused);
    let refused = client.publish("closed", "x").await.unwrap().await.unwrap_err();
    assert_eq!(refused.kind(), PublishErrorKind::Refused);
    assert_eq!(refused.refusal().unwrap().message, "the group is closed");
}

#[wasm_bindgen_test]
async fn a_dropped_client_closes_its_connection() {
    let client = connected().await;
    let subscription = client.subscribe("chat").await.unwrap();
    drop(client);
    // It lives as long as its subscription.
    assert!(!log().iter().any(|entry| entry.starts_with("close")));
    drop(subscription);
    until_logged("close 1000").await;
}

#[wasm_bindgen_test]
async fn requests_beyond_the_window_wait_or_are_returned() {
    install_service();
    let mut limits = Limits::default();
    (limits.in_flight_messages, limits.queued_requests) = (1, 1);
    let client = Client::builder("http://stub/negotiate").only(Subprotocol::Json).limits(limits);
    let client = client.connect_lazy();
    let message = || Outgoing::to_group("chat".try_into().unwrap(), "x".into());
    let first = client.try_send(message()).unwrap();
    let refused = client.try_send(message()).unwrap_err();
    assert_eq!(refused.kind(), PublishErrorKind::QueueFull);
    assert_eq!(refused.into_message(), Some(message()));
    for _ in 0..5 {
        client.send(message()).await.unwrap().await.unwrap();
    }
    first.await.unwrap();
}

#[wasm_bindgen_test]
async fn a_listener_receives_every_event_and_a_later_observer_the_state() {
    install_service();
    let events = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&events);
    let builder = Client::builder("http://stub/negotiate").only(Subprotocol::Json);
    let builder = builder.on_event(move |event| log.borrow_mut().push(event));
    let client = builder.connect().await.unwrap();
    let _membership = client.join("chat").await.unwrap();
    client.publish("chat", "x").await.unwrap().await.unwrap();
    let seen: Vec<_> = events.borrow().iter().map(std::mem::discriminant).collect();
    assert_eq!(seen.len(), 4, "{:?}", events.borrow());
    assert!(matches!(events.borrow()[0], ClientEvent::Connecting));
    assert!(matches!(events.borrow()[3], ClientEvent::GroupMessage { .. }));
    let mut later = client.events().await.unwrap();
    assert!(matches!(later.next().await, Some(ClientEvent::Connected { .. })));
}

#[wasm_bindgen_test]
async fn a_credential_is_sent_to_the_negotiate_endpoint() {
    install_service();
    let endpoint = ServiceEndpoint::negotiate("http://stub/negotiate");
    for (endpoint, header) in [
        (endpoint.clone().with_bearer_token("t"), "negotiate Bearer t"),
        (endpoint.with_basic_auth("ada", "é"), "negotiate Basic YWRhOsOp"),
    ] {
        let client = Client::builder(endpoint).only(Subprotocol::Json).connect().await.unwrap();
        client.close().await;
        until_logged(header).await;
    }
}
