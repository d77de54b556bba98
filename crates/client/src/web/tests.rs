//! Tests of the driver in a real browser, without a service.

use std::{cell::RefCell, rc::Rc};

use gloo_timers::future::TimeoutFuture;
use js_sys::Reflect;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use super::*;

wasm_bindgen_test_configure!(run_in_browser);

/// Nothing listens on port 1, and browsers block it.
const NOWHERE: &str = "http://127.0.0.1:1/negotiate?id=secret";

/// Events of a client, in order.
#[derive(Clone, Default)]
struct EventLog(Rc<RefCell<Vec<ClientEvent>>>);

impl EventLog {
    fn start(&self, negotiate_url: &str) -> WebClient {
        let log = self.clone();
        WebClient::start(ClientOptions::new(), negotiate_url.to_owned(), move |event| {
            log.0.borrow_mut().push(event)
        })
    }

    /// Waits until an event matches.
    async fn until(&self, matches: impl Fn(&ClientEvent) -> bool) {
        while !self.0.borrow().iter().any(&matches) {
            TimeoutFuture::new(0).await;
        }
    }
}

/// A replacement for the global `fetch`. Restores it when dropped.
pub(super) struct FetchStub {
    original: JsValue,
    log: js_sys::Array,
}

impl FetchStub {
    /// Installs an asynchronous function with this body. Its parameters are the `request` and the array `log`; aborted
    /// requests are logged as `aborted URL`.
    pub(super) fn install(body: &str) -> Self {
        let log = js_sys::Array::new();
        let factory = js_sys::Function::new_with_args(
            "log",
            &format!(
                "return async (request) => {{
                     request.signal.addEventListener('abort', () => log.push(`aborted ${{request.url}}`));
                     {body}
                 }}"
            ),
        );
        let mut stub = Self::replace(&factory.call1(&JsValue::NULL, &log).unwrap());
        stub.log = log;
        stub
    }

    /// Installs a function.
    pub(super) fn replace(function: &JsValue) -> Self {
        let original = Reflect::get(&js_sys::global(), &"fetch".into()).unwrap();
        Reflect::set(&js_sys::global(), &"fetch".into(), function).unwrap();
        Self { original, log: js_sys::Array::new() }
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.log.iter().filter_map(|entry| entry.as_string()).collect()
    }
}

impl Drop for FetchStub {
    fn drop(&mut self) {
        Reflect::set(&js_sys::global(), &"fetch".into(), &self.original).unwrap();
    }
}

#[wasm_bindgen_test]
async fn an_unreachable_endpoint_is_reported_without_its_query_and_retried() {
    let log = EventLog::default();
    let _client = log.start(NOWHERE);
    assert!(log.0.borrow().is_empty(), "no event is delivered from within a call");
    log.until(|event| matches!(event, ClientEvent::RetryScheduled { .. })).await;
    let events = log.0.borrow();
    let ClientEvent::ConnectFailed { failure } = &events[1] else { panic!("{events:?}") };
    assert!(
        matches!(
            failure,
            ConnectFailure::NegotiateUnreachable { url, .. } if url == "http://127.0.0.1:1/negotiate"
        ),
        "{failure:?}"
    );
    assert!(!format!("{failure} {failure:?}").contains("secret"), "{failure:?}");
}

#[wasm_bindgen_test]
async fn an_invalid_address_is_reported_and_not_thrown() {
    let log = EventLog::default();
    let _client = log.start("http://not a host/");
    log.until(|event| matches!(event, ClientEvent::ConnectFailed { .. })).await;
}

#[wasm_bindgen_test]
async fn stopped_is_the_last_event() {
    let log = EventLog::default();
    let client = log.start(NOWHERE);
    client.stop();
    client.stop();
    log.until(|event| *event == ClientEvent::Stopped).await;
    let stops = log.0.borrow().iter().filter(|event| **event == ClientEvent::Stopped).count();
    assert_eq!((stops, log.0.borrow().last()), (1, Some(&ClientEvent::Stopped)));
    let refused = client.send_to_group(&GroupName::new("g").unwrap(), Payload::Text("x".into()));
    assert!(matches!(refused, Err(SendRefused::Stopped(_))));
}

fn page_transition(name: &str) {
    let body = "dispatchEvent(new PageTransitionEvent(name, { persisted: true }))";
    js_sys::Function::new_with_args("name", body).call1(&JsValue::NULL, &name.into()).unwrap();
}

#[wasm_bindgen_test]
async fn a_frozen_page_does_not_connect_before_the_user_returns() {
    let fetch = FetchStub::install("log.push('sent'); throw new TypeError('no network')");
    let log = EventLog::default();
    let _client = log.start("http://h/");
    log.until(|event| matches!(event, ClientEvent::RetryScheduled { .. })).await;
    let sent = || fetch.log().iter().filter(|entry| *entry == "sent").count();
    let before = sent();
    page_transition("pagehide");
    // The page is hidden then, which is otherwise a reason to connect.
    let hidden = web_sys::Event::new("visibilitychange").unwrap();
    web_sys::window().unwrap().document().unwrap().dispatch_event(&hidden).unwrap();
    TimeoutFuture::new(0).await;
    assert_eq!(sent(), before);
    page_transition("pageshow");
    TimeoutFuture::new(0).await;
    assert!(sent() > before);
}

#[wasm_bindgen_test]
async fn a_negotiation_that_ends_in_a_frozen_page_opens_no_socket() {
    let fetch = FetchStub::install(
        r#"log.push('sent');
           await new Promise((resolve) => addEventListener('answer', resolve, { once: true }));
           log.push('answered');
           return new Response('{"url":"ws://127.0.0.1:1/client"}', { headers: { 'content-type': 'application/json' } });"#,
    );
    let log = EventLog::default();
    let _client = log.start("http://h/");
    let until_logged = async |entry: &str| {
        while !fetch.log().iter().any(|logged| logged == entry) {
            TimeoutFuture::new(0).await;
        }
    };
    until_logged("sent").await;
    page_transition("pagehide");
    web_sys::window().unwrap().dispatch_event(&web_sys::Event::new("answer").unwrap()).unwrap();
    until_logged("answered").await;
    page_transition("pageshow");
    // The socket that was not opened counts as lost.
    log.until(|event| matches!(event, ClientEvent::ConnectFailed { .. })).await;
}

#[wasm_bindgen_test]
async fn a_dropped_client_emits_nothing() {
    let log = EventLog::default();
    drop(log.start(NOWHERE));
    // The events of another client prove that the event loop has gone on.
    let other = EventLog::default();
    let _client = other.start(NOWHERE);
    other.until(|event| matches!(event, ClientEvent::RetryScheduled { .. })).await;
    assert!(log.0.borrow().is_empty());
}

#[wasm_bindgen_test]
async fn a_stopped_or_dropped_client_aborts_its_negotiation() {
    let fetch = FetchStub::install("log.push(`sent ${request.url}`); return new Promise(() => {})");
    let until_logged = async |entry: &str| {
        while !fetch.log().iter().any(|logged| logged == entry) {
            TimeoutFuture::new(0).await;
        }
    };
    let stopped = EventLog::default();
    let client = stopped.start("http://h/stopped");
    until_logged("sent http://h/stopped").await;
    client.stop();
    until_logged("aborted http://h/stopped").await;
    stopped.until(|event| *event == ClientEvent::Stopped).await;
    let dropped = EventLog::default().start("http://h/dropped");
    until_logged("sent http://h/dropped").await;
    drop(dropped);
    until_logged("aborted http://h/dropped").await;
}
