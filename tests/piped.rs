//! `some-command | tailcast` and `--serve`: one process serves the page and publishes to it.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use tailcast_tests::{
    browser::Browser,
    command::{command, run, run_to_end},
    environment::tailcast,
    marked_lines::MarkedLine,
    recording_server::RecordingServer,
    server::{get, negotiated_url},
    socket::{JSON, Socket},
    streamer::Streamer,
    web_server::free_port,
};

fn numbered(lines: std::ops::RangeInclusive<u32>) -> String {
    lines.map(|number| format!("line {number}\n")).collect()
}

/// Connects a client that joins the group `stream`.
async fn subscribe(address: &str) -> anyhow::Result<Socket> {
    let url = negotiated_url(&format!("http://{address}/negotiate?role=viewer")).await?;
    let mut socket = Socket::open(&url, &[JSON]).await?;
    socket.json().await?;
    let joined = socket.ask(r#"{"type":"joinGroup","group":"stream","ackId":1}"#).await?;
    anyhow::ensure!(joined["success"] == true, "{joined}");
    Ok(socket)
}

/// Returns the lines that the server has kept.
async fn kept_lines(address: &str) -> anyhow::Result<String> {
    let server = format!("http://{address}");
    let arguments = ["watch", "--server", &server, "-n", "100000", "--no-follow"];
    let ended = run(&tailcast()?, &arguments, b"").await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(ended.stdout)
}

#[tokio::test]
async fn a_page_that_is_opened_after_the_input_has_ended_shows_all_lines() -> anyhow::Result<()> {
    let mut piped = Streamer::start_piped(free_port()?, &[])?;
    piped.write(&numbered(1..=1_000)).await?;
    piped.end_input();
    let address = piped.page_address().await?;
    piped.wait_for_stderr("tailcast: 1000 lines sent").await?;
    piped.wait_for_stderr(&format!("tailcast: serving http://{address}/ until Ctrl-C")).await?;
    let browser = Browser::start().await?;
    browser.open(&format!("http://{address}/")).await?;
    browser.until("document.querySelector('#line-count')?.dataset.received === '1000'").await?;
    browser.until("document.querySelector('#log')?.textContent.includes('line 1000')").await?;
    browser.close().await?;
    piped.signal("INT").await?;
    assert_eq!(piped.wait_for_exit().await?, (Some(0), String::new()));
    Ok(())
}

#[tokio::test]
async fn lines_arrive_live_and_ctrl_c_ends_input_and_server() -> anyhow::Result<()> {
    let mut piped = Streamer::start_piped(free_port()?, &[])?;
    let address = piped.page_address().await?;
    let mut viewer = subscribe(&address).await?;
    for line in ["one", "two"] {
        piped.write(&format!("{line}\n")).await?;
        assert_eq!(viewer.lines(1).await?, [line]);
    }
    piped.signal("INT").await?;
    let (code, stderr) = piped.wait_for_exit().await?;
    assert!(code == Some(0) && stderr.contains("2 lines sent"), "{code:?} {stderr}");
    assert!(get(&format!("http://{address}/healthz")).await.is_err(), "the server still runs");
    Ok(())
}

#[tokio::test]
async fn a_second_command_publishes_to_the_server_of_the_first() -> anyhow::Result<()> {
    let port = free_port()?;
    let mut first = Streamer::start_piped(port, &[])?;
    let address = first.page_address().await?;
    let mut viewer = subscribe(&address).await?;
    let mut second = Streamer::start_piped(port, &[])?;
    second.wait_for_stderr(&format!("sending to the Tailcast that runs on port {port}")).await?;
    assert_eq!(second.page_address().await?, address);
    second.write("of the second\n").await?;
    assert_eq!(viewer.lines(1).await?, ["of the second"]);
    second.end_input();
    let (code, stderr) = second.wait_for_exit().await?;
    assert!(code == Some(0) && stderr.contains("1 line sent"), "{code:?} {stderr}");
    assert!(
        stderr.contains(&format!("serves the page on port {port}; they are shown until it ends")),
        "{stderr}"
    );
    first.write("of the first\n").await?;
    assert_eq!(viewer.lines(1).await?, ["of the first"]);
    assert_eq!(kept_lines(&address).await?, "of the second\nof the first\n");
    Ok(())
}

#[tokio::test]
async fn another_program_at_the_port_gets_neither_line_nor_key() -> anyhow::Result<()> {
    let mut tailcast_elsewhere = Streamer::start_piped(free_port()?, &[])?;
    let elsewhere = tailcast_elsewhere.page_address().await?;
    let redirect = format!("HTTP/1.1 307 Elsewhere\r\nLocation: http://{elsewhere}/healthz\r\n");
    for head in ["HTTP/1.1 200 OK\r\n", "HTTP/1.1 404 Not Found\r\n", &redirect, "SSH-2.0-OpenSSH\r\n"] {
        let response = format!("{head}Content-Length: 3\r\nConnection: close\r\n\r\nok\n");
        let foreign = RecordingServer::start(&response).await?;
        let mut command = command(&tailcast()?);
        command.args(["--port", &foreign.port().to_string(), "--exit"]);
        command.env("TAILCAST_PUBLISH_KEY", "secret of the test");
        let mut piped = Streamer::start_command(command)?;
        piped.wait_for_stderr(&format!("another program uses port {}", foreign.port())).await?;
        let advice = piped.wait_for_stderr("reach this server with --server http://").await?;
        let address = piped.page_address().await?;
        assert!(advice.ends_with(&format!("--server http://{address}")), "{advice}");
        let (_, port) = address.rsplit_once(':').unwrap_or_default();
        assert!(port.parse::<u16>()? > foreign.port(), "{address}");
        // Others need the key that the environment contains.
        assert_eq!(get(&format!("http://{address}/negotiate?role=publisher")).await?.0, 401);
        piped.write("line of the test\n").await?;
        piped.end_input();
        assert_eq!(piped.wait_for_exit().await?.0, Some(0));
        let requests = foreign.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        assert!(requests[0].starts_with("GET /healthz HTTP/1.1\r\n"), "{requests:?}");
        let all = requests.concat().to_lowercase();
        assert!(
            !all.contains("secret") && !all.contains("authorization") && !all.contains("line of"),
            "{all}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn exit_waits_until_every_viewer_has_its_lines() -> anyhow::Result<()> {
    const LINES: usize = 100_000;
    let mut piped = Streamer::start_piped(free_port()?, &["--exit"])?;
    let address = piped.page_address().await?;
    let (mut slow, mut fast) = (subscribe(&address).await?, subscribe(&address).await?);
    // Much more than the buffers of the sockets hold.
    let line = "x".repeat(90);
    let input = format!("{line}\n").repeat(LINES);
    let feeding = async {
        piped.write(&input).await?;
        piped.end_input();
        piped.wait_for_stderr("100000 lines sent").await
    };
    let (fed, received) = tokio::join!(feeding, fast.lines(LINES));
    fed?;
    assert_eq!(received?.len(), LINES);
    // The process waits for this one, which has read nothing yet.
    assert_eq!(slow.lines(LINES).await?.len(), LINES);
    assert_eq!(slow.closed().await?.0, 1001);
    assert_eq!(piped.wait_for_exit().await?, (Some(0), String::new()));
    Ok(())
}

#[tokio::test]
async fn without_piped_input_the_help_is_printed() -> anyhow::Result<()> {
    let mut silent = command(&tailcast()?);
    silent.stdin(std::process::Stdio::null());
    let ended = silent.output().await?;
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.code() == Some(2) && stderr.contains("Usage: some-command | tailcast"), "{stderr}");
    let mut terminal = command(Path::new("script"));
    let typed = format!("{}; echo code $?", tailcast()?.display());
    terminal.args(["-qec", &typed, "/dev/null"]);
    let shown = run_to_end(terminal, b"").await?.stdout;
    assert!(shown.contains("Usage: some-command | tailcast") && shown.contains("code 2"), "{shown}");
    Ok(())
}

#[tokio::test]
async fn open_passes_the_address_of_the_page_to_the_browser_and_no_key() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("tailcast-open-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let (opener, record) = (folder.join("xdg-open"), folder.join("record"));
    let script = "#!/bin/sh\necho \"$1 ${TAILCAST_PUBLISH_KEY-none}\" > \"$RECORD\"\n";
    // Another process writes the program: one that this process has open cannot be executed.
    let mut writing = command(Path::new("sh"));
    let write = r#"printf %s "$1" > "$2"; chmod 755 "$2"; mkfifo "$3""#;
    writing.args(["-c", write, "sh", script]).args([&opener, &record]);
    assert_eq!(run_to_end(writing, b"").await?.code, Some(0));
    let mut command = command(&tailcast()?);
    let port = free_port()?.to_string();
    command.args(["--port", &port, "--open", "--group", "build 1"]);
    command.env("TAILCAST_PUBLISH_KEY", "secret of the test").env("RECORD", &record);
    let path = std::env::var("PATH").unwrap_or_default();
    let mut piped = Streamer::start_command({
        command.env("PATH", format!("{}:{path}", folder.display()));
        command
    })?;
    let address = piped.page_address().await?;
    let mut reading = tailcast_tests::command::command(Path::new("cat"));
    reading.arg(&record);
    let opened = run_to_end(reading, b"").await?.stdout;
    assert_eq!(opened, format!("http://{address}/?group=build+1 none\n"));
    piped.signal("INT").await?;
    assert_eq!(piped.wait_for_exit().await?.0, Some(0));
    Ok(fs::remove_dir_all(&folder)?)
}

#[tokio::test]
async fn a_browser_that_cannot_be_opened_is_reported_and_nothing_else_changes() -> anyhow::Result<()> {
    let mut command = command(&tailcast()?);
    command.args(["--port", &free_port()?.to_string(), "--open", "--exit"]).env("PATH", "/nonexistent");
    let ended = run_to_end(command, b"a line\n").await?;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("cannot open a browser"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn exit_waits_for_the_browser_that_open_starts() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("tailcast-opens-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    std::os::unix::fs::symlink("/bin/true", folder.join("xdg-open"))?;
    let mut command = command(&tailcast()?);
    command.args(["--port", &free_port()?.to_string(), "--open", "--exit"]).env("PATH", &folder);
    let mut piped = Streamer::start_command(command)?;
    piped.write("a line\n").await?;
    piped.end_input();
    let address = piped.page_address().await?;
    piped.wait_for_stderr("1 line sent").await?;
    let mut viewer = subscribe(&address).await?;
    assert_eq!(kept_lines(&address).await?, "a line\n");
    assert_eq!(viewer.closed().await?.0, 1001);
    assert_eq!(piped.wait_for_exit().await?.0, Some(0));
    Ok(fs::remove_dir_all(&folder)?)
}

#[tokio::test]
async fn flags_that_would_be_ignored_are_refused() -> anyhow::Result<()> {
    for (arguments, reason) in [
        (&["stream", "--exit"][..], "--exit ends the server of this command, and it has none"),
        (&["stream", "--server", "http://127.0.0.1:9", "--port", "8081"], "omit one of them"),
        (&["--negotiate", "http://127.0.0.1:9/negotiate", "--serve"], "omit one of them"),
    ] {
        let ended = run(&tailcast()?, arguments, b"x\n").await?;
        assert!(ended.code == Some(2) && ended.stderr.contains(reason), "{arguments:?}: {}", ended.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_command_without_a_server_ends_soon_after_its_input_with_the_remedy() -> anyhow::Result<()> {
    let server = format!("http://127.0.0.1:{}", free_port()?);
    for arguments in [&["stream", "--server", &server][..], &["run", "--server", &server, "--", "echo", "x"]]
    {
        let started = Instant::now();
        let ended = run(&tailcast()?, arguments, b"x\n").await?;
        let remedy = "start one with `tailcast serve`, let this command serve the page with --serve, or name another one with --server URL";
        assert!(ended.stderr.contains(remedy), "{}", ended.stderr);
        assert!(ended.stderr.contains("the line read was not acknowledged"), "{}", ended.stderr);
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    }
    Ok(())
}

#[tokio::test]
async fn a_command_with_a_server_keeps_its_exit_code_and_output() -> anyhow::Result<()> {
    let port = free_port()?.to_string();
    let mut running = Streamer::start_as(
        "run",
        &["--port", &port, "--", "sh", "-c", "echo out; echo error >&2; read line; exit 7"],
    )?;
    let address = running.page_address().await?;
    let mut viewer = subscribe(&address).await?;
    running.end_input();
    running.wait_for_stderr("tailcast run: 2 lines sent").await?;
    running.wait_for_stderr("until Ctrl-C").await?;
    assert!(kept_lines(&address).await?.contains("stderr: error\n"));
    running.signal("INT").await?;
    assert_eq!(running.wait_for_exit().await?.0, Some(7));
    assert_eq!(viewer.closed().await?.0, 1001);
    let exiting = ["run", "--serve", "--port", &port, "--exit", "--", "sh", "-c", "echo out; exit 3"];
    let ended = run(&tailcast()?, &exiting, b"").await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), "out\n"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn files_are_followed_beside_a_server() -> anyhow::Result<()> {
    let file = std::env::temp_dir().join(format!("tailcast-served-{}.log", std::process::id()));
    fs::write(&file, "first\n")?;
    let port = free_port()?.to_string();
    let path = file.to_string_lossy().into_owned();
    let mut tail = Streamer::start_as("tail", &["--port", &port, &path])?;
    let address = tail.page_address().await?;
    let mut viewer = subscribe(&address).await?;
    fs::write(&file, "first\nsecond\n")?;
    let lines = viewer.marked_lines(1).await?;
    assert!([MarkedLine::of("", "first"), MarkedLine::of("", "second")].contains(&lines[0]), "{lines:?}");
    tail.signal("TERM").await?;
    assert_eq!(tail.wait_for_exit().await?.0, Some(0));
    Ok(fs::remove_file(&file)?)
}

#[tokio::test]
async fn a_configured_server_gets_the_lines_unless_serve_is_given() -> anyhow::Result<()> {
    let mut server = Streamer::start_piped(free_port()?, &[])?;
    let address = server.page_address().await?;
    let mut viewer = subscribe(&address).await?;
    let mut configured = command(&tailcast()?);
    configured.env("TAILCAST_SERVER", format!("http://{address}"));
    let ended = run_to_end(configured, b"for the server\n").await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(viewer.lines(1).await?, ["for the server"]);
    let mut own = command(&tailcast()?);
    own.args(["stream", "--serve", "--port", &free_port()?.to_string(), "--exit"]);
    own.env("TAILCAST_SERVER", format!("http://{address}"));
    let ended = run_to_end(own, b"for an own server\n").await?;
    assert!(ended.code == Some(0) && ended.stderr.contains("1 line sent"), "{}", ended.stderr);
    assert_eq!(kept_lines(&address).await?, "for the server\n");
    Ok(())
}

#[tokio::test]
async fn a_connection_string_in_the_environment_is_not_used() -> anyhow::Result<()> {
    let mut command = command(&tailcast()?);
    command.args(["--port", &free_port()?.to_string(), "--exit"]);
    command.env(
        "WEBPUBSUB_CONNECTION_STRING",
        "Endpoint=http://127.0.0.1:9;AccessKey=abcdefghijklmnopqrstuvwxyz0123456789;",
    );
    let ended = run_to_end(command, b"stays here\n").await?;
    assert!(ended.code == Some(0) && ended.stderr.contains("1 line sent"), "{}", ended.stderr);
    Ok(())
}
