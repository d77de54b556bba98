//! Runs the programs around the vendor's SDKs against servers of their own, and takes down what they tell.

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

/// The outcome of an operation that does what it does in the cloud.
pub const WORKS: &str = "works";

/// What was found out about one SDK.
#[derive(Debug)]
pub struct Sdk {
    /// The name of its package.
    pub name: String,
    /// The version that was tried.
    pub version: String,
    /// Its public methods, found by reflection.
    pub methods: Vec<String>,
    /// What was done with it, in order.
    pub operations: Vec<Operation>,
}

/// Something that was done with an SDK.
#[derive(Debug)]
pub struct Operation {
    /// What it is called: the same in all languages.
    pub name: String,
    /// The methods that it tries.
    pub covers: Vec<String>,
    /// [`WORKS`], or why it does not.
    pub outcome: String,
}

/// A language with SDKs.
#[derive(Debug, Clone, Copy)]
pub enum Language {
    /// `tests/strangers/support/javascript`
    JavaScript,
    /// `tests/strangers/support/python`
    Python,
}

/// Does everything that the SDKs of a language can do.
///
/// # Errors
/// When the program or a server does not run; an operation that does not work is no error.
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
            // What it compiles would lie among the sources.
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
    // The event handlers had to be there before: this server has to know where.
    let elsewhere = format!(
        "url-template={handlers}/elsewhere/{{event}} hub=elsewhere user-event-pattern=* system-event=connect"
    );
    let everywhere = format!("{handlers}/api/webpubsub/hubs/{{hub}}/");
    let arguments = ["--event-handler", &elsewhere, "--event-handler", &everywhere];
    let answering = Server::start_hub(&arguments).await?;
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
