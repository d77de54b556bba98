//! `tailcast publish`: one message to all clients of a hub.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use tailcast_tests::{command::run, environment::tailcast, fixed_response::FixedResponse, server::Server};

#[tokio::test]
async fn every_client_receives_the_text_message_of_the_server() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut ada, mut bob) = (server.connect("ada").await?, server.connect("bob").await?);
    let message = "héllo {\"not\": \"parsed\"}\n<b>second line</b>";
    let ended =
        run(&tailcast()?, &["publish", &server.connection_string()?.reveal(), "Stream", message], b"")
            .await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for client in [&mut ada, &mut bob] {
        let frame = client.json().await?;
        let expected =
            serde_json::json!({"type": "message", "from": "server", "dataType": "text", "data": message});
        assert_eq!(frame, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_access_key_is_reported() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let connection_string = format!("Endpoint=http://{};AccessKey={}", server.address(), "w".repeat(40));
    let ended = run(&tailcast()?, &["publish", &connection_string, "stream", "x"], b"").await?;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("rejected the access key (401 Unauthorized)"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("wwww"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn usage_errors_exit_with_2_and_runtime_errors_with_1() -> anyhow::Result<()> {
    let program = tailcast()?;
    let key = "k".repeat(40);
    let good = format!("Endpoint=http://127.0.0.1:1;AccessKey={key}");
    for (arguments, code, part) in [
        (["publish", "nonsense", "stream", "x"], 2, "`Endpoint`"),
        (["publish", &format!("AccessKey={key}"), "stream", "x"], 2, "`Endpoint`"),
        (["publish", "Endpoint=http://h", "stream", "x"], 2, "`AccessKey`"),
        (["publish", &format!("Endpoint=h h;AccessKey={key}"), "stream", "x"], 2, "`h h`"),
        (["publish", &good, "1hub", "x"], 2, "`1hub`"),
        (["publish", &good, "stream", "x"], 1, "http://127.0.0.1:1 cannot be reached"),
    ] {
        let ended = run(&program, &arguments, b"").await?;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn the_response_of_another_server_is_reported() -> anyhow::Result<()> {
    let other = FixedResponse::with("404 Not Found", "text/plain", "nothing here").await?;
    let connection_string = format!("Endpoint={};AccessKey={}", other.url(""), "k".repeat(40));
    let ended = run(&tailcast()?, &["publish", &connection_string, "stream", "x"], b"").await?;
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("answered 404 Not Found: nothing here"), "{}", ended.stderr);
    Ok(())
}
