//! Our server under measurement, which ends with it.

use anyhow::{Context, Result};

use crate::piped_process::{PipedProcess, READY_LIMIT};
use crate::program::Program;
use crate::workspace::Workspace;

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
        Self::run(workspace, &[])
    }

    /// Starts the server as one that strangers can reach, through a proxy on this machine. [`ACCESS_KEY`] signs its tokens.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_public(workspace: &Workspace) -> Result<Self> {
        let arguments = ["--trusted-proxy", "127.0.0.1", "--access-key", ACCESS_KEY];
        Self::run(workspace, &arguments)
    }

    fn run(workspace: &Workspace, arguments: &[&str]) -> Result<Self> {
        let serve = Program::new(workspace.tailcast()).args(["serve", "--listen", "127.0.0.1:0", "--site"]);
        let process = PipedProcess::start(serve.arg(workspace.site()).args(arguments).into_command())?;
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
