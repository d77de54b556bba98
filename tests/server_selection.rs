//! Server and group of the commands that publish and watch: from flags, the environment and the configuration file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Context;
use tailcast_tests::{
    command::{Ended, command, run, run_to_end},
    environment::tailcast,
    recording_server::RecordingServer,
    server::Server,
    with_timeout,
};
use tokio::{process::Command, task::spawn_blocking};

/// Folder for configuration. Removed when dropped.
struct Configuration(PathBuf);

impl Configuration {
    fn new(test: &str, text: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("tailcast-{test}-{}", std::process::id()));
        fs::create_dir_all(folder.join("tailcast"))?;
        fs::write(folder.join("tailcast/config.toml"), text)?;
        Ok(Self(folder))
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = command(&tailcast()?);
        command.args(arguments).env("XDG_CONFIG_HOME", &self.0);
        Ok(command)
    }

    async fn run(&self, arguments: &[&str], input: &str) -> anyhow::Result<Ended> {
        run_to_end(self.command(arguments)?, input.as_bytes()).await
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        // A folder that cannot be removed stays among the system's temporary files.
        let _removed = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn the_server_and_the_group_come_from_flag_environment_or_file() -> anyhow::Result<()> {
    let server = Server::start(&["--publish-key", "ours"]).await?;
    let url = server.url("");
    let file = Configuration::new(
        "selection",
        &format!("server = \"{url}\"\ngroup = \"from-file\"\npublish-key = \"ours\"\n"),
    )?;
    assert_eq!(file.run(&["stream"], "by file\n").await?.code, Some(0));
    let mut environment = command(&tailcast()?);
    environment.arg("stream").env("TAILCAST_SERVER", &url).env("TAILCAST_GROUP", "from-environment");
    environment.env("TAILCAST_PUBLISH_KEY", "ours");
    assert_eq!(run_to_end(environment, b"by environment\n").await?.code, Some(0));
    let flags = ["stream", "--server", &url, "--group", "from-flag", "--publish-key", "ours"];
    let mut by_flag = file.command(&flags)?;
    by_flag.env("TAILCAST_SERVER", "http://127.0.0.1:9").env("TAILCAST_GROUP", "other");
    assert_eq!(run_to_end(by_flag, b"by flag\n").await?.code, Some(0));
    let negotiate = server.negotiate_url();
    let mut by_endpoint = file.command(&["stream", "--negotiate", &negotiate, "--publish-key", "ours"])?;
    by_endpoint.env("TAILCAST_SERVER", "http://127.0.0.1:9").env("TAILCAST_GROUP", "from-endpoint");
    assert_eq!(run_to_end(by_endpoint, b"by endpoint\n").await?.code, Some(0));
    for (group, line) in [
        ("from-file", "by file\n"),
        ("from-environment", "by environment\n"),
        ("from-flag", "by flag\n"),
        ("from-endpoint", "by endpoint\n"),
    ] {
        let watched = file.run(&["watch", "--group", group, "--no-follow"], "").await?;
        assert_eq!((watched.code, watched.stdout.as_str()), (Some(0), line), "{}", watched.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn the_key_of_the_file_is_sent_to_its_server_only() -> anyhow::Result<()> {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let (other, own) = (RecordingServer::start(refusal).await?, RecordingServer::start(refusal).await?);
    let at = |server: &RecordingServer| format!("http://127.0.0.1:{}", server.port());
    let file = format!("server = \"{}\"\npublish-key = \"secret of the test\"\n", at(&own));
    let file = Configuration::new("key", &file)?;
    assert_eq!(file.run(&["stream", "--server", &at(&other)], "x\n").await?.code, Some(1));
    assert_eq!(file.run(&["stream"], "x\n").await?.code, Some(1));
    let sent_key = |server: &RecordingServer| server.requests().concat().contains("secret of the test");
    assert!(!other.requests().is_empty() && !sent_key(&other), "{:?}", other.requests());
    assert!(sent_key(&own), "{:?}", own.requests());
    Ok(())
}

#[tokio::test]
async fn an_invalid_file_or_server_is_a_usage_error() -> anyhow::Result<()> {
    let file = Configuration::new("invalid", "server = \"http://h\"\ncolour = 1\n")?;
    for command in ["stream", "watch"] {
        let ended = file.run(&[command], "").await?;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains("config.toml: line 2: unknown field `colour`"), "{}", ended.stderr);
    }
    let ended = file.run(&["serve", "--listen", "nowhere"], "").await?;
    assert!(!ended.stderr.contains("config.toml"), "the file is that of publishers: {}", ended.stderr);
    let none = Configuration::new("none", "")?;
    let ended = none.run(&["stream", "--server", "logs.example.com"], "").await?;
    assert!(
        ended.code == Some(2) && ended.stderr.contains("did you mean https://logs.example.com?"),
        "{}",
        ended.stderr
    );
    Ok(())
}

#[tokio::test]
async fn on_a_terminal_target_and_number_of_lines_are_printed() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let (program, url) = (tailcast()?.display().to_string(), server.url(""));
    let shown = async |line: String| {
        let mut terminal = command(std::path::Path::new("script"));
        terminal.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped());
        Ok::<_, anyhow::Error>(run_to_end(terminal, b"").await?.stdout)
    };
    let stream = shown(format!("seq 1 3 | {program} stream --server {url} --group build")).await?;
    for text in [
        format!("tailcast stream: sending to the group `build` at {url}/negotiate"),
        format!("tailcast stream: open {url}/?group=build in a browser"),
        "tailcast stream: 3 lines sent".to_owned(),
    ] {
        assert!(stream.contains(&text), "{text}: {stream}");
    }
    let run = shown(format!("{program} run --server {url} -- echo out")).await?;
    // The terminal echoes the end of its input, which can be a line of its own.
    assert!(run.contains("open http://") && run.contains(" sent"), "{run}");
    let foreign = shown(format!("seq 1 3 | {program} stream --negotiate {url}/negotiate?x")).await?;
    assert!(foreign.contains("sending to") && !foreign.contains("open http"), "{foreign}");
    Ok(())
}

#[tokio::test]
async fn a_signal_ends_a_command_whose_configuration_is_a_pipe_that_nobody_writes_to() -> anyhow::Result<()> {
    let file = Configuration::new("pipe", "")?;
    let path = file.0.join("tailcast/config.toml");
    let path_text = path.to_str().context("a path that is not UTF-8")?;
    fs::remove_file(&path)?;
    run(Path::new("mkfifo"), &[path_text], b"").await?;
    for arguments in [
        &["stream"][..],
        &["run", "--", "true"],
        &["tail", "/etc/hosts"],
        &["serve", "--listen", "127.0.0.1:0", "--config", path_text],
        &["hub", "--listen", "127.0.0.1:0", "--config", path_text],
    ] {
        for signal in ["INT", "TERM"] {
            let mut command = file.command(arguments)?.spawn()?;
            // Waits for the reader.
            let path = path.clone();
            let opening = spawn_blocking(move || fs::OpenOptions::new().write(true).open(path));
            let pipe = with_timeout("the reader of the pipe", async { Ok(opening.await??) }).await?;
            tailcast_tests::server::signal(command.id().context("no process")?, signal).await?;
            with_timeout("the end of the command", async { Ok(command.wait().await?) }).await?;
            drop(pipe);
        }
    }
    Ok(())
}
