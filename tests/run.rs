//! `tailcast run`: publishes the output of a command and returns its exit code.

#![allow(clippy::indexing_slicing, reason = "a missing message or JSON member fails the test")]

use std::{fs, path::Path, process::Stdio, time::Duration};

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    command::{Ended, command, run_to_end},
    environment::tailcast,
    marked_lines::{MarkedLine, split_marks},
    server::{Server, signal},
    with_timeout,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::unix::pipe,
    process::{Child, Command},
    time::timeout,
};

/// Returns the command `tailcast run -- sh -c SCRIPT` for an endpoint.
fn shell(negotiate_url: &str, script: &str) -> anyhow::Result<Command> {
    let mut command = command(&tailcast()?);
    command.args(["run", "--negotiate", negotiate_url, "--", "sh", "-c", script]);
    Ok(command)
}

async fn run_shell(server: &Server, script: &str) -> anyhow::Result<Ended> {
    run_to_end(shell(&server.negotiate_url(), script)?, b"").await
}

#[tokio::test]
async fn outputs_are_published_and_forwarded_with_the_exit_code_of_the_command() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let ended = run_shell(&server, "echo out; read line; echo \"$line\" >&2; printf end; exit 7").await?;
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(7), "out\nend", "\n"));
    let mut lines = subscriber.marked_lines(3).await?;
    lines.sort_by(|one, other| one.text.cmp(&other.text));
    assert_eq!(
        lines,
        [("stderr", ""), ("", "end"), ("", "out")].map(|(source, text)| MarkedLine::of(source, text))
    );
    Ok(())
}

#[tokio::test]
async fn start_and_end_are_published_with_exit_code_and_duration() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    assert_eq!(run_shell(&server, "echo out; kill -9 $$").await?.code, Some(137));
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.push(subscriber.message_text().await?);
    }
    let body = |message: &str| split_marks(message).0.join("|");
    assert!(body(&messages[0]).starts_with("133;C;aid="), "{messages:?}");
    assert_eq!(messages[1], "out", "output of one source carries no mark");
    assert!(body(&messages[2]).starts_with("133;D;137;aid="), "{messages:?}");
    assert!(body(&messages[2]).contains(";time="), "{messages:?}");
    Ok(())
}

#[tokio::test]
async fn output_in_utf_16_becomes_text_and_is_forwarded_unchanged() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let ended = run_shell(&server, r"printf '\377\376o\0k\0\n\0'; printf '\357\273\277plain\n' >&2").await?;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), "\u{feff}plain\n"));
    let lines = subscriber.marked_lines(2).await?;
    assert_eq!(lines, [MarkedLine::of("", "ok"), MarkedLine::of("stderr", "plain")]);
    Ok(())
}

#[tokio::test]
async fn standard_output_comes_first_when_both_outputs_can_be_read() -> anyhow::Result<()> {
    const RUNS: usize = 40;
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let mut reversed = 0;
    for _ in 0..RUNS {
        run_shell(&server, "echo out; echo err >&2").await?;
        let lines = subscriber.marked_lines(2).await?;
        reversed += usize::from(lines[0].text == "err");
    }
    assert!(reversed <= 1, "{reversed} of {RUNS}");
    Ok(())
}

#[tokio::test]
async fn standard_input_is_inherited_and_no_line_is_lost() -> anyhow::Result<()> {
    const COUNT: usize = 100_000;
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let command = shell(&server.negotiate_url(), "cat; seq 1 50000 >&2")?;
    let input: String = (0..COUNT - 50_000).map(|number| format!("line {number}\n")).collect();
    let (ended, lines) = tokio::join!(run_to_end(command, input.as_bytes()), subscriber.marked_lines(COUNT));
    let (ended, lines) = (ended?, lines?);
    assert_eq!((ended.code, ended.stdout == input), (Some(0), true));
    let (errors, output): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.source == "stderr");
    assert!(
        output.iter().map(|line| format!("{}\n", line.text)).eq(input.split_inclusive('\n')),
        "lines differ"
    );
    let expected = (1..=50_000).map(|number: u32| number.to_string());
    assert!(errors.into_iter().map(|line| line.text.clone()).eq(expected), "lines of standard error differ");
    Ok(())
}

