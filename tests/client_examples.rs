//! Examples of the Rust client.

use std::process::Stdio;

use anyhow::Context;
use tailcast_tests::{command::command, command::run, server::Server, streamer::stream, with_timeout};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

/// Running example. Killed when dropped.
struct Example {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Example {
    fn start(program: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = command(program.as_ref());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let input = process.stdin.take().context("no standard input")?;
        let output = BufReader::new(process.stdout.take().context("no standard output")?).lines();
        Ok(Self { _process: process, input, output })
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        with_timeout("a line of the example", async {
            self.output.next_line().await?.context("the example has exited")
        })
        .await
    }
}

#[tokio::test]
async fn the_subscriber_prints_what_the_publisher_sent_before_and_after_it_started() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let negotiate = server.negotiate_url();
    let publisher = env!("CARGO_BIN_EXE_publisher-example");
    let publish = async |lines: &'static str| {
        let ended = run(publisher.as_ref(), &[negotiate.as_str(), "stream"], lines.as_bytes()).await?;
        anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
        anyhow::Ok(ended.stdout)
    };
    assert_eq!(publish("one\ntwo\n").await?, "2 messages, all acknowledged\n");
    let mut subscriber = Example::start(env!("CARGO_BIN_EXE_subscriber-example"), &[&negotiate, "stream"])?;
    for expected in ["one", "two", "(live)"] {
        assert_eq!(subscriber.line().await?, expected);
    }
    publish("three\n").await?;
    assert_eq!(subscriber.line().await?, "three");
    Ok(())
}

#[tokio::test]
async fn the_echo_sends_texts_from_one_group_to_another() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let negotiate = format!("{}?group=stream&group=copy", server.negotiate_url());
    let mut subscriber = Example::start(env!("CARGO_BIN_EXE_subscriber-example"), &[&negotiate, "copy"])?;
    assert_eq!(subscriber.line().await?, "(live)");
    let mut chat = Example::start(env!("CARGO_BIN_EXE_chat-example"), &[&negotiate, "stream"])?;
    assert_eq!(chat.line().await?, "in the group stream");
    let _echo = Example::start(env!("CARGO_BIN_EXE_echo-example"), &[&negotiate, "stream", "copy"])?;
    // The echo may not have joined yet when the first is sent.
    let echoed = async {
        loop {
            stream(&server, &[], "hello\n").await?;
            tokio::select! {
                line = subscriber.line() => return line,
                line = chat.line() => anyhow::ensure!(line?.ends_with(": hello")),
            }
        }
    };
    assert_eq!(with_timeout("the echo", echoed).await?, "hello");
    Ok(())
}

#[tokio::test]
async fn chats_print_the_lines_of_each_other() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    let chat = |user: &str| {
        let negotiate = format!("{}?id={user}", server.negotiate_url());
        Example::start(env!("CARGO_BIN_EXE_chat-example"), &[&negotiate, "stream"])
    };
    let (mut ada, mut grace) = (chat("ada")?, chat("grace")?);
    for chat in [&mut ada, &mut grace] {
        assert_eq!(chat.line().await?, "in the group stream");
    }
    ada.input.write_all(b"hello\n").await?;
    assert_eq!(grace.line().await?, "ada: hello");
    grace.input.write_all(b"good morning\n").await?;
    assert_eq!(ada.line().await?, "grace: good morning");
    Ok(())
}
