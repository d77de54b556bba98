//! Connect events of a custom event handler.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic is how a test fails"
)]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Error, client::IntoClientRequest, http::HeaderValue},
};
use webpubsub_hub::{ConnectRejection, ConnectRequest, ConnectResponse, EventHandler, Service};
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{Claims, UnixTime, sign},
};

const KEY: &str = "a-key-for-tests-of-32-or-more-bytes!";

/// Event handler with one response, which records the requests.
struct RecordingHandler {
    answer: Result<ConnectResponse, ConnectRejection>,
    recorded: Mutex<Vec<String>>,
}

#[async_trait]
impl EventHandler for RecordingHandler {
    async fn connect(&self, request: &ConnectRequest<'_>) -> Result<ConnectResponse, ConnectRejection> {
        let mut recorded = self.recorded.lock().unwrap();
        recorded.extend(request.subprotocols.iter().cloned());
        recorded.extend(request.query.iter().map(|(name, value)| format!("{name}={value}")));
        recorded.extend(request.headers.iter().map(|(name, _)| name.clone()));
        self.answer.clone()
    }
}

/// Starts a service with an event handler, and connects with the subprotocols `offer`. Returns the negotiated
/// subprotocol or the error status, and the recorded requests.
async fn connect(
    answer: Result<ConnectResponse, ConnectRejection>,
    offer: &'static str,
) -> (Result<Option<String>, StatusCode>, Vec<String>) {
    let key = AccessKey::new(KEY).unwrap();
    let handler = Arc::new(RecordingHandler { answer, recorded: Mutex::default() });
    let builder = Service::builder().access_key(key.clone()).accept_any_host(true);
    let service = builder.event_handler(Arc::clone(&handler) as Arc<dyn EventHandler>).build().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, service.router()).into_future());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let token = sign(&Claims::new("http://h/client/hubs/h".into(), UnixTime(now), 60), &key).unwrap();
    let mut request =
        format!("ws://{address}/client/hubs/h?tag=a%20b&access_token={token}").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(offer));
    let outcome = match connect_async(request).await {
        Ok((_, response)) => {
            Ok(response.headers().get("sec-websocket-protocol").map(|name| name.to_str().unwrap().to_owned()))
        }
        Err(Error::Http(response)) => Err(response.status()),
        Err(error) => panic!("{error}"),
    };
    let recorded = handler.recorded.lock().unwrap().clone();
    (outcome, recorded)
}

#[tokio::test]
async fn the_handler_receives_all_offered_subprotocols_and_may_choose_one() {
    let answer = ConnectResponse { subprotocol: Some("chat.v2".into()), ..ConnectResponse::default() };
    let (outcome, recorded) = connect(Ok(answer), "chat.v1, chat.v2, json.webpubsub.azure.v1").await;
    assert_eq!(outcome, Ok(Some("chat.v2".to_owned())));
    assert_eq!(recorded[..4], ["chat.v1", "chat.v2", "json.webpubsub.azure.v1", "tag=a b"]);
    assert!(
        !recorded.iter().any(|recorded| recorded.contains("access_token") || recorded == "authorization"),
        "{recorded:?}"
    );
}

#[tokio::test]
async fn a_rejection_by_the_handler_reaches_the_client() {
    let (outcome, _) = connect(Err(ConnectRejection::new(403)), "json.webpubsub.azure.v1").await;
    assert_eq!(outcome, Err(StatusCode::FORBIDDEN));
}
