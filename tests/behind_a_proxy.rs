//! Reverse proxies: trusted headers, and URLs for clients.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use anyhow::Context;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tailcast_tests::{
    server::{Server, http_client},
    socket::{JSON, Socket},
};

const OWN_KEY: [&str; 2] = ["--access-key", "an-access-key-of-thirty-two-characters"];

async fn server(arguments: &[&str]) -> anyhow::Result<Server> {
    Server::start(&[&OWN_KEY[..], arguments].concat()).await
}

async fn ask(server: &Server, query: &str, headers: &[(&str, &str)]) -> anyhow::Result<reqwest::Response> {
    let mut request = http_client()?.get(server.url(&format!("/negotiate{query}")));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Ok(request.send().await?)
}

/// Requests a client URL. Returns it with the unverified claims of its token.
async fn negotiated(
    server: &Server,
    query: &str,
    headers: &[(&str, &str)],
) -> anyhow::Result<(String, Value)> {
    let answer: Value = serde_json::from_str(&ask(server, query, headers).await?.text().await?)?;
    let url = answer["url"].as_str().context("no url")?.to_owned();
    let payload = url.split('.').rev().nth(1).context("no token")?;
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
    Ok((url, claims))
}

const THROUGH_THE_PROXY: [(&str, &str); 2] =
    [("x-forwarded-host", "logs.example"), ("x-forwarded-proto", "https")];

#[tokio::test]
async fn client_urls_have_host_and_scheme_of_a_trusted_proxy() -> anyhow::Result<()> {
    let known = ["--allow-origin", "https://logs.example"];
    let trusting = server(&[&known[..], &["--trusted-proxy", "127.0.0.0/8"]].concat()).await?;
    let (url, _) = negotiated(&trusting, "", &THROUGH_THE_PROXY).await?;
    assert!(url.starts_with("wss://logs.example/client/hubs/stream?"), "{url}");
    // The token is valid for a client that connects through the proxy.
    let inside = url.replacen("wss://logs.example", &format!("ws://{}", trusting.address()), 1);
    let mut viewer = Socket::open_with(&inside, &[JSON], &THROUGH_THE_PROXY).await?;
    assert_eq!(viewer.json().await?["event"], "connected");
    let distrusting = server(&[&known[..], &["--trusted-proxy", "192.0.2.1"]].concat()).await?;
    let (url, _) = negotiated(&distrusting, "", &THROUGH_THE_PROXY).await?;
    assert!(url.starts_with(&format!("ws://{}/client", distrusting.address())), "{url}");
    Ok(())
}

#[tokio::test]
async fn an_unknown_host_from_the_proxy_is_refused() -> anyhow::Result<()> {
    let server = server(&["--trusted-proxy", "127.0.0.1"]).await?;
    assert_eq!(ask(&server, "", &THROUGH_THE_PROXY).await?.status(), 421);
    let named = self::server(&["--trusted-proxy", "127.0.0.1", "--allow-host", "logs.example"]).await?;
    assert_eq!(ask(&named, "", &THROUGH_THE_PROXY).await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn client_urls_start_with_the_public_url() -> anyhow::Result<()> {
    let server = server(&["--public-url", "https://logs.example/tail/"]).await?;
    let (url, _) = negotiated(&server, "", &[]).await?;
    assert!(url.starts_with("wss://logs.example/tail/client/hubs/stream?"), "{url}");
    // The proxy removes the path, and can omit the requested host.
    let inside = url.replacen("wss://logs.example/tail", &format!("ws://{}", server.address()), 1);
    let mut viewer = Socket::open(&inside, &[JSON]).await?;
    assert_eq!(viewer.json().await?["event"], "connected");
    // The public origin is allowed.
    assert_eq!(ask(&server, "", &[("origin", "https://logs.example")]).await?.status(), 200);
    assert_eq!(ask(&server, "", &[("origin", "https://other.example")]).await?.status(), 403);
    Ok(())
}

#[tokio::test]
async fn only_a_trusted_proxy_can_set_the_user_id() -> anyhow::Result<()> {
    let ada = [("x-user", "ada")];
    let trusting = server(&["--trusted-proxy", "127.0.0.1", "--user-header", "X-User"]).await?;
    assert_eq!(negotiated(&trusting, "?id=bob", &ada).await?.1["sub"], "ada");
    assert_eq!(negotiated(&trusting, "?id=bob", &[]).await?.1.get("sub"), None);
    let twice = ask(&trusting, "", &[("x-user", "mallory"), ("x-user", "ada")]).await?;
    assert_eq!(twice.status(), 400);
    assert!(twice.text().await?.contains("several `x-user` headers"));
    let distrusting = server(&["--trusted-proxy", "192.0.2.1", "--user-header", "X-User"]).await?;
    assert_eq!(negotiated(&distrusting, "?id=bob", &ada).await?.1.get("sub"), None);
    Ok(())
}

#[tokio::test]
async fn the_rate_limit_applies_per_client_address() -> anyhow::Result<()> {
    let server = server(&["--trusted-proxy", "127.0.0.1", "--negotiate-limit", "5"]).await?;
    let (busy, other) = ([("x-forwarded-for", "198.51.100.7")], [("x-forwarded-for", "198.51.100.8")]);
    for _ in 0..5 {
        assert_eq!(ask(&server, "", &busy).await?.status(), 200);
    }
    let refused = ask(&server, "", &busy).await?;
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str()?.parse()?;
    assert!((1..=12).contains(&wait), "{wait} s");
    assert!(refused.text().await?.contains("--negotiate-limit"));
    assert_eq!(ask(&server, "", &other).await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn wrong_publish_keys_count_toward_the_rate_limit() -> anyhow::Result<()> {
    let server = server(&[
        "--allow-origin",
        "https://logs.example",
        "--publish-key",
        "ours",
        "--negotiate-limit",
        "3",
    ])
    .await?;
    for _ in 0..3 {
        assert_eq!(ask(&server, "", &[("authorization", "Bearer guess")]).await?.status(), 401);
    }
    assert_eq!(ask(&server, "", &[("authorization", "Bearer ours")]).await?.status(), 429);
    Ok(())
}

#[tokio::test]
async fn tokens_have_the_configured_lifetime() -> anyhow::Result<()> {
    let server = server(&["--token-lifetime", "120"]).await?;
    let (_, claims) = negotiated(&server, "", &[]).await?;
    assert_eq!(claims["exp"].as_u64().context("no exp")? - claims["iat"].as_u64().context("no iat")?, 120);
    Ok(())
}
