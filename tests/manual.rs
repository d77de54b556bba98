//! Shell completions, manual pages, and the files of `deploy/`.

use std::{fs, path::Path, process::Stdio};

use anyhow::Context;
use tailcast_tests::{
    command::{Ended, command, run},
    environment::tailcast,
    with_timeout,
};
use tokio::io::{AsyncBufReadExt, BufReader};

async fn tailcast_output(arguments: &[&str]) -> anyhow::Result<String> {
    let ended: Ended = run(&tailcast()?, arguments, b"").await?;
    anyhow::ensure!(ended.code == Some(0), "{arguments:?}: {}", ended.stderr);
    Ok(ended.stdout)
}

#[tokio::test]
async fn bash_completes_commands_and_flags() -> anyhow::Result<()> {
    let completions = tailcast_output(&["completions", "bash"]).await?;
    let script = format!(
        "{completions}
        complete_line() {{ COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _tailcast tailcast \"${{@: -1}}\" \"${{@: -2:1}}\"; echo \"${{COMPREPLY[@]}}\"; }}
        complete_line tailcast st
        complete_line tailcast serve --tls-"
    );
    let ended = run(Path::new("/bin/bash"), &["-c", &script], b"").await?;
    assert_eq!(ended.stdout, "stream\n--tls-cert --tls-key --tls-dev\n", "{}", ended.stderr);
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(tailcast_output(&["completions", shell]).await?.contains("publish-key"), "{shell}");
    }
    Ok(())
}

#[tokio::test]
async fn there_is_a_manual_page_for_each_command() -> anyhow::Result<()> {
    let page = tailcast_output(&["man"]).await?;
    assert!(page.contains(".TH tailcast 1"), "{page}");
    let folder = std::env::temp_dir().join(format!("tailcast-man-{}", std::process::id()));
    tailcast_output(&["man", folder.to_str().context("the path is not UTF-8")?]).await?;
    for (name, flag) in [("serve", "trusted"), ("run", "negotiate"), ("tail", "lines"), ("hub", "inspect")] {
        let page = fs::read_to_string(folder.join(format!("tailcast-{name}.1")))?;
        assert!(page.contains(flag), "{name}: {page}");
    }
    Ok(fs::remove_dir_all(folder)?)
}

/// Runs the command of a file of `deploy/` on a free port. Returns whether it becomes ready.
async fn becomes_ready(arguments: &[String]) -> anyhow::Result<bool> {
    let mut serve = command(&tailcast()?);
    serve.args(arguments.iter().map(|argument| argument.replace("0.0.0.0:8080", "127.0.0.1:0")));
    serve.env("TAILCAST_ACCESS_KEY", "an-access-key-of-thirty-two-characters").stderr(Stdio::null());
    let mut child = serve.spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let ready = with_timeout("the server", async { Ok(lines.next_line().await?) }).await?;
    Ok(ready.is_some_and(|line| line.starts_with("listening on ")))
}

fn deployed(name: &str) -> anyhow::Result<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name);
    fs::read_to_string(&file).with_context(|| format!("{}", file.display()))
}

#[tokio::test]
async fn the_commands_of_the_unit_and_the_container_become_ready() -> anyhow::Result<()> {
    let unit = deployed("tailcast.service")?;
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/tailcast "));
    let words: Vec<String> = start.context("no ExecStart")?.split(' ').map(str::to_owned).collect();
    assert!(becomes_ready(&words).await?, "{words:?}");
    let container = deployed("Containerfile")?;
    let start = container.lines().find_map(|line| line.strip_prefix("CMD "));
    let words: Vec<String> = serde_json::from_str(start.context("no CMD")?)?;
    assert!(becomes_ready(&words).await?, "{words:?}");
    Ok(())
}

#[tokio::test]
async fn a_service_without_an_access_key_does_not_start() -> anyhow::Result<()> {
    let environment = deployed("tailcast.env")?;
    let mut serve = command(&tailcast()?);
    serve.args(["serve", "--listen", "0.0.0.0:0"]);
    for line in environment.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, value)) = line.split_once('=') {
            serve.env(name, value);
        }
    }
    let ended = tailcast_tests::command::run_to_end(serve, b"").await?;
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    Ok(())
}
