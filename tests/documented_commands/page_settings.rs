//! Settings files of the page in the documents.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use tailcast_tests::{
    browser::Browser,
    command::run,
    environment::{site, tailcast},
    file_host::FileHost,
    hosted::HostedPage,
    server::Server,
};

use crate::{
    documents::{documents, occurrences},
    sandbox::Sandbox,
};

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

/// Documented command that prints the address of a page with a token.
pub const PAGE_OF_A_TOKEN: &str = "echo \"http://127.0.0.1:8080/?url=$(tailcast token \"$CONNECTION_STRING\" stream \
                                   --role webpubsub.joinLeaveGroup)\"";

#[tokio::test]
async fn a_page_with_a_documented_token_shows_earlier_lines_and_those_that_arrive() -> anyhow::Result<()> {
    let site = site()?;
    let server = Server::start(&["--site", site.to_str().context("the path is not UTF-8")?]).await?;
    for step in occurrences(PAGE_OF_A_TOKEN)? {
        let mut sandbox = Sandbox::new()?;
        sandbox.set("CONNECTION_STRING", &server.connection_string()?.reveal());
        let ended = sandbox.run(&step).await?;
        let (_, query) = ended.stdout.trim().split_once("/?").context("no address of a page")?;
        let page = server.url(&format!("/?{query}"));
        stream(&server, "earlier").await?;
        let browser = Browser::start().await?;
        browser.open(&page).await?;
        browser.until("document.querySelector('#log')?.textContent.includes('earlier')").await?;
        stream(&server, "later").await?;
        browser.until("document.querySelector('#log').textContent.includes('later')").await?;
        browser.close().await?;
    }
    Ok(())
}

async fn stream(server: &Server, line: &str) -> anyhow::Result<()> {
    let arguments = ["stream", "--negotiate", &server.negotiate_url()];
    let ended = run(Path::new(&tailcast()?), &arguments, format!("{line}\n").as_bytes()).await?;
    anyhow::ensure!(ended.code == Some(0), "{}", ended.stderr);
    Ok(())
}

/// Returns a setting that is a name or a list of names.
fn names<'a>(settings: &'a Value, name: &str) -> Vec<&'a str> {
    match settings.get(name) {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name],
        _ => Vec::new(),
    }
}
