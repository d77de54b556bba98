//! `tailcast stream`: publishes lines and waits for their acknowledgement.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::time::Instant;

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{
    command::run,
    environment::tailcast,
    marked_lines::{MarkedLine, lines_of},
    scripted_service::ScriptedService,
    server::Server,
    socket::Socket,
    streamer::Streamer,
};

#[tokio::test]
async fn each_line_is_published_immediately() -> anyhow::Result<()> {
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
async fn piped_lines_arrive_completely_and_in_order() -> anyhow::Result<()> {
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
async fn a_last_line_without_a_line_feed_is_published() -> anyhow::Result<()> {
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
async fn messages_are_pipelined_and_every_ack_is_awaited() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
    let mut socket = service.accept().await?;
    let mut ack_ids = Vec::new();
    for line in ["a", "b", "c"] {
        // The next line is sent without waiting for an acknowledgement.
        streamer.write(&format!("{line}\n")).await?;
        let sent = next_send(&mut socket).await?;
        assert_eq!(
            (&sent["data"], &sent["dataType"], &sent["group"]),
            (&line.into(), &"text".into(), &"stream".into())
        );
        ack_ids.push(sent["ackId"].clone());
    }
    streamer.end_input();
    // Acks can arrive in any order. The program exits after the last one.
    for ack_id in ack_ids.iter().rev() {
        assert!(streamer.process_id().is_ok());
        acknowledge(&mut socket, ack_id).await?;
    }
    assert_eq!(streamer.wait_for_exit().await?, (Some(0), String::new()));
    Ok(())
}

#[tokio::test]
async fn accumulated_lines_are_batched_into_few_messages() -> anyhow::Result<()> {
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
async fn unfinished_lines_are_sent_one_at_a_time_and_do_not_count() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
    let mut socket = service.accept().await?;
    streamer.write("Continue? ").await?;
    let first = next_send(&mut socket).await?;
    streamer.write("[y/N] ").await?;
    streamer.write("y").await?;
    // Nothing further is sent before the acknowledgement.
    acknowledge(&mut socket, &first["ackId"]).await?;
    let second = next_send(&mut socket).await?;
    let shown = |message: &Value| lines_of(message["data"].as_str().unwrap_or_default());
    let unfinished = |text: &str| MarkedLine { is_unfinished: true, ..MarkedLine::of("", text) };
    assert_eq!(
        (shown(&first), shown(&second)),
        (vec![unfinished("Continue? ")], vec![unfinished("Continue? [y/N] y")])
    );
    acknowledge(&mut socket, &second["ackId"]).await?;
    streamer.write("\n").await?;
    let third = next_send(&mut socket).await?;
    assert_eq!(shown(&third), [MarkedLine::of("", "Continue? [y/N] y")]);
    streamer.signal("INT").await?;
    streamer.wait_for_stderr("interrupt again").await?;
    streamer.signal("INT").await?;
    let (code, stderr) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("the line read was not acknowledged"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn a_message_never_colours_the_next_one() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    for (line, message) in [
        ("\u{1b}[1;31mbuild failed\n", "\u{1b}[1;31mbuild failed\u{1b}[m"),
        ("still red\n", "\u{1b}[0;1;31mstill red\u{1b}[m"),
    ] {
        streamer.write(line).await?;
        assert_eq!(subscriber.message_text().await?, message);
    }
    streamer.signal("KILL").await?;
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    assert_eq!(run(&tailcast()?, &arguments, b"plain\n").await?.code, Some(0));
    assert_eq!(subscriber.message_text().await?, "plain");
    Ok(())
}

#[tokio::test]
async fn a_long_progress_bar_is_one_line() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let bar: String =
        (0..3_000).map(|step| format!("\rdownloading |{:<40}| {step}/3000", "#".repeat(step / 75))).collect();
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let ended = run(&tailcast()?, &arguments, (bar + "\nafter\n").as_bytes()).await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let expected = format!("downloading |{:<40}| 2999/3000", "#".repeat(39));
    let lines = subscriber.marked_lines(2).await?;
    assert_eq!(lines, [MarkedLine::of("", &expected), MarkedLine::of("", "after")]);
    Ok(())
}

#[tokio::test]
async fn encoded_input_becomes_text() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let utf16 = |big: bool| {
        let units = "\u{feff}größe\n日本\n".encode_utf16();
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<u8>>()
    };
    for (bytes, flags, lines) in [
        (utf16(false), &[][..], &["größe", "日本"][..]),
        (utf16(true), &[], &["größe", "日本"]),
        ("\u{feff}größe\n".into(), &[], &["größe"]),
        (b"\x93\xfa\n".to_vec(), &["--encoding", "shift_jis"], &["日"]),
    ] {
        let url = server.negotiate_url();
        let arguments = [&["stream", "--negotiate", &url], flags].concat();
        let ended = run(&tailcast()?, &arguments, &bytes).await?;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(subscriber.lines(lines.len()).await?, lines);
    }
    let ended = run(&tailcast()?, &["stream", "--encoding", "utf-7"], b"").await?;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("unknown encoding"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn lines_are_delivered_after_a_restart_of_the_server() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let address = server.address().to_owned();
    let mut subscriber = server.subscribe().await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    streamer.write("before\n").await?;
    assert_eq!(subscriber.lines(1).await?, ["before"]);
    server.kill().await?;
    streamer.wait_for_stderr("; retrying").await?;
    streamer.write("meanwhile\n").await?;
    let server = Server::start_on(&address, &[]).await?;
    streamer.wait_for_stderr("reconnected").await?;
    let mut subscriber = server.subscribe().await?;
    streamer.write("after\n").await?;
    streamer.end_input();
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    // The line written meanwhile was delivered after the restart, to clients that had joined by then.
    let seen = subscriber.lines(1).await?;
    assert!(seen == ["after"] || seen == ["meanwhile"], "{seen:?}");
    Ok(())
}

#[tokio::test]
async fn giving_up_reports_the_number_of_unacknowledged_lines() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &["--give-up-after", "2"])?;
    let mut socket = service.accept().await?;
    streamer.write("one\n").await?;
    let sent = next_send(&mut socket).await?;
    acknowledge(&mut socket, &sent["ackId"]).await?;
    // Closes the connection, and makes reconnecting impossible.
    drop((service, socket));
    streamer.wait_for_stderr("; retrying").await?;
    streamer.write("two\nthree\n").await?;
    let (code, stderr) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("gave up: negotiate failed"), "{stderr}");
    assert!(stderr.contains("2 of 3 lines read were not acknowledged"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn publishing_without_permission_delivers_nothing_and_is_reported() -> anyhow::Result<()> {
    let server = Server::start(&["--publish-key", "secret of the test"]).await?;
    let mut subscriber = server.subscribe().await?;
    let ended = run(&tailcast()?, &["stream", "--negotiate", &server.negotiate_url()], b"one\ntwo\n").await?;
    assert_eq!(ended.code, Some(1));
    let expected =
        "the service refused the message: The client does not have permission to send to group 'stream';";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    assert!(ended.stderr.contains("2 of 2 lines"), "{}", ended.stderr);
    // The first message that arrives is that of a publisher with the key.
    let arguments = ["stream", "--negotiate", &server.negotiate_url(), "--publish-key", "secret of the test"];
    assert_eq!(run(&tailcast()?, &arguments, b"allowed\n").await?.code, Some(0));
    assert_eq!(subscriber.lines(1).await?, ["allowed"]);
    Ok(())
}

#[tokio::test]
async fn a_signal_stops_it_after_pending_lines_are_acknowledged() -> anyhow::Result<()> {
    for name in ["INT", "TERM"] {
        let service = ScriptedService::start().await?;
        let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
        let mut socket = service.accept().await?;
        // One write, so that the partial line is read together with the first line.
        streamer.write("one\nbegun, without an end").await?;
        let sent = next_send(&mut socket).await?;
        streamer.signal(name).await?;
        // The partial line is sent while it is unfinished, or while draining; once, in either case.
        let rest = next_send(&mut socket).await?;
        let lines = lines_of(rest["data"].as_str().context("no text")?);
        assert_eq!(lines.first().map(|line| line.text.as_str()), Some("begun, without an end"), "SIG{name}");
        acknowledge(&mut socket, &sent["ackId"]).await?;
        acknowledge(&mut socket, &rest["ackId"]).await?;
        assert_eq!(streamer.wait_for_exit().await?.0, Some(0), "SIG{name}");
    }
    Ok(())
}

#[tokio::test]
async fn a_second_signal_stops_it_immediately_and_reports_lost_lines() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
    let mut socket = service.accept().await?;
    streamer.write("one\ntwo\n").await?;
    next_send(&mut socket).await?;
    let started = Instant::now();
    streamer.signal("INT").await?;
    streamer.wait_for_stderr("interrupt again").await?;
    streamer.signal("INT").await?;
    let (code, stderr) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("2 of 2 lines"), "{stderr}");
    assert!(started.elapsed() < tailcast_tests::TIMEOUT);
    Ok(())
}

