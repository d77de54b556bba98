//! Documented servers with a history, and the documented commands that read it.

use anyhow::Context;
use tailcast_tests::{server::Server, with_timeout};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{
    documents::{Step, occurrences},
    sandbox::Sandbox,
};

/// Last output of `tailcast serve` before it is ready for the test.
const LAST_OUTPUT: &str = "Open http";

/// Documented servers whose history the test reads, beside the server without settings.
pub const SERVERS: [&str; 2] =
    ["tailcast serve --history 1h,256MiB", "tailcast serve --history 'build-*=off' --history 12h,1GiB"];
/// Documented command that follows.
pub const FOLLOWING: &str = "tailcast watch";
/// Documented command that ends.
pub const ENDING: &str = "tailcast watch --since 10m --no-follow";

/// Line of the stand-in for the user's command.
const LINE: &str = "a line of some-command";

fn step(command: &str) -> Step {
    Step { place: "the test".to_owned(), exports: Vec::new(), command: command.to_owned() }
}

/// Starts a documented server, and publishes a line to a group that nobody watches.
async fn published(server: &Step, group: &str) -> anyhow::Result<(Server, Sandbox)> {
    let sandbox = Sandbox::new()?;
    let server = Server::start_command(sandbox.shell(server)?, LAST_OUTPUT).await?;
    let ended = sandbox.run(&step(&format!("some-command | tailcast stream --group {group}"))).await?;
    anyhow::ensure!(ended.code == Some(0), "{ended:?}");
    Ok((server, sandbox))
}

#[tokio::test]
async fn documented_readers_print_what_was_published_before() -> anyhow::Result<()> {
    for command in SERVERS.into_iter().chain(["tailcast serve"]) {
        for server in occurrences(command)? {
            let (_server, sandbox) = published(&server, "stream").await?;
            for reader in occurrences(ENDING)? {
                let ended = sandbox.run(&reader).await?;
                assert_eq!((ended.code, ended.stdout.trim_end()), (Some(0), LINE), "{ended:?}");
            }
            for reader in occurrences(FOLLOWING)? {
                let mut following = sandbox.shell(&reader)?.spawn()?;
                let output = following.stdout.take().context("no standard output")?;
                let mut lines = BufReader::new(output).lines();
                let first = with_timeout("a line", async { Ok(lines.next_line().await?) }).await?;
                assert_eq!(first.as_deref(), Some(LINE));
                following.kill().await?;
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn groups_that_a_documented_server_leaves_out_have_no_history() -> anyhow::Result<()> {
    let [_, command] = SERVERS;
    for server in occurrences(command)? {
        let (_server, sandbox) = published(&server, "build-1").await?;
        let ended = sandbox.run(&step("tailcast watch --group build-1 --no-follow")).await?;
        assert_eq!(ended.stdout, "", "{ended:?}");
    }
    Ok(())
}
