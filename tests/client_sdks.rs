//! Official client SDKs with the embedded service: plain and reliable subprotocols, dropped connections.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the test")]

use std::{path::Path, process::Stdio};

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::{
    command::command,
    environment::{node_modules, python},
    server::Server,
    tcp_proxy::TcpProxy,
    with_timeout,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

/// Program with one of the SDKs, in the group `stream`.
struct Stranger {
    _child: Child,
    stdin: Option<ChildStdin>,
    lines: Lines<BufReader<ChildStdout>>,
}

#[derive(Debug, Clone, Copy)]
enum Sdk {
    JavaScript,
    Python,
}

const BOTH: [Sdk; 2] = [Sdk::JavaScript, Sdk::Python];

impl Stranger {
    async fn join(sdk: Sdk, negotiate_url: &str, subprotocol: &str) -> anyhow::Result<Self> {
        let strangers = Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers");
        let mut command = match sdk {
            Sdk::JavaScript => {
                let mut node = command(Path::new("node"));
                node.env("NODE_PATH", node_modules()?).arg(strangers.join("client_sdk.js"));
                node
            }
            Sdk::Python => {
                let mut python = command(&python()?);
                python.arg(strangers.join("client_sdk.py"));
                python
            }
        };
        let mut child = command.args([negotiate_url, subprotocol]).stdin(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let mut stranger = Self { _child: child, stdin, lines };
        stranger.until(&json!(["joined"])).await?;
        Ok(stranger)
    }

    /// Waits for the next event of the program.
    async fn told(&mut self) -> anyhow::Result<Value> {
        with_timeout("a word of the SDK", async {
            let line = self.lines.next_line().await?.context("it has ended")?;
            serde_json::from_str(&line).with_context(|| line.clone())
        })
        .await
    }

    /// Waits for the given event. Returns the events before it.
    async fn until(&mut self, wanted: &Value) -> anyhow::Result<Vec<Value>> {
        let mut before = Vec::new();
        loop {
            let told = self.told().await?;
            if told == *wanted {
                return Ok(before);
            }
            anyhow::ensure!(told[0] != "failed", "{told}");
            before.push(told);
        }
    }

    async fn publish(&mut self, line: &str) -> anyhow::Result<()> {
        let stdin = self.stdin.as_mut().context("its input has ended")?;
        Ok(stdin.write_all(format!("{line}\n").as_bytes()).await?)
    }
}

#[tokio::test]
async fn both_sdks_exchange_messages_in_both_subprotocols() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for subprotocol in ["json", "reliable"] {
        let url = server.url("/negotiate?id=ada");
        let mut js = Stranger::join(Sdk::JavaScript, &url, subprotocol).await?;
        let mut py = Stranger::join(Sdk::Python, &url, subprotocol).await?;
        for (speaker, text) in [(Sdk::JavaScript, "from js é"), (Sdk::Python, "from py é")] {
            let (speaks, hears) = match speaker {
                Sdk::JavaScript => (&mut js, &mut py),
                Sdk::Python => (&mut py, &mut js),
            };
            speaks.publish(text).await?;
            speaks.until(&json!(["sent", text])).await?;
            hears.until(&json!(["message", "stream", text])).await?;
        }
        for stranger in [&mut js, &mut py] {
            stranger.stdin = None;
            stranger.until(&json!(["stopped"])).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_reliable_sdk_client_recovers_dropped_connections_without_loss() -> anyhow::Result<()> {
    const MESSAGES: usize = 1000;
    const CUTS: usize = 2;
    let server = Server::start(&[]).await?;
    for sdk in BOTH {
        let proxy = TcpProxy::to(server.address()).await?;
        let mut client = Stranger::join(sdk, &proxy.url("/negotiate"), "reliable").await?;
        let mut publisher = server.connect("publisher").await?;
        for part in 0..=CUTS {
            let numbers = part * MESSAGES..(part + 1) * MESSAGES;
            for number in numbers.clone() {
                let text = number.to_string();
                let send = json!({"type": "sendToGroup", "group": "stream", "dataType": "text", "data": text, "ackId": number});
                publisher.send(&send.to_string()).await?;
                if number == part * MESSAGES + MESSAGES / 2 && part < CUTS {
                    proxy.drop_connections();
                }
                // Small bursts, so that missed messages fit into the queue of the disconnected client.
                if number % 100 == 99 {
                    for _ in 0..100 {
                        anyhow::ensure!(publisher.json().await?["success"] == true);
                    }
                    if number % 500 == 499 {
                        heard(sdk, &mut client, number - 499..number + 1)
                            .await
                            .with_context(|| format!("{sdk:?}"))?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Checks that the next events are exactly these messages.
async fn heard(sdk: Sdk, client: &mut Stranger, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let mut told = Vec::new();
    for _ in numbers.clone() {
        let words = client.told().await?;
        let number = words[2].as_str().and_then(|text| text.parse::<usize>().ok());
        told.push(number.with_context(|| words.to_string())?);
    }
    if matches!(sdk, Sdk::Python) {
        // This SDK handles each message in a separate thread, so the order is undefined.
        told.sort_unstable();
    }
    anyhow::ensure!(told == numbers.clone().collect::<Vec<_>>(), "{told:?} instead of {numbers:?}");
    Ok(())
}

#[tokio::test]
async fn a_plain_sdk_client_reconnects_and_rejoins_its_group() -> anyhow::Result<()> {
    let server = Server::start(&[]).await?;
    for sdk in BOTH {
        let proxy = TcpProxy::to(server.address()).await?;
        let mut client = Stranger::join(sdk, &proxy.url("/negotiate"), "json").await?;
        proxy.drop_connections();
        loop {
            if client.told().await?[0] == "connected" {
                break;
            }
        }
        // The SDK rejoins at an unknown time: the first received message ends the wait.
        let mut publisher = server.connect("publisher").await?;
        let mut number = 0;
        loop {
            number += 1;
            let send = json!({"type": "sendToGroup", "group": "stream", "dataType": "text", "data": "x", "ackId": number});
            publisher.ask(&send.to_string()).await?;
            let told = tokio::time::timeout(std::time::Duration::from_millis(100), client.told()).await;
            if told.is_ok_and(|told| told.is_ok_and(|told| told[0] == "message")) {
                break;
            }
        }
    }
    Ok(())
}
