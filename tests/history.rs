//! History of groups: earlier messages over HTTP.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::{
    process::Process,
    server::{Server, get, http_client},
    socket::Socket,
    streamer::stream,
    with_timeout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Access to the history of a server, as `/negotiate` gives it.
struct History {
    url: String,
    token: String,
}

impl History {
    async fn negotiate(server: &Server) -> anyhow::Result<Self> {
        let answer: Value = serde_json::from_str(&get(&server.negotiate_url()).await?.1)?;
        let url = answer["url"].as_str().context("no URL")?;
        let token = url.split_once("access_token=").context("no token")?.1.to_owned();
        let url = answer["history"].as_str().context("no history")?.to_owned();
        Ok(Self { url, token })
    }

    async fn get(&self, group: &str, query: &str) -> anyhow::Result<(u16, String)> {
        let url = format!("{}/groups/{group}{query}", self.url);
        let response = http_client()?.get(url).bearer_auth(&self.token).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// Returns the records of a response.
    async fn records(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let (status, text) = self.get("stream", query).await?;
        anyhow::ensure!(status == 200, "{status}: {text}");
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Returns the messages of a response that is complete.
    async fn messages(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let mut records = self.records(query).await?;
        anyhow::ensure!(records.first().is_some_and(|head| head["type"] == "history"), "{records:?}");
        anyhow::ensure!(records.last().is_some_and(|end| end["type"] == "end"), "{records:?}");
        records.retain(|record| record["type"] == "message");
        Ok(records)
    }
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().flat_map(|message| message["data"].as_str().unwrap_or_default().lines()).collect()
}

/// Joins the group on a reliable connection.
async fn subscribe(server: &Server) -> anyhow::Result<(Socket, Value)> {
    let url = server.negotiate("reader").await?;
    let mut socket = Socket::open(&url, &["json.reliable.webpubsub.azure.v1"]).await?;
    let connected = socket.json().await?;
    socket.ask(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
    Ok((socket, connected))
}

fn publish(text: &str, ack_id: u64) -> String {
    json!({"type": "sendToGroup", "group": "stream", "noEcho": true, "dataType": "text", "data": text, "ackId": ack_id})
        .to_string()
}

#[tokio::test]
async fn lines_that_nobody_watched_can_be_read_later() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let history = History::negotiate(&server).await?;
    assert_eq!(history.messages("?last=10").await?, [Value::Null; 0]);
    let lines: Vec<String> = (1..=1_000).map(|number| format!("line {number}")).collect();
    stream(&server, &[], &(lines.join("\n") + "\n")).await?;
    let messages = history.messages("?last=1000").await?;
    assert_eq!(texts(&messages), lines);
    // Numbers of messages and lines have no gaps.
    let (mut number, mut line) = (1, 1);
    for message in &messages {
        assert_eq!((&message["number"], &message["line"]), (&json!(number), &json!(line)), "{message}");
        let text = message["data"].as_str().context("no text")?;
        (number, line) = (number + 1, line + text.lines().count());
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis();
    let published = u128::from(messages[0]["time"].as_u64().context("no time")?);
    assert!((now - 60_000..=now).contains(&published), "{published}");
    Ok(())
}

#[tokio::test]
async fn sequence_ids_of_reliable_clients_are_positions_in_the_history() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let history = History::negotiate(&server).await?;
    let (mut subscriber, connected) = subscribe(&server).await?;
    let (mut late, _) = subscribe(&server).await?;
    let mut publisher = server.connect("publisher").await?;
    for number in 1..=5 {
        publisher.ask(&publish(&number.to_string(), number)).await?;
    }
    let mut received = BTreeMap::new();
    for count in 1..=5 {
        let (message, same) = (subscriber.json().await?, late.json().await?);
        assert_eq!(message, same, "every subscriber has the same numbers");
        assert_eq!(message["deliveryCount"], count);
        let id = message["sequenceId"].as_u64().context("no sequence id")?;
        received.insert(id, message["data"].clone());
    }
    let messages = history.messages("?last=100").await?;
    let stored =
        messages.iter().map(|message| (message["sequenceId"].as_u64().unwrap(), message["data"].clone()));
    assert_eq!(stored.collect::<BTreeMap<_, _>>(), received);
    let third = *received.keys().nth(2).context("no third message")?;
    let run = connected["runId"].as_str().context("no run id")?;
    assert_eq!(texts(&history.messages(&format!("?after={third}&run={run}")).await?), ["4", "5"]);
    assert_eq!(texts(&history.messages(&format!("?last=10&before={third}")).await?), ["1", "2"]);
    // Positions of another run mean nothing in this one: everything is behind them.
    assert_eq!(history.messages(&format!("?after={third}&run=another")).await?.len(), 5);
    let records = history.records(&format!("?after={third}")).await?;
    assert_eq!(records[0]["runId"], *run);
    assert_eq!(records.last().unwrap()["sequenceId"].as_u64(), received.keys().next_back().copied());
    Ok(())
}

#[tokio::test]
async fn whoever_may_not_join_the_group_may_not_read_it() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let history = History::negotiate(&server).await?;
    let (status, reason) = history.get("payroll", "").await?;
    assert!(status == 403 && reason.contains("`payroll`"), "{status}: {reason}");
    let without = History { url: history.url.clone(), token: String::new() };
    assert_eq!(without.get("stream", "").await?.0, 401);
    let key = server.connection_string()?.access_key;
    let token = |change: fn(&mut webpubsub_protocol::token::Claims)| {
        let url = server.client_url(&key, change)?;
        let token = url.split_once("access_token=").context("no token")?.1.to_owned();
        anyhow::Ok(History { url: history.url.clone(), token })
    };
    let expired = token(|claims| {
        claims.expires_at = Some(webpubsub_protocol::token::UnixTime(1_000));
        claims.roles = vec!["webpubsub.joinLeaveGroup".into()];
    })?;
    assert_eq!(expired.get("stream", "").await?.0, 401);
    assert_eq!(
        token(|claims| claims.roles = vec!["webpubsub.sendToGroup".into()])?.get("stream", "").await?.0,
        403
    );
    assert_eq!(token(|claims| claims.groups = vec!["stream".into()])?.get("stream", "").await?.0, 200);
    assert_eq!(
        token(|claims| claims.roles = vec!["webpubsub.joinLeaveGroup.stream".into()])?
            .get("stream", "")
            .await?
            .0,
        200
    );
    Ok(())
}

#[tokio::test]
async fn a_request_that_makes_no_sense_names_the_parameter() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let history = History::negotiate(&server).await?;
    for (query, parameter) in [
        ("?last=0", "last=0"),
        ("?last=many", "last=many"),
        ("?since=yesterday", "since=yesterday"),
        ("?after=9&before=3", "before=3"),
        ("?last=1&after=1", "`last` and `after`"),
        ("?lines=5", "lines"),
    ] {
        let (status, reason) = history.get("stream", query).await?;
        assert!(status == 400 && reason.contains(parameter), "{query}: {status} {reason}");
    }
    assert_eq!(history.get("%20", "").await?.0, 400);
    Ok(())
}

