//! Programs that are not ours, unmodified but for the URL: the tutorial's streamer, server and page, and the official
//! Python SDK.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::{
    browser::Browser,
    command::{command, run},
    environment::{python, tailcast},
    in_time,
    server::Server,
    socket::{JSON, Socket},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};

fn stranger(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers").join(name)
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

/// Calls a method of the official SDK; gives its result.
async fn sdk(server: &Server, method: &str, arguments: Value) -> anyhow::Result<Value> {
    let script = stranger("service_sdk.py");
    let connection_string = server.connection_string()?.reveal();
    let arguments = [text(&script)?, &connection_string, method, &arguments.to_string()];
    let ended = run(&python()?, &arguments, b"").await?;
    anyhow::ensure!(ended.code == Some(0), "{method}: {}", ended.stderr);
    Ok(serde_json::from_str(&ended.stdout)?)
}

/// A client with a token that the official SDK signed; gives it with its `connected` frame.
async fn sdk_client(server: &Server, arguments: Value) -> anyhow::Result<(Socket, Value)> {
    let token = sdk(server, "get_client_access_token", arguments).await?;
    let mut socket = Socket::open(token["url"].as_str().context("no url")?, &[JSON]).await?;
    let connected = socket.json().await?;
    Ok((socket, connected))
}

#[tokio::test]
async fn the_tutorial_s_streamer_sends_one_message_and_takes_one_answer() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let script = stranger("stream.py");
    let lines: Vec<String> = (0..500).map(|number| format!("line {number} \"quoted\" é")).collect();
    let input = lines.join("\n") + "\n";
    let ended = run(&python()?, &[text(&script)?, &server.negotiate_url()], input.as_bytes()).await?;
    assert_eq!((ended.code, ended.stdout.trim()), (Some(0), "connected"), "{}", ended.stderr);
    for line in &lines {
        // One line a message, as it was sent.
        assert_eq!(subscriber.json().await?["data"], *line);
    }
    Ok(())
}

#[tokio::test]
async fn a_token_of_the_official_sdk_connects_with_its_user_roles_and_groups() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let arguments = json!({
        "user_id": "ada lovelace",
        "roles": ["webpubsub.joinLeaveGroup.allowed", "webpubsub.sendToGroup.allowed"],
        "groups": ["given"],
    });
    let (mut client, connected) = sdk_client(&server, arguments).await?;
    assert_eq!(connected["userId"], "ada lovelace");
    let join = |group: &str, id: u32| format!(r#"{{"type":"joinGroup","group":"{group}","ackId":{id}}}"#);
    assert_eq!(client.ask(&join("allowed", 1)).await?["success"], true);
    assert_eq!(client.ask(&join("other", 2)).await?["error"]["name"], "Forbidden");
    sdk(&server, "send_to_group", json!({"group": "given", "message": "to a member"})).await?;
    let message = client.json().await?;
    assert_eq!((&message["from"], &message["group"]), (&"group".into(), &"given".into()));
    Ok(())
}

#[tokio::test]
async fn an_anonymous_token_of_the_official_sdk_may_do_nothing() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut client, connected) = sdk_client(&server, json!({})).await?;
    assert_eq!(connected["userId"], Value::Null);
    let refusal = client.ask(r#"{"type":"sendToGroup","group":"stream","ackId":1,"data":1}"#).await?;
    assert_eq!(refusal["error"]["name"], "Forbidden");
    Ok(())
}

