//! Benchmark of one viewer in a new browser, with the same lines for all viewers.
//!
//! usage: measure-viewer SITE VIEWER json|protobuf batched|single|plain|fields|paced|search LINES
//!
//! SITE is a folder with a folder for each viewer.
//!
//! `cargo xtask bench viewer` builds everything and runs this program. Prints one JSON object: the results, or `failed` with
//! the error.

#![allow(clippy::indexing_slicing, reason = "a missing JSON member reads as null, and fails the measurement")]

mod corpus;
mod feed;
mod memory;
mod search;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde_json::{Value, json};
use tailcast_tests::browser::Browser;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use webpubsub_protocol::subprotocol::Subprotocol;

use feed::{Feed, Viewer};

/// Timeout of a viewer. The fastest viewers show a million lines in two seconds.
const LIMIT: Duration = Duration::from_secs(25);
/// Interval of polling for the last line. It is long, so that polling does not affect the result.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// Lines of a message in the paced load, one message every 10 ms.
const PACED_LINES: usize = 20;
const PROBE: &str = include_str!("probe.js");

/// Parameters of a measurement.
struct Task {
    feed: Feed,
    viewer: String,
    form: String,
    corpus: fn(u64) -> String,
    lines: u64,
}

impl Task {
    fn page(&self) -> String {
        let Self { feed, viewer, form, lines, .. } = self;
        let query = format!("?negotiate=%2Fnegotiate&subprotocol={form}&lines={lines}&mib=512");
        format!("{}/{viewer}/index.html{}", feed.site(), if viewer == "ours" { &query } else { "?" })
    }

    /// Opens the page with the probe, and waits until it has joined the group.
    async fn open(&self, browser: &Browser, query: &str) -> anyhow::Result<Viewer> {
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": PROBE })).await?;
        browser.devtools("Page.setBypassCSP", json!({ "enabled": true })).await?;
        let page = format!("{}{query}", self.page());
        let (opened, viewer) = tokio::join!(browser.open(&page), timeout(LIMIT, self.feed.viewer()));
        opened?;
        let viewer = viewer.context("the page does not join the group")??;
        if self.viewer == "ours" {
            browser.until("document.querySelector('#status')?.dataset.state === 'connected'").await?;
        }
        Ok(viewer)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [site, viewer, form, load, lines] = &arguments[..] else {
        anyhow::bail!(
            "usage: measure-viewer SITE VIEWER json|protobuf batched|single|plain|fields|paced|search LINES"
        )
    };
    let corpus = match load.as_str() {
        "plain" => corpus::plain_line,
        "fields" => corpus::line_of_fields,
        _ => corpus::line,
    };
    let subprotocol = if form == "protobuf" { Subprotocol::Protobuf } else { Subprotocol::Json };
    let feed = Feed::start(site, subprotocol).await?;
    let task = Task { feed, viewer: viewer.clone(), form: form.clone(), corpus, lines: lines.parse()? };
    let browser = Browser::start().await?;
    let figures = match load.as_str() {
        "paced" => paced(&task, &browser).await,
        "search" => search::measure(&task, &browser).await,
        load => flooded(&task, &browser, load != "single").await,
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
    let viewer = task.open(browser, "").await?;
    let messages = viewer.prepare(corpus::messages(task.corpus, task.lines, is_batched));
    let before = memory::Memory::of(browser).await?;
    let mut figures = flood(task, browser, &viewer, messages).await?;
    let after = timeout(LIMIT, memory::Memory::of(browser)).await.context("the page does not respond")??;
    figures["heapBytes"] = after.heap_bytes.saturating_sub(before.heap_bytes).into();
    figures["rendererBytes"] = after.renderer_bytes.saturating_sub(before.renderer_bytes).into();
    figures["domNodes"] = after.dom_nodes.into();
    figures["rawBytes"] = corpus::bytes(task.corpus, task.lines).into();
    Ok(figures)
}

/// Sends the lines, and waits until the last one is visible and all levels are counted.
async fn flood(
    task: &Task,
    browser: &Browser,
    viewer: &Viewer,
    messages: Vec<Message>,
) -> anyhow::Result<Value> {
    let last = task.lines - 1;
    browser.run(&format!("probe.watch({:?}, {last})", task.viewer)).await?;
    let began_ms = now_ms()?;
    let showing = async {
        viewer.flood(messages).await?;
        loop {
            sleep(ASK_EVERY).await;
            let state = browser.run(
                "return { doneAt: probe.doneAt, closed: probe.closed, ...(probe.countedAt ? probe.report() : {}) }",
            );
            let state = state.await?;
            let closed = state["closed"].as_str().unwrap_or_default();
            anyhow::ensure!(closed.is_empty(), "the page closed the connection: {closed}");
            if state["countedMs"].is_number() {
                return Ok(state);
            }
        }
    };
    let shown = timeout(LIMIT, showing).await;
    let mut figures = shown.with_context(|| format!("not done in {} s", LIMIT.as_secs()))??;
    let seconds = (figures["doneAt"].as_f64().context("no time")? - began_ms) / 1_000.0;
    figures["seconds"] = seconds.into();
    figures["linesPerSecond"] = (task.lines as f64 / seconds).into();
    Ok(figures)
}

/// Measures a paced load: the delay from the arrival of a message to its last rendered line.
async fn paced(task: &Task, browser: &Browser) -> anyhow::Result<Value> {
    let viewer = task.open(browser, "&paced").await?;
    let lines: Vec<String> = (0..task.lines).map(corpus::line).collect();
    let messages = viewer.prepare(lines.chunks(PACED_LINES).map(|lines| lines.join("\n")));
    browser.run(&format!("probe.watch({:?})", task.viewer)).await?;
    let pacing = async {
        viewer.pace(messages).await?;
        browser.until("probe.arrivals.length === 0").await?;
        browser.run("return probe.report()").await
    };
    timeout(LIMIT, pacing).await.with_context(|| format!("not done in {} s", LIMIT.as_secs()))?
}

/// Returns the current time in milliseconds since 1970, as `Date.now()` in pages.
fn now_ms() -> anyhow::Result<f64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1_000.0)
}
