//! Event handlers over HTTP: a real service, real clients, and application servers that answer well, badly or not.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

mod application;

use std::time::Duration;

use application::{Application, Client, answer, service};
use axum::http::StatusCode;
use serde_json::{Value, json};

const TEXT: &str = "text/plain";

#[tokio::test]
async fn the_connect_event_shows_what_the_client_brings_and_its_answer_decides() {
    let application = Application::start(|event| match event.name.as_str() {
        "connect" => {
            let decided =
                json!({"userId": "ada", "groups": ["lobby"], "roles": ["webpubsub.sendToGroup.lobby"]});
            answer(200).header("ce-connectionState", "seen").body(decided.to_string())
        }
        _ => answer(204),
    })
    .await;
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "?tag=a&tag=b").await.unwrap();
    let greeting = client.json().await;
    assert_eq!(greeting["userId"], "ada");
    let send = r#"{"type":"sendToGroup","group":"lobby","dataType":"text","data":"hi","ackId":1}"#;
    client.send(send).await;
    assert_eq!(client.json().await["data"], "hi");

    let connect = application.next("connect").await;
    assert_eq!(connect.body["query"], json!({"tag": ["a", "b"]}));
    assert_eq!(connect.body["subprotocols"], json!(["json.webpubsub.azure.v1"]));
    assert_eq!(connect.body["claims"]["sub"], json!(["token-user"]));
    assert!(connect.body["headers"]["host"].is_array() && connect.body["headers"]["authorization"].is_null());
    assert_eq!(connect.header("ce-type"), "azure.webpubsub.sys.connect");
    assert_eq!((connect.header("ce-id"), connect.header("ce-hub")), ("0".to_owned(), "chat".to_owned()));
    assert_eq!(connect.header("webhook-request-origin"), "127.0.0.1");
    let connected = application.next("connected").await;
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
    let disconnected = application.next("disconnected").await;
    assert_eq!(disconnected.body, json!({"reason": "enough"}));
}

#[tokio::test]
async fn a_refusal_is_the_client_s_answer_and_nothing_follows() {
    let application = Application::start(|_| answer(403).body("no")).await;
    let service = service(&[&application.rule()]).await;
    let refused = Client::connect(&service, "", "").await;
    assert_eq!(refused.err(), Some(StatusCode::FORBIDDEN));
    application.next("connect").await;
    assert!(application.is_quiet(), "something follows a refusal");
}