#[tokio::test]
async fn the_page_shows_standard_error_as_a_source_and_the_end_of_the_command() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    run_shell(&server, "echo fine; echo broken >&2; exit 2").await?;
    browser.until("document.querySelectorAll('#log .row').length === 3").await?;
    let rows = browser
        .run(
            "return [...document.querySelectorAll('#log .row')].map(row => [
                 row.dataset.from, row.querySelector('.tag')?.textContent ?? '', row.querySelector('.text').textContent])",
        )
        .await?;
    assert_eq!(rows[0], serde_json::json!(["group", "", "fine"]));
    assert_eq!(rows[1], serde_json::json!(["group", "stderr", "broken"]));
    assert_eq!(rows[2][0], "notice");
    let end = rows[2][2].as_str().context("no text")?;
    assert!(end.starts_with("ended, exit code 2, "), "{end}");
    let colours = browser
        .run("return [...document.querySelectorAll('#log .text')].slice(0, 2).map(text => getComputedStyle(text).color)")
        .await?;
    assert_eq!(colours[0], colours[1], "standard error is marked, not coloured");
    browser.until("document.querySelectorAll('#sources .source').length === 2").await?;
    browser.run("document.querySelectorAll('#sources .source')[1].click()").await?;
    browser
        .until("![...document.querySelectorAll('#log .text')].some(text => text.textContent === 'broken')")
        .await?;
    browser.close().await
}

#[tokio::test]
async fn signals_and_missing_commands_have_the_exit_codes_of_shells() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    assert_eq!(run_shell(&server, "kill -9 $$").await?.code, Some(128 + 9));
    let run = async |program: &str| {
        let mut command = command(&tailcast()?);
        command.args(["run", "--negotiate", &server.negotiate_url(), "--", program]);
        run_to_end(command, b"").await
    };
    let missing = run("./no-such-program").await?;
    assert_eq!(missing.code, Some(127));
    assert!(missing.stderr.contains("cannot run `./no-such-program`"), "{}", missing.stderr);
    assert_eq!(run("/").await?.code, Some(126));
    Ok(())
}

/// Waits for the first line of standard output.
async fn first_line(child: &mut Child) -> anyhow::Result<String> {
    let mut lines = BufReader::new(child.stdout.as_mut().context("no standard output")?).lines();
    with_timeout("a line", async { lines.next_line().await?.context("the output ended") }).await
}

#[tokio::test]
async fn signals_are_forwarded_to_the_command() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for (name, code) in [("INT", 40), ("TERM", 50)] {
        let script = "trap 'exit 40' INT; trap 'exit 50' TERM; echo ready; while :; do sleep 0.02; done";
        let mut child = shell(&server.negotiate_url(), script)?.spawn()?;
        assert_eq!(first_line(&mut child).await?, "ready");
        signal(child.id().context("the process has exited")?, name).await?;
        let status = with_timeout("end of the command", async { Ok(child.wait().await?) }).await?;
        assert_eq!(status.code(), Some(code));
    }
    Ok(())
}

#[tokio::test]
async fn ctrl_c_in_a_terminal_reaches_the_command_once() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let counting =
        "n=0; hit() { n=$((n+1)); }; trap hit INT; echo ready; read line; read line; exit $((40 + n))";
    let (program, url) = (tailcast()?, server.negotiate_url());
    // A terminal for the test's keys. `exec` replaces its shell, because some shells would be interrupted too.
    let mut terminal = command(Path::new("script"));
    let typed = format!("exec {} run --negotiate {url} -- sh -c '{counting}'", program.display());
    let mut child = terminal.args(["-qec", &typed, "/dev/null"]).stdin(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    with_timeout("the command", async {
        while lines.next_line().await?.context("the terminal was closed")?.trim_end() != "ready" {}
        Ok(())
    })
    .await?;
    let mut keys = child.stdin.take().context("no standard input")?;
    keys.write_all(b"\x03").await?;
    keys.write_all(b"one\ntwo\n").await?;
    let status = with_timeout("end of the command", async { Ok(child.wait().await?) }).await?;
    assert_eq!(status.code(), Some(41));
    Ok(())
}

#[tokio::test]
async fn tailcast_run_opens_no_listening_socket() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut child = shell(&server.negotiate_url(), "echo ready; read line")?.stdin(Stdio::piped()).spawn()?;
    assert_eq!(first_line(&mut child).await?, "ready");
    let listening = listening_sockets(child.id().context("the process has exited")?)?;
    assert_eq!(listening, [""; 0]);
    // The same function finds the socket of the server.
    assert_eq!(listening_sockets(server.process_id()?)?.len(), 1);
    drop(child.stdin.take());
    let status = with_timeout("end of the command", async { Ok(child.wait().await?) }).await?;
    anyhow::ensure!(status.code().is_some(), "{status}");
    Ok(())
}

