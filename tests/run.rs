//! `tailcast run`: publishes the output of a command and returns its exit code.

use std::{fs, path::Path, process::Stdio, time::Duration};

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    command::{Ended, command, run_to_end},
    environment::tailcast,
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
    let mut lines = subscriber.lines(3).await?;
    lines.sort();
    assert_eq!(lines, ["\u{1b}[31m\u{1b}[39m", "end", "out"]);
    Ok(())
}

#[tokio::test]
async fn standard_input_is_inherited_and_no_line_is_lost() -> anyhow::Result<()> {
    const COUNT: usize = 100_000;
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let command = shell(&server.negotiate_url(), "cat; seq 1 50000 >&2")?;
    let input: String = (0..COUNT - 50_000).map(|number| format!("line {number}\n")).collect();
    let (ended, lines) = tokio::join!(run_to_end(command, input.as_bytes()), subscriber.lines(COUNT));
    let (ended, lines) = (ended?, lines?);
    assert_eq!((ended.code, ended.stdout == input), (Some(0), true));
    let (errors, output): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.starts_with('\u{1b}'));
    assert!(output.iter().map(|line| format!("{line}\n")).eq(input.split_inclusive('\n')), "lines differ");
    let expected = (1..=50_000).map(|number| format!("\u{1b}[31m{number}\u{1b}[39m"));
    assert!(errors.into_iter().cloned().eq(expected), "lines of standard error differ");
    Ok(())
}

#[tokio::test]
async fn the_page_shows_standard_error_in_red() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let browser = Browser::start().await?;
    browser.open(&server.url("/")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    run_shell(&server, "echo fine; echo broken >&2").await?;
    let colour = |text: &str| {
        format!(
            "[...document.querySelectorAll('#log .row .text')].filter(row => row.textContent === '{text}')
                 .map(row => getComputedStyle(row.querySelector('span') ?? row).color)[0]"
        )
    };
    browser.until(&format!("{} && {}", colour("fine"), colour("broken"))).await?;
    let colours = browser.run(&format!("return [{}, {}]", colour("fine"), colour("broken"))).await?;
    assert_ne!(colours.get(0), colours.get(1), "{colours}");
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
    assert_eq!(first_line(&mut child).await?.trim_end(), "ready");
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
    assert_eq!(subscriber.lines(1).await?, [ended.stdout.trim()]);
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
    let lines = subscriber.lines(20_001).await?;
    assert_eq!(lines.last().map(String::as_str), Some("unset"));
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
