//! Benchmark of the history: earlier lines in a page, memory of the history, and many readers beside a publisher.
//!
//! `cargo xtask bench history` builds everything and runs this program. Prints a name and a value per line.

mod page;
mod readers;

use std::time::Duration;

use anyhow::Context;
use tailcast_tests::{
    environment,
    process::Process,
    server::{Server, get},
    streamer::stream,
};

/// Size of the history under measurement in MiB: the default.
const HISTORY_MIB: u64 = 32;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    page::earlier_lines().await?;
    page::small_messages().await?;
    memory().await?;
    readers::beside_a_publisher().await
}

/// Starts a server with the page, and its default history.
async fn server_with_page() -> anyhow::Result<Server> {
    let site = environment::site()?;
    Server::start(&["--site", site.to_str().context("the path of the site is not UTF-8")?]).await
}

/// Fills the history twice over, and prints the memory that it takes, as a share of its size.
async fn memory() -> anyhow::Result<()> {
    let server = server_with_page().await?;
    let line = format!("{}\n", "a line of a log, as long as most are: 2026-11-30T12:00:00Z INFO ".repeat(2));
    let lines = line.repeat(100_000);
    // The first lines size the buffers that do not belong to the history.
    stream(&server, &[], &line.repeat(1_000)).await?;
    let process = Process(server.process_id()?);
    let before = process.resident_kib()?;
    for _ in 0..=(2 * HISTORY_MIB * 1024 * 1024 / u64::try_from(lines.len())?) {
        stream(&server, &[], &lines).await?;
    }
    // Buffers that were only needed for publishing are given back within seconds.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let added = process.resident_kib()?.saturating_sub(before);
    println!("added_resident_memory_kib {added}");
    #[allow(clippy::cast_precision_loss, reason = "a ratio with two decimals")]
    let share = added as f64 / (HISTORY_MIB * 1024) as f64;
    println!("share_of_the_size_of_the_history {share:.2}");
    Ok(())
}

/// Returns the value of a metric of the server.
async fn metric(server: &Server, name: &str) -> anyhow::Result<u64> {
    let metrics = get(&server.url("/metrics")).await?.1;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.with_context(|| format!("no metric {name}"))?
        .trim()
        .parse()
        .with_context(|| format!("the metric {name}"))
}
