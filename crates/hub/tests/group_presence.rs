//! Group presence events over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]
#![allow(dead_code, reason = "the application is shared with other tests")]

mod application;

use application::{Client, UpstreamServer, answer, service};
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test]
async fn each_connection_that_joins_or_leaves_a_group_is_one_event() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "connect" => {
            let decided = json!({"groups": ["room.0", "other"], "roles": ["webpubsub.joinLeaveGroup"]});
            answer(200).body(decided.to_string())
        }
        _ => answer(204),
    })
    .await;
    let settings = "system-event=connect system-event=disconnected group-presence-event=joined \
                    group-presence-event=left group-filter=room.*";
    let service = service(&[&format!("url-template={} {settings}", upstream.url("/{event}"))]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    let id = client.json().await["connectionId"].as_str().unwrap().to_owned();

    // A group from the start.
    let joined = upstream.next("joined").await;
    assert_eq!((joined.path.as_str(), joined.text.as_str()), ("/joined", r#"{"group":"room.0"}"#));
    for (name, value) in [
        ("ce-type", "azure.webpubsub.gp.joined"),
        ("ce-eventname", "joined"),
        ("ce-connectionid", &id),
        ("ce-userid", "token-user"),
        ("ce-hub", "chat"),
        ("ce-subprotocol", "json.webpubsub.azure.v1"),
        ("content-type", "application/json; charset=utf-8"),
        ("ce-signature", &application::signature(&id)),
    ] {
        assert_eq!(joined.header(name), value, "{name}");
    }

    // Requests of the client; repetitions change nothing.
    for (request, event) in [("joinGroup", "joined"), ("leaveGroup", "left")] {
        for ack_id in [1, 2] {
            client.send(&json!({"type": request, "group": "room.ü"}).to_string()).await;
            client.send(&json!({"type": request, "group": "other", "ackId": ack_id}).to_string()).await;
            client.json().await;
        }
        assert_eq!(upstream.next(event).await.body, json!({"group": "room.ü"}));
    }

    // The data plane.
    let member = format!("/api/hubs/chat/groups/room.2/connections/{id}");
    assert_eq!(service.rest("PUT", &member).await, StatusCode::OK);
    assert_eq!(upstream.next("joined").await.body, json!({"group": "room.2"}));
    assert_eq!(service.rest("DELETE", &member).await, StatusCode::NO_CONTENT);
    let left = upstream.next("left").await;
    assert_eq!(
        (left.header("ce-type").as_str(), &left.body),
        ("azure.webpubsub.gp.left", &json!({"group": "room.2"}))
    );
    let all = format!("/api/hubs/chat/connections/{id}/groups");
    for status in [StatusCode::NO_CONTENT; 2] {
        assert_eq!(service.rest("DELETE", &all).await, status);
    }
    assert_eq!(upstream.next("left").await.body, json!({"group": "room.0"}));

    // The end of the connection.
    client.send(r#"{"type":"joinGroup","group":"room.3"}"#).await;
    let last = upstream.next("joined").await;
    client.close("").await;
    let left = upstream.next("left").await;
    assert_eq!((&left.body, &left.body), (&json!({"group": "room.3"}), &last.body));
    let number = |event: &application::Event| event.header("ce-id").parse::<u64>().unwrap();
    let disconnected = upstream.next("disconnected").await;
    assert!(number(&last) < number(&left) && number(&left) < number(&disconnected));
    upstream.next("connect").await;
    assert!(upstream.is_quiet(), "an event of another group, or of no change");
}

#[tokio::test]
async fn a_rule_without_group_presence_events_gets_none() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "connect" => answer(200).body(json!({"groups": ["g"]}).to_string()),
        _ => answer(204),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.close("").await;
    for event in ["connect", "connected", "disconnected"] {
        upstream.next(event).await;
    }
    assert!(upstream.is_quiet());
}
