//! Negotiate endpoint as an Azure Function, from `deploy/azure-functions`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tailcast_tests::{
    browser::Browser,
    command::{Ended, command, run},
    environment::{node_modules, tailcast},
    file_host::FileHost,
    hosted::HostedPage,
    server::{Server, http_client},
    with_timeout,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};

const KEY: &str = "an-access-key-of-thirty-two-characters";
const PUBLISH_KEY: &str = "the publish key of the test";

/// Running function. Stops when dropped.
struct Function {
    _child: Child,
    folder: PathBuf,
    port: u16,
}

impl Function {
    /// Starts the function for `service`, with CORS for pages of `origin`.
    async fn start(service: &Server, origin: &str) -> anyhow::Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/azure-functions");
        let folder = std::env::temp_dir().join(format!("tailcast-function-{}", service.address()));
        fs::create_dir_all(folder.join("src/functions"))?;
        for file in ["package.json", "host.json", "src/functions/negotiate.js"] {
            fs::copy(source.join(file), folder.join(file)).with_context(|| file.to_owned())?;
        }
        // Dependencies, as `npm install` would install them.
        std::os::unix::fs::symlink(node_modules()?, folder.join("node_modules"))?;
        let mut command = command(Path::new("node"));
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers/azure_function.mjs"));
        command.arg(&folder).arg(origin);
        command.env("WEBPUBSUB_CONNECTION_STRING", format!("Endpoint={};AccessKey={KEY}", service.url("")));
        command.env("TAILCAST_PUBLISH_KEY", PUBLISH_KEY).env("TAILCAST_OPEN_GROUPS", r"stream|build-\d+");
        with_timeout("start of the function", async {
            let mut child = command.stderr(std::process::Stdio::inherit()).spawn()?;
            let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
            let port = lines.next_line().await?.context("it has ended")?.parse()?;
            Ok(Self { _child: child, folder, port })
        })
        .await
    }

    fn url(&self, query: &str) -> String {
        format!("http://127.0.0.1:{}/negotiate{query}", self.port)
    }

    /// Requests the endpoint. Returns status and body of the response.
    async fn ask(&self, query: &str, authorization: Option<&str>) -> anyhow::Result<(u16, String)> {
        let mut request = http_client()?.get(self.url(query));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    async fn stream(&self, arguments: &[&str], input: &str) -> anyhow::Result<Ended> {
        let url = self.url("");
        run(&tailcast()?, &[&["stream", "--negotiate", &url], arguments].concat(), input.as_bytes()).await
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // A directory that cannot be removed stays among the system's temporary files.
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn the_page_on_a_file_host_receives_lines_through_the_function() -> anyhow::Result<()> {
    let page = HostedPage::copy()?;
    let host = FileHost::start("/", page.folder()).await?;
    let service = Server::start_hub(&["--access-key", KEY, "--allow-origin", &host.origin()]).await?;
    let function = Function::start(&service, &host.origin()).await?;
    let settings = serde_json::json!({ "negotiate": function.url(""), "group": ["stream", "build-42"] });
    page.write("config.json", &settings.to_string())?;
    let browser = Browser::start().await?;
    browser.open(&host.url("")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    for group in ["stream", "build-42"] {
        let arguments = ["--publish-key", PUBLISH_KEY, "--group", group];
        let ended = function.stream(&arguments, &format!("to {group}\n")).await?;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        browser.until(&format!("document.querySelector('#log').textContent.includes('to {group}')")).await?;
    }
    assert_eq!(browser.console_errors().await?, [""; 0]);
    browser.close().await
}

#[tokio::test]
async fn the_function_refuses_invalid_requests() -> anyhow::Result<()> {
    let service = Server::start_hub(&["--access-key", KEY]).await?;
    let function = Function::start(&service, "http://nobody.invalid").await?;
    assert_eq!(function.ask("?group=secret", None).await?.0, 403);
    assert_eq!(function.ask("?group=stream&group=my-build-1", None).await?.0, 403);
    assert_eq!(function.ask(&format!("?{}", "group=stream&".repeat(33)), None).await?.0, 400);
    assert_eq!(function.ask("?role=publisher", None).await?.0, 401);
    assert_eq!(function.ask("?role=publisher", Some("Bearer guess")).await?.0, 401);
    let shown = format!("Bearer {PUBLISH_KEY}");
    assert_eq!(function.ask("?role=publisher&group=build-7", Some(&shown)).await?.0, 200);
    let without_key = function.stream(&[], "a line\n").await?;
    assert_eq!(without_key.code, Some(1), "{}", without_key.stderr);
    assert!(without_key.stderr.contains("--publish-key"), "{}", without_key.stderr);
    Ok(())
}
