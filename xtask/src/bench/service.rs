//! Processes under measurement: started, waited for until they say they are ready, and ended with the measurement.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::program::Program;
use crate::workspace::Workspace;

/// How long a process may take to say that it is ready.
const READY_LIMIT: Duration = Duration::from_secs(30);

/// A process whose standard output is read line by line. Dropping it ends it.
#[derive(Debug)]
pub struct Talker {
    child: Child,
    lines: Receiver<String>,
}

impl Talker {
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
            // Reads on when nobody listens any more, so that the process never waits for us.
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

    /// The process, for its standard input, its id and its end.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        // Both fail only for a process that has ended: which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `tailcast serve` on a free port.
#[derive(Debug)]
pub struct Service {
    talker: Talker,
    address: String,
}

impl Service {
    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it cannot start, or does not say where it listens.
    pub fn start(workspace: &Workspace) -> Result<Self> {
        Self::start_with(workspace, &workspace.site())
    }

    /// The same with the pages in `site`.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_with(workspace: &Workspace, site: &Path) -> Result<Self> {
        let serve = Program::new(workspace.tailcast()).args(["serve", "--listen", "127.0.0.1:0", "--site"]);
        let talker = Talker::start(serve.arg(site).into_command())?;
        let address =
            talker.wait_for("listening on ", READY_LIMIT).context("`tailcast serve` did not start")?;
        Ok(Self { talker, address })
    }

    /// Where it listens, as a URL.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where clients ask for a connection.
    pub fn negotiate(&self) -> String {
        format!("{}/negotiate", self.address)
    }

    /// Its process id.
    pub fn process_id(&mut self) -> u32 {
        self.talker.child().id()
    }
}