#[tokio::test]
async fn an_event_is_answered_in_the_handler_s_type_with_state_and_cookies_carried_along() {
    let application = Application::start(|event| match event.name.as_str() {
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
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.send(r#"{"type":"event","event":"echo","dataType":"text","data":"ä","ackId":1,"metadata":{"Trace":"7"}}"#).await;
    assert_eq!(
        client.json().await,
        json!({"type": "message", "from": "server", "dataType": "text", "data": "ä"})
    );
    assert_eq!(client.json().await, json!({"type": "ack", "ackId": 1, "success": true}));
    let echoed = application.next("echo").await;
    assert_eq!(echoed.header("x-webpubsub-metadata-trace"), "7");
    assert_eq!(echoed.header("content-type"), "text/plain; charset=utf-8");
    for count in 1..=2 {
        client.send(r#"{"type":"event","event":"count","data":1}"#).await;
        let cookie = if count == 1 { "" } else { "session=1" };
        assert_eq!(client.json().await["data"], json!({"count": count, "cookie": cookie}));
    }
    client.send(r#"{"type":"event","event":"silent","dataType":"binary","data":"AQID","ackId":2}"#).await;
    assert_eq!(client.json().await["ackId"], 2);
    assert_eq!(application.next("silent").await.text, "\u{1}\u{2}\u{3}");
    client.send(r#"{"type":"invoke","invocationId":"i","target":"event","event":"echo","dataType":"text","data":"in"}"#).await;
    let invoked = json!({"type": "invokeResponse", "invocationId": "i", "success": true, "dataType": "text", "data": "in"});
    assert_eq!(client.json().await, invoked);
}

#[tokio::test]
async fn a_simple_client_s_messages_are_events_and_a_failed_one_ends_it() {
    let application = Application::start(|event| match (event.name.as_str(), event.text.as_str()) {
        ("message", "fail") => answer(400),
        ("message", text) => answer(200).header("content-type", TEXT).body(text.to_uppercase()),
        _ => answer(200),
    })
    .await;
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "", "").await.unwrap();
    client.send("hello").await;
    assert_eq!(client.text().await, "HELLO");
    client.send("fail").await;
    assert_eq!(client.close_code().await, 1011);
    application.next("disconnected").await;
}

#[tokio::test]
async fn a_custom_subprotocol_chosen_by_the_handler_is_echoed_and_told_with_every_event() {
    let application = Application::start(|event| match event.name.as_str() {
        "connect" => answer(200).body(r#"{"subprotocol":"chat.v2"}"#),
        _ => answer(204),
    })
    .await;
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "chat.v1, chat.v2", "").await.unwrap();
    assert_eq!(client.subprotocol.as_deref(), Some("chat.v2"));
    client.send("x").await;
    assert_eq!(application.next("message").await.header("ce-subprotocol"), "chat.v2");
}

#[tokio::test]
async fn the_first_handler_that_takes_an_event_gets_it() {
    let first = Application::start(|_| answer(200).header("content-type", TEXT).body("first")).await;
    let second = Application::start(|_| answer(200).header("content-type", TEXT).body("second")).await;
    let rules = [
        format!("url-template={} user-event-pattern=order.*,a hub=chat", first.url("/in/{hub}/{event}")),
        format!("url-template={} user-event-pattern=* system-event=disconnected", second.url("/")),
    ];
    let service = service(&[&rules[0], &rules[1]]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    for (event, answers) in
        [("Order.Placed", "first"), ("A", "first"), ("order", "second"), ("connected", "second")]
    {
        client.send(&json!({"type": "event", "event": event, "data": 1}).to_string()).await;
        assert_eq!(client.json().await["data"], answers, "{event}");
    }
    assert_eq!(first.next("Order.Placed").await.path, "/in/chat/Order.Placed");
    // Asked for once, at the address of an event called `validate`, before anything was delivered.
    assert_eq!(first.validated_paths(), ["/in/chat/validate"]);
    client.close("").await;
    second.next("disconnected").await;
    assert!(first.is_quiet() || first.next("A").await.name == "A");
}

#[tokio::test]
async fn a_handler_that_fails_answers_nonsense_or_sends_elsewhere_costs_the_event_and_not_the_connection() {
    let application = Application::start(|event| match event.name.as_str() {
        "refused" => answer(418),
        "elsewhere" => answer(302).header("location", "http://127.0.0.1:1/"),
        "nonsense" => answer(200).header("content-type", "application/json").body("{oops"),
        "picture" => answer(200).header("content-type", "image/png").body("png"),
        "endless" => answer(200).body("x".repeat(16 * 1024 * 1024 + 1)),
        _ => answer(200),
    })
    .await;
    let service = service(&[&application.rule()]).await;
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
async fn a_handler_that_hangs_is_given_up_and_meanwhile_pings_are_answered_and_the_rest_waits() {
    let application = Application::start(|event| match event.name.as_str() {
        "hang" => answer(200).never(),
        _ => answer(204),
    })
    .await;
    let service = application::service_with_timeout(&[&application.rule()], Duration::from_secs(2)).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.send(r#"{"type":"event","event":"hang","data":1,"ackId":1}"#).await;
    application.next("hang").await;
    client.send(r#"{"type":"ping"}"#).await;
    client.ping().await;
    // The control frame is answered at once, the messages in their order.
    client.pong().await;
    assert_eq!(client.json().await["error"]["name"], "InternalServerError");
    assert_eq!(client.json().await, json!({"type": "pong"}));
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_waiting_event_along() {
    let application = Application::start(|event| match event.name.as_str() {
        "hang" => answer(200).never(),
        _ => answer(204),
    })
    .await;
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.send(r#"{"type":"event","event":"hang","data":1}"#).await;
    application.next("hang").await;
    client.drop_socket().await;
    application.until_cancelled().await;
    application.next("disconnected").await;
}

#[tokio::test]
async fn what_a_client_says_before_it_says_goodbye_is_still_handled() {
    let application = Application::start(|_| answer(204)).await;
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "", "").await.unwrap();
    for number in 0..5 {
        client.send(&number.to_string()).await;
    }
    client.close("bye").await;
    for number in 0..5 {
        assert_eq!(application.next("message").await.text, number.to_string());
    }
    assert_eq!(application.next("disconnected").await.body["reason"], "bye");
}

#[tokio::test]
async fn empty_messages_behind_a_question_are_bounded_too() {
    let application = Application::start(|event| match event.name.as_str() {
        "message" => answer(200).never(),
        _ => answer(204),
    })
    .await;
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "", "").await.unwrap();
    client.send("ask").await;
    application.next("message").await;
    // The service reads no further: sooner or later the client's own socket is full.
    assert!(client.backs_up_with_empty_messages(5_000_000).await, "the service took all of them");
}

#[tokio::test]
async fn a_handler_that_hangs_takes_nothing_from_another() {
    let hanging = Application::start(|event| match event.name.as_str() {
        "connected" => answer(200).never(),
        _ => answer(204),
    })
    .await;
    let healthy = Application::start(|_| answer(204)).await;
    let rules = [
        format!("url-template={} system-event=connected hub=bad", hanging.url("/")),
        format!("url-template={} system-event=connected hub=chat", healthy.url("/")),
    ];
    let service = service(&[&rules[0], &rules[1]]).await;
    let mut crowd = Vec::new();
    for _ in 0..1100 {
        crowd.push(Client::connect_to(&service, "bad").await.unwrap());
    }
    let _client = Client::connect(&service, "", "").await.unwrap();
    healthy.next("connected").await;
}

#[tokio::test]
async fn a_user_whose_name_would_arrive_as_another_is_not_let_in_by_a_connect_handler() {
    let application = Application::start(|_| answer(204)).await;
    let service = service(&[&application.rule()]).await;
    let refused = Client::connect_as(&service, " admin").await;
    assert_eq!(refused.err(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    assert!(application.is_quiet());
}

#[tokio::test]
async fn an_event_is_tried_again_under_the_same_ids() {
    let application = Application::start(|event| match (event.name.as_str(), event.attempt) {
        ("flaky", 1) => answer(503),
        ("flaky", _) => answer(200).header("content-type", TEXT).body("at last"),
        _ => answer(204),
    })
    .await;
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "json.webpubsub.azure.v1", "").await.unwrap();
    client.json().await;
    client.send(r#"{"type":"event","event":"flaky","data":1}"#).await;
    assert_eq!(client.json().await["data"], "at last");
    let (one, other) = (application.next("flaky").await, application.next("flaky").await);
    for header in ["ce-id", "x-ms-client-request-id"] {
        assert_eq!(one.header(header), other.header(header));
    }
}

#[tokio::test]
async fn who_does_not_consent_gets_no_events() {
    let unwilling = Application::start(|_| answer(204)).await.consenting_to("other.example");
    let rule = unwilling.rule();
    let refused = Client::connect(&service(&[&rule]).await, "", "").await;
    assert_eq!(refused.err(), Some(StatusCode::INTERNAL_SERVER_ERROR));
    assert!(unwilling.is_quiet());
    // By name, with the port as the vendor's middleware has it, and by GET where OPTIONS is not known.
    let by_name = Application::start(|_| answer(204)).await.consenting_to("127.0.0.1:8080").without_options();
    assert!(Client::connect(&service(&[&by_name.rule()]).await, "", "").await.is_ok());
    by_name.next("connect").await;
    let nobody = service(&["http://127.0.0.1:1/"]).await;
    assert_eq!(Client::connect(&nobody, "", "").await.err(), Some(StatusCode::INTERNAL_SERVER_ERROR));
}

#[tokio::test]
async fn a_lost_reliable_connection_that_a_server_closes_ends_once_and_cannot_come_back() {
    let application = Application::start(|_| answer(204)).await;
    let service = service(&[&application.rule()]).await;
    let mut client = Client::connect(&service, "json.reliable.webpubsub.azure.v1", "").await.unwrap();
    let greeting = client.json().await;
    client.drop_socket().await;
    let id = greeting["connectionId"].as_str().unwrap();
    let path = format!("/api/hubs/chat/connections/{id}");
    service.until_away(id).await;
    assert_eq!(service.rest("HEAD", &path).await, StatusCode::OK);
    assert_eq!(service.rest("DELETE", &format!("{path}?reason=done")).await, StatusCode::NO_CONTENT);
    let disconnected = application.next("disconnected").await;
    assert_eq!(disconnected.body["reason"], "Application server closed the connection. Reason: done");
    assert_eq!(service.rest("HEAD", &path).await, StatusCode::NOT_FOUND);
    let token = greeting["reconnectionToken"].as_str().unwrap();
    let recovery = format!("?awps_connection_id={id}&awps_reconnection_token={token}");
    let mut late = Client::connect(&service, "json.reliable.webpubsub.azure.v1", &recovery).await.unwrap();
    assert_eq!(late.close_code().await, 1008);
    assert!(
        application.next("connected").await.body == json!({})
            && application.next("connect").await.body != Value::Null
    );
    assert!(application.is_quiet(), "it ended twice");
}

#[tokio::test]
async fn a_client_without_a_token_gets_in_where_allowed_and_may_do_what_the_handler_says() {
    let application = Application::start(|event| match event.name.as_str() {
        "connect" => answer(200).body(r#"{"roles":["webpubsub.joinLeaveGroup.g"]}"#),
        _ => answer(204),
    })
    .await;
    let closed = service(&[&application.rule()]).await;
    assert_eq!(Client::anonymous(&closed).await.err(), Some(StatusCode::UNAUTHORIZED));
    let open = application::anonymous_service(&[&application.rule()]).await;
    let mut client = Client::anonymous(&open).await.unwrap();
    assert_eq!(client.json().await["userId"], Value::Null);
    client.send(r#"{"type":"joinGroup","group":"g","ackId":1}"#).await;
    assert_eq!(client.json().await["success"], true);
    client.send(r#"{"type":"joinGroup","group":"h","ackId":2}"#).await;
    assert_eq!(client.json().await["error"]["name"], "Forbidden");
}
