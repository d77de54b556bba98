//! Running the Python programs of this folder.

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

/// The path of what has this name here.
pub fn path_of(name: &str) -> anyhow::Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers").join(name);
    Ok(path.to_str().context("a path that is not UTF-8")?.to_owned())
}

/// Runs one to its end.
pub async fn run_program(name: &str, arguments: &[&str], input: &[u8]) -> anyhow::Result<Ended> {
    run(&python()?, &[&[path_of(name)?.as_str()], arguments].concat(), input).await
}

/// One that is running, until dropped.
pub struct Program {
    _child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    pub fn start(name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = command(&python()?);
        // Its complaints go where the test's do, so that a failure shows them.
        command.arg(path_of(name)?).args(arguments).stdin(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take().context("no standard input")?;
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { _child: child, stdin, lines })
    }

    /// Types a line.
    pub async fn write(&mut self, line: &str) -> anyhow::Result<()> {
        with_timeout("writing", async { Ok(self.stdin.write_all(format!("{line}\n").as_bytes()).await?) })
            .await
    }

    /// The next line that it prints.
    pub async fn line(&mut self) -> anyhow::Result<String> {
        with_timeout("a line of the program", async { self.lines.next_line().await?.context("it has ended") })
            .await
    }
}
