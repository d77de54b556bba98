//! `GET /negotiate`: client URLs with signed tokens.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use anyhow::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tailcast_tests::{
    server::{Server, get, http_client},
    socket::{JSON, Socket},
};
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{UnixTime, verify},
};

/// Access key, which allowed origins of other hosts require.
const OWN_KEY: &str = "an-access-key-of-thirty-two-characters";

const AZURE: &str = "Endpoint=https://example.webpubsub.azure.com;AccessKey=0123456789abcdef0123456789abcdef0123456789a=;Version=1.0;";

/// Requests a client URL. Returns it with the unverified claims of its token.
async fn negotiated(server: &Server, query: &str) -> anyhow::Result<(String, Value)> {
    let (status, body) = get(&server.url(&format!("/negotiate{query}"))).await?;
    anyhow::ensure!(status == 200, "{status}: {body}");
    let url = serde_json::from_str::<Value>(&body)?["url"].as_str().context("no url")?.to_owned();
    let payload = url.split('.').nth_back(1).context("no token")?;
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
    Ok((url, claims))
}

#[tokio::test]
async fn the_token_has_the_default_hub_group_and_lifetime() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (url, claims) = negotiated(&server, "").await?;
    let address = server.address();
    assert!(url.starts_with(&format!("ws://{address}/client/hubs/stream?access_token=")), "{url}");
    assert_eq!(claims["aud"], format!("http://{address}/client/hubs/stream"));
    let lifetime = claims["exp"].as_u64().context("no exp")? - claims["iat"].as_u64().context("no iat")?;
    assert_eq!(lifetime, 3600);
    let roles = ["webpubsub.sendToGroup.stream", "webpubsub.joinLeaveGroup.stream"];
    assert_eq!(claims["role"], serde_json::json!(roles));
    assert_eq!(claims.get("sub"), None);
    let key = server.connection_string()?.access_key;
    let token = url.rsplit('=').next().context("no token")?;
    let now = UnixTime(claims["iat"].as_u64().context("no iat")?);
    assert!(verify(token, &[key], now).is_ok());
    Ok(())
}

