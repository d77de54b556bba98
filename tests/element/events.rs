//! Events of the element, and URLs from a function of the page.

use serde_json::{Value, json};
use tailcast_tests::{
    browser::Kind,
    embedding::Embedding,
    server::{RestRequest, Server},
};

tailcast_tests::in_every_browser! {
    connection_events_have_ids_and_reasons,
    message_events_are_dispatched_with_their_content,
    a_gap_event_has_the_number_of_missing_messages,
    failures_are_dispatched_and_shown_with_the_same_message,
    a_refusal_has_the_reason_of_the_server_and_is_not_retried,
    a_function_of_the_page_can_provide_the_url,
    a_failed_function_is_reported_and_retried,
}

/// Waits for an event. Returns the detail of the first one.
async fn heard(page: &Embedding, name: &str) -> anyhow::Result<Value> {
    page.until(&format!("heard.some((one) => one.name === '{name}')")).await?;
    page.value(&format!("heard.find((one) => one.name === '{name}').detail")).await
}

/// Publishes to the group `stream` through the REST API.
async fn publish(page: &Embedding, kind: &str, body: &str) -> anyhow::Result<()> {
    let headers = [("content-type", kind)];
    let request = RestRequest { method: "POST", target: "/groups/stream/:send", headers: &headers, body };
    let answer = page.server.rest(request).await?;
    anyhow::ensure!(answer.status() == 202, "{}", answer.status());
    Ok(())
}

async fn connection_events_have_ids_and_reasons(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, "<tail-cast negotiate=NEGOTIATE user-id=ada></tail-cast>").await?;
    let first = heard(&page, "connected").await?;
    let shown = page.value("part('#status').dataset.connectionId").await?;
    assert_eq!(first, json!({ "connectionId": shown, "userId": "ada" }));
    page.close_connection(shown.as_str().unwrap_or_default()).await?;
    let lost = heard(&page, "disconnected").await?;
    assert!(lost["reason"].as_str().is_some_and(|reason| reason.contains("closed")), "{lost}");
    // After a new connection, missing messages are unknown.
    assert_eq!(heard(&page, "gap").await?, json!({ "messages": null }));
    let names = page.value("heard.map(({ name }) => name)").await?;
    assert_eq!(names, json!(["connected", "disconnected", "connected", "gap"]));
    page.show("<tail-cast negotiate=NEGOTIATE></tail-cast>").await?;
    assert_eq!(heard(&page, "connected").await?["userId"], Value::Null);
    page.browser.close().await
}

