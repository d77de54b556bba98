//! Processes that run beside a command, and end with it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// Time limit until a server is ready.
pub const READY_LIMIT: Duration = Duration::from_secs(30);

/// A process with its standard output as lines. Dropping it ends the process.
#[derive(Debug)]
pub struct PipedProcess {
    child: Child,
    lines: Receiver<String>,
}

impl PipedProcess {
    /// Starts `command`; its standard error stays visible.
    ///
    /// # Errors
    /// When it cannot start.
    pub fn start(mut command: Command) -> Result<Self> {
        command.stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let output = child.stdout.take().context("the standard output is a pipe")?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            // Reading goes on without a receiver, so that the process never blocks on a full pipe.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Ok(Self { child, lines })
    }

    /// Waits for the first line that begins with `prefix`, and returns the rest of it.
    ///
    /// # Errors
    /// When the process ends, or `limit` passes, without one.
    pub fn wait_for(&self, prefix: &str, limit: Duration) -> Result<String> {
        loop {
            let line = self.lines.recv_timeout(limit);
            let line = line.with_context(|| format!("waited for a line `{prefix}…` in vain"))?;
            if let Some(rest) = line.strip_prefix(prefix) {
                return Ok(rest.trim().to_owned());
            }
        }
    }

    /// Returns the process, for its standard input, id and status.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for PipedProcess {
    fn drop(&mut self) {
        // Both fail only for a process that has already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
