//! Python programs of this directory.

use std::{path::Path, process::Stdio};

use anyhow::Context;
use tailcast_tests::{
    command::{Ended, command, run},
    environment::python,
    with_timeout,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

/// Returns the path of a file in this directory.
pub fn path_of(name: &str) -> anyhow::Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers").join(name);
    Ok(path.to_str().context("a path that is not UTF-8")?.to_owned())
}

/// Runs a program until it exits.
pub async fn run_program(name: &str, arguments: &[&str], input: &[u8]) -> anyhow::Result<Ended> {
    run(&python()?, &[&[path_of(name)?.as_str()], arguments].concat(), input).await
}

/// Running program. Killed when dropped.
pub struct Program {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub fn start(name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = command(&python()?);
        // Standard error is inherited, so that a failed test shows it.
        command.arg(path_of(name)?).args(arguments).stdin(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take().context("no standard input")?;
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { _child: child, stdin, lines })
    }

    /// Writes a line to standard input.
    pub async fn write(&mut self, line: &str) -> anyhow::Result<()> {
        with_timeout("writing", async { Ok(self.stdin.write_all(format!("{line}\n").as_bytes()).await?) })
            .await
    }

    /// Waits for the next line of standard output.
    pub async fn line(&mut self) -> anyhow::Result<String> {
        with_timeout("a line of the program", async { self.lines.next_line().await?.context("it has ended") })
            .await
    }
}