#[tokio::test]
async fn memory_is_bounded_without_acknowledgements() -> anyhow::Result<()> {
    let service = ScriptedService::start().await?;
    let mut streamer = Streamer::start(&service.negotiate_url(), &[])?;
    let mut socket = service.accept().await?;
    let megabyte = "x".repeat(1023) + "\n";
    let megabyte = megabyte.repeat(1024);
    let process = streamer.process_id()?;
    // Without acknowledgements, the pipe is full at some point, and the writer is blocked.
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
        written = writing => anyhow::bail!("the streamer accepted 200 MiB without acknowledgements: {written:?}"),
        kib = full => kib?,
    };
    assert!(kib < 64 * 1024, "{kib} KiB");
    Ok(())
}

#[tokio::test]
async fn a_client_without_a_subprotocol_receives_plain_text() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut simple = Socket::open(&simple_url(&server).await?, &[]).await?;
    let mut subscriber = server.subscribe().await?;
    let ended = run(&tailcast()?, &["stream", "--negotiate", &server.negotiate_url()], b"one\ntwo\n").await?;
    assert_eq!(ended.code, Some(0));
    assert_eq!(subscriber.lines(2).await?, ["one", "two"]);
    assert_eq!(simple.text().await?, "one\ntwo");
    Ok(())
}

