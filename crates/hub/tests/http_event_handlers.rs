//! Event handlers over HTTP: a real service, real clients, and servers that answer correctly, incorrectly, or never.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod application;

use std::time::Duration;

use application::{Client, UpstreamServer, answer, service};
use axum::http::StatusCode;
use serde_json::{Value, json};

const TEXT: &str = "text/plain";

#[tokio::test]
async fn the_connect_event_carries_the_request_and_its_response_overrides_the_token() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "connect" => {
            let decided =
                json!({"userId": "ada", "groups": ["lobby"], "roles": ["webpubsub.sendToGroup.lobby"]});
            answer(200).header("ce-connectionState", "seen").body(decided.to_string())
        }
        _ => answer(204),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "?tag=a&tag=b").await.unwrap();
    let greeting = client.json().await;
    assert_eq!(greeting["userId"], "ada");
    let send = r#"{"type":"sendToGroup","group":"lobby","dataType":"text","data":"hi","ackId":1}"#;
    client.send(send).await;
    assert_eq!(client.json().await["data"], "hi");

    let connect = upstream.next("connect").await;
    assert_eq!(connect.body["query"], json!({"tag": ["a", "b"]}));
    assert_eq!(connect.body["subprotocols"], json!(["json.webpubsub.azure.v1"]));
    assert_eq!(connect.body["claims"]["sub"], json!(["token-user"]));
    assert!(connect.body["headers"]["host"].is_array() && connect.body["headers"]["authorization"].is_null());
    assert_eq!(connect.header("ce-type"), "azure.webpubsub.sys.connect");
    assert_eq!((connect.header("ce-id"), connect.header("ce-hub")), ("0".to_owned(), "chat".to_owned()));
    assert_eq!(connect.header("webhook-request-origin"), "127.0.0.1");
    let connected = upstream.next("connected").await;
    assert_eq!(connected.header("ce-id"), "1");
    assert_eq!(connected.header("ce-connectionid"), greeting["connectionId"].as_str().unwrap());
    assert_eq!(
        (connected.header("ce-userid"), connected.header("ce-connectionstate")),
        ("ada".into(), "seen".into())
    );
    assert_eq!(connected.header("ce-subprotocol"), "json.webpubsub.azure.v1");
    assert_eq!(
        connected.header("ce-signature"),
        application::signature(&connected.header("ce-connectionid"))
    );
    client.close("enough").await;
    let disconnected = upstream.next("disconnected").await;
    assert_eq!(disconnected.body, json!({"reason": "enough"}));
}

