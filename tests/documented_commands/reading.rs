//! Documented servers with a history, and the documented commands that read it.

use std::fs;

use anyhow::Context;
use tailcast_tests::{server::Server, with_timeout};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::{
    documents::{Step, occurrences},
    sandbox::{KEY, Sandbox},
};

/// Last output of `tailcast serve` before it is ready for the test.
const LAST_OUTPUT: &str = "Open http";

/// Documented servers whose history the test reads, beside the server without settings.
pub const SERVERS: [&str; 2] =
    ["tailcast serve --history 1h,256MiB", "tailcast serve --history 'build-*=off' --history 12h,512MiB"];
/// Documented command that follows.
pub const FOLLOWING: &str = "tailcast watch";
/// Documented command that ends.
pub const ENDING: &str = "tailcast watch --since 10m --no-follow";

/// Documented server with a viewer password, and the documented command that sends the password.
pub const PROTECTED_SERVER: &str = "tailcast serve --public-url https://logs.example.com --trusted-proxy 127.0.0.1 \
                                    --viewer-password-file viewer-password";
pub const WITH_PASSWORD: &str = "tailcast watch --server https://logs.example.com";

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
async fn the_documented_password_opens_the_documented_server() -> anyhow::Result<()> {
    for server in occurrences(PROTECTED_SERVER)? {
        let sandbox = Sandbox::new()?;
        fs::write(sandbox.file("viewer-password"), format!("{KEY}\n"))?;
        let _server = Server::start_command(sandbox.shell(&server)?, LAST_OUTPUT).await?;
        let publish = Step { command: "some-command | tailcast stream".to_owned(), ..server };
        let ended = sandbox.run(&publish).await?;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for reader in occurrences(WITH_PASSWORD)? {
            assert_eq!(first_line(&sandbox, &reader).await?.as_deref(), Some(LINE));
            let without =
                Step { command: format!("{WITH_PASSWORD} --no-follow"), exports: Vec::new(), ..reader };
            assert_eq!(sandbox.run(&without).await?.code, Some(1));
        }
    }
    Ok(())
}

/// Returns the first line of a command that follows.
async fn first_line(sandbox: &Sandbox, reader: &Step) -> anyhow::Result<Option<String>> {
    let mut following = sandbox.shell(reader)?.spawn()?;
    let output = following.stdout.take().context("no standard output")?;
    let mut lines = BufReader::new(output).lines();
    let first = with_timeout("a line", async { Ok(lines.next_line().await?) }).await?;
    following.kill().await?;
    Ok(first)
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
                assert_eq!(first_line(&sandbox, &reader).await?.as_deref(), Some(LINE));
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