async fn message_events_are_dispatched_with_their_content(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::connect(kind, "<tail-cast negotiate=NEGOTIATE></tail-cast>").await?;
    page.stream("before anybody listened\n").await?;
    page.run(
        "window.messages = [];
         element().addEventListener('tailcast-message', ({ detail }) => messages.push(
             { ...detail, data: detail.data instanceof Uint8Array ? [...detail.data] : detail.data }))",
    )
    .await?;
    let mut client = page.server.connect("bob").await?;
    let sent = json!({ "type": "sendToGroup", "group": "stream", "dataType": "text", "data": "two\nlines", "ackId": 7 });
    assert_eq!(client.ask(&sent.to_string()).await?["success"], true);
    publish(&page, "application/json", r#"{"a":[1,null]}"#).await?;
    publish(&page, "application/octet-stream", "\u{1}\u{2}").await?;
    let all = RestRequest {
        method: "POST",
        target: "/:send",
        headers: &[("content-type", "text/plain")],
        body: "for all",
    };
    assert_eq!(page.server.rest(all).await?.status(), 202);
    page.until("messages.length === 4").await?;
    assert_eq!(
        page.value("messages").await?,
        json!([
            { "group": "stream", "fromUserId": "bob", "dataType": "text", "data": "two\nlines" },
            { "group": "stream", "fromUserId": null, "dataType": "json", "data": { "a": [1, null] } },
            { "group": "stream", "fromUserId": null, "dataType": "binary", "data": [1, 2] },
            { "group": null, "fromUserId": null, "dataType": "text", "data": "for all" },
        ])
    );
    page.close_without_errors().await
}

async fn a_gap_event_has_the_number_of_missing_messages(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    // A service that skips the sequence ids 2 to 4.
    page.run(
        "const group = (sequenceId) => ({ type: 'message', from: 'group', group: 'stream', dataType: 'text', data: `number ${sequenceId}`, sequenceId });
         window.WebSocket = class extends EventTarget {
             static CONNECTING = 0; static OPEN = 1; static CLOSING = 2; static CLOSED = 3;
             readyState = 1; bufferedAmount = 0; binaryType = 'blob';
             constructor(url, protocols) {
                 super();
                 this.protocol = [protocols].flat()[0];
                 setTimeout(() => {
                     this.tell(new Event('open'));
                     this.say({ type: 'system', event: 'connected', connectionId: 'c', reconnectionToken: 't' });
                     for (const number of [1, 5]) this.say(group(number));
                 });
             }
             tell(event) { this.dispatchEvent(event); this[`on${event.type}`]?.(event); }
             say(frame) { this.tell(new MessageEvent('message', { data: JSON.stringify(frame) })); }
             send() {}
             close() {}
         };
         const one = document.createElement('tail-cast');
         one.negotiateWith = () => 'ws://nowhere.example/client/hubs/x?access_token=t';
         document.body.append(one)",
    )
    .await?;
    assert_eq!(heard(&page, "gap").await?, json!({ "messages": 3 }));
    page.until("rows().length === 3").await?;
    assert_eq!(page.value("[rows()[0], rows()[2]]").await?, json!(["number 1", "number 5"]));
    assert_eq!(page.value("rows()[1]").await?, "3 messages are missing");
    page.browser.close().await
}

async fn failures_are_dispatched_and_shown_with_the_same_message(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let service = page.server.negotiate("ada").await?;
    // The token permits another group.
    page.show(&format!("<tail-cast url='{service}' group=secret></tail-cast>")).await?;
    let words = heard(&page, "error").await?["message"].as_str().unwrap_or_default().to_owned();
    assert!(words.contains("secret"), "{words}");
    page.until("state() === 'forbidden'").await?;
    page.show("<tail-cast negotiate='/nothing/here'></tail-cast>").await?;
    let words = heard(&page, "error").await?["message"].as_str().unwrap_or_default().to_owned();
    assert!(words.contains("/nothing/here answered 404"), "{words}");
    page.until("part('#status').textContent.includes('answered 404')").await?;
    assert_eq!(page.value("part('#details .last-error').textContent").await?, words);
    page.browser.close().await
}

async fn a_refusal_has_the_reason_of_the_server_and_is_not_retried(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let server = Server::start(&["--allow-origin", &page.host.url(""), "--allow-group", "build-*"]).await?;
    let endpoint = server.negotiate_url();
    page.show(&format!("<tail-cast negotiate='{endpoint}' group=secret></tail-cast>")).await?;
    let words = heard(&page, "error").await?["message"].as_str().unwrap_or_default().to_owned();
    let reason = "the group `secret` is not open on this server; the operator of the server can open it with `--allow-group PATTERN`";
    assert_eq!(words, format!("negotiate failed: {endpoint} answered 403 Forbidden: {reason}"));
    page.until("state() === 'failed'").await?;
    assert_eq!(page.value("part('#status').textContent").await?, format!("Not connected: {reason}"));
    assert_eq!(page.value("part('#retry').textContent").await?, "Reconnect");
    page.browser.close().await
}

async fn a_function_of_the_page_can_provide_the_url(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    page.until("customElements.get('tail-cast')").await?;
    let url = page.server.negotiate("grace").await?;
    for given in ["url", "{ url }", "Promise.resolve(url)", "Promise.resolve({ url })"] {
        page.run(&format!(
            "const url = '{url}'; window.asked = 0;
             const one = document.createElement('tail-cast');
             one.negotiateWith = () => {{ asked += 1; return {given}; }};
             document.body.append(one)"
        ))
        .await?;
        page.connected(0).await?;
        assert_eq!(
            page.value("[part('#status').dataset.userId, asked]").await?,
            json!(["grace", 1]),
            "{given}"
        );
        page.run("element().remove()").await?;
        page.wait_for_connections(0).await?;
    }
    // Each connection calls the function again.
    page.run(&format!(
        "element() ?? 0; const one = document.createElement('tail-cast'); window.asked = 0;
        one.negotiateWith = async () => {{ asked += 1; return '{url}'; }}; document.body.append(one)"
    ))
    .await?;
    page.connected(0).await?;
    let connection = page.value("part('#status').dataset.connectionId").await?;
    page.close_connection(connection.as_str().unwrap_or_default()).await?;
    page.until("asked === 2 && state() === 'connected'").await?;
    page.browser.close().await
}

async fn a_failed_function_is_reported_and_retried(kind: Kind) -> anyhow::Result<()> {
    let page = Embedding::open(kind, "").await?;
    let url = page.server.negotiate("ada").await?;
    for (failing, words) in [
        ("throw new Error('not signed in')", "not signed in"),
        ("return Promise.reject('no ticket')", "no ticket"),
        ("return 'https://h/x?access_token=s3cret'", "https://h/x"),
        ("return { nothing: 1 }", "no client access URL"),
        ("return undefined", "no client access URL"),
    ] {
        page.show("").await?;
        page.run(&format!(
            "const one = document.createElement('tail-cast'); let asked = 0;
             one.negotiateWith = () => {{ asked += 1; if (asked > 1) return '{url}'; {failing} }};
             document.body.append(one)"
        ))
        .await?;
        let told = heard(&page, "error").await?.to_string();
        assert!(told.contains(words) && !told.contains("server running"), "{failing}: {told}");
        assert!(!told.contains("s3cret"), "{told}");
        page.until("state() === 'connected' || part('#retry')?.click()").await?;
    }
    page.browser.close().await
}