/// Returns the listening sockets of a process, from `/proc`.
fn listening_sockets(process_id: u32) -> anyhow::Result<Vec<String>> {
    const LISTEN: &str = "0A";
    let folder = format!("/proc/{process_id}");
    let open: Vec<String> = fs::read_dir(format!("{folder}/fd"))?
        .filter_map(|entry| Some(fs::read_link(entry.ok()?.path()).ok()?.to_string_lossy().into_owned()))
        .collect();
    let mut found = Vec::new();
    for table in ["tcp", "tcp6"] {
        for line in fs::read_to_string(format!("{folder}/net/{table}"))?.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (state, inode) = (fields.get(3).copied(), fields.get(9).copied().unwrap_or_default());
            if state == Some(LISTEN) && open.contains(&format!("socket:[{inode}]")) {
                found.push(line.to_owned());
            }
        }
    }
    Ok(found)
}

#[tokio::test]
async fn background_processes_do_not_delay_the_exit() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let ended = run_shell(&server, "sleep 600 & echo $!; exit 3").await?;
    assert_eq!(ended.code, Some(3));
    assert_eq!(subscriber.marked_lines(1).await?, [MarkedLine::of("", ended.stdout.trim())]);
    signal(ended.stdout.trim().parse()?, "KILL").await
}

#[tokio::test]
async fn without_a_server_the_command_runs_and_an_error_is_reported() -> anyhow::Result<()> {
    let mut command = command(&tailcast()?);
    let nowhere = "http://127.0.0.1:9/negotiate";
    command.args([
        "run",
        "--negotiate",
        nowhere,
        // Much longer than the shell needs, even on a loaded machine.
        "--give-up-after",
        "3",
        "--",
        "sh",
        "-c",
        "echo done; exit 5",
    ]);
    let ended = run_to_end(command, b"").await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(5), "done\n"));
    assert!(ended.stderr.contains("the line read was not acknowledged"), "{}", ended.stderr);
    Ok(())
}

#[tokio::test]
async fn a_closed_standard_output_does_not_stop_publishing_and_the_key_is_not_inherited() -> anyhow::Result<()>
{
    let server = Server::start(&["--publish-key", "ours"]).await?;
    let mut subscriber = server.subscribe().await?;
    let script = "sleep 0.05; seq 1 20000; echo ${TAILCAST_PUBLISH_KEY-unset}";
    let mut command = shell(&server.negotiate_url(), script)?;
    let mut child = command.env("TAILCAST_PUBLISH_KEY", "ours").stderr(Stdio::null()).spawn()?;
    let mut stdout = child.stdout.take().context("no standard output")?;
    assert_eq!(stdout.read_u8().await?, b'1');
    drop(stdout);
    let lines = subscriber.marked_lines(20_001).await?;
    assert_eq!(lines.last(), Some(&MarkedLine::of("", "unset")));
    let status = with_timeout("end of the command", async { Ok(child.wait().await?) }).await?;
    assert_eq!(status.code(), Some(0));
    Ok(())
}

#[tokio::test]
async fn a_standard_output_that_is_not_read_does_not_delay_the_exit() -> anyhow::Result<()> {
    /// Pause between two signals: the first ends the command, a later one the program.
    const SIGNAL_INTERVAL: Duration = Duration::from_millis(200);
    let server = Server::start(&[]).await?;
    let (full, _reader) = pipe::pipe()?;
    full.writable().await?;
    while full.try_write(&[0; 4096]).is_ok() {}
    let mut command = shell(&server.negotiate_url(), "echo blocked; echo written >&2; exec sleep 600")?;
    let mut child = command.stdout(full.into_blocking_fd()?).spawn()?;
    let mut stderr = BufReader::new(child.stderr.take().context("no standard error")?).lines();
    let written = with_timeout("the output", async { Ok(stderr.next_line().await?) }).await?;
    assert_eq!(written.as_deref(), Some("written"));
    let process_id = child.id().context("the program has exited")?;
    let status = with_timeout("end of the program", async {
        loop {
            signal(process_id, "TERM").await?;
            if let Ok(status) = timeout(SIGNAL_INTERVAL, child.wait()).await {
                return Ok(status?);
            }
        }
    })
    .await?;
    // 128 and the number of SIGTERM.
    assert_eq!(status.code(), Some(143));
    Ok(())
}
