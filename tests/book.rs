//! The documentation as `cargo xtask docs` builds it: its links lead somewhere, and its demo runs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use tailcast_tests::{
    browser::{Browser, Kind},
    environment::book,
    file_host::FileHost,
};

/// All pages of the book.
fn pages() -> anyhow::Result<Vec<PathBuf>> {
    let entries = book()?.read_dir()?.filter_map(|entry| Some(entry.ok()?.path()));
    // One that has everything, and one for addresses that lead nowhere, are mdBook's own.
    let is_page = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "html")
            && !path.ends_with("print.html")
            && !path.ends_with("404.html")
    };
    Ok(entries.filter(is_page).collect())
}

/// What stands in `text` between each `before` and the next quote.
fn quoted<'a>(text: &'a str, before: &str) -> BTreeSet<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn every_link_leads_to_a_page_and_a_heading_that_are_there() -> anyhow::Result<()> {
    let pages = pages()?;
    assert!(pages.len() > 7, "{pages:?}");
    let mut broken = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page)?;
        for link in quoted(&text, "href=\"").into_iter().chain(quoted(&text, "src=\"")) {
            if link.contains("://") || link.starts_with("data:") || link.is_empty() {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name(file) };
            let is_there = target.is_file()
                && (heading.is_empty()
                    || fs::read_to_string(&target)?.contains(&format!("id=\"{heading}\"")));
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    Ok(())
}

#[test]
fn every_document_is_a_chapter() -> anyhow::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let contents = fs::read_to_string(docs.join("SUMMARY.md"))?;
    for entry in docs.read_dir()? {
        let name = entry?.file_name().into_string().ok().context("a name that is not UTF-8")?;
        if name.ends_with(".md") && name != "SUMMARY.md" {
            assert!(contents.contains(&format!("({name})")), "docs/SUMMARY.md does not list {name}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn the_demo_shows_lines_without_a_server() -> anyhow::Result<()> {
    let host = FileHost::start("/book/", &book()?).await?;
    for kind in Kind::ALL {
        let browser = Browser::start_of(kind).await?;
        browser.open(&host.url("demo.html")).await?;
        browser
            .until(
                "[...document.querySelector('tail-cast').shadowRoot?.querySelectorAll('#log .text') ?? []]
                     .some(line => line.textContent.includes('Compiling'))",
            )
            .await?;
        if kind == Kind::Chromium {
            assert_eq!(browser.console_errors().await?, [""; 0]);
        }
        browser.close().await?;
    }
    Ok(())
}
