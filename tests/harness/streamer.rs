//! Running `tailcast stream` or `tailcast tail`.

use std::{ffi::OsStr, process::Stdio};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin, Command},
};

use crate::{
    command::command,
    environment,
    server::{Server, signal},
    with_timeout,
};

/// Publishes lines with `tailcast stream` until all are acknowledged.
///
/// # Errors
/// Fails if the process cannot be started, or fails.
pub async fn stream(server: &Server, arguments: &[&str], lines: &str) -> anyhow::Result<()> {
    let mut streamer = Streamer::start(&server.negotiate_url(), arguments)?;
    streamer.write(lines).await?;
    streamer.end_input();
    let (code, stderr) = streamer.wait_for_exit().await?;
    anyhow::ensure!(code == Some(0), "{code:?}: {stderr}");
    Ok(())
}

/// Publishing process with an open standard input. Killed when dropped.
pub struct Streamer {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Streamer {
    /// Starts `tailcast stream`.
    ///
    /// # Errors
    /// Fails if the process cannot be started.
    pub fn start(negotiate_url: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_as("stream", &[&["--negotiate", negotiate_url], arguments].concat())
    }

    /// Starts the given publishing command.
    ///
    /// # Errors
    /// Fails if the process cannot be started.
    pub fn start_as(name: &str, arguments: &[impl AsRef<OsStr>]) -> anyhow::Result<Self> {
        let mut command = command(&environment::tailcast()?);
        command.arg(name).args(arguments);
        Self::start_command(command)
    }

    /// Starts `some-command | tailcast`, with the test in place of the command, from the given port on.
    ///
    /// # Errors
    /// Fails if the process cannot be started.
    pub fn start_piped(port: u16, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = command(&environment::tailcast()?);
        command.args(["--port", &port.to_string()]).args(arguments);
        Self::start_command(command)
    }

    /// Starts a command that publishes its standard input.
    ///
    /// # Errors
    /// Fails if the process cannot be started.
    pub fn start_command(mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let stderr = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        Ok(Self { child, stdin, stderr })
    }

    /// Writes to standard input.
    ///
    /// # Errors
    /// Fails if standard input is closed.
    pub async fn write(&mut self, text: &str) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("standard input was closed")?;
        with_timeout("writing", async { Ok(stdin.write_all(text.as_bytes()).await?) }).await
    }

    /// Closes standard input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal, by its name for `kill`.
    ///
    /// # Errors
    /// Fails if the signal cannot be sent.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        signal(self.child.id().context("the process has exited")?, name).await
    }

    /// Returns the process id.
    ///
    /// # Errors
    /// Fails if the process has exited.
    pub fn process_id(&self) -> anyhow::Result<u32> {
        self.child.id().context("the process has exited")
    }

    /// Reads standard error until a line contains `text`. Returns the line.
    ///
    /// # Errors
    /// Fails if standard error is closed before.
    pub async fn wait_for_stderr(&mut self, text: &str) -> anyhow::Result<String> {
        with_timeout(&format!("`{text}` on standard error"), async {
            let mut output = String::new();
            while let Some(line) = self.stderr.next_line().await? {
                if line.contains(text) {
                    return Ok(line);
                }
                output.push_str(&line);
                output.push('\n');
            }
            anyhow::bail!("the process exited with the output:\n{output}")
        })
        .await
    }

    /// Waits until the process has printed the address of its page. Returns host and port.
    ///
    /// # Errors
    /// Fails if it prints none.
    pub async fn page_address(&mut self) -> anyhow::Result<String> {
        let line = self.wait_for_stderr(": open http://").await?;
        let address = line.split_once("http://").and_then(|(_, rest)| rest.split_once('/'));
        Ok(address.context("no address")?.0.to_owned())
    }

    /// Waits until the process exits. Returns its exit code and the rest of standard error.
    ///
    /// # Errors
    /// Fails after the timeout.
    pub async fn wait_for_exit(mut self) -> anyhow::Result<(Option<i32>, String)> {
        with_timeout("exit of the streamer", async {
            let mut output = String::new();
            while let Some(line) = self.stderr.next_line().await? {
                output.push_str(&line);
                output.push('\n');
            }
            Ok((self.child.wait().await?.code(), output))
        })
        .await
    }
}
