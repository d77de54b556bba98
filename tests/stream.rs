//! `tailcast stream`: lines in, messages out, every line acknowledged.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::time::Instant;

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{
    command::run, environment::tailcast, scripted_service::ScriptedService, server::Server, socket::Socket,
    streamer::Streamer,
};

#[tokio::test]
async fn a_typed_line_appears_before_the_next_is_typed() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    for line in ["one", "  two, indented\t", "", "four: <b>&amp;</b> \"quoted\" \\ é 日本"] {
        streamer.write(&format!("{line}\n")).await?;
        assert_eq!(subscriber.lines(1).await?, [line]);
    }
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?, (Some(0), String::new()));
    Ok(())
}

#[tokio::test]
async fn piped_lines_arrive_in_order_and_complete() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let count = 300_000;
    let expected: Vec<String> = (0..count).map(|number| format!("line {number}")).collect();
    let input = expected.join("\n") + "\n";
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let program = tailcast()?;
    let (ended, lines) = tokio::join!(run(&program, &arguments, input.as_bytes()), subscriber.lines(count));
    assert_eq!(ended?.code, Some(0));
    assert_eq!(lines?, expected);
    Ok(())
}

#[tokio::test]
async fn a_last_line_without_an_end_is_a_line_too() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let ended = run(&tailcast()?, &["stream", "--negotiate", &server.negotiate_url()], b"one\ntwo").await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(subscriber.lines(2).await?, ["one", "two"]);
    Ok(())
}

async fn next_send(
    socket: &mut tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>,
) -> anyhow::Result<Value> {
    use futures_util::StreamExt;
    tailcast_tests::with_timeout("a message of the streamer", async {
        loop {
            let message = socket.next().await.context("closed")??;
            if let Ok(text) = message.to_text()
                && text.contains("sendToGroup")
            {
                return Ok(serde_json::from_str(text)?);
            }
        }
    })
    .await
}

async fn acknowledge(
    socket: &mut tokio_tungstenite::WebSocketStream<tokio::net::TcpStream>,
    ack_id: &Value,
) -> anyhow::Result<()> {
    use futures_util::SinkExt;
    let ack = format!(r#"{{"type":"ack","ackId":{ack_id},"success":true}}"#);
    Ok(socket.send(tokio_tungstenite::tungstenite::Message::text(ack)).await?)
}

#[tokio::test]
async fn many_messages_are_on_their_way_at_once_and_the_end_waits_for_every_ack() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
    let mut socket = service.accept().await?;
    let mut ack_ids = Vec::new();
    for line in ["a", "b", "c"] {
        // Nothing has been acknowledged yet, and still the next line comes at once.
        streamer.write(&format!("{line}\n")).await?;
        let sent = next_send(&mut socket).await?;
        assert_eq!(
            (&sent["data"], &sent["dataType"], &sent["group"]),
            (&line.into(), &"text".into(), &"stream".into())
        );
        ack_ids.push(sent["ackId"].clone());
    }
    streamer.end_input();
    // Acks may come in any order; the last one ends the program.
    for ack_id in ack_ids.iter().rev() {
        assert!(streamer.process_id().is_ok());
        acknowledge(&mut socket, ack_id).await?;
    }
    assert_eq!(streamer.wait_for_exit().await?, (Some(0), String::new()));
    Ok(())
}

#[tokio::test]
async fn what_piles_up_leaves_in_few_messages_joined_by_line_feeds() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
    let lines: Vec<String> = (0..20_000).map(|number| format!("line {number}")).collect();
    let (written, seen) = tokio::join!(
        async {
            streamer.write(&(lines.join("\n") + "\n")).await?;
            streamer.end_input();
            anyhow::Ok(())
        },
        async {
            let mut socket = service.accept().await?;
            let (mut seen, mut messages) = (Vec::new(), 0);
            while seen.len() < lines.len() {
                let sent = next_send(&mut socket).await?;
                seen.extend(sent["data"].as_str().context("no text")?.split('\n').map(str::to_owned));
                messages += 1;
                acknowledge(&mut socket, &sent["ackId"]).await?;
            }
            anyhow::Ok((seen, messages))
        }
    );
    written?;
    let (seen, messages) = seen?;
    assert_eq!(seen, lines);
    assert!(messages < 200, "{messages} messages for {} lines", lines.len());
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    Ok(())
}

