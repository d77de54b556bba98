//! A running `tailcast stream` that a test types into, or `tailcast tail`.

use std::{ffi::OsStr, process::Stdio};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdin},
};

use crate::{command::command, environment, in_time, server::signal};

/// `tailcast stream` with its standard input open. Killed when dropped.
pub struct Streamer {
    child: Child,
    stdin: Option<ChildStdin>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Streamer {
    /// Starts it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(negotiate_url: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        Self::start_as("stream", &[&["--negotiate", negotiate_url], arguments].concat())
    }

    /// Starts another command that publishes.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_as(name: &str, arguments: &[impl AsRef<OsStr>]) -> anyhow::Result<Self> {
        let mut command = command(&environment::tailcast()?);
        command.arg(name).args(arguments).stdin(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let stderr = BufReader::new(child.stderr.take().context("no standard error")?).lines();
        Ok(Self { child, stdin, stderr })
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// When it has closed it.
    pub async fn write(&mut self, text: &str) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("standard input was closed")?;
        in_time("writing", async { Ok(stdin.write_all(text.as_bytes()).await?) }).await
    }

    /// Ends its standard input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Sends a signal, by the name that `kill` knows.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        signal(self.child.id().context("it has ended")?, name).await
    }

    /// The process.
    ///
    /// # Errors
    /// When it has ended.
    pub fn process_id(&self) -> anyhow::Result<u32> {
        self.child.id().context("it has ended")
    }

    /// Reads standard error until a line holds `words`.
    ///
    /// # Errors
    /// When it ends without.
    pub async fn says(&mut self, words: &str) -> anyhow::Result<()> {
        in_time(&format!("`{words}` on standard error"), async {
            let mut said = String::new();
            while let Some(line) = self.stderr.next_line().await? {
                if line.contains(words) {
                    return Ok(());
                }
                said.push_str(&line);
                said.push('\n');
            }
            anyhow::bail!("it ended, having said:\n{said}")
        })
        .await
    }

    /// Waits for the end; gives the exit code, and what it had still to say.
    ///
    /// # Errors
    /// When it does not end in time.
    pub async fn ended(mut self) -> anyhow::Result<(Option<i32>, String)> {
        in_time("end of the streamer", async {
            let mut said = String::new();
            while let Some(line) = self.stderr.next_line().await? {
                said.push_str(&line);
                said.push('\n');
            }
            Ok((self.child.wait().await?.code(), said))
        })
        .await
    }
}
