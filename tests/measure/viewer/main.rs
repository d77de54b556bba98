//! Benchmark of one viewer in a new browser, with the same lines for all viewers.
//!
//! usage: measure-viewer SERVICE_URL ours|tutorial|xterm|logviewer|counting batched|single|paced|search LINES
//!
//! `cargo xtask bench viewer` builds everything and runs this program. Prints one JSON object: the results, or `failed` with
//! the error.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the measurement")]

mod corpus;
mod memory;
mod publisher;
mod search;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::browser::Browser;
use tokio::time::{sleep, timeout};

use publisher::Publisher;

/// Timeout of a viewer. The fastest viewers show a million lines in two seconds.
const LIMIT: Duration = Duration::from_secs(25);
/// Interval of polling for the last line. It is long, so that polling does not affect the result.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// Rate and duration of the paced load.
const PACED_LINES_PER_SECOND: u64 = 2_000;
const PACED_FOR: Duration = Duration::from_secs(5);
const PROBE: &str = include_str!("probe.js");

/// Parameters of a measurement.
struct Task {
    service: String,
    viewer: String,
    lines: u64,
}

impl Task {
    fn page(&self) -> String {
        let Self { service, viewer, lines } = self;
        let query = format!("?negotiate=%2Fnegotiate&lines={lines}&mib=512");
        format!("{service}/{viewer}/index.html{}", if viewer == "ours" { &query } else { "?" })
    }

    /// Opens the page with the probe, and waits until it has joined the group.
    async fn open(&self, browser: &Browser, query: &str) -> anyhow::Result<Publisher> {
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": PROBE })).await?;
        browser.devtools("Page.setBypassCSP", json!({ "enabled": true })).await?;
        browser.open(&format!("{}{query}", self.page())).await?;
        let publisher = Publisher::connect(&format!("{}/negotiate", self.service)).await?;
        match self.viewer.as_str() {
            "ours" => {
                browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?
            }
            // The tutorial does not indicate when it has joined the group, so lines are sent until it shows one.
            "tutorial" => {
                while browser.run("return document.querySelector('#output').childElementCount").await? == 0 {
                    publisher.flood(1, true).await?;
                }
            }
            _ => browser.until("window.isReady === true").await?,
        }
        Ok(publisher)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [service, viewer, load, lines] = &arguments[..] else {
        anyhow::bail!("usage: measure-viewer SERVICE_URL VIEWER batched|single|paced|search LINES")
    };
    let task = Task { service: service.clone(), viewer: viewer.clone(), lines: lines.parse()? };
    let browser = Browser::start().await?;
    let figures = match load.as_str() {
        "paced" => paced(&task, &browser).await,
        "search" => search::measure(&task, &browser).await,
        load => flooded(&task, &browser, load == "batched").await,
    };
    println!("{}", figures.unwrap_or_else(|error| json!({ "failed": format!("{error:#}") })));
    // A page that hangs prevents a regular exit of its browser.
    if timeout(Duration::from_secs(5), browser.close()).await.is_err() {
        eprintln!("the browser did not close");
    }
    Ok(())
}

/// Measures maximum throughput, until the last line is visible.
async fn flooded(task: &Task, browser: &Browser, is_batched: bool) -> anyhow::Result<Value> {
    let publisher = task.open(browser, "").await?;
    let before = memory::Memory::of(browser).await?;
    let began_ms = now_ms()?;
    let mut figures = flood(task, browser, &publisher, is_batched).await?;
    let done_ms = figures["doneAt"].as_f64().context("no time")?;
    let seconds = (done_ms - began_ms) / 1_000.0;
    let after = timeout(LIMIT, memory::Memory::of(browser)).await.context("the page does not respond")??;
    figures["seconds"] = seconds.into();
    figures["linesPerSecond"] = (task.lines as f64 / seconds).into();
    figures["heapBytes"] = after.heap_bytes.saturating_sub(before.heap_bytes).into();
    figures["rendererBytes"] = after.renderer_bytes.saturating_sub(before.renderer_bytes).into();
    figures["domNodes"] = after.dom_nodes.into();
    figures["rawBytes"] = corpus::bytes(task.lines).into();
    Ok(figures)
}

/// Sends the lines, and waits until the last one is visible.
async fn flood(
    task: &Task,
    browser: &Browser,
    publisher: &Publisher,
    is_batched: bool,
) -> anyhow::Result<Value> {
    let last = task.lines - 1;
    browser.run(&format!("probe.watch({:?}, {last})", task.viewer)).await?;
    let showing = async {
        publisher.flood(task.lines, is_batched).await?;
        loop {
            sleep(ASK_EVERY).await;
            let state = browser.run("return { doneAt: probe.doneAt, closed: probe.closed, ...(probe.doneAt ? probe.report() : {}) }");
            let state = state.await?;
            let closed = state["closed"].as_str().unwrap_or_default();
            anyhow::ensure!(closed.is_empty(), "the service closed the connection: {closed}");
            if state["doneAt"].as_f64().is_some_and(|at| at > 0.0) {
                return Ok(state);
            }
        }
    };
    timeout(LIMIT, showing).await.with_context(|| format!("not done in {} s", LIMIT.as_secs()))?
}

/// Measures a paced load: the delay from the arrival of a message to its last rendered line.
async fn paced(task: &Task, browser: &Browser) -> anyhow::Result<Value> {
    let publisher = task.open(browser, "&paced").await?;
    browser.run(&format!("probe.watch({:?})", task.viewer)).await?;
    let pacing = async {
        publisher.pace(PACED_LINES_PER_SECOND, PACED_FOR).await?;
        browser.until("probe.arrivals.length === 0").await?;
        browser.run("return probe.report()").await
    };
    timeout(LIMIT, pacing).await.with_context(|| format!("not done in {} s", LIMIT.as_secs()))?
}

/// Returns the current time in milliseconds since 1970, as `Date.now()` in pages.
fn now_ms() -> anyhow::Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1_000.0)
}
