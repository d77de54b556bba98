//! Negotiation of subprotocols, and clients without a supported one.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use tailcast_tests::{
    server::{Server, http_client},
    socket::{JSON, Socket},
};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn json_is_selected_from_any_list_of_subprotocols() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for offer in [&[JSON][..], &["chat.v1", JSON], &[JSON, "protobuf.webpubsub.azure.v1"]] {
        let mut socket = Socket::open(&server.negotiate("ada").await?, offer).await?;
        assert_eq!(socket.subprotocol(), Some(JSON), "{offer:?}");
        let connected = socket.json().await?;
        assert_eq!((&connected["type"], &connected["event"]), (&"system".into(), &"connected".into()));
        assert_eq!(connected["userId"], "ada");
        assert_eq!(connected["connectionId"].as_str().map(str::len), Some(32));
    }
    Ok(())
}

#[tokio::test]
async fn a_client_without_a_subprotocol_receives_payloads_without_frames() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut simple = Socket::open(&server.negotiate("x").await?, &[]).await?;
    let program = tailcast_tests::environment::tailcast()?;
    let connection_string = server.connection_string()?.reveal();
    let publish = ["publish", connection_string.as_str(), "stream", "hello"];
    assert_eq!(tailcast_tests::command::run(&program, &publish, b"").await?.code, Some(0));
    assert_eq!(simple.message().await?, Message::text("hello"));
    // The client's messages are events, which have no handler here.
    simple.send("an event").await?;
    assert_eq!(simple.closed().await?.0, 1011);
    Ok(())
}

#[tokio::test]
async fn unknown_subprotocols_are_accepted() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let url = server.negotiate("x").await?;
    // The response has no subprotocol, which the WebSocket client rejects, so the test sends an HTTP request.
    let response = http_client()?
        .get(url.replacen("ws://", "http://", 1))
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Protocol", "chat.v1, chat.v2")
        .send()
        .await?;
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers().get("sec-websocket-protocol"), None);
    Ok(())
}

#[tokio::test]
async fn recovery_of_a_plain_connection_is_closed_with_1008() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let url = format!(
        "ws://{}/client/hubs/stream?awps_connection_id=c&awps_reconnection_token=t",
        server.address()
    );
    let mut socket = Socket::open(&url, &[JSON]).await?;
    assert_eq!(socket.closed().await?.0, 1008);
    Ok(())
}

#[tokio::test]
async fn a_plain_get_request_is_refused_as_not_a_websocket() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (status, words) = tailcast_tests::server::get(&server.url("/client/hubs/stream")).await?;
    assert_eq!(status, 400);
    assert!(words.contains("WebSocket"), "{words}");
    Ok(())
}

#[tokio::test]
async fn a_shutdown_sends_close_frames() -> anyhow::Result<()> {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]).await?;
        let mut client = server.connect("x").await?;
        server.signal(signal).await?;
        let goodbye = client.json().await?;
        assert_eq!(
            (&goodbye["event"], &goodbye["message"]),
            (&"disconnected".into(), &"The service is shutting down.".into())
        );
        assert_eq!(client.closed().await?.0, 1001);
        drop(client);
        assert_eq!(server.wait_for_exit().await?, Some(0), "SIG{signal}");
    }
    Ok(())
}