#[tokio::test]
async fn a_full_history_leaves_memory_for_its_readers_and_for_new_connections() -> anyhow::Result<()> {
    const MESSAGES: u64 = 70_000;
    const ACK_INTERVAL: u64 = 500;
    let server = Server::start(&["--memory-limit", "64MiB", "--history", "1h,30MiB"]).await?;
    let mut publisher = server.connect("publisher").await?;
    let text = "x".repeat(1_024);
    let unacknowledged =
        json!({"type": "sendToGroup", "group": "stream", "noEcho": true, "dataType": "text", "data": text});
    for number in 1..=MESSAGES {
        if number % ACK_INTERVAL == 0 {
            publisher.ask(&publish(&text, number)).await?;
        } else {
            publisher.send(&unacknowledged.to_string()).await?;
        }
    }
    // Many read at the same time, and one after another.
    let history = History::negotiate(&server).await?;
    let readers = (0..8).map(|_| history.get("stream", "?last=100000"));
    for reader in futures_util::future::join_all(readers).await {
        let (status, body) = reader?;
        assert_eq!(status, 200, "{body:.200}");
        let messages = body.lines().count();
        assert!((24_000..30_000).contains(&messages), "{messages} messages are retained");
    }
    for further in 1..=20 {
        let (mut subscriber, _) = subscribe(&server).await?;
        publisher.ask(&publish("live", MESSAGES + further)).await?;
        assert_eq!(subscriber.json().await?["data"], "live");
        assert_eq!(history.messages("?last=10").await?.len(), 10);
    }
    Ok(())
}

#[tokio::test]
async fn the_oldest_messages_make_way_for_newer_ones() -> anyhow::Result<()> {
    let server = Server::start(&["--history", "1h,1MiB"]).await?;
    let history = History::negotiate(&server).await?;
    let mut publisher = server.connect("publisher").await?;
    let text = "x".repeat(10_000);
    for number in 1..=300 {
        publisher.ask(&publish(&format!("{number} {text}"), number)).await?;
    }
    let records = history.records("?last=1000").await?;
    let (head, messages) = (&records[0], &records[1..records.len() - 1]);
    assert!((80..110).contains(&messages.len()), "{} messages are retained", messages.len());
    assert_eq!(head["nextNumber"], 301);
    assert_eq!(
        (&head["oldestNumber"], &head["oldestSequenceId"]),
        (&messages[0]["number"], &messages[0]["sequenceId"])
    );
    assert_eq!(messages.last().unwrap()["number"], 300);
    // Earlier messages count, and are missing in the response.
    let first = messages[0]["number"].as_u64().context("no number")?;
    assert_eq!(history.messages("?after=0").await?.len() as u64, 301 - first);
    let metrics = get(&server.url("/metrics")).await?.1;
    for line in [
        format!("webpubsub_history_messages {}", messages.len()),
        format!("webpubsub_history_messages_dropped_total {}", first - 1),
    ] {
        assert!(metrics.contains(&line), "{line} is missing in {metrics}");
    }
    Ok(())
}

