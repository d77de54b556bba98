//! Runs the test programs of the vendor's SDKs against separate servers, and collects their results.

use std::{path::Path, process::Stdio};

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::{
    command::command,
    environment::{node_modules, python},
    server::Server,
    with_timeout,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

/// Outcome of an operation that works as in the cloud.
pub const WORKS: &str = "works";

/// Results of one SDK.
#[derive(Debug)]
pub struct Sdk {
    /// Name of the package.
    pub name: String,
    /// Tested version.
    pub version: String,
    /// Public methods, found by reflection.
    pub methods: Vec<String>,
    /// Tested operations, in order.
    pub operations: Vec<Operation>,
}

/// Tested operation of an SDK.
#[derive(Debug)]
pub struct Operation {
    /// Name, which is the same in all languages.
    pub name: String,
    /// Tested methods.
    pub covers: Vec<String>,
    /// [`WORKS`], or the reason for which the operation does not work.
    pub outcome: String,
}

/// Language with SDKs.
#[derive(Debug, Clone, Copy)]
pub enum Language {
    /// `tests/strangers/support/javascript`
    JavaScript,
    /// `tests/strangers/support/python`
    Python,
}

/// Tests all operations of the SDKs of a language.
///
/// # Errors
/// Fails if the program or a server does not run. An operation that does not work is not an error.
pub async fn survey(language: Language) -> anyhow::Result<Vec<Sdk>> {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers/support");
    let mut command = match language {
        Language::JavaScript => {
            let mut node = command(Path::new("node"));
            node.env("NODE_PATH", node_modules()?).arg(programs.join("javascript/main.js"));
            node
        }
        Language::Python => {
            let mut python = command(&python()?);
            // Compiled files must not be written to the sources.
            python.arg("-B").arg(programs.join("python/main.py"));
            python
        }
    };
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let mut told = async || {
        with_timeout("a word of the program", async { Ok(lines.next_line().await?) })
            .await
            .with_context(|| format!("{language:?}"))
    };

    let greeting: Value = serde_json::from_str(&told().await?.context("it ended at once")?)?;
    let handlers = text(&greeting, "handlers")?;
    let plain = Server::start_hub(&[]).await?;
    // The server needs the addresses of the event handlers, which are started before.
    let elsewhere = format!(
        "url-template={handlers}/elsewhere/{{event}} hub=elsewhere user-event-pattern=* system-event=connect"
    );
    let everywhere = format!("{handlers}/api/webpubsub/hubs/{{hub}}/");
    let presence = format!("url-template={everywhere} group-presence-event=joined group-presence-event=left");
    let rules = [&elsewhere, &everywhere, &presence];
    let arguments = rules.map(|rule| ["--event-handler", rule.as_str()]);
    let arguments = arguments.as_flattened();
    let answering = Server::start_hub(arguments).await?;
    let servers = json!({
        "plain": plain.connection_string()?.reveal().as_str(),
        "answering": answering.connection_string()?.reveal().as_str(),
    });
    stdin.write_all(format!("{servers}\n").as_bytes()).await?;

    let mut sdks: Vec<Sdk> = Vec::new();
    while let Some(line) = told().await? {
        let words: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let name = text(&words, "sdk")?;
        match sdks.iter_mut().find(|sdk| sdk.name == name) {
            Some(sdk) => sdk.operations.push(Operation {
                name: text(&words, "operation")?,
                covers: texts(&words, "covers")?,
                outcome: text(&words, "outcome")?,
            }),
            None => sdks.push(Sdk {
                name,
                version: text(&words, "version")?,
                methods: texts(&words, "methods")?,
                operations: Vec::new(),
            }),
        }
    }
    let status = with_timeout("the end of the program", async { Ok(child.wait().await?) }).await?;
    anyhow::ensure!(status.success(), "{language:?}: {status}");
    Ok(sdks)
}

fn text(words: &Value, member: &str) -> anyhow::Result<String> {
    Ok(words
        .get(member)
        .and_then(Value::as_str)
        .with_context(|| format!("no {member} in {words}"))?
        .to_owned())
}

fn texts(words: &Value, member: &str) -> anyhow::Result<Vec<String>> {
    let list = words.get(member).and_then(Value::as_array);
    let list = list.with_context(|| format!("no {member} in {words}"))?;
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
