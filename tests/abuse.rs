//! Attacks of strangers on the service. None may take it down, or use up what other clients need.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::fs;

use anyhow::Context;
use futures_util::future::{join_all, try_join_all};
use serde_json::json;
use tailcast_tests::{
    process::Process,
    server::{Server, get},
    socket::{JSON, Socket},
    with_timeout,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};
use webpubsub_protocol::connection_string::AccessKey;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const MIB: u64 = 1024;

/// Publishes `messages` of `bytes` each, and waits until the last one is acknowledged.
async fn publish(publisher: &mut Socket, messages: u64, bytes: usize) -> anyhow::Result<()> {
    let data = "x".repeat(bytes);
    let send = |ack_id: Option<u64>| {
        let mut request =
            json!({"type": "sendToGroup", "group": "stream", "noEcho": true, "dataType": "text"});
        request["data"] = data.as_str().into();
        if let Some(ack_id) = ack_id {
            request["ackId"] = ack_id.into();
        }
        request.to_string()
    };
    for _ in 1..messages {
        publisher.send(&send(None)).await?;
    }
    let acknowledged = publisher.ask(&send(Some(messages))).await?;
    anyhow::ensure!(acknowledged["success"] == true, "{acknowledged}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_that_do_not_read_cost_little_memory_and_give_it_back() -> anyhow::Result<()> {
    const MESSAGES: u64 = 26_000;
    let server = Server::start_hub(&[]).await?;
    let process = Process(server.process_id()?);
    let url = |roles: &[&str]| {
        let roles = roles.iter().map(|role| format!("webpubsub.{role}")).collect();
        server.client_url(&server.connection_string()?.access_key, |claims| claims.roles = roles)
    };
    let join = async || {
        let mut viewer = Socket::open(&url(&["joinLeaveGroup"])?, &[JSON]).await?;
        viewer.json().await?;
        viewer.ask(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
        anyhow::Ok(viewer)
    };
    let idle = process.resident_kib()?;
    let stalled = try_join_all((0..300).map(|_| join())).await?;
    let mut honest = join().await?;
    let mut publisher = Socket::open(&url(&["sendToGroup"])?, &[JSON]).await?;
    publisher.json().await?;
    let reading = async { honest.lines(usize::try_from(MESSAGES)?).await };
    let (published, read) = tokio::join!(publish(&mut publisher, MESSAGES, 400), reading);
    published?;
    assert_eq!(read?.len() as u64, MESSAGES);
    let flooded = process.resident_kib()?;
    assert!(flooded < 200 * MIB, "{flooded} KiB are in use while 300 viewers do not read");
    drop((stalled, honest, publisher));
    let is_idle = move |process: Process| Ok(process.resident_kib()? < idle + 64 * MIB);
    process.wait_until("memory after the flood", is_idle).await
}

#[tokio::test(flavor = "multi_thread")]
async fn begun_messages_do_not_use_up_the_memory() -> anyhow::Result<()> {
    let server = Server::start_hub(&["--memory-limit", "64MiB"]).await?;
    let process = Process(server.process_id()?);
    let url = server.client_url(&server.connection_string()?.access_key, |claims| {
        claims.roles = vec!["webpubsub.sendToGroup".into(), "webpubsub.joinLeaveGroup".into()];
    })?;
    let begin = async || {
        // Refused clients get no connection, or are closed while they send.
        let mut client = Socket::open(&url, &[JSON]).await.ok()?;
        let frame = Frame::message(vec![b'x'; 900_000], OpCode::Data(Data::Text), false);
        drop(client.send_message(Message::Frame(frame)).await);
        Some(client)
    };
    let mut begun = Vec::new();
    for _ in 0..10 {
        begun.extend(join_all((0..100).map(|_| begin())).await);
    }
    let peak = process.peak_resident_kib()?;
    assert!(peak < 160 * MIB, "{peak} KiB were in use at a limit of 64 MiB");
    let mut subscriber = Socket::open(&url, &[JSON]).await?;
    subscriber.json().await?;
    subscriber.ask(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
    let mut publisher = Socket::open(&url, &[JSON]).await?;
    publisher.json().await?;
    publish(&mut publisher, 10, 100).await?;
    assert_eq!(subscriber.lines(10).await?.len(), 10);
    let metrics = get(&server.url("/metrics")).await?.1;
    assert!(metrics.contains("webpubsub_memory_limit_bytes 67108864"), "{metrics}");
    let refusals = metrics.lines().find_map(|line| line.strip_prefix("webpubsub_memory_refusals_total "));
    let refusals: u64 = refusals.context("no refusals in the metrics")?.parse()?;
    assert!(refusals > 900, "{refusals} messages were refused");
    Ok(())
}

#[tokio::test]
async fn an_address_and_a_token_have_a_limit_of_connections() -> anyhow::Result<()> {
    let limits = ["--connections-per-address", "5", "--connections-per-token", "3"];
    let proxy = ["--trusted-proxy", "127.0.0.1", "--access-key", KEY];
    let server = Server::start_hub(&[&limits[..], &proxy].concat()).await?;
    let key = AccessKey::new(KEY)?;
    let token = |user: &str| server.client_url(&key, |claims| claims.user_id = Some(user.to_owned()));
    let (one, other) = (token("one")?, token("other")?);
    let from = |address: &'static str| [("x-forwarded-for", address)];
    let (mallory, alice) = (from("203.0.113.5"), from("203.0.113.6"));
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Socket::open_with(&one, &[JSON], &mallory).await?);
    }
    assert_eq!(Socket::refusal(&one, &[JSON], &mallory).await?, 429, "a fourth connection of a token");
    assert_eq!(Socket::refusal(&one, &[JSON], &alice).await?, 429, "a fourth connection of a token");
    for _ in 0..2 {
        open.push(Socket::open_with(&other, &[JSON], &mallory).await?);
    }
    let third = token("third")?;
    assert_eq!(Socket::refusal(&third, &[JSON], &mallory).await?, 429, "a sixth connection of an address");
    open.push(Socket::open_with(&third, &[JSON], &alice).await?);
    Ok(())
}

#[tokio::test]
async fn responses_that_nobody_reads_are_closed() -> anyhow::Result<()> {
    const REQUESTS: usize = 100;
    let site = std::env::temp_dir().join(format!("tailcast-unread-{}", std::process::id()));
    fs::create_dir_all(&site)?;
    fs::write(site.join("index.html"), "page")?;
    fs::write(site.join("large.bin"), vec![0; 20_000_000])?;
    let server = Server::start(&["--site", site.to_str().context("a path that is not UTF-8")?]).await?;
    let process = Process(server.process_id()?);
    let idle = process.open_files()?;
    let request = async || {
        let mut socket = TcpStream::connect(server.address()).await?;
        socket.write_all(b"GET /large.bin HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
        // The response has begun.
        socket.read_u8().await?;
        anyhow::Ok(socket)
    };
    let unread = try_join_all((0..REQUESTS).map(|_| request())).await?;
    assert!(process.open_files()? >= idle + REQUESTS);
    let are_closed = move |process: Process| Ok(process.open_files()? < idle + REQUESTS / 10);
    process.wait_until("end of the unread responses", are_closed).await?;
    drop(unread);
    fs::remove_dir_all(site)?;
    Ok(())
}

#[tokio::test]
async fn a_client_that_may_not_publish_sends_short_messages_only() -> anyhow::Result<()> {
    let server = Server::start_hub(&[]).await?;
    let url = server.client_url(&server.connection_string()?.access_key, |_| {})?;
    let mut viewer = Socket::open(&url, &[JSON]).await?;
    viewer.json().await?;
    let long = json!({"type": "event", "event": "e", "dataType": "text", "data": "x".repeat(70_000)});
    viewer.send(&long.to_string()).await?;
    assert_eq!(viewer.closed().await?.0, 1009);
    with_timeout("response of the server", async { get(&server.url("/healthz")).await }).await?;
    Ok(())
}

/// Starts an event handler that accepts its validation and all connections, and answers each event with `answer`: bytes of
/// HTTP, or nothing. Returns its URL.
async fn event_handler(answer: Option<Vec<u8>>) -> anyhow::Result<(String, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let handling = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            let mut socket = BufReader::new(socket);
            let (mut line, mut is_accepted) = (String::new(), false);
            while !matches!(socket.read_line(&mut line).await, Ok(0 | 2) | Err(_)) {
                is_accepted |= line.starts_with("OPTIONS") || line.contains("webpubsub.sys.");
                line.clear();
            }
            let consent = b"HTTP/1.1 200 OK\r\nWebHook-Allowed-Origin: *\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let answer = if is_accepted { Some(&consent[..]) } else { answer.as_deref() };
            // A service that is out of memory does not read the answer.
            drop(socket.write_all(answer.unwrap_or_default()).await);
            if answer.is_none() {
                open.push(socket);
            }
        }
    });
    Ok((url, handling))
}

