//! A terminal that is gone, a full disk and a closed pipe change nothing about the work of a command.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::Context;
use tailcast_tests::{
    command::{Ended, command, run_to_end},
    environment::tailcast,
    server::{Server, get, signal},
    streamer::Streamer,
    web_server::free_address,
    with_timeout,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Child,
};

/// Runs a shell script in which `$0` is the program.
async fn script(text: &str, input: &[u8]) -> anyhow::Result<Ended> {
    let mut shell = command(Path::new("sh"));
    shell.args(["-c", text]).arg(tailcast()?).env("TAILCAST_LOG", "debug");
    run_to_end(shell, input).await
}

#[tokio::test]
async fn messages_that_cannot_be_written_do_not_change_the_exit_code() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let url = server.negotiate_url();
    let refused = "--negotiate http://127.0.0.1:9/negotiate --give-up-after 0.5";
    for (text, code) in [
        (format!("\"$0\" stream --negotiate {url} 2>/dev/full"), 0),
        (format!("\"$0\" stream {refused} 2>/dev/full"), 1),
        (format!("\"$0\" run --negotiate {url} -- sh -c 'echo out; exit 5' 2>/dev/full"), 5),
        (format!("\"$0\" run {refused} -- sh -c 'exit 6' 2>/dev/full"), 6),
        (format!("\"$0\" run {refused} -- sh -c 'echo out; exit 7' >/dev/full 2>&1"), 7),
        (format!("\"$0\" watch --no-follow --negotiate {url} 2>/dev/full"), 0),
        ("\"$0\" serve --listen 1 2>/dev/full".to_owned(), 2),
    ] {
        // Two warnings, which are messages of the command.
        let ended = script(&text, b"nul \0\ninvalid \xff\n").await?;
        assert_eq!(ended.code, Some(code), "{text}: {ended:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_server_whose_outputs_are_closed_serves() -> anyhow::Result<()> {
    let address = free_address()?;
    let mut shell = command(Path::new("sh"));
    let text = "{ \"$0\" serve --listen \"$1\" 2>/dev/full & echo $! >&3; } 3>&1 | head -n 1";
    shell.args(["-c", text]).arg(tailcast()?).arg(&address).stderr(Stdio::null());
    let mut child = shell.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let process_id = with_timeout("the process id", async { Ok(lines.next_line().await?) }).await?;
    let process_id = process_id.context("no process id")?.parse()?;
    let serving = async {
        let url = format!("http://{address}/healthz");
        // No event reports that a server without outputs is ready.
        let mut polls = tokio::time::interval(Duration::from_millis(50));
        while get(&url).await.is_err() {
            polls.tick().await;
        }
        Ok(())
    };
    let served = with_timeout("a response", serving).await;
    signal(process_id, "KILL").await?;
    served
}

async fn first_line(child: &mut Child) -> anyhow::Result<String> {
    let mut lines = BufReader::new(child.stdout.as_mut().context("no standard output")?).lines();
    with_timeout("a line", async { lines.next_line().await?.context("the output ended") }).await
}

#[tokio::test]
async fn a_hang_up_is_passed_to_the_command_whose_end_is_awaited() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    for (trap, code) in [("trap 'echo end; exit 40' HUP;", 40), ("", 128 + 1)] {
        for flag in ["--no-pty", "--pty"] {
            let loop_ = format!("{trap} echo ready; while :; do sleep 0.02; done");
            let mut running = command(&tailcast()?);
            running.args(["run", flag, "--negotiate", &server.negotiate_url(), "--", "sh", "-c", &loop_]);
            let mut child = running.spawn()?;
            assert_eq!(first_line(&mut child).await?.trim_end(), "ready");
            signal(child.id().context("the process has exited")?, "HUP").await?;
            let status = with_timeout("the end", async { Ok(child.wait().await?) }).await?;
            assert_eq!(status.code(), Some(code), "{flag}");
            // All output is published, also that of the end.
            let count = if trap.is_empty() { 1 } else { 2 };
            let lines = subscriber.marked_lines(count).await?;
            assert_eq!(lines.first().map(|line| line.text.as_str()), Some("ready"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_hang_up_that_is_ignored_stays_ignored() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut shell = command(Path::new("nohup"));
    shell.arg(tailcast()?).args(["run", "--negotiate", &server.negotiate_url(), "--"]);
    shell.args(["sh", "-c", "echo ready; read line; echo \"$line\"; exit 9"]).stdin(Stdio::piped());
    let mut child = shell.spawn()?;
    assert_eq!(first_line(&mut child).await?, "ready");
    signal(child.id().context("the process has exited")?, "HUP").await?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(b"goes on\n").await?;
    let status = with_timeout("the end", async { Ok(child.wait().await?) }).await?;
    assert_eq!(status.code(), Some(9));
    Ok(())
}

#[tokio::test]
async fn a_hang_up_ends_stream_after_its_lines_are_acknowledged() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let mut streamer = Streamer::start(&server.negotiate_url(), &[])?;
    streamer.write("one\n").await?;
    assert_eq!(subscriber.lines(1).await?, ["one"]);
    streamer.signal("HUP").await?;
    assert_eq!(streamer.wait_for_exit().await?.0, Some(0));
    Ok(())
}