#[tokio::test]
async fn a_server_that_comes_back_gets_the_lines_it_missed() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let address = server.address().to_owned();
    let mut subscriber = server.subscribe().await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    streamer.write("before\n").await?;
    assert_eq!(subscriber.lines(1).await?, ["before"]);
    server.kill().await?;
    streamer.wait_for_stderr("retrying in").await?;
    streamer.write("meanwhile\n").await?;
    let server = Server::start_on(&address, &[]).await?;
    streamer.wait_for_stderr("reconnected").await?;
    let mut subscriber = server.subscribe().await?;
    streamer.write("after\n").await?;
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    // The line of the time without a server was delivered when it came back, to whoever was there by then.
    let seen = subscriber.lines(1).await?;
    assert!(seen == ["after"] || seen == ["meanwhile"], "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn when_it_gives_up_it_says_how_many_lines_are_not_acknowledged() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &["--give-up-after", "2"])?;
    let mut socket = service.accept().await?;
    streamer.write("one\n").await?;
    let sent = next_send(&mut socket).await?;
    acknowledge(&mut socket, &sent["ackId"]).await?;
    // From here on there is nobody any more, neither for this connection nor for another.
    drop((service, socket));
    streamer.wait_for_stderr("retrying in").await?;
    streamer.write("two\nthree\n").await?;
    let (code, said) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(1));
    assert!(said.contains("gave up: negotiate failed"), "{said}");
    assert!(said.contains("2 of 3 lines read were not acknowledged"), "{said}");
    Ok(())
}

#[tokio::test]
async fn without_permission_nothing_is_delivered_and_the_refusal_is_told() -> anyhow::Result<()> {
    let server = Server::start(&["--publish-key", "secret of the test"]).await?;
    let mut subscriber = server.subscribe().await?;
    let ended = run(&tailcast()?, &["stream", "--negotiate", &server.negotiate_url()], b"one\ntwo\n").await?;
    assert_eq!(ended.code, Some(1));
    let expected =
        "the service refused the message: The client does not have permission to send to group 'stream'.";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 of 2 lines read were not acknowledged"), "{}", ended.stderr);
    // Somebody with the key publishes: the first thing that arrives is theirs.
    let arguments = ["stream", "--negotiate", &server.negotiate_url(), "--publish-key", "secret of the test"];
    assert_eq!(run(&tailcast()?, &arguments, b"allowed\n").await?.code, Some(0));
    assert_eq!(subscriber.lines(1).await?, ["allowed"]);
    Ok(())
}

#[tokio::test]
async fn a_signal_ends_it_after_what_was_read_is_acknowledged() -> anyhow::Result<()> {
    for name in ["INT", "TERM"] {
        let service = ScriptedService::start().await?;
        let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
        let mut socket = service.accept().await?;
        // One write, so that who has read the line has read what follows it.
        streamer.write("one\nbegun, without an end").await?;
        let sent = next_send(&mut socket).await?;
        streamer.signal(name).await?;
        // Only a program that drains sends the line that had been begun.
        let rest = next_send(&mut socket).await?;
        assert_eq!(rest["data"], "begun, without an end", "SIG{name}");
        acknowledge(&mut socket, &sent["ackId"]).await?;
        acknowledge(&mut socket, &rest["ackId"]).await?;
        assert_eq!(streamer.wait_for_exit().await?.0, Some(0), "SIG{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_and_the_lines_are_named() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
    let mut socket = service.accept().await?;
    streamer.write("one\ntwo\n").await?;
    next_send(&mut socket).await?;
    let started = Instant::now();
    streamer.signal("INT").await?;
    streamer.wait_for_stderr("interrupt again").await?;
    streamer.signal("INT").await?;
    let (code, said) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(1));
    assert!(said.contains("2 of 2 lines read were not acknowledged"), "{said}");
    assert!(started.elapsed() < tailcast_tests::TIMEOUT);
    Ok(())
}

#[tokio::test]
async fn memory_stays_small_while_nobody_takes_what_is_sent() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
    let mut socket = service.accept().await?;
    let megabyte = "x".repeat(1023) + "\n";
    let megabyte = megabyte.repeat(1024);
    let process = streamer.process_id()?;
    // Feeds without end; nothing is acknowledged, so at some point the pipe is full and the writer waits.
    let writing = async {
        for _ in 0..200 {
            streamer.write(&megabyte).await?;
        }
        anyhow::Ok(())
    };
    let full = async {
        for _ in 0..64 {
            next_send(&mut socket).await?;
        }
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kib: u64 = peak.trim().trim_end_matches(" kB").parse()?;
        anyhow::Ok(kib)
    };
    let kib = tokio::select! {
        written = writing => anyhow::bail!("200 MiB went into a streamer that nobody answers: {written:?}"),
        kib = full => kib?,
    };
    assert!(kib < 64 * 1024, "{kib} KiB");
    Ok(())
}