/// Waits until the clients of a server use less than 1 MiB of its memory budget.
async fn wait_for_memory(server: &Server) -> anyhow::Result<()> {
    let used = async || {
        let metrics = get(&server.url("/metrics")).await?.1;
        let used = metrics.lines().find_map(|line| line.strip_prefix("webpubsub_memory_used_bytes "));
        anyhow::Ok(used.context("no memory in the metrics")?.parse::<u64>()?)
    };
    while used().await? > 1024 * MIB {
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn events_without_an_answer_count_in_the_memory_budget() -> anyhow::Result<()> {
    const CLIENTS: usize = 100;
    let (handler, handling) = event_handler(None).await?;
    let server = Server::start_hub(&["--memory-limit", "64MiB", "--event-handler", &handler]).await?;
    let process = Process(server.process_id()?);
    let url = server.client_url(&server.connection_string()?.access_key, |claims| {
        claims.roles = vec!["webpubsub.sendToGroup".into(), "webpubsub.joinLeaveGroup".into()];
    })?;
    let event = json!({"type": "event", "event": "e", "dataType": "text", "data": "x".repeat(500_000)});
    let send = async || {
        // Refused clients get no connection, or are closed while they send.
        let mut client = Socket::open(&url, &[JSON]).await.ok()?;
        for _ in 0..4 {
            if client.send(&event.to_string()).await.is_err() {
                break;
            }
        }
        Some(client)
    };
    let clients = join_all((0..CLIENTS).map(|_| send())).await;
    let peak = process.peak_resident_kib()?;
    assert!(peak < 160 * MIB, "{peak} KiB were in use at a limit of 64 MiB");
    let mut publisher = Socket::open(&url, &[JSON]).await?;
    publisher.json().await?;
    publish(&mut publisher, 10, 100).await?;
    drop((clients, publisher));
    wait_for_memory(&server).await?;
    handling.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_count_in_the_memory_budget() -> anyhow::Result<()> {
    const CLIENTS: usize = 40;
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12000000\r\nConnection: close\r\n\r\n";
    let answer = [head.as_bytes(), &[b'x'; 12_000_000]].concat();
    let (handler, handling) = event_handler(Some(answer)).await?;
    let server = Server::start_hub(&["--memory-limit", "64MiB", "--event-handler", &handler]).await?;
    let process = Process(server.process_id()?);
    let url = server.client_url(&server.connection_string()?.access_key, |_| {})?;
    let invoke = async || {
        // Refused clients get no connection, or are closed.
        let mut client = Socket::open(&url, &[JSON]).await.ok()?;
        for id in ["1", "2"] {
            let request = json!({"type": "invoke", "invocationId": id, "target": "event", "event": "e"});
            client.send(&request.to_string()).await.ok()?;
        }
        // The first answer follows the `connected` message. The others stay unread.
        for _ in 0..2 {
            client.message().await.ok()?;
        }
        Some(client)
    };
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(invoke().await);
    }
    let peak = process.peak_resident_kib()?;
    assert!(peak < 160 * MIB, "{peak} KiB were in use at a limit of 64 MiB");
    drop(clients);
    wait_for_memory(&server).await?;
    handling.abort();
    Ok(())
}
