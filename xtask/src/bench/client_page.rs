//! Benchmark of clients in a page: ours, compiled to WebAssembly, and the official one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Bench;
use super::report::{Table, grouped, median};
use crate::client_js;
use crate::dist::folder;
use crate::program::Program;

/// Runs: title, client, form and number of messages. The official client in its reliable form acknowledges once a second, and so
/// gets few messages.
const RUNS: [(&str, &str, &str, u64); 6] = [
    ("@azure/web-pubsub-client, plain JSON", "theirs", "plain", 50_000),
    ("@azure/web-pubsub-client, reliable JSON", "theirs", "reliable", 2_000),
    ("webpubsub-client-js, plain JSON", "ours", "json", 50_000),
    ("webpubsub-client-js, reliable JSON", "ours", "json.reliable", 50_000),
    ("webpubsub-client-js, plain protobuf", "ours", "protobuf", 50_000),
    ("webpubsub-client-js, reliable protobuf", "ours", "protobuf.reliable", 50_000),
];

/// Runs of each client, in turn with the others, because the speed of a browser changes from minute to minute. The result is the
/// median.
const ROUNDS: usize = 5;

/// Builds the page and measures in it.
///
/// # Errors
/// When something cannot be built, or a client fails.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let site = build_site(bench)?;
    let browser = bench.setup.browser()?;
    let head = ["client, in Chromium", "messages", "messages/s", "ratio"];
    let mut table =
        Table::new("One client in a page, 100 bytes a message, each sent, acknowledged and heard", &head);
    let mut rates = vec![Vec::new(); RUNS.len()];
    for _ in 0..ROUNDS {
        for ((name, client, form, messages), rates) in RUNS.iter().zip(&mut rates) {
            let seconds: f64 = bench
                .workspace
                .cargo()?
                .args(["run", "--quiet", "--package", "tailcast-tests", "--bin", "measure-client-page", "--"])
                .args([client, form, &messages.to_string()[..]])
                .env("TAILCAST_BIN", bench.workspace.tailcast())
                .env("TAILCAST_SITE", &site)
                .env("CHROMIUM", &browser.program)
                .env("CHROMEDRIVER", &browser.driver)
                .capture()?
                .trim()
                .parse()
                .with_context(|| format!("{name}: the measurement gave no number"))?;
            rates.push(*messages as f64 / seconds);
        }
    }
    let mut first = None;
    for ((name, _, _, messages), rates) in RUNS.into_iter().zip(rates) {
        let rate = median(rates);
        let base = *first.get_or_insert(rate);
        table.add([
            name.to_owned(),
            grouped(messages),
            grouped(rate.round() as u64),
            format!("{:.1}", rate / base),
        ]);
    }
    table.print();
    Ok(())
}

/// Creates a folder with the page, our client and the official one.
fn build_site(bench: &Bench<'_>) -> Result<PathBuf> {
    let site = bench.workspace.target().join("bench-client-page");
    fs::create_dir_all(&site).with_context(|| format!("cannot make {}", site.display()))?;
    let sources = bench.workspace.peers();
    for (from, to) in [("client_page.html", "index.html"), ("client_page.js", "client_page.js")] {
        let copied = fs::copy(sources.join(from), site.join(to));
        copied.with_context(|| format!("cannot copy {from} to {}", site.display()))?;
    }
    client_js::build(bench.workspace, bench.setup)?;
    folder::replace_with_copy(&bench.workspace.client_js(), &site.join("ours"))?;
    bundle_theirs(bench, &site.join("theirs.js"))?;
    Ok(site)
}

/// Bundles the official client, because browsers resolve no package names.
fn bundle_theirs(bench: &Bench<'_>, file: &Path) -> Result<()> {
    let modules = bench.setup.peers().node_modules?;
    let entry = modules.join("@azure/web-pubsub-client/dist/browser/index.js");
    Program::new(modules.join(".bin/esbuild"))
        .args(["--bundle", "--format=esm", "--platform=browser", "--minify", "--log-level=error"])
        .arg(format!("--outfile={}", file.display()))
        .arg(entry)
        .run()
        .context("the official client could not be bundled")
}