#[tokio::test]
async fn the_official_sdk_sends_to_all_in_each_of_its_types() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut client = server.connect("ada").await?;
    for (arguments, data_type, data) in [
        (json!({"message": "héllo", "content_type": "text/plain"}), "text", json!("héllo")),
        (json!({"message": {"a": [1, null, "x"]}}), "json", json!({"a": [1, null, "x"]})),
        (json!({"message": "a string", "content_type": "application/json"}), "json", json!("a string")),
        (
            json!({"message_hex": "010203", "content_type": "application/octet-stream"}),
            "binary",
            json!("AQID"),
        ),
    ] {
        sdk(&server, "send_to_all", arguments).await?;
        let expected = json!({"type": "message", "from": "server", "dataType": data_type, "data": data});
        assert_eq!(client.json().await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn the_official_sdk_reaches_groups_users_and_connections_and_nobody_who_is_excluded()
-> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (mut ada, _) = sdk_client(&server, json!({"user_id": "ada/1", "groups": ["g"]})).await?;
    let (mut bob, connected) = sdk_client(&server, json!({"user_id": "bob", "groups": ["g"]})).await?;
    let bob_id = connected["connectionId"].as_str().context("no connection id")?.to_owned();
    let plain = |arguments: Value| {
        let mut arguments = arguments;
        arguments["content_type"] = json!("text/plain");
        arguments
    };
    let group = json!({"group": "g", "message": "both"});
    sdk(&server, "send_to_group", plain(group)).await?;
    let group_without_bob = json!({"group": "g", "message": "not bob", "excluded": [bob_id]});
    sdk(&server, "send_to_group", plain(group_without_bob)).await?;
    sdk(&server, "send_to_all", plain(json!({"message": "all but bob", "excluded": [bob_id]}))).await?;
    sdk(&server, "send_to_user", plain(json!({"user_id": "ada/1", "message": "ada only"}))).await?;
    sdk(&server, "send_to_connection", plain(json!({"connection_id": bob_id, "message": "bob only"})))
        .await?;
    // What was not for a client has not come before what was.
    for (client, expected) in
        [(&mut ada, &["both", "not bob", "all but bob", "ada only"][..]), (&mut bob, &["both", "bob only"])]
    {
        assert_eq!(client.lines(expected.len()).await?, expected);
    }
    Ok(())
}

/// The tutorial's own web server, which serves its page and signs tokens for our service.
async fn tutorial_server(server: &Server, page: &str) -> anyhow::Result<(Child, String)> {
    let mut command = command(&python()?);
    command.args([stranger("server.py"), server.connection_string()?.reveal().into(), stranger(page)]);
    in_time("start of the tutorial's server", async {
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let ready = lines.next_line().await?.context("it ended")?;
        let port = ready.strip_prefix("server started on ").with_context(|| ready.clone())?;
        Ok((child, format!("http://localhost:{port}/")))
    })
    .await
}

#[tokio::test]
async fn the_tutorial_s_first_page_prints_what_tailcast_publishes() -> anyhow::Result<()> {
    let (server, browser) = (Server::start(&[]).await?, Browser::start().await?);
    let (_tutorial, url) = tutorial_server(&server, "first").await?;
    browser.open(&url).await?;
    browser.until("document.querySelectorAll('#output p').length === 1").await?;
    let connected: Value = serde_json::from_str(&browser.text("#output p").await?)?;
    assert_eq!((&connected["event"], &connected["userId"]), (&"connected".into(), &Value::Null));
    let publish = ["publish", &server.connection_string()?.reveal(), "stream", "hello"];
    assert_eq!(run(&tailcast()?, &publish, b"").await?.code, Some(0));
    browser.until("document.querySelectorAll('#output p').length === 2").await?;
    let printed: Value = serde_json::from_str(&browser.text("#output p:last-child").await?)?;
    assert_eq!(printed, json!({"type": "message", "from": "server", "dataType": "text", "data": "hello"}));
    browser.close().await
}

#[tokio::test]
async fn the_tutorial_s_last_page_shows_what_tailcast_streams() -> anyhow::Result<()> {
    let (server, browser) = (Server::start(&[]).await?, Browser::start().await?);
    let (_tutorial, url) = tutorial_server(&server, "public").await?;
    browser.open(&url).await?;
    // The page says nothing of its joining, so lines are sent until the first one shows.
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let count = "document.querySelectorAll('#output span').length";
    while browser.run(&format!("return {count}")).await? == 0 {
        assert_eq!(run(&tailcast()?, &arguments, b"hello\n").await?.code, Some(0));
    }
    assert_eq!(run(&tailcast()?, &arguments, b"  one\n  two <b>\n").await?.code, Some(0));
    browser.until("document.querySelector('#output').textContent.endsWith('two <b>')").await?;
    let shown = browser.run("return [...document.querySelectorAll('#output span')].at(-1).innerText").await?;
    assert_eq!(shown, "  one\n  two <b>");
    browser.close().await
}
