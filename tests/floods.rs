//! Limits on joins, acks, pings and streams. Refusals are specific, and other clients are not affected.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::time::Duration;

use serde_json::{Value, json};
use tailcast_tests::{
    server::Server,
    socket::{JSON, Socket},
};
use tokio_tungstenite::tungstenite::Message;
use webpubsub_protocol::token::Claims;

/// Maximum number of groups per connection.
const GROUPS: u64 = 10_000;
/// Maximum number of open streams per connection.
const STREAMS: u64 = 100;

async fn client(hub: &Server) -> anyhow::Result<Socket> {
    let everything = |claims: &mut Claims| {
        claims.roles = vec!["webpubsub.joinLeaveGroup".into(), "webpubsub.sendToGroup".into()];
    };
    let url = hub.client_url(&hub.connection_string()?.access_key, everything)?;
    let mut client = Socket::open(&url, &[JSON]).await?;
    client.json().await?;
    Ok(client)
}

/// Checks that another client still receives responses.
async fn check_response(other: &mut Socket) -> anyhow::Result<()> {
    other.send(r#"{"type":"ping"}"#).await?;
    assert_eq!(other.json().await?, json!({"type": "pong"}));
    Ok(())
}

#[tokio::test]
async fn the_number_of_groups_per_connection_has_a_limit() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let (mut greedy, mut other) = (client(&hub).await?, client(&hub).await?);
    let mut outcomes = Vec::new();
    for start in (0..=GROUPS).step_by(100) {
        let numbers = start..(start + 100).min(GROUPS + 1);
        for number in numbers.clone() {
            let join = json!({"type": "joinGroup", "group": format!("g{number}"), "ackId": number});
            greedy.send(&join.to_string()).await?;
        }
        for _ in numbers {
            outcomes.push(greedy.json().await?);
        }
    }
    let refused: Vec<&Value> = outcomes.iter().filter(|ack| ack["success"] == false).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(
        (&refused[0]["ackId"], &refused[0]["error"]["name"]),
        (&json!(GROUPS), &json!("InternalServerError"))
    );
    check_response(&mut other).await?;
    // Leaving a group allows joining another.
    greedy.ask(r#"{"type":"leaveGroup","group":"g0","ackId":20000}"#).await?;
    let joined = greedy.ask(r#"{"type":"joinGroup","group":"one more","ackId":20001}"#).await?;
    assert_eq!(joined["success"], true, "{joined}");
    Ok(())
}

#[tokio::test]
async fn the_number_of_streams_per_connection_has_a_limit() -> anyhow::Result<()> {
    let hub = Server::start_hub(&[]).await?;
    let mut greedy = client(&hub).await?;
    let start = |number: u64| {
        json!({"type": "sendToGroup", "group": "g", "stream": {"streamId": number.to_string()}}).to_string()
    };
    for number in 0..STREAMS {
        assert_eq!(greedy.ask(&start(number)).await?["type"], "streamAck");
    }
    let refused = greedy.ask(&start(STREAMS)).await?;
    assert_eq!(refused["error"]["name"], "BadRequest", "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_low_soft_limit_of_open_files_does_not_limit_the_connections() -> anyhow::Result<()> {
    const SOFT_LIMIT: u32 = 64;
    let server = Server::start_with_open_files(SOFT_LIMIT).await?;
    let mut clients = Vec::new();
    for number in 0..2 * SOFT_LIMIT {
        clients.push(server.connect(&number.to_string()).await?);
    }
    for client in &mut clients {
        check_response(client).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_client_that_does_not_read_responses_is_throttled() -> anyhow::Result<()> {
    const REQUESTS: usize = 2_000_000;
    /// Duration of a send after which the service is considered to have stopped reading.
    const BACKED_UP: Duration = Duration::from_secs(1);
    const SERVER_KIB: u64 = 64 * 1024;
    let hub = Server::start_hub(&[]).await?;
    let (mut deaf, mut other) = (client(&hub).await?, client(&hub).await?);
    let mut sent = 0;
    let has_backed_up = loop {
        let request = match sent % 2 {
            0 => Message::text(r#"{"type":"ping"}"#),
            _ => Message::Ping("flood".into()),
        };
        match tokio::time::timeout(BACKED_UP, deaf.send_message(request)).await {
            Ok(outcome) => outcome?,
            Err(_) => break true,
        }
        if sent % 1000 == 0 {
            check_response(&mut other).await?;
        }
        sent += 1;
        if sent == REQUESTS {
            break false;
        }
    };
    assert!(has_backed_up, "{sent} requests were taken though no answer was");
    for _ in 0..100 {
        check_response(&mut other).await?;
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", hub.process_id()?))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    assert!(peak < SERVER_KIB, "the server took {peak} KiB");
    Ok(())
}
