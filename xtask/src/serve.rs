//! Build and start of `tailcast serve`.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::build;
use crate::setup::Setup;
use crate::workspace::Workspace;

/// Builds page and server, and runs `tailcast serve` with `args`.
///
/// # Errors
/// When set-up or a build fails, or the binary cannot start. Otherwise returns the exit code of the server.
pub fn run(workspace: &Workspace, setup: &Setup<'_>, args: &[OsString]) -> Result<ExitCode> {
    build::all(workspace, setup)?;
    let mut command = Command::new(workspace.tailcast());
    command.arg("serve").args(args);
    hand_over(command).with_context(|| format!("cannot start {}", workspace.tailcast().display()))
}

/// Replaces this process by the server, which then gets signals directly.
#[cfg(unix)]
fn hand_over(mut command: Command) -> std::io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn hand_over(mut command: Command) -> std::io::Result<ExitCode> {
    let code = command.status()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}