#[tokio::test]
async fn a_subscriber_of_the_tutorials_kind_reads_it_as_plain_text() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut simple = Socket::open(&simple_url(&server).await?, &[]).await?;
    let mut subscriber = server.subscribe().await?;
    let ended = run(&tailcast()?, &["stream", "--negotiate", &server.negotiate_url()], b"one\ntwo\n").await?;
    assert_eq!(ended.code, Some(0));
    assert_eq!(subscriber.lines(2).await?, ["one", "two"]);
    assert_eq!(simple.text().await?, "one\ntwo");
    Ok(())
}

/// A URL whose token puts its client into the group, for clients that cannot ask for it.
async fn simple_url(server: &Server) -> anyhow::Result<String> {
    use webpubsub_protocol::token::{Claims, UnixTime, sign};
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let audience = server.url("/client/hubs/stream");
    let claims = Claims { groups: vec!["stream".into()], ..Claims::new(audience, UnixTime(now), 60) };
    let token = sign(&claims, &server.connection_string()?.access_key)?;
    Ok(format!("ws://{}/client/hubs/stream?access_token={token}", server.address()))
}

#[tokio::test]
async fn a_group_of_its_own_is_asked_for_and_one_that_is_closed_is_told() -> anyhow::Result<()> {
    let server = Server::start(&["--allow-group", "build-*"]).await?;
    let url = server.url("/negotiate?id=ci");
    let open = run(&tailcast()?, &["stream", "--negotiate", &url, "--group", "build-42"], b"x\n").await?;
    assert_eq!((open.code, open.stderr.as_str()), (Some(0), ""));
    let closed = run(&tailcast()?, &["stream", "--negotiate", &url, "--group", "other"], b"x\n").await?;
    assert_eq!(closed.code, Some(1));
    assert!(closed.stderr.contains(&format!("answered 403 Forbidden: {REFUSAL}")), "{}", closed.stderr);
    Ok(())
}

/// The server's reason for refusing the group `other`.
const REFUSAL: &str =
    "the group `other` is not open on this server; start it with `--allow-group PATTERN` to open the group";

#[tokio::test]
async fn a_command_that_is_refused_ends_at_once_with_the_reason_and_retries_nothing() -> anyhow::Result<()> {
    let server = Server::start(&["--allow-group", "build-*"]).await?;
    let (url, file) = (server.negotiate_url(), std::env::current_exe()?);
    let file = file.to_string_lossy();
    let refused = ["--negotiate", &url, "--group", "other"];
    let tail = [&refused[..], &["--lines", "0", &file]].concat();
    for (command, arguments) in [("stream", &refused[..]), ("tail", &tail)] {
        // Its input goes on: standard input stays open, and a file is followed without end.
        let (code, said) = Streamer::start_as(command, arguments)?.wait_for_exit().await?;
        assert_eq!(code, Some(1), "{command}: {said}");
        assert!(said.contains(REFUSAL) && !said.contains("retrying"), "{command}: {said}");
    }
    let shell = [&["run"], &refused[..], &["--", "sh", "-c", "echo done; exit 5"]].concat();
    let ended = run(&tailcast()?, &shell, b"").await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(5), "done\n"), "the command runs on");
    assert!(ended.stderr.contains(REFUSAL) && !ended.stderr.contains("retrying"), "{}", ended.stderr);
    Ok(())
}
