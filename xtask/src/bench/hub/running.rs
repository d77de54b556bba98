//! A running server, which ends when it is dropped.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::contestant::{Recipes, Server};
use super::cores::{Cores, Workload};
use crate::piped_process::PipedProcess;
use crate::program::Program;

/// Time limit until a server accepts connections.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Interval between attempts, short compared with any start.
const TRY_PAUSE: Duration = Duration::from_micros(200);
/// Line that our server prints when it listens, before its address.
const READY_PREFIX: &str = "listening on ";

/// A server that accepts connections. Dropping it ends the process.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Host and port of its WebSockets.
    pub address: String,
    /// Time from the start to the first accepted connection.
    pub start_took: Duration,
}

impl Running {
    /// Starts a server on its core.
    ///
    /// # Errors
    /// When it is missing, or does not start.
    pub fn start(recipes: &Recipes<'_>, server: Server, cores: &Cores) -> Result<Self> {
        Self::start_as(recipes, server, |command_line| cores.program(Workload::Server, command_line))
    }

    /// Starts a server on any core, as a user would.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_unpinned(recipes: &Recipes<'_>, server: Server) -> Result<Self> {
        Self::start_as(recipes, server, plain)
    }

    fn start_as(
        recipes: &Recipes<'_>,
        server: Server,
        program: impl FnOnce(&[PathBuf]) -> Program,
    ) -> Result<Self> {
        let (port, second_port) = free_ports()?;
        let command_line = recipes.command_line(server, port, second_port)?;
        let log_path = recipes.folder.join("server.log");
        let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let mut command = recipes.with_environment(server, program(&command_line))?.into_command();
        command.stdout(Stdio::null()).stderr(log);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let address = format!("127.0.0.1:{port}");
        let mut running = Self { child, address, start_took: Duration::ZERO };
        loop {
            // Checked before connecting: another program could accept connections on this port.
            if let Some(status) = running.child.try_wait().context("cannot wait for the server")? {
                bail!("the server ended with {status}; see {}", log_path.display());
            }
            if TcpStream::connect(&running.address).is_ok() {
                running.start_took = started.elapsed();
                return Ok(running);
            }
            if started.elapsed() > START_LIMIT {
                bail!("the server does not accept connections; see {}", log_path.display());
            }
            thread::sleep(TRY_PAUSE);
        }
    }

    /// Returns its process id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Measures the time until our server prints that it listens.
///
/// # Errors
/// When it does not start.
pub fn time_until_ready(recipes: &Recipes<'_>) -> Result<Duration> {
    let (port, second_port) = free_ports()?;
    let command_line = recipes.command_line(Server::Tailcast, port, second_port)?;
    let mut command = recipes.with_environment(Server::Tailcast, plain(&command_line))?.into_command();
    command.stderr(Stdio::null());
    let started = Instant::now();
    let process = PipedProcess::start(command)?;
    process.wait_for(READY_PREFIX, START_LIMIT)?;
    Ok(started.elapsed())
}

fn plain(command_line: &[PathBuf]) -> Program {
    let (program, args) = command_line
        .split_first()
        .map_or((PathBuf::new(), &[][..]), |(program, args)| (program.clone(), args));
    Program::new(program).args(args)
}

/// Finds two free ports.
fn free_ports() -> Result<(u16, u16)> {
    let bind = || TcpListener::bind("127.0.0.1:0").context("there is no free port");
    let (one, other) = (bind()?, bind()?);
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}
