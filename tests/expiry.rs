//! Expiry and annotations of messages.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use serde_json::{Value, json};
use tailcast_tests::{
    server::{RestRequest, Server},
    socket::{JSON, Socket},
};
use webpubsub_protocol::token::Claims;

const RELIABLE: &str = "json.reliable.webpubsub.azure.v1";

fn in_group(claims: &mut Claims) {
    claims.groups = vec!["g".into()];
    claims.roles = vec!["webpubsub.sendToGroup".into()];
}

#[tokio::test]
async fn expired_messages_are_not_delivered_after_a_recovery() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let url = hub.client_url(&hub.connection_string()?.access_key, in_group)?;
    let mut client = Socket::open(&url, &[RELIABLE]).await?;
    let greeting = client.json().await?;
    drop(client);
    let mut publisher = Socket::open(&url, &[JSON]).await?;
    publisher.json().await?;
    for (text, seconds) in [("gone", 1), ("stays", 300), ("for ever", 0)] {
        let target = format!("/groups/g/:send?messageTtlSeconds={seconds}");
        let headers = &[("content-type", "text/plain")];
        let send = RestRequest { method: "POST", target: &target, headers, body: text };
        assert_eq!(hub.rest(send).await?.status(), 202);
        let send = json!({"type": "sendToGroup", "group": "g", "dataType": "text", "data": text, "ttlSeconds": seconds, "noEcho": true, "ackId": seconds});
        publisher.ask(&send.to_string()).await?;
    }
    // The time to live is one second. Messages sent meanwhile indicate its end.
    let started = std::time::Instant::now();
    while started.elapsed() < std::time::Duration::from_millis(1100) {
        publisher.ask(r#"{"type":"ping"}"#).await.ok();
    }
    let (id, token) = (&greeting["connectionId"], &greeting["reconnectionToken"]);
    let (id, token) = (id.as_str().unwrap_or_default(), token.as_str().unwrap_or_default());
    let recovery = format!("{url}&awps_connection_id={id}&awps_reconnection_token={token}");
    let mut client = Socket::open(&recovery, &[RELIABLE]).await?;
    assert_eq!(client.json().await?["event"], "connected");
    for (sequence_id, text) in [(3, "stays"), (4, "stays"), (5, "for ever"), (6, "for ever")] {
        let message = client.json().await?;
        assert_eq!((&message["sequenceId"], &message["data"]), (&json!(sequence_id), &json!(text)));
    }
    Ok(())
}

#[tokio::test]
async fn annotations_are_delivered_as_headers_and_members() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let url = hub.client_url(&hub.connection_string()?.access_key, in_group)?;
    let mut client = Socket::open(&url, &[JSON]).await?;
    client.json().await?;
    let headers = &[("content-type", "text/plain"), ("X-WebPubSub-Metadata-Trace-Id", "7")];
    let send = RestRequest { method: "POST", target: "/groups/g/:send", headers, body: "hi" };
    assert_eq!(hub.rest(send).await?.status(), 202);
    assert_eq!(client.json().await?["metadata"], json!({"trace-id": "7"}));
    let own = r#"{"type":"sendToGroup","group":"g","metadata":{"Key":"value"}}"#;
    client.send(own).await?;
    let message = client.json().await?;
    assert_eq!((&message["metadata"], &message["data"]), (&json!({"Key": "value"}), &json!("")));
    let long = "x".repeat(1025);
    let headers = &[("X-WebPubSub-Metadata-a", long.as_str())];
    let refused = hub.rest(RestRequest { method: "POST", target: "/:send", headers, body: "" }).await?;
    assert_eq!(refused.status(), 400);
    let error: Value = serde_json::from_str(&refused.text().await?)?;
    assert_eq!(error["code"], "Error.BadRequest", "{error}");
    Ok(())
}