#[tokio::test]
async fn history_can_be_switched_off() -> anyhow::Result<()> {
    let server = Server::start(&["--history", "str*=off"]).await?;
    let history = History::negotiate(&server).await?;
    stream(&server, &[], "unseen\n").await?;
    let (status, reason) = history.get("stream", "").await?;
    assert!(status == 404 && reason.contains("--history"), "{status}: {reason}");
    let server = Server::start(&["--history", "off"]).await?;
    let answer: Value = serde_json::from_str(&get(&server.negotiate_url()).await?.1)?;
    assert!(answer["url"].is_string() && answer["history"].is_null(), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_response_is_compressed_for_whoever_accepts_it() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let history = History::negotiate(&server).await?;
    stream(&server, &[], &"the same line again and again\n".repeat(2_000)).await?;
    let get = async |encoding: &str| {
        let url = format!("{}/groups/stream?last=1000", history.url);
        let request = http_client()?.get(url).bearer_auth(&history.token).header("accept-encoding", encoding);
        let response = request.send().await?;
        let header = response.headers().get("content-encoding").cloned();
        anyhow::Ok((header, response.bytes().await?.len()))
    };
    let (plain, compressed) = (get("identity").await?, get("gzip").await?);
    assert_eq!((plain.0, compressed.0.as_ref().map(|value| value.as_bytes())), (None, Some(&b"gzip"[..])));
    assert!(compressed.1 * 10 < plain.1, "{} of {} bytes", compressed.1, plain.1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_cost_little_memory() -> anyhow::Result<()> {
    const READERS: usize = 100;
    let server = Server::start(&[]).await?;
    let process = Process(server.process_id()?);
    let history = History::negotiate(&server).await?;
    stream(&server, &[], &("y".repeat(1_000) + "\n").repeat(20_000)).await?;
    let before = process.resident_kib()?;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let mut socket = TcpStream::connect(server.address()).await?;
        let request = format!(
            "GET /history/hubs/stream/groups/stream?last=100000 HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\r\n",
            server.address(),
            history.token
        );
        socket.write_all(request.as_bytes()).await?;
        let mut begun = [0; 15];
        socket.read_exact(&mut begun).await?;
        assert_eq!(&begun, b"HTTP/1.1 200 OK");
        readers.push(socket);
    }
    let used = process.resident_kib()? - before;
    assert!(used < 100 * 1024, "{READERS} readers of 20 MB take {used} KiB");
    // The others are not affected.
    assert_eq!(texts(&history.messages("?last=100000").await?).len(), 20_000);
    Ok(())
}

#[tokio::test]
async fn a_response_that_is_cut_off_has_no_end() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let history = History::negotiate(&server).await?;
    stream(&server, &[], &("z".repeat(1_000) + "\n").repeat(20_000)).await?;
    let url = format!("{}/groups/stream?last=100000", history.url);
    let mut response = http_client()?.get(url).bearer_auth(&history.token).send().await?;
    let mut text = response.chunk().await?.context("no piece")?.to_vec();
    server.kill().await?;
    let reading = async {
        while let Some(piece) = response.chunk().await? {
            text.extend_from_slice(&piece);
        }
        anyhow::Ok(())
    };
    let outcome = with_timeout("the end of the response", async { anyhow::Ok(reading.await) }).await?;
    assert!(outcome.is_err(), "a response that was cut off ended as if it were complete");
    assert!(!String::from_utf8_lossy(&text).contains(r#"{"type":"end""#));
    Ok(())
}

#[tokio::test]
async fn groups_that_viewers_may_join_are_listed() -> anyhow::Result<()> {
    let server = Server::start(&["--allow-group", "build-*"]).await?;
    stream(&server, &[], "first\nlast\n").await?;
    stream(&server, &["--group", "build-7"], "compiling\n").await?;
    let (_subscriber, _) = subscribe(&server).await?;
    let groups: Value = serde_json::from_str(&get(&server.url("/groups")).await?.1)?;
    let groups = groups["groups"].as_array().context("no groups")?;
    let summary: Vec<_> = groups
        .iter()
        .map(|group| (&group["group"], &group["members"], &group["lines"], &group["lastLine"]))
        .collect();
    assert_eq!(
        summary,
        [
            (&json!("build-7"), &json!(0), &json!(1), &json!("compiling")),
            (&json!("stream"), &json!(1), &json!(2), &json!("last")),
        ]
    );
    Ok(())
}