#[tokio::test]
async fn the_number_of_the_connect_event_is_reserved_for_it() {
    let upstream = UpstreamServer::start(|_| answer(204)).await;
    let rule = format!("url-template={} system-event=connected user-event-pattern=*", upstream.rule());
    let service = service(&[&rule]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    assert_eq!(upstream.next("connected").await.header("ce-id"), "1");
    client.send(r#"{"type":"event","event":"e","dataType":"text","data":"x"}"#).await;
    assert_eq!(upstream.next("e").await.header("ce-id"), "2");
}

#[tokio::test]
async fn a_rejection_reaches_the_client_and_no_event_follows() {
    for (status, content_type, body) in [
        (403, "text/plain", "no entry"),
        (302, "text/html", "<p>elsewhere"),
        (429, "application/json", r#"{"wait":3}"#),
    ] {
        let script =
            move |_: &application::Event| answer(status).header("content-type", content_type).body(body);
        let upstream = UpstreamServer::start(script).await;
        let service = service(&[&upstream.rule()]).await;
        let refused = Client::refusal(&service).await;
        assert_eq!(refused, (status, content_type.to_owned(), body.to_owned()));
        upstream.next("connect").await;
        assert!(upstream.is_quiet(), "an event follows a rejection");
    }
}

#[tokio::test]
async fn event_replies_keep_their_type_and_state_and_cookies_go_out_again() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "count" => {
            let state = event.header("ce-connectionstate");
            let next = state.parse::<u32>().unwrap_or(0) + 1;
            answer(200)
                .header("ce-connectionState", &next.to_string())
                .header("set-cookie", "session=1; HttpOnly")
                .header("content-type", "application/json")
                .body(format!("{{\"count\": {next}, \"cookie\": \"{}\"}}", event.header("cookie")))
        }
        "echo" => answer(200).header("content-type", TEXT).body(event.text.clone()),
        "silent" => answer(204),
        _ => answer(200),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.send(r#"{"type":"event","event":"echo","dataType":"text","data":"ä","ackId":1,"metadata":{"Trace":"7"}}"#).await;
    assert_eq!(
        client.json().await,
        json!({"type": "message", "from": "server", "dataType": "text", "data": "ä"})
    );
    assert_eq!(client.json().await, json!({"type": "ack", "ackId": 1, "success": true}));
    let echoed = upstream.next("echo").await;
    assert_eq!(echoed.header("x-webpubsub-metadata-trace"), "7");
    assert_eq!(echoed.header("content-type"), "text/plain; charset=utf-8");
    for count in 1..=2 {
        client.send(r#"{"type":"event","event":"count","data":1}"#).await;
        let cookie = if count == 1 { "" } else { "session=1" };
        assert_eq!(client.json().await["data"], json!({"count": count, "cookie": cookie}));
    }
    client.send(r#"{"type":"event","event":"silent","dataType":"binary","data":"AQID","ackId":2}"#).await;
    assert_eq!(client.json().await["ackId"], 2);
    assert_eq!(upstream.next("silent").await.text, "\u{1}\u{2}\u{3}");
    client.send(r#"{"type":"invoke","invocationId":"i","target":"event","event":"echo","dataType":"text","data":"in","metadata":{"Span":"8"}}"#).await;
    let invoked = json!({"type": "invokeResponse", "invocationId": "i", "success": true, "dataType": "text", "data": "in"});
    assert_eq!(client.json().await, invoked);
    assert_eq!(upstream.next("echo").await.header("x-webpubsub-metadata-span"), "8");
}

#[tokio::test]
async fn messages_of_a_simple_client_are_events_and_a_failure_closes_it() {
    let upstream = UpstreamServer::start(|event| match (event.name.as_str(), event.text.as_str()) {
        ("message", "fail") => answer(400),
        ("message", text) => answer(200).header("content-type", TEXT).body(text.to_uppercase()),
        _ => answer(200),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "", "").await.unwrap();
    client.send("hello").await;
    assert_eq!(client.text().await, "HELLO");
    client.send("fail").await;
    assert_eq!(client.close_code().await, 1011);
    upstream.next("disconnected").await;
}

#[tokio::test]
async fn a_custom_subprotocol_chosen_by_the_handler_is_negotiated_and_sent_with_every_event() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "connect" => answer(200).body(r#"{"subprotocol":"chat.v2"}"#),
        _ => answer(204),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "chat.v1, chat.v2", "").await.unwrap();
    assert_eq!(client.subprotocol.as_deref(), Some("chat.v2"));
    client.send("x").await;
    assert_eq!(upstream.next("message").await.header("ce-subprotocol"), "chat.v2");
}

#[tokio::test]
async fn the_first_matching_handler_receives_an_event() {
    let first = UpstreamServer::start(|_| answer(200).header("content-type", TEXT).body("first")).await;
    let second = UpstreamServer::start(|_| answer(200).header("content-type", TEXT).body("second")).await;
    let rules = [
        format!("url-template={} user-event-pattern=order.*,a hub=chat", first.url("/in/{hub}/{event}")),
        format!("url-template={} user-event-pattern=* system-event=disconnected", second.url("/")),
    ];
    let service = service(&[&rules[0], &rules[1]]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    for (event, reply) in
        [("Order.Placed", "first"), ("A", "first"), ("order", "second"), ("connected", "second")]
    {
        client.send(&json!({"type": "event", "event": event, "data": 1}).to_string()).await;
        assert_eq!(client.json().await["data"], reply, "{event}");
    }
    assert_eq!(first.next("Order.Placed").await.path, "/in/chat/Order.Placed");
    // One validation request, to the URL of an event called `validate`.
    assert_eq!(first.validated_paths(), ["/in/chat/validate"]);
    client.close("").await;
    second.next("disconnected").await;
    assert!(first.is_quiet() || first.next("A").await.name == "A");
}

#[tokio::test]
async fn a_failed_invalid_or_redirected_response_fails_the_event_but_not_the_connection() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "refused" => answer(418),
        "elsewhere" => answer(302).header("location", "http://127.0.0.1:1/"),
        "nonsense" => answer(200).header("content-type", "application/json").body("{oops"),
        "picture" => answer(200).header("content-type", "image/png").body("png"),
        "endless" => answer(200).body("x".repeat(16 * 1024 * 1024 + 1)),
        _ => answer(200),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    for (ack_id, event) in ["refused", "elsewhere", "nonsense", "picture", "endless"].into_iter().enumerate()
    {
        client.send(&json!({"type": "event", "event": event, "data": 1, "ackId": ack_id}).to_string()).await;
        let ack = client.json().await;
        assert_eq!(
            (&ack["ackId"], &ack["error"]["name"]),
            (&json!(ack_id), &json!("InternalServerError")),
            "{event}"
        );
    }
    client.send(r#"{"type":"event","event":"fine","data":1,"ackId":9}"#).await;
    assert_eq!(client.json().await["success"], true);
}

#[tokio::test]
async fn while_a_handler_does_not_answer_pings_are_answered_and_messages_wait_until_the_timeout() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "hang" => answer(200).never(),
        _ => answer(204),
    })
    .await;
    let service = application::service_with_timeout(&[&upstream.rule()], Duration::from_secs(2)).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.send(r#"{"type":"event","event":"hang","data":1,"ackId":1}"#).await;
    upstream.next("hang").await;
    client.send(r#"{"type":"ping"}"#).await;
    client.ping().await;
    // Control frames are answered at once, messages in their order.
    client.pong().await;
    assert_eq!(client.json().await["error"]["name"], "InternalServerError");
    assert_eq!(client.json().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_lost_client_cancels_its_pending_event() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "hang" => answer(200).never(),
        _ => answer(204),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.send(r#"{"type":"event","event":"hang","data":1}"#).await;
    upstream.next("hang").await;
    client.drop_socket().await;
    upstream.until_cancelled().await;
    upstream.next("disconnected").await;
}

#[tokio::test]
async fn messages_before_a_close_frame_are_handled() {
    let upstream = UpstreamServer::start(|_| answer(204)).await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "", "").await.unwrap();
    for number in 0..5 {
        client.send(&number.to_string()).await;
    }
    client.close("bye").await;
    for number in 0..5 {
        assert_eq!(upstream.next("message").await.text, number.to_string());
    }
    assert_eq!(upstream.next("disconnected").await.body["reason"], "bye");
}

#[tokio::test]
async fn empty_messages_queued_behind_an_event_are_bounded() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "message" => answer(200).never(),
        _ => answer(204),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "", "").await.unwrap();
    client.send("ask").await;
    upstream.next("message").await;
    // The service has stopped reading: sooner or later the send buffer of the client is full.
    assert!(client.backs_up_with_empty_messages(5_000_000).await, "the service took all of them");
}

#[tokio::test]
async fn a_handler_that_does_not_answer_does_not_block_others() {
    let hanging = UpstreamServer::start(|event| match event.name.as_str() {
        "connected" => answer(200).never(),
        _ => answer(204),
    })
    .await;
    let healthy = UpstreamServer::start(|_| answer(204)).await;
    let rules = [
        format!("url-template={} system-event=connected hub=bad", hanging.url("/")),
        format!("url-template={} system-event=connected hub=chat", healthy.url("/")),
    ];
    let service = service(&[&rules[0], &rules[1]]).await;
    let mut connections = Vec::new();
    for _ in 0..1100 {
        connections.push(Client::connect_to(&service, "bad").await.unwrap());
    }
    let _client = Client::connect(&service, "", "").await.unwrap();
    healthy.next("connected").await;
}

#[tokio::test]
async fn a_user_id_that_http_would_change_is_rejected() {
    let upstream = UpstreamServer::start(|_| answer(204)).await;
    let service = service(&[&upstream.rule()]).await;
    let refused = Client::connect_as(&service, " admin").await;
    assert_eq!(refused.err(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    assert!(upstream.is_quiet());
}

#[tokio::test]
async fn an_event_is_retried_with_the_same_ids() {
    let upstream = UpstreamServer::start(|event| match (event.name.as_str(), event.attempt) {
        ("flaky", 1) => answer(503),
        ("flaky", _) => answer(200).header("content-type", TEXT).body("at last"),
        _ => answer(204),
    })
    .await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.send(r#"{"type":"event","event":"flaky","data":1}"#).await;
    assert_eq!(client.json().await["data"], "at last");
    let (one, other) = (upstream.next("flaky").await, upstream.next("flaky").await);
    for header in ["ce-id", "x-ms-client-request-id"] {
        assert_eq!(one.header(header), other.header(header));
    }
}

#[tokio::test]
async fn servers_without_consent_receive_no_events() {
    let without_consent = UpstreamServer::start(|_| answer(204)).await.consenting_to("other.example");
    let rule = without_consent.rule();
    let refused = Client::connect(&service(&[&rule]).await, "", "").await;
    assert_eq!(refused.err(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    assert!(without_consent.is_quiet());
    let by_list = UpstreamServer::start(|_| answer(204)).await.consenting_to("other.example, 127.0.0.1");
    let refused = Client::connect(&service(&[&by_list.rule()]).await, "", "").await;
    assert_eq!(refused.err(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    // Consent by name, with a port as in the vendor's middleware, by GET instead of OPTIONS.
    let by_name =
        UpstreamServer::start(|_| answer(204)).await.consenting_to("127.0.0.1:8080").without_options();
    assert!(Client::connect(&service(&[&by_name.rule()]).await, "", "").await.is_ok());
    by_name.next("connect").await;
    let unreachable = service(&["http://127.0.0.1:1/"]).await;
    assert_eq!(Client::connect(&unreachable, "", "").await.err(), Some(StatusCode::INTERNAL_SERVER_ERROR));
}

#[tokio::test]
async fn a_detached_connection_closed_by_a_server_ends_once_and_cannot_be_recovered() {
    let upstream = UpstreamServer::start(|_| answer(204)).await;
    let service = service(&[&upstream.rule()]).await;
    let mut client = Client::connect(&service, "json.reliable.webpubsub.azure.v1", "").await.unwrap();
    let greeting = client.json().await;
    client.drop_socket().await;
    let id = greeting["connectionId"].as_str().unwrap();
    let path = format!("/api/hubs/chat/connections/{id}");
    service.until_detached().await;
    assert_eq!(service.rest("HEAD", &path).await, StatusCode::OK);
    assert_eq!(service.rest("DELETE", &format!("{path}?reason=done")).await, StatusCode::NO_CONTENT);
    let disconnected = upstream.next("disconnected").await;
    assert_eq!(disconnected.body["reason"], "Application server closed the connection. Reason: done");
    assert_eq!(service.rest("HEAD", &path).await, StatusCode::NOT_FOUND);
    let token = greeting["reconnectionToken"].as_str().unwrap();
    let recovery = format!("?awps_connection_id={id}&awps_reconnection_token={token}");
    let mut late = Client::connect(&service, "json.reliable.webpubsub.azure.v1", &recovery).await.unwrap();
    assert_eq!(late.close_code().await, 1008);
    assert!(
        upstream.next("connected").await.body == json!({})
            && upstream.next("connect").await.body != Value::Null
    );
    assert!(upstream.is_quiet(), "the connection ended twice");
}

#[tokio::test]
async fn an_anonymous_client_is_accepted_if_allowed_with_the_roles_of_the_handler() {
    let upstream = UpstreamServer::start(|event| match event.name.as_str() {
        "connect" => answer(200).body(r#"{"roles":["webpubsub.joinLeaveGroup.g"]}"#),
        _ => answer(204),
    })
    .await;
    let closed = service(&[&upstream.rule()]).await;
    assert_eq!(Client::anonymous(&closed).await.err(), Some(StatusCode::UNAUTHORIZED));
    let open = application::anonymous_service(&[&upstream.rule()]).await;
    let mut client = Client::anonymous(&open).await.unwrap();
    assert_eq!(client.json().await["userId"], Value::Null);
    client.send(r#"{"type":"joinGroup","group":"g","ackId":1}"#).await;
    assert_eq!(client.json().await["success"], true);
    client.send(r#"{"type":"joinGroup","group":"h","ackId":2}"#).await;
    assert_eq!(client.json().await["error"]["name"], "Forbidden");
}

#[tokio::test]
async fn a_validation_is_retried_while_the_application_starts() {
    let upstream = UpstreamServer::start(|_| answer(204)).await.starting_after(2);
    let service = service(&[&upstream.rule()]).await;
    assert!(Client::connect(&service, "", "").await.is_ok());
    upstream.next("connect").await;
    assert_eq!(upstream.validated_paths().len(), 1);
}

#[tokio::test]
async fn replaced_event_handlers_receive_the_next_events_of_open_connections() {
    let first = UpstreamServer::start(|_| answer(200).header("content-type", TEXT).body("first")).await;
    let second = UpstreamServer::start(|_| answer(200).header("content-type", TEXT).body("second")).await;
    let service = service(&[&format!("url-template={} user-event-pattern=*", first.url("/"))]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    let event = r#"{"type":"event","event":"ask","data":1}"#;
    client.send(event).await;
    assert_eq!(client.json().await["data"], "first");
    service.replace_rules(&[&format!("url-template={} user-event-pattern=ask", second.url("/"))]);
    client.send(event).await;
    assert_eq!(client.json().await["data"], "second");
    service.replace_rules(&[]);
    client.send(r#"{"type":"event","event":"ask","data":1,"ackId":1}"#).await;
    assert_eq!(client.json().await["error"]["name"], "InternalServerError");
}
