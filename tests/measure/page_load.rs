//! Benchmark of the page load: time from navigation to connection, with an empty browser cache.
//!
//! `cargo xtask bench page-load` builds everything and runs this program. Prints milliseconds, one line per load.

use anyhow::Context;
use tailcast_tests::{browser::Browser, environment, server::Server};

/// Number of measured loads.
const LOADS: usize = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let site = environment::site()?;
    let server =
        Server::start(&["--site", site.to_str().context("the path of the site is not UTF-8")?]).await?;
    for _ in 0..LOADS {
        let browser = Browser::start().await?;
        browser.open(&server.url("/")).await?;
        browser.until("performance.getEntriesByName('tailcast-connected').length > 0").await?;
        let marked =
            browser.run("return performance.getEntriesByName('tailcast-connected')[0].startTime").await?;
        println!("{}", marked.as_f64().context("no time")?);
        browser.close().await?;
    }
    Ok(())
}
