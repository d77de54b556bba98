//! `tailcast token`: client access URLs from a connection string.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use tailcast_tests::{
    command::{Ended, command, run},
    environment::tailcast,
    server::Server,
    socket::{JSON, Socket},
};
use webpubsub_protocol::token::{UnixTime, verify};

async fn token(arguments: &[&str]) -> anyhow::Result<Ended> {
    run(&tailcast()?, &[&["token"], arguments].concat(), b"").await
}

#[tokio::test]
async fn the_url_has_user_roles_and_groups() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let service = hub.connection_string()?.reveal();
    let flags = ["--user", "ada", "--role", "webpubsub.sendToGroup.build", "--group", "build"];
    let printed = token(&[&[&*service, "stream"], &flags[..]].concat()).await?;
    assert_eq!((printed.code, printed.stderr.as_str()), (Some(0), ""));
    let mut client = Socket::open(printed.stdout.trim(), &[JSON]).await?;
    assert_eq!(client.json().await?["userId"], "ada");
    // It is a member, and may publish to this group only.
    let send = r#"{"type":"sendToGroup","group":"build","dataType":"text","data":"hello"}"#;
    assert_eq!(client.ask(send).await?["data"], "hello");
    let forbidden = r#"{"type":"sendToGroup","group":"deploy","dataType":"text","data":"x","ackId":1}"#;
    assert_eq!(client.ask(forbidden).await?["error"]["name"], "Forbidden");
    Ok(())
}

#[tokio::test]
async fn the_connection_string_of_the_environment_signs_a_token_of_the_given_lifetime() -> anyhow::Result<()>
{
    let hub = Server::start_hub(&[]).await?;
    let service = hub.connection_string()?;
    let mut command = command(&tailcast()?);
    command.env("WEBPUBSUB_CONNECTION_STRING", service.reveal());
    let printed = command.args(["token", "stream", "--lifetime", "120"]).output().await?;
    let url = String::from_utf8(printed.stdout)?;
    let mut client = Socket::open(url.trim(), &[JSON]).await?;
    assert_eq!(client.json().await?["event"], "connected");
    let (_, token) = url.trim().split_once("access_token=").context("no token")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = verify(token, &[service.access_key], UnixTime(now))?;
    let (issued, expires) = (claims.issued_at.context("no iat")?, claims.expires_at.context("no exp")?);
    assert_eq!(expires.0 - issued.0, 120);
    Ok(())
}

#[tokio::test]
async fn a_missing_hub_or_message_is_named() -> anyhow::Result<()> {
    let service = format!("Endpoint=http://localhost;AccessKey={}", "k".repeat(32));
    for (arguments, words) in [
        (&["token", &service][..], "the name of the hub is missing"),
        (&["publish", &service, "stream"], "the message is missing"),
    ] {
        let ended = run(&tailcast()?, arguments, b"").await?;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(words) && !ended.stderr.contains("kkk"), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn invalid_arguments_are_usage_errors() -> anyhow::Result<()> {
    let service = format!("Endpoint=http://localhost;AccessKey={}", "k".repeat(32));
    for arguments in [
        &["stream"][..],
        &[&service, "1"],
        &[&service, "stream", "--role", "admin"],
        &[&service, "stream", "--group", ""],
        &["Endpoint=http://localhost", "stream"],
    ] {
        let ended = token(arguments).await?;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.stderr);
    }
    Ok(())
}
