//! Logs never contain tokens and keys.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use tailcast_tests::{
    command::{command, run_to_end},
    environment::tailcast,
    server::{Server, get},
    socket::{JSON, Socket},
};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn tokens_and_keys_are_never_logged() -> anyhow::Result<()> {
    const KEY: &str = "an-access-key-of-thirty-two-characters";
    let server = Server::start(&["--access-key", KEY]).await?;
    let url = server.negotiate("ada").await?;
    let token = url.rsplit('=').next().unwrap_or_default().to_owned();
    let signature = token.rsplit('.').next().unwrap_or_default();
    assert!(signature.len() > 20);
    // A valid connection, a protocol violation, refused connections, and a broadcast.
    let mut good = Socket::open(&url, &[JSON]).await?;
    good.json().await?;
    let mut bad = Socket::open(&url, &[JSON]).await?;
    bad.send_message(Message::text("nope")).await?;
    bad.closed().await?;
    let truncated = url.trim_end_matches(signature).to_owned() + &"A".repeat(signature.len());
    assert_eq!(Socket::refusal(&truncated, &[JSON], &[]).await?, 401);
    let as_page = url.replacen("ws://", "http://", 1);
    assert_eq!(get(&as_page).await?.0, 400);
    let connection_string = format!("Endpoint={};AccessKey={KEY}", server.url(""));
    let mut publish = command(&tailcast()?);
    publish.args(["publish", &connection_string, "stream", "x"]).env("TAILCAST_LOG", "trace");
    let published = run_to_end(publish, b"").await?;
    let mut stream = command(&tailcast()?);
    stream.args(["stream", "--negotiate", &server.negotiate_url()]).env("TAILCAST_LOG", "trace");
    let streamed = run_to_end(stream, b"line\n").await?;
    assert_eq!((published.code, streamed.code), (Some(0), Some(0)));
    let server_stderr = server.stderr();
    assert!(server_stderr.contains("AccessKey=<yours>;"), "{server_stderr}");
    assert!(
        server_stderr.contains("malformed frame"),
        "logging is off, so this test shows nothing: {server_stderr}"
    );
    for (who, stderr) in
        [("serve", server_stderr), ("publish", published.stderr), ("stream", streamed.stderr)]
    {
        for secret in [signature, "access_token=ey", "an-access-key-of", "Bearer ey", "eyJhbGciOi"] {
            assert!(!stderr.contains(secret), "{who} logged {secret}:\n{stderr}");
        }
    }
    Ok(())
}
