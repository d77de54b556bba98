//! Settings files of the page in the documents.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{
    browser::Browser, command::run, environment::tailcast, file_host::FileHost, hosted::HostedPage,
    server::Server,
};

use crate::documents::documents;

/// Negotiate endpoint of the documents.
const ENDPOINT: &str = "https://logs.example.com/negotiate";

#[tokio::test]
async fn a_page_with_a_documented_settings_file_shows_its_groups() -> anyhow::Result<()> {
    let files: Vec<_> = documents()?.iter().flat_map(|document| document.blocks("json")).collect();
    assert!(!files.is_empty(), "no document contains a settings file");
    for file in files {
        check(&file.text).await.with_context(|| file.place)?;
    }
    Ok(())
}

async fn check(text: &str) -> anyhow::Result<()> {
    let settings: Value = serde_json::from_str(text)?;
    let page = HostedPage::copy()?;
    let host = FileHost::start("/", page.folder()).await?;
    let server = Server::start(&["--allow-origin", &host.origin()]).await?;
    page.write("config.json", &text.replace(ENDPOINT, &server.negotiate_url()))?;
    let browser = Browser::start().await?;
    browser.open(&host.url("")).await?;
    browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
    for group in names(&settings, "group") {
        let arguments = ["stream", "--negotiate", &server.negotiate_url(), "--group", group];
        let ended = run(Path::new(&tailcast()?), &arguments, format!("to {group}\n").as_bytes()).await?;
        anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
        browser.until(&format!("document.querySelector('#log').textContent.includes('to {group}')")).await?;
    }
    if let Some(theme) = settings.get("theme").and_then(Value::as_str) {
        browser.until(&format!("document.documentElement.dataset.theme === '{theme}'")).await?;
    }
    anyhow::ensure!(browser.console_errors().await?.is_empty(), "errors in the console");
    browser.close().await
}

/// Returns a setting that is a name or a list of names.
fn names<'a>(settings: &'a Value, name: &str) -> Vec<&'a str> {
    match settings.get(name) {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name],
        _ => Vec::new(),
    }
}
