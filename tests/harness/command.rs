//! Running programs.

use std::{ffi::OsStr, path::Path, process::Stdio};

use anyhow::Context;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::with_timeout;

/// Exit code and output of a program.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Creates a command without inherited settings of Tailcast. The process is killed with the test.
#[must_use]
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for variable in [
        "WEBPUBSUB_CONNECTION_STRING",
        "TAILCAST_ACCESS_KEY",
        "TAILCAST_SECONDARY_ACCESS_KEY",
        "TAILCAST_PUBLISH_KEY",
        "TAILCAST_VIEWER_PASSWORD",
        "TAILCAST_SERVER",
        "TAILCAST_GROUP",
        "TAILCAST_LOG",
    ] {
        command.env_remove(variable);
    }
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(proxy);
    }
    // The configuration file of the user who runs the tests must not apply.
    command.env("XDG_CONFIG_HOME", std::env::temp_dir().join("tailcast-no-configuration"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs `program` with `input` on its standard input, until it exits.
///
/// # Errors
/// Fails if the program cannot be started, or does not exit within the timeout.
pub async fn run(program: &Path, arguments: &[impl AsRef<OsStr>], input: &[u8]) -> anyhow::Result<Ended> {
    let mut command = command(program);
    command.args(arguments).stdin(Stdio::piped());
    run_to_end(command, input).await
}

/// Runs a command with `input` on its standard input, until it exits.
///
/// # Errors
/// Fails if the program cannot be started, or does not exit within the timeout.
pub async fn run_to_end(mut command: Command, input: &[u8]) -> anyhow::Result<Ended> {
    let description = format!("{command:?}");
    with_timeout(&description, async {
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let mut stdin = child.stdin.take().context("no standard input")?;
        let feeding = async move {
            // A program that exits early closes its input. The test checks its exit code.
            let _closed_early = stdin.write_all(input).await;
            drop(stdin);
        };
        let (output, ()) = tokio::join!(child.wait_with_output(), feeding);
        let output = output?;
        Ok(Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    })
    .await
}
