//! Processes under measurement, which end with it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::program::Program;
use crate::workspace::Workspace;

/// Time limit until a process is ready.
const READY_LIMIT: Duration = Duration::from_secs(30);

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

/// Access key of [`BenchService::start_public`].
pub const ACCESS_KEY: &str = "the-key-of-a-server-that-is-only-measured";

/// `tailcast serve` on a free port.
#[derive(Debug)]
pub struct BenchService {
    process: PipedProcess,
    address: String,
}

impl BenchService {
    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot start, or prints no address.
    pub fn start(workspace: &Workspace) -> Result<Self> {
        Self::start_with(workspace, &workspace.site())
    }

    /// Starts the server with the pages in `site`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(workspace: &Workspace, site: &Path) -> Result<Self> {
        Self::run(workspace, site, &[])
    }

    /// Starts the server as one that strangers can reach, through a proxy on this machine. [`ACCESS_KEY`] signs its tokens.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_public(workspace: &Workspace) -> Result<Self> {
        let arguments = ["--trusted-proxy", "127.0.0.1", "--access-key", ACCESS_KEY];
        Self::run(workspace, &workspace.site(), &arguments)
    }

    fn run(workspace: &Workspace, site: &Path, arguments: &[&str]) -> Result<Self> {
        let serve = Program::new(workspace.tailcast()).args(["serve", "--listen", "127.0.0.1:0", "--site"]);
        let process = PipedProcess::start(serve.arg(site).args(arguments).into_command())?;
        let address =
            process.wait_for("listening on ", READY_LIMIT).context("`tailcast serve` did not start")?;
        Ok(Self { process, address })
    }

    /// Returns the URL of the server.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the URL of its negotiation endpoint.
    pub fn negotiate(&self) -> String {
        format!("{}/negotiate", self.address)
    }

    /// Returns its process id.
    pub fn process_id(&mut self) -> u32 {
        self.process.child().id()
    }
}
