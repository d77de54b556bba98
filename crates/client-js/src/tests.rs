//! Tests of the class in a real browser. A stub of `WebSocket` is the service: it connects, joins and echoes.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use crate::WebPubSubClient;

wasm_bindgen_test_configure!(run_in_browser);

/// Stubs of `fetch`, which answers a URL, and of `WebSocket`, which speaks the protocol.
const SERVICE: &str = r#"
    globalThis.fetch = async () => new Response(JSON.stringify({ url: "ws://h/client/hubs/h?access_token=t" }));
    globalThis.WebSocket = class extends EventTarget {
        constructor(url, protocols) {
            super();
            this.protocol = protocols[0];
            this.bufferedAmount = 0;
            queueMicrotask(() => {
                this.onopen?.(new Event("open"));
                this.say({ type: "system", event: "connected", userId: "ada", connectionId: "c", reconnectionToken: "t" });
            });
        }
        say(frame) {
            queueMicrotask(() => this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(frame) })));
        }
        send(text) {
            const frame = JSON.parse(text);
            const forbidden = frame.group === "secret";
            if (frame.type === "sendToGroup" && !forbidden) {
                this.sequence = (this.sequence ?? 0) + 1;
                this.say({ ...frame, type: "message", from: "group", fromUserId: null, sequenceId: this.sequence });
            }
            // A burst of as many messages, then the end.
            if (frame.type === "event") {
                for (let number = 1; number <= frame.data; number += 1) {
                    this.say({ type: "message", from: "server", dataType: "json", data: number });
                }
                queueMicrotask(() => this.onclose?.(new CloseEvent("close", { code: 1008 })));
                return;
            }
            if (frame.ackId) {
                const error = forbidden ? { name: "Forbidden", message: "no" } : undefined;
                this.say({ type: "ack", ackId: frame.ackId, success: !forbidden, error });
            }
        }
        close() {}
    };
"#;

fn client() -> WebPubSubClient {
    js_sys::eval(SERVICE).unwrap();
    let options = js_sys::eval("({ groups: ['chat'] })").unwrap();
    WebPubSubClient::new(&"/negotiate".into(), Some(options.unchecked_into()), &JsValue::UNDEFINED).unwrap()
}

/// Adds a listener; returns an array to which it appends the value of `expression` for each `event`.
fn listen(client: &WebPubSubClient, name: &str, expression: &str) -> js_sys::Array {
    let maker = js_sys::Function::new_with_args("list", &format!("return event => list.push({expression})"));
    let list = js_sys::Array::new();
    let listener = maker.call1(&JsValue::NULL, &list).unwrap();
    client.on(&name.into(), &listener).unwrap();
    list
}

async fn rejection(promise: js_sys::Promise) -> String {
    let error = JsFuture::from(promise).await.unwrap_err();
    String::from(error.unchecked_into::<js_sys::Error>().message())
}

#[wasm_bindgen_test]
async fn messages_are_acknowledged_and_received_unchanged() {
    let client = client();
    let ids = listen(&client, "connected", "event.connectionId + ' ' + event.userId");
    let received = listen(
        &client,
        "group-message",
        "event.message.dataType + ' ' + (event.message.data instanceof ArrayBuffer \
             ? [...new Uint8Array(event.message.data)] : JSON.stringify(event.message.data))",
    );
    JsFuture::from(client.start()).await.unwrap();
    JsFuture::from(client.join_group(&"more".into())).await.unwrap();
    let contents = [("text", "'é'"), ("json", "({ n: [1, null] })"), ("binary", "new Uint8Array([0, 255])")];
    for (data_type, content) in contents {
        let content = js_sys::eval(content).unwrap();
        JsFuture::from(client.send_to_group(&"chat".into(), &content, &data_type.into(), None))
            .await
            .unwrap();
    }
    let forget = js_sys::eval("({ fireAndForget: true })").unwrap().unchecked_into();
    JsFuture::from(client.send_to_group(&"chat".into(), &"last".into(), &"text".into(), Some(forget)))
        .await
        .unwrap();
    // Its acknowledgement comes after the message that has none.
    JsFuture::from(client.leave_group(&"more".into())).await.unwrap();
    let received: Vec<String> = received.iter().filter_map(|value| value.as_string()).collect();
    assert_eq!(received, ["text \"é\"", "json {\"n\":[1,null]}", "binary 0,255", "text \"last\""]);
    assert_eq!(ids.get(0).as_string().as_deref(), Some("c ada"));
}

#[wasm_bindgen_test]
async fn messages_beyond_the_window_wait_and_arrive_in_order() {
    let client = client();
    let received = listen(&client, "group-message", "event.message.data");
    JsFuture::from(client.start()).await.unwrap();
    let all: js_sys::Array = (0..1_000)
        .map(|number| client.send_to_group(&"chat".into(), &number.into(), &"json".into(), None))
        .collect();
    JsFuture::from(js_sys::Promise::all(&all)).await.unwrap();
    let received: Vec<f64> = received.iter().filter_map(|value| value.as_f64()).collect();
    assert_eq!(received, (0..1_000).map(f64::from).collect::<Vec<_>>());
}

#[wasm_bindgen_test]
async fn messages_before_the_end_are_dispatched_before_it_and_in_order() {
    let client = client();
    let received = listen(&client, "server-message", "event.message.data");
    let received_at_the_end = js_sys::Array::new();
    let note = js_sys::Function::new_with_args("at, received", "return () => at.push(received.length)");
    let note = note.call2(&JsValue::NULL, &received_at_the_end, &received).unwrap();
    client.on(&"disconnected".into(), &note).unwrap();
    JsFuture::from(client.start()).await.unwrap();
    let _pending = client.send_event(&"burst".into(), &150.into(), &"json".into(), None);
    while received_at_the_end.length() == 0 {
        gloo_timers::future::sleep(std::time::Duration::ZERO).await;
    }
    assert_eq!(received_at_the_end.get(0), 150, "nothing is dispatched after the end");
    let received: Vec<f64> = received.iter().filter_map(|value| value.as_f64()).collect();
    assert_eq!(received, (1..=150).map(f64::from).collect::<Vec<_>>());
    client.stop();
}

#[wasm_bindgen_test]
async fn refusals_and_misuse_reject_with_an_error() {
    let client = client();
    let early = client.send_to_group(&"chat".into(), &"x".into(), &"text".into(), None);
    assert!(rejection(early).await.contains("was not started"));
    JsFuture::from(client.start()).await.unwrap();
    assert!(rejection(client.start()).await.contains("runs already"));
    assert!(rejection(client.join_group(&"secret".into())).await.contains("Forbidden"));
    let odd = client.send_to_group(&"chat".into(), &5.into(), &"text".into(), None);
    assert!(rejection(odd).await.contains("must be a string"));
    assert!(
        rejection(client.send_to_group(&"chat".into(), &5.into(), &"xml".into(), None)).await.contains("xml")
    );
}

#[wasm_bindgen_test]
async fn a_stopped_client_emits_an_event_and_can_be_started_again() {
    let client = client();
    let stops = listen(&client, "stopped", "1");
    JsFuture::from(client.start()).await.unwrap();
    client.stop();
    while stops.length() == 0 {
        gloo_timers::future::sleep(std::time::Duration::ZERO).await;
    }
    JsFuture::from(client.start()).await.unwrap();
}