/// Returns a client URL whose token adds the client to the group, for clients that cannot join it.
async fn simple_url(server: &Server) -> anyhow::Result<String> {
    use webpubsub_protocol::token::{Claims, UnixTime, sign};
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let audience = server.url("/client/hubs/stream");
    let claims = Claims { groups: vec!["stream".into()], ..Claims::new(audience, UnixTime(now), 60) };
    let token = sign(&claims, &server.connection_string()?.access_key)?;
    Ok(format!("ws://{}/client/hubs/stream?access_token={token}", server.address()))
}

#[tokio::test]
async fn a_group_is_requested_and_a_refusal_is_reported() -> anyhow::Result<()> {
    let server = Server::start(&["--allow-group", "build-*"]).await?;
    let url = server.url("/negotiate?id=ci");
    let open = run(&tailcast()?, &["stream", "--negotiate", &url, "--group", "build-42"], b"x\n").await?;
    assert_eq!((open.code, open.stderr.as_str()), (Some(0), ""));
    let closed = run(&tailcast()?, &["stream", "--negotiate", &url, "--group", "other"], b"x\n").await?;
    assert_eq!(closed.code, Some(1));
    let reason = "the group `other` is not open on this server; the operator of the server can open it with `--allow-group PATTERN`";
    assert!(closed.stderr.contains(&format!("answered 403 Forbidden: {reason}")), "{}", closed.stderr);
    Ok(())
}

#[tokio::test]
async fn a_refused_command_stops_immediately_without_retries() -> anyhow::Result<()> {
    let server = Server::start(&["--allow-group", "build-*"]).await?;
    let (url, file) = (server.negotiate_url(), std::env::current_exe()?);
    let file = file.to_string_lossy();
    let refused = ["--negotiate", &url, "--group", "other"];
    let tail = [&refused[..], &["--lines", "0", &file]].concat();
    for (command, arguments) in [("stream", &refused[..]), ("tail", &tail)] {
        // The input has no end: standard input stays open, and a file is followed.
        let (code, stderr) = Streamer::start_as(command, arguments)?.wait_for_exit().await?;
        assert_eq!(code, Some(1), "{command}: {stderr}");
        assert!(stderr.contains("403 Forbidden") && !stderr.contains("retrying"), "{command}: {stderr}");
    }
    let shell = [&["run"], &refused[..], &["--", "sh", "-c", "echo done; exit 5"]].concat();
    let ended = run(&tailcast()?, &shell, b"").await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(5), "done\n"), "the command keeps running");
    assert!(ended.stderr.contains("403 Forbidden") && !ended.stderr.contains("retrying"), "{}", ended.stderr);
    Ok(())
}
