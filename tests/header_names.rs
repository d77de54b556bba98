//! Header names of clients, which reach the event handler as sent: from the bytes of a socket to the webhook.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use anyhow::Context;
use axum::{
    Router,
    http::Request,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tailcast_tests::{server::Server, with_timeout};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// Event handler that accepts every connection, and passes on the bodies of `connect` events.
async fn event_handler() -> anyhow::Result<(String, mpsc::Receiver<Value>)> {
    let (sender, bodies) = mpsc::channel(16);
    let answer = async move |request: Request<axum::body::Body>| -> Response {
        if request.method() == "OPTIONS" {
            return [("WebHook-Allowed-Origin", "*")].into_response();
        }
        let is_connect = request.headers().get("ce-eventname").is_some_and(|name| name == "connect");
        let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
        if is_connect && sender.send(serde_json::from_slice(&body).unwrap_or_default()).await.is_err() {
            return axum::http::StatusCode::GONE.into_response();
        }
        ().into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hubs/{{hub}}", listener.local_addr()?);
    let app = Router::new().fallback(answer);
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok((url, bodies))
}

/// Sends the head of a handshake in `pieces`, each in a write of its own, and returns the status of the response.
async fn handshake(server: &Server, pieces: &[&str]) -> anyhow::Result<String> {
    let mut socket = TcpStream::connect(server.address()).await?;
    socket.set_nodelay(true)?;
    let url = server.client_url(&server.connection_string()?.access_key, |_| {})?;
    let target = url.split_once("/client").context("no client URL")?.1;
    socket.write_all(format!("GET /client{target} HTTP/1.1\r\n").as_bytes()).await?;
    for piece in pieces {
        socket.write_all(piece.replace("HOST", server.address()).as_bytes()).await?;
        socket.flush().await?;
    }
    with_timeout("the response to a handshake", async {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await?);
        }
        let head = String::from_utf8(head)?;
        Ok(head.split_whitespace().nth(1).context("no status")?.to_owned())
    })
    .await
}

#[tokio::test]
async fn header_names_reach_the_event_handler_as_sent() -> anyhow::Result<()> {
    const HANDSHAKE: &str = "Connection: Upgrade\r\nuPGRADE: websocket\r\nSec-WebSocket-Version: 13\r\n\
        SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let (handler, mut bodies) = event_handler().await?;
    let server = Server::start_hub(&["--event-handler", &handler]).await?;
    let heads: [&[&str]; 2] = [
        &["hOST: HOST\r\nX-Custom-ID: 1\r\nx-lower: 2\r\nX-TWICE: a\r\nX-Twice: b\r\n", HANDSHAKE, "\r\n"],
        // A name and the end of the head are cut across writes, as TCP may cut them.
        &[
            "hOST: HOST\r\nX-Cus",
            "tom-ID: 1\r\nx-lower: 2\r\nX-TWICE: a\r\nX-Twice: b\r\n",
            HANDSHAKE,
            "\r",
            "\n",
        ],
    ];
    for head in heads {
        assert_eq!(handshake(&server, head).await?, "101");
        let body = with_timeout("a connect event", async { bodies.recv().await.context("ended") }).await?;
        let headers = &body["headers"];
        for (name, values) in [
            ("hOST", json!([server.address()])),
            ("X-Custom-ID", json!(["1"])),
            ("x-lower", json!(["2"])),
            ("X-TWICE", json!(["a", "b"])),
            ("uPGRADE", json!(["websocket"])),
            ("SEC-WEBSOCKET-KEY", json!(["dGhlIHNhbXBsZSBub25jZQ=="])),
        ] {
            assert_eq!(headers[name], values, "{name} in {headers}");
        }
        assert_eq!(headers.as_object().map(serde_json::Map::len), Some(8), "{headers}");
    }
    Ok(())
}

#[tokio::test]
async fn internal_headers_and_credentials_stay_out_in_any_letter_case() -> anyhow::Result<()> {
    let (handler, mut bodies) = event_handler().await?;
    let server = Server::start_hub(&["--event-handler", &handler]).await?;
    let head = "Host: HOST\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nx-aSRS-internal-Secret: 1\r\naUTHORIZATION: Bearer x\r\nX-Mine: 2\r\n\r\n";
    assert_eq!(handshake(&server, &[head]).await?, "101");
    let body = with_timeout("a connect event", async { bodies.recv().await.context("ended") }).await?;
    let headers = body["headers"].as_object().context("no headers")?;
    assert_eq!(headers["X-Mine"], json!(["2"]));
    let is_hidden = |name: &String| {
        let name = name.to_ascii_lowercase();
        name == "authorization" || name.starts_with("x-asrs-internal")
    };
    assert!(!headers.keys().any(is_hidden), "{headers:?}");
    Ok(())
}
