//! Example for embedding in the README.

use std::path::Path;

use anyhow::Context;
use tailcast_tests::{browser::Kind, embedding::Embedding, page_host::PACKAGE};

/// Placeholder URLs of the README.
const MODULE: &str = "https://files.example.com/tailcast/tailcast.js";
const ENDPOINT: &str = "https://logs.example.com/negotiate";

tailcast_tests::in_every_browser! {
    the_example_of_the_readme_works,
}

/// Returns the first HTML block in a section of a Markdown file.
fn snippet(markdown: &str, chapter: &str) -> Option<String> {
    let (_, after) = markdown.split_once(&format!("\n## {chapter}\n"))?;
    let chapter = after.split("\n## ").next()?;
    let (_, block) = chapter.split_once("```html\n")?;
    Some(block.split_once("```")?.0.to_owned())
}

async fn the_example_of_the_readme_works(kind: Kind) -> anyhow::Result<()> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md"))?;
    let snippet = snippet(&readme, "Embed").context("the README's chapter `Embed` has no block of HTML")?;
    assert!(snippet.contains(MODULE) && snippet.contains(ENDPOINT), "{snippet}");
    let page = Embedding::open(kind, "").await?;
    let html = snippet
        .replace(MODULE, &page.host.url(&format!("{PACKAGE}tailcast.js")))
        .replace(ENDPOINT, &page.server.negotiate_url());
    page.host.put("/reader.html", "text/html; charset=utf-8", html);
    page.browser.open(&page.host.url("/reader.html")).await?;
    let part = |selector: &str| {
        format!("document.querySelector('tail-cast').shadowRoot?.querySelector('{selector}')")
    };
    page.browser.until(&format!("{}?.dataset.state === 'connected'", part("#status"))).await?;
    page.stream_to("build-42", "hello reader\n").await?;
    page.browser.until(&format!("{}.textContent.includes('hello reader')", part("#log"))).await?;
    page.close_without_errors().await
}
