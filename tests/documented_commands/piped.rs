//! Documented commands that are piped into `tailcast` without a command of its own.

use anyhow::Context;
use tailcast_tests::{
    command::{command, run_to_end},
    streamer::Streamer,
};

use crate::{documents::occurrences, sandbox::Sandbox};

/// Documented command.
pub struct Piped {
    /// Command of the documents.
    pub command: &'static str,
    /// A line that it publishes.
    line: &'static str,
    /// Whether it opens a browser.
    opens: bool,
}

/// All commands of this kind.
pub const PIPED: [Piped; 2] = [
    Piped { command: "some-command | tailcast", line: "a line of some-command", opens: false },
    Piped {
        command: "for i in $(ls -R); do echo $i; sleep 0.1; done | tailcast --open",
        line: "db.log",
        opens: true,
    },
];

#[tokio::test]
async fn lines_of_each_piped_command_can_be_read_after_its_end() -> anyhow::Result<()> {
    for piped in PIPED {
        for step in occurrences(piped.command)? {
            let sandbox = Sandbox::new()?;
            sandbox.add_recorder("bin/xdg-open")?;
            let mut shell = sandbox.shell(&step)?;
            // The shell and the commands of the pipeline, which Ctrl-C would end together.
            shell.process_group(0);
            let mut running = Streamer::start_command(shell)?;
            let group = running.process_id()?;
            let address = running.page_address().await?;
            running.wait_for_stderr("until Ctrl-C").await?;
            let lines = kept_lines(&sandbox, &address).await;
            interrupt(group).await?;
            assert!(lines?.lines().any(|line| line == piped.line), "{}", piped.command);
            running.wait_for_exit().await?;
            let opened = [vec!["xdg-open".to_owned(), format!("http://{address}/")]];
            assert_eq!(sandbox.recorded(), if piped.opens { opened.to_vec() } else { vec![] });
        }
    }
    Ok(())
}

/// Returns the lines that the server has kept.
pub async fn kept_lines(sandbox: &Sandbox, address: &str) -> anyhow::Result<String> {
    let mut watch = command(&sandbox.file("bin/tailcast"));
    watch.args(["watch", "--server", &format!("http://{address}"), "-n", "10000", "--no-follow"]);
    let ended = run_to_end(watch, b"").await?;
    (ended.code == Some(0)).then_some(ended.stdout).context(ended.stderr)
}

/// Sends the signal of Ctrl-C to a process group.
pub async fn interrupt(group: u32) -> anyhow::Result<()> {
    let status = command(std::path::Path::new("kill")).args(["-INT", "--", &format!("-{group}")]).status();
    anyhow::ensure!(status.await?.success(), "the group has ended");
    Ok(())
}
