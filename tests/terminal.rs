//! `tailcast run` with a terminal for the command. `script` stands for the user's terminal.

use std::{path::Path, process::Stdio};

use anyhow::Context;
use tailcast_tests::{
    command::{command, run},
    environment::tailcast,
    marked_lines::MarkedLine,
    server::Server,
    with_timeout,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout},
};

/// Terminal of a user.
struct UserTerminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    shown: String,
}

impl UserTerminal {
    /// Opens a terminal in which a shell command runs.
    fn open(typed: &str) -> anyhow::Result<Self> {
        let mut child =
            command(Path::new("script")).args(["-qec", typed, "/dev/null"]).stdin(Stdio::piped()).spawn()?;
        let keys = child.stdin.take().context("no standard input")?;
        let screen = child.stdout.take().context("no standard output")?;
        Ok(Self { child, keys, screen, shown: String::new() })
    }

    async fn type_keys(&mut self, keys: &str) -> anyhow::Result<()> {
        Ok(self.keys.write_all(keys.as_bytes()).await?)
    }

    /// Waits until the terminal has shown a text since the last call.
    async fn until_shown(&mut self, text: &str) -> anyhow::Result<()> {
        let waiting = with_timeout(text, async {
            let mut buffer = [0; 4096];
            while !self.shown.contains(text) {
                let read = self.screen.read(&mut buffer).await?;
                anyhow::ensure!(read > 0, "the terminal was closed");
                self.shown.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()));
            }
            Ok(())
        })
        .await;
        waiting.with_context(|| format!("the terminal shows {:?}", self.shown))?;
        let end = self.shown.find(text).unwrap_or_default() + text.len();
        self.shown.drain(..end);
        Ok(())
    }

    async fn exit_code(mut self) -> anyhow::Result<Option<i32>> {
        with_timeout("end of the terminal", async { Ok(self.child.wait().await?.code()) }).await
    }
}

/// Returns the command line that runs a script.
fn line(server: &Server, flags: &str, script: &str) -> anyhow::Result<String> {
    let (program, url) = (tailcast()?, server.negotiate_url());
    Ok(format!("{} run --negotiate {url} {flags} -- sh -c '{script}'", program.display()))
}

fn main_lines(texts: &[&str]) -> Vec<MarkedLine> {
    texts.iter().map(|text| MarkedLine::of("", text)).collect()
}

#[tokio::test]
async fn a_command_whose_output_the_user_sees_has_a_terminal_of_the_same_size() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let script = "test -t 0 && test -t 1 && test -t 2 && stty size; echo error >&2; exit 3";
    let typed = format!("stty rows 33 cols 101; exec {}", line(&server, "", script)?);
    let mut terminal = UserTerminal::open(&typed)?;
    terminal.until_shown("33 101").await?;
    terminal.until_shown("error").await?;
    assert_eq!(terminal.exit_code().await?, Some(3));
    // One stream, without the carriage returns of the terminal.
    assert_eq!(subscriber.marked_lines(2).await?, main_lines(&["33 101", "error"]));
    Ok(())
}

#[tokio::test]
async fn a_command_whose_output_goes_elsewhere_has_none_unless_it_is_asked_for() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let script = "test -t 1 && echo terminal || echo pipe";
    for (flags, redirect, expected) in [
        ("", "> /dev/null", "pipe"),
        ("", "2> /dev/null", "pipe"),
        ("--no-pty", "", "pipe"),
        ("", "", "terminal"),
    ] {
        let typed = format!("{} {redirect}", line(&server, flags, script)?);
        assert_eq!(UserTerminal::open(&typed)?.exit_code().await?, Some(0));
        assert_eq!(subscriber.marked_lines(1).await?, main_lines(&[expected]), "{typed}");
    }
    let url = server.negotiate_url();
    let arguments = ["run", "--pty", "--negotiate", &url, "--", "sh", "-c", script];
    let ended = run(&tailcast()?, &arguments, b"").await?;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "terminal\r\n"));
    assert_eq!(subscriber.marked_lines(1).await?, main_lines(&["terminal"]));
    Ok(())
}

#[tokio::test]
async fn input_that_is_no_keyboard_is_inherited_unchanged() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let url = server.negotiate_url();
    let arguments = ["run", "--pty", "--negotiate", &url, "--", "wc", "-c"];
    let ended = run(&tailcast()?, &arguments, b"\x04\x03\r\nbinary").await?;
    assert_eq!((ended.code, ended.stdout.trim()), (Some(0), "10"));
    Ok(())
}

#[tokio::test]
async fn keys_reach_the_command_and_a_prompt_is_published_before_it_is_answered() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut subscriber = server.subscribe().await?;
    let script = r#"printf "Name? "; read name; stty raw -echo; printf "Key? "; key=$(dd bs=1 count=1 2>/dev/null | od -An -tx1); stty sane; echo "$name$key""#;
    let mut terminal = UserTerminal::open(&line(&server, "", script)?)?;
    terminal.until_shown("Name? ").await?;
    // Start mark, then the prompt.
    subscriber.message_text().await?;
    assert!(subscriber.message_text().await?.ends_with("Name? "));
    terminal.type_keys("ada\r").await?;
    assert_eq!(subscriber.marked_lines(1).await?, main_lines(&["Name? ada"]));
    terminal.until_shown("Key? ").await?;
    terminal.type_keys("\u{3}").await?;
    terminal.until_shown("ada 03").await?;
    assert_eq!(terminal.exit_code().await?, Some(0));
    assert_eq!(subscriber.marked_lines(1).await?, main_lines(&["Key? ada 03"]));
    Ok(())
}

#[tokio::test]
async fn ctrl_z_stops_the_command_until_the_shell_continues_it() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let mut terminal = UserTerminal::open("PS1=\"prompt> \" bash --norc -i")?;
    terminal.until_shown("prompt> ").await?;
    let script = "echo ready; read line; echo \"got $line\"; exit 4";
    terminal.type_keys(&(line(&server, "", script)? + "\n")).await?;
    terminal.until_shown("ready\r\n").await?;
    terminal.type_keys("\u{1a}").await?;
    terminal.until_shown("Stopped").await?;
    terminal.until_shown("prompt> ").await?;
    // The terminal is as it was: the shell reads a line.
    terminal.type_keys("echo $((20 + 3))\n").await?;
    terminal.until_shown("23\r\n").await?;
    terminal.type_keys("fg\n").await?;
    terminal.until_shown("run").await?;
    terminal.type_keys("x\n").await?;
    terminal.until_shown("got x").await?;
    terminal.until_shown("prompt> ").await?;
    terminal.type_keys("exit $?\n").await?;
    assert_eq!(terminal.exit_code().await?, Some(4));
    Ok(())
}

#[tokio::test]
async fn messages_begin_at_the_left_while_the_terminal_is_in_raw_mode() -> anyhow::Result<()> {
    let nowhere = "--negotiate http://127.0.0.1:9/negotiate --give-up-after 1";
    let typed = format!("{} run {nowhere} -- sh -c 'read line; seq 1000'", tailcast()?.display());
    let mut terminal = UserTerminal::open(&typed)?;
    terminal.until_shown("; retrying\r\n").await?;
    terminal.type_keys("\n").await?;
    // Output that is written after the end of the command, too.
    terminal.until_shown("\r\n1000\r\ntailcast run: ").await?;
    terminal.exit_code().await?;
    Ok(())
}
