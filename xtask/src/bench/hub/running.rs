//! A server that runs, from its start until it is dropped.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::contestant::{Recipes, Server};
use super::cores::{Cores, Role};
use crate::bench::service::Talker;
use crate::program::Program;

/// How long a server may take until it accepts connections.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How often it is tried: short beside any start.
const TRY_PAUSE: Duration = Duration::from_micros(200);
/// What ours says then, with its address.
const SAYS_READY: &str = "listening on ";

/// A server that accepts connections. Dropping it ends it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Host and port of its WebSockets.
    pub address: String,
    /// From its start to the first connection that it accepted.
    pub start_took: Duration,
}

impl Running {
    /// Starts a server on its core.
    ///
    /// # Errors
    /// When it is not here, or does not start.
    pub fn start(recipes: &Recipes<'_>, server: Server, cores: &Cores) -> Result<Self> {
        Self::start_as(recipes, server, |command_line| cores.program(Role::Server, command_line))
    }

    /// Starts a server as anybody would, on any core.
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
        let said = recipes.folder.join("server.log");
        let log = File::create(&said).with_context(|| format!("cannot write {}", said.display()))?;
        let mut command = recipes.with_environment(server, program(&command_line))?.into_command();
        command.stdout(Stdio::null()).stderr(log);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let address = format!("127.0.0.1:{port}");
        let mut running = Self { child, address, start_took: Duration::ZERO };
        loop {
            // Looked at before: what accepts must not be somebody else on the same port.
            if let Some(status) = running.child.try_wait().context("cannot wait for the server")? {
                bail!("the server ended with {status}; see {}", said.display());
            }
            if TcpStream::connect(&running.address).is_ok() {
                running.start_took = started.elapsed();
                return Ok(running);
            }
            if started.elapsed() > START_LIMIT {
                bail!("the server does not accept connections; see {}", said.display());
            }
            thread::sleep(TRY_PAUSE);
        }
    }

    /// Its process id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has ended: which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// How long ours takes until it says that it listens.
///
/// # Errors
/// When it does not.
pub fn time_until_said(recipes: &Recipes<'_>) -> Result<Duration> {
    let (port, second_port) = free_ports()?;
    let command_line = recipes.command_line(Server::Tailcast, port, second_port)?;
    let mut command = recipes.with_environment(Server::Tailcast, plain(&command_line))?.into_command();
    command.stderr(Stdio::null());
    let started = Instant::now();
    let talker = Talker::start(command)?;
    talker.wait_for(SAYS_READY, START_LIMIT)?;
    Ok(started.elapsed())
}

fn plain(command_line: &[PathBuf]) -> Program {
    let (program, args) = command_line
        .split_first()
        .map_or((PathBuf::new(), &[][..]), |(program, args)| (program.clone(), args));
    Program::new(program).args(args)
}

/// Two ports that nobody listens on.
fn free_ports() -> Result<(u16, u16)> {
    let bind = || TcpListener::bind("127.0.0.1:0").context("there is no free port");
    let (one, other) = (bind()?, bind()?);
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}
