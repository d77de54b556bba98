//! Invalid input: errors are specific, and other clients are not affected.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{
    command::run,
    environment::tailcast,
    fixed_response::FixedResponse,
    server::{Server, get},
    socket::{JSON, Socket},
    streamer::Streamer,
    with_timeout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;
use webpubsub_protocol::{
    connection_string::AccessKey,
    token::{Claims, UnixTime, sign},
};

/// Publishes `input` with `tailcast stream`. Returns the texts of the messages and the output on standard error.
async fn streamed(input: &[u8], is_last: impl Fn(&str) -> bool) -> anyhow::Result<(Vec<String>, String)> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let program = tailcast()?;
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let receiving = async {
        let mut texts = Vec::new();
        loop {
            let frame = subscriber.json().await?;
            let text = frame["data"].as_str().context("no text")?.to_owned();
            texts.push(text);
            if texts.last().is_some_and(|text| is_last(text)) {
                return anyhow::Ok(texts);
            }
        }
    };
    let (ended, texts) = tokio::join!(run(&program, &arguments, input), receiving);
    let ended = ended?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok((texts?, ended.stderr))
}

#[tokio::test]
async fn invalid_utf8_is_replaced_and_counted_and_nul_is_preserved() -> anyhow::Result<()> {
    let (texts, stderr) =
        streamed(b"good\nbad \xff\xc3(\nnul \0 end\n\xf0\x9f\x98\x80 whole\nlast", |t| t.ends_with("last"))
            .await?;
    assert_eq!(texts.join("\n"), "good\nbad \u{fffd}\u{fffd}(\nnul \0 end\n😀 whole\nlast");
    assert!(stderr.contains("1 line contained invalid UTF-8"), "{stderr}");
    assert!(stderr.contains("1 line contained NUL"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn a_line_of_50_megabytes_is_split_without_loss() -> anyhow::Result<()> {
    const BYTES: usize = 50_000_000;
    let mut input = vec![b'x'; BYTES];
    input.extend_from_slice(b"\nlast\n");
    let (texts, stderr) = streamed(&input, |text| text.ends_with("last")).await?;
    let all = texts.concat();
    assert_eq!(all.trim_start_matches('x').trim_start_matches('\n'), "last");
    assert_eq!(all.bytes().filter(|byte| *byte == b'x').count(), BYTES);
    assert!(texts.iter().all(|text| text.len() <= 65_536));
    assert!(stderr.contains("1 line exceeded 65536 bytes; long lines are split"), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn an_invalid_connection_string_is_reported_with_the_invalid_part() -> anyhow::Result<()> {
    let key = "k".repeat(40);
    for (connection_string, words) in [
        ("x".to_owned(), "no `Endpoint`"),
        (format!("AccessKey={key}"), "no `Endpoint`"),
        ("Endpoint=https://h".to_owned(), "no `AccessKey`"),
        (format!("Endpoint=gopher://h;AccessKey={key}"), "`gopher://h`"),
        ("Endpoint=https://h;AccessKey=abc".to_owned(), "`AccessKey` has 3 bytes"),
        (format!("Endpoint=https://h;AccessKey={key};Port=http"), "`Port`"),
    ] {
        let ended = run(&tailcast()?, &["serve", &connection_string], b"").await?;
        assert_eq!(ended.code, Some(2), "{connection_string}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
        assert!(!ended.stderr.contains(&key), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_port_in_use_is_reported_with_advice() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let ended = run(&tailcast()?, &["serve", "--listen", server.address()], b"").await?;
    assert_eq!(ended.code, Some(1));
    let expected = format!("cannot listen on {}", server.address());
    assert!(ended.stderr.contains(&expected) && ended.stderr.contains("--listen"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn mistakes_on_the_command_line_are_answered_with_the_remedy() -> anyhow::Result<()> {
    for (arguments, code, remedy) in [
        (&["run", "--group", "x", "make", "test"][..], 2, "`tailcast run --group x -- make test`"),
        (&["run", "--", "ls | head"], 127, "tailcast run -- sh -c 'ls | head'"),
        (&["serve", "--listen", "21401"], 2, "127.0.0.1:21401"),
        (&["serve", "--history", "1h,2GiB"], 2, "at least --memory-limit 4096MiB"),
    ] {
        let ended = run(&tailcast()?, arguments, b"").await?;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(remedy), "{arguments:?}: {}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn the_printed_connection_string_has_an_address_that_clients_can_use() -> anyhow::Result<()> {
    const KEY: &str = "an-access-key-of-thirty-two-characters";
    let everywhere = Server::start_on("0.0.0.0:0", &["--access-key", KEY]).await?;
    let (_, port) = everywhere.address().rsplit_once(':').context("no port")?;
    let printed_endpoint = |server: &Server| {
        let stderr = server.stderr();
        let (_, rest) = stderr.split_once("Connection string: Endpoint=").context("no endpoint")?;
        Ok::<_, anyhow::Error>(rest.split(';').next().unwrap_or_default().to_owned())
    };
    let endpoint = printed_endpoint(&everywhere)?;
    assert_eq!(endpoint, format!("http://localhost:{port}"));
    assert_eq!(get(&format!("{endpoint}/healthz")).await?.0, 200);
    let public = ["--public-url", "https://logs.example.com/tail", "--access-key", KEY];
    let public = Server::start(&public).await?;
    assert_eq!(printed_endpoint(&public)?, "https://logs.example.com/tail");
    Ok(())
}

#[tokio::test]
async fn the_development_key_is_refused_beyond_loopback() -> anyhow::Result<()> {
    let ended = run(&tailcast()?, &["serve", "--listen", "0.0.0.0:0"], b"").await?;
    assert_eq!(ended.code, Some(2));
    for variable in ["TAILCAST_ACCESS_KEY=", "TAILCAST_PUBLISH_KEY="] {
        assert!(ended.stderr.contains(variable), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn an_invalid_negotiate_endpoint_stops_the_streamer_with_an_error() -> anyhow::Result<()> {
    let missing = FixedResponse::with("404 Not Found", "text/plain", "nope").await?;
    let page = FixedResponse::with("200 OK", "text/html", "<!doctype html><title>hi</title>").await?;
    let wrong_url =
        FixedResponse::with("200 OK", "application/json", r#"{"url":"https://h/x?access_token=s3cret"}"#)
            .await?;
    for (url, words) in [
        (missing.url("/negotiate"), "answered 404"),
        (page.url("/negotiate"), "answered a web page (HTML)"),
        (wrong_url.url("/negotiate"), "`https://h/x`, which is no ws(s)://"),
        ("not a url".to_owned(), "`not a url` is no http(s)://"),
        ("ftp://h/negotiate".to_owned(), "ftp://h/negotiate"),
    ] {
        let ended = run(&tailcast()?, &["stream", "--negotiate", &url], b"line\n").await?;
        assert_eq!(ended.code, Some(1), "{url}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{url}: {}", ended.stderr);
        assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn an_unavailable_negotiate_endpoint_is_retried() -> anyhow::Result<()> {
    let down = FixedResponse::with("503 Service Unavailable", "text/plain", "restarting").await?;
    let mut streamer = Streamer::start(&down.url("/negotiate"), &["--give-up-after", "1"])?;
    streamer.write("line\n").await?;
    streamer.wait_for_stderr("answered 503").await?;
    let (code, stderr) = streamer.wait_for_exit().await?;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("gave up"), "{stderr}");
    Ok(())
}

fn now() -> anyhow::Result<u64> {
    Ok(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs())
}

#[tokio::test]
async fn an_invalid_token_is_refused_with_401() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let key = server.connection_string()?.access_key;
    let path = "/client/hubs/stream";
    let good = || anyhow::Ok(Claims::new(server.url(path), UnixTime(now()?), 60));
    let expired = Claims { expires_at: Some(UnixTime(now()? - 3600)), ..good()? };
    let other_hub = Claims { audiences: vec![server.url("/client/hubs/other")], ..good()? };
    let endless = Claims { expires_at: None, ..good()? };
    let other_key = AccessKey::new(&"o".repeat(40))?;
    let tampered = sign(&good()?, &key)?.replacen("eyJ", "eyK", 1);
    let tokens = [
        ("expired", sign(&expired, &key)?),
        ("of another hub", sign(&other_hub, &key)?),
        ("without expiry", sign(&endless, &key)?),
        ("wrongly signed", sign(&good()?, &other_key)?),
        ("tampered with", tampered),
        ("no token", "nonsense".to_owned()),
        ("empty", String::new()),
    ];
    for (kind, token) in tokens {
        let url = format!("ws://{}{path}?access_token={token}", server.address());
        assert_eq!(Socket::refusal(&url, &[JSON], &[]).await?, 401, "{kind}");
    }
    assert_eq!(Socket::refusal(&format!("ws://{}{path}", server.address()), &[JSON], &[]).await?, 401);
    let token = sign(&good()?, &key)?;
    Socket::open(&format!("ws://{}{path}?access_token={token}", server.address()), &[JSON]).await?;
    let bearer = format!("Bearer {token}");
    let by_header = [("authorization", bearer.as_str())];
    Socket::open_with(&format!("ws://{}{path}", server.address()), &[JSON], &by_header).await?;
    Ok(())
}

/// Sends a message that closes the connection. Checks that another connection is not affected.
async fn closes_with(server: &Server, message: Message) -> anyhow::Result<(u16, String)> {
    let mut bystander = server.subscribe().await?;
    let mut offender = server.connect("offender").await?;
    offender.send_message(message).await?;
    let close = offender.closed().await?;
    let pong = bystander.ask(r#"{"type":"ping"}"#).await?;
    anyhow::ensure!(pong["type"] == "pong", "{pong}");
    Ok(close)
}

#[tokio::test]
async fn malformed_frames_close_only_their_connection_with_a_reason() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let invalid = (1007, "The client message is not a valid JSON protocol message.".to_owned());
    for text in [
        "nope",
        "[]",
        r#"{"type":"noSuchType"}"#,
        r#"{"type":"joinGroup"}"#,
        r#"{"type":"joinGroup","group":"g","ackId":"1"}"#,
    ] {
        assert_eq!(closes_with(&server, Message::text(text)).await?, invalid, "{text}");
    }
    assert_eq!(closes_with(&server, Message::binary(vec![1])).await?.0, 1003);
    let too_large = "x".repeat(1_048_577);
    assert_eq!(
        closes_with(&server, Message::text(too_large)).await?,
        (1009, "The client message is too large.".to_owned())
    );
    Ok(())
}

/// Writes raw bytes to an upgraded connection. Returns the response until the connection is closed.
async fn raw_answer(server: &Server, bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let url = server.negotiate("raw").await?;
    let target = url.split_once(server.address()).context("another address")?.1;
    with_timeout("raw exchange", async {
        let mut socket = TcpStream::connect(server.address()).await?;
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {JSON}\r\n\r\n",
            server.address()
        );
        socket.write_all(request.as_bytes()).await?;
        socket.write_all(bytes).await?;
        socket.shutdown().await?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).await?;
        Ok(answer)
    })
    .await
}

#[tokio::test]
async fn malformed_websocket_bytes_close_the_connection_with_a_code() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let unmasked: &[u8] = &[0x81, 0x02, b'h', b'i'];
    let reserved: &[u8] = &[0xF1, 0x80, 0, 0, 0, 0];
    let not_utf8: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, 0xFF];
    let endless: &[u8] = &[0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
    for (bytes, code) in [(unmasked, 1002_u16), (reserved, 1002), (not_utf8, 1007), (endless, 1009)] {
        let answer = raw_answer(&server, bytes).await?;
        let close = code.to_be_bytes();
        let has_close = answer.windows(4).any(|window| window[0] == 0x88 && window[2..] == close);
        assert!(has_close, "{bytes:x?} is not answered with {code}: {answer:x?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_stalled_subscriber_is_dropped_without_loss_for_others() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let _stalled = server.subscribe().await?;
    let mut reader = server.subscribe().await?;
    // Far more than the socket buffers and the outbox of the stalled client can hold.
    let line = "x".repeat(999);
    let count = 60_000;
    let input = format!("{line}\n").repeat(count);
    let program = tailcast()?;
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let (ended, lines) = tokio::join!(run(&program, &arguments, input.as_bytes()), reader.lines(count));
    assert_eq!(ended?.code, Some(0));
    assert_eq!(lines?.len(), count);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id()?))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kib: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    assert!(kib < 64 * 1024, "the service held {kib} KiB for one that does not read");
    Ok(())
}

#[tokio::test]
async fn a_message_without_permission_is_refused_as_forbidden() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut member = server.subscribe().await?;
    let claims = Claims::new(server.url("/client/hubs/stream"), UnixTime(now()?), 60);
    let token = sign(&claims, &server.connection_string()?.access_key)?;
    let url = format!("ws://{}/client/hubs/stream?access_token={token}", server.address());
    let mut stranger = Socket::open(&url, &[JSON]).await?;
    let connected = stranger.json().await?;
    assert_eq!(connected["userId"], Value::Null);
    for request in [
        r#"{"type":"joinGroup","group":"stream","ackId":1}"#,
        r#"{"type":"sendToGroup","group":"stream","ackId":2,"dataType":"text","data":"forbidden"}"#,
    ] {
        let ack = stranger.ask(request).await?;
        assert_eq!((&ack["success"], &ack["error"]["name"]), (&false.into(), &"Forbidden".into()), "{ack}");
    }
    // The first line that arrives is the permitted one.
    assert_eq!(
        run(&tailcast()?, &["stream", "--negotiate", &server.negotiate_url()], b"allowed\n").await?.code,
        Some(0)
    );
    assert_eq!(member.lines(1).await?, ["allowed"]);
    Ok(())
}

#[tokio::test]
async fn headers_above_32_kib_are_refused() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let status_with = async |bytes: usize| {
        let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", server.address());
        let header = format!("X-Large: {}\r\n\r\n", "x".repeat(bytes - head.len()));
        with_timeout("a response", async {
            let mut socket = TcpStream::connect(server.address()).await?;
            socket.write_all((head + &header).as_bytes()).await?;
            let mut answer = Vec::new();
            // A server that has not read all may reset the connection behind its response, or before.
            let _is_reset = socket.read_to_end(&mut answer).await;
            Ok(String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap_or("431").to_owned())
        })
        .await
    };
    for (bytes, status) in
        [(1_000, "200"), (32 * 1024 - 100, "200"), (32 * 1024 + 100, "431"), (40_000, "431")]
    {
        assert_eq!(status_with(bytes).await?, status, "{bytes} bytes");
    }
    Ok(())
}

#[tokio::test]
async fn an_incomplete_request_times_out() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut socket = TcpStream::connect(server.address()).await?;
    socket.write_all(b"GET /negotiate HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Begun").await?;
    with_timeout("the end of patience", async {
        let mut answer = Vec::new();
        // The connection ends, with or without a response.
        let _ended = socket.read_to_end(&mut answer).await;
        Ok(())
    })
    .await
}
