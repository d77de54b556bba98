//! Logs never contain tokens and keys, and commands get them from files too.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use anyhow::Context;
use tailcast_tests::{
    command::{command, run, run_to_end},
    environment::tailcast,
    server::{Server, get},
    socket::{JSON, Socket},
};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn tokens_and_keys_are_never_logged() -> anyhow::Result<()> {
    const KEY: &str = "an-access-key-of-thirty-two-characters";
    let server = Server::start(&["--access-key", KEY]).await?;
    let url = server.negotiate("ada").await?;
    let token = url.rsplit('=').next().unwrap_or_default().to_owned();
    let signature = token.rsplit('.').next().unwrap_or_default();
    assert!(signature.len() > 20);
    // A valid connection, a protocol violation, refused connections, and a broadcast.
    let mut good = Socket::open(&url, &[JSON]).await?;
    good.json().await?;
    let mut bad = Socket::open(&url, &[JSON]).await?;
    bad.send_message(Message::text("nope")).await?;
    bad.closed().await?;
    let truncated = url.trim_end_matches(signature).to_owned() + &"A".repeat(signature.len());
    assert_eq!(Socket::refusal(&truncated, &[JSON], &[]).await?, 401);
    let as_page = url.replacen("ws://", "http://", 1);
    assert_eq!(get(&as_page).await?.0, 400);
    let connection_string = format!("Endpoint={};AccessKey={KEY}", server.url(""));
    let mut publish = command(&tailcast()?);
    publish.args(["publish", &connection_string, "stream", "x"]).env("TAILCAST_LOG", "trace");
    let published = run_to_end(publish, b"").await?;
    let mut stream = command(&tailcast()?);
    stream.args(["stream", "--negotiate", &server.negotiate_url()]).env("TAILCAST_LOG", "trace");
    let streamed = run_to_end(stream, b"line\n").await?;
    assert_eq!((published.code, streamed.code), (Some(0), Some(0)));
    let server_stderr = server.stderr();
    assert!(server_stderr.contains("AccessKey=<yours>;"), "{server_stderr}");
    assert!(
        server_stderr.contains("malformed frame"),
        "logging is off, so this test shows nothing: {server_stderr}"
    );
    for (who, stderr) in
        [("serve", server_stderr), ("publish", published.stderr), ("stream", streamed.stderr)]
    {
        for secret in [signature, "access_token=ey", "an-access-key-of", "Bearer ey", "eyJhbGciOi"] {
            assert!(!stderr.contains(secret), "{who} logged {secret}:\n{stderr}");
        }
    }
    Ok(())
}

/// File with a secret. Removed when dropped.
struct SecretFile(std::path::PathBuf);

impl SecretFile {
    fn new(name: &str, secret: &str) -> anyhow::Result<Self> {
        let file = std::env::temp_dir().join(format!("tailcast-{name}-{}", std::process::id()));
        std::fs::write(&file, format!("{secret}\n"))?;
        Ok(Self(file))
    }

    fn path(&self) -> anyhow::Result<&str> {
        self.0.to_str().context("the path is not UTF-8")
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        // A file that cannot be removed stays among the system's temporary files.
        let _removed = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn every_secret_can_be_given_by_a_file() -> anyhow::Result<()> {
    const KEYS: [&str; 2] = ["a-first-key-of-more-than-thirty-two", "a-second-key-of-more-than-thirty-two"];
    let (access, secondary) = (SecretFile::new("access", KEYS[0])?, SecretFile::new("secondary", KEYS[1])?);
    let publish = SecretFile::new("publish", "ours")?;
    let files = ["--access-key-file", access.path()?, "--secondary-access-key-file", secondary.path()?];
    let server = Server::start(&[&files[..], &["--publish-key-file", publish.path()?]].concat()).await?;
    assert_eq!(get(&server.url("/negotiate?role=publisher")).await?.0, 401);
    let url = server.url("");
    let stream = ["stream", "--server", &url, "--publish-key-file", publish.path()?];
    assert_eq!(run(&tailcast()?, &stream, b"line\n").await?.code, Some(0));
    // A file has precedence over a variable.
    let mut with_variable = command(&tailcast()?);
    with_variable.args(stream).env("TAILCAST_PUBLISH_KEY", "another");
    assert_eq!(run_to_end(with_variable, b"line\n").await?.code, Some(0));
    for key in KEYS {
        let string = SecretFile::new("connection-string", &format!("Endpoint={url};AccessKey={key}"))?;
        let by_file = ["publish", "--connection-string-file", string.path()?, "stream", "x"];
        let ended = run(&tailcast()?, &by_file, b"").await?;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let mut by_environment = command(&tailcast()?);
        by_environment.args(["publish", "stream", "x"]);
        by_environment.env("WEBPUBSUB_CONNECTION_STRING", std::fs::read_to_string(&string.0)?.trim());
        assert_eq!(run_to_end(by_environment, b"").await?.code, Some(0));
        let relay = Server::start(&["--connection-string-file", string.path()?]).await?;
        assert!(relay.negotiate("ada").await?.contains(server.address()));
    }
    let missing = run(&tailcast()?, &["publish", "stream", "x"], b"").await?;
    assert!(missing.code == Some(2) && missing.stderr.contains("WEBPUBSUB_CONNECTION_STRING"), "{missing:?}");
    let unreadable = run(&tailcast()?, &["serve", "--access-key-file", "/nonexistent"], b"").await?;
    assert!(
        unreadable.code == Some(2) && unreadable.stderr.contains("cannot read /nonexistent"),
        "{unreadable:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_command_inherits_no_secret() -> anyhow::Result<()> {
    const VARIABLES: [&str; 5] = [
        "WEBPUBSUB_CONNECTION_STRING",
        "TAILCAST_ACCESS_KEY",
        "TAILCAST_SECONDARY_ACCESS_KEY",
        "TAILCAST_PUBLISH_KEY",
        "TAILCAST_VIEWER_PASSWORD",
    ];
    let server = Server::start(&[]).await?;
    for flag in ["--no-pty", "--pty"] {
        let mut command = command(&tailcast()?);
        command.args(["run", flag, "--negotiate", &server.negotiate_url(), "--", "env"]);
        for variable in VARIABLES {
            command.env(variable, "secret of the test");
        }
        let ended = run_to_end(command, b"").await?;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(
            ended.stdout.contains("PATH=") && !ended.stdout.contains("secret of the test"),
            "{}",
            ended.stdout
        );
    }
    Ok(())
}