#[tokio::test]
async fn the_id_parameter_becomes_the_user_id() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    assert_eq!(negotiated(&server, "?id=ada%20%26%20b%C3%B6b").await?.1["sub"], "ada & böb");
    assert_eq!(negotiated(&server, "?id=").await?.1.get("sub"), None);
    assert_eq!(get(&server.url(&format!("/negotiate?id={}", "x".repeat(2000)))).await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn a_connection_string_yields_urls_and_tokens_for_azure() -> anyhow::Result<()> {
    let server = Server::start(&[AZURE, "--hub", "Logs", "--group", "build-42"]).await?;
    let (url, claims) = negotiated(&server, "").await?;
    assert!(url.starts_with("wss://example.webpubsub.azure.com/client/hubs/logs?access_token="), "{url}");
    assert_eq!(claims["aud"], "https://example.webpubsub.azure.com/client/hubs/logs");
    assert_eq!(claims["role"][0], "webpubsub.sendToGroup.build-42");
    let token = url.rsplit_once("access_token=").context("no token")?.1;
    let key = AccessKey::new("0123456789abcdef0123456789abcdef0123456789a=")?;
    assert!(verify(token, &[key], UnixTime(claims["iat"].as_u64().context("no iat")?)).is_ok());
    // With a connection string, the server has neither client endpoints nor the REST API.
    assert_eq!(get(&server.url("/client/hubs/logs")).await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn the_connection_string_can_be_an_environment_variable() -> anyhow::Result<()> {
    let mut command = tailcast_tests::command::command(&tailcast_tests::environment::tailcast()?);
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("WEBPUBSUB_CONNECTION_STRING", "Endpoint=https://x.example");
    let ended = tailcast_tests::command::run_to_end(command, b"").await?;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("no `AccessKey`"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn the_health_endpoints_respond() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    assert_eq!(get(&server.url("/healthz")).await?.0, 200);
    assert_eq!(
        http_client()?.head(server.url("/api/health?api-version=2024-12-01")).send().await?.status(),
        200
    );
    Ok(())
}

#[tokio::test]
async fn publishing_requires_the_publish_key() -> anyhow::Result<()> {
    let server = Server::start(&["--publish-key", "a secret of ours"]).await?;
    assert_eq!(
        negotiated(&server, "").await?.1["role"],
        serde_json::json!("webpubsub.joinLeaveGroup.stream")
    );
    let show = async |key: &str| {
        http_client()?.get(server.negotiate_url()).bearer_auth(key).send().await.context("show")
    };
    assert_eq!(show("a guess").await?.status(), 401);
    let url = show("a secret of ours").await?.text().await?;
    let url = serde_json::from_str::<Value>(&url)?["url"].as_str().context("no url")?.to_owned();
    let mut publisher = Socket::open(&url, &[JSON]).await?;
    publisher.json().await?;
    let ack = publisher.ask(r#"{"type":"sendToGroup","group":"stream","ackId":1,"data":1}"#).await?;
    assert_eq!(ack["success"], true);
    Ok(())
}

#[tokio::test]
async fn only_pages_of_allowed_origins_can_use_the_server() -> anyhow::Result<()> {
    let server =
        Server::start(&["--allow-origin", "https://friend.example", "--access-key", OWN_KEY]).await?;
    let ask = async |origin: &str| {
        http_client()?.get(server.negotiate_url()).header("Origin", origin).send().await.context("ask")
    };
    assert_eq!(ask("https://stranger.example").await?.status(), 403);
    let answer = ask("https://friend.example").await?;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://friend.example");
    let url = server.negotiate("x").await?;
    assert_eq!(Socket::refusal(&url, &[JSON], &[("origin", "https://stranger.example")]).await?, 403);
    Socket::open_with(&url, &[JSON], &[("origin", "https://friend.example")]).await?;
    Ok(())
}

#[tokio::test]
async fn only_open_groups_can_be_requested() -> anyhow::Result<()> {
    let server =
        Server::start(&["--access-key", OWN_KEY, "--allow-group", "build-*", "--publish-key", "p"]).await?;
    let roles = async |query: &str| anyhow::Ok(negotiated(&server, query).await?.1["role"].clone());
    assert_eq!(
        roles("?group=build-42&group=stream&group=build-42").await?,
        serde_json::json!(["webpubsub.joinLeaveGroup.build-42", "webpubsub.joinLeaveGroup.stream"])
    );
    let (status, words) = get(&server.url("/negotiate?group=build-42&group=payroll")).await?;
    assert_eq!(status, 403);
    assert!(words.contains("`payroll`") && words.contains("--allow-group"), "{words}");
    assert_eq!(get(&server.url("/negotiate?group=")).await?.0, 400);
    // The token permits only the requested group.
    let (url, _) = negotiated(&server, "?group=build-42").await?;
    let mut viewer = Socket::open(&url, &[JSON]).await?;
    viewer.json().await?;
    let joined = viewer.ask(r#"{"type":"joinGroup","group":"build-42","ackId":1}"#).await?;
    assert_eq!(joined["success"], true, "{joined}");
    let refused = viewer.ask(r#"{"type":"joinGroup","group":"stream","ackId":2}"#).await?;
    assert_eq!(refused["error"]["name"], "Forbidden", "{refused}");
    Ok(())
}

#[tokio::test]
async fn every_group_is_open_with_the_development_key() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (_, claims) = negotiated(&server, "?group=whatever").await?;
    let roles = ["webpubsub.sendToGroup.whatever", "webpubsub.joinLeaveGroup.whatever"];
    assert_eq!(claims["role"], serde_json::json!(roles));
    Ok(())
}

#[tokio::test]
async fn a_requested_role_is_granted_completely_or_refused() -> anyhow::Result<()> {
    let open = Server::start(&[]).await?;
    let viewer = negotiated(&open, "?role=viewer").await?.1["role"].clone();
    assert_eq!(viewer, "webpubsub.joinLeaveGroup.stream");
    assert_eq!(negotiated(&open, "?role=publisher").await?.1["role"][0], "webpubsub.sendToGroup.stream");
    assert_eq!(get(&open.url("/negotiate?role=king")).await?.0, 400);
    let guarded = Server::start(&["--publish-key", "ours"]).await?;
    let publisher = guarded.url("/negotiate?role=publisher");
    let refused = http_client()?.get(&publisher).send().await?;
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["www-authenticate"]),
        (401, &"Bearer".parse()?)
    );
    assert_eq!(http_client()?.get(&publisher).bearer_auth("ours").send().await?.status(), 200);
    let closed = Server::start(&["--allow-origin", "https://logs.example", "--access-key", OWN_KEY]).await?;
    assert_eq!(get(&closed.url("/negotiate?role=publisher")).await?.0, 403);
    Ok(())
}
