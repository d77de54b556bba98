//! Benchmark of the hub's fan-out and of comparable servers, each alone on one core, with the load on another.
//!
//! Each subscriber counts every message, so that all figures are from runs without loss.

mod contestant;
mod cores;
mod latency;
mod load;
mod running;
mod tables;

use std::fs;

use anyhow::{Context, Result, ensure};

use super::Bench;
use contestant::Recipes;
use load::LoadGenerator;

/// Measures all servers. The row of a peer that cannot be installed has the reason.
///
/// # Errors
/// When the load generator cannot be built, or this is not Linux.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "measuring the hub needs the process statistics of Linux");
    let peers = bench.setup.peers();
    let folder = bench.workspace.target().join("bench-hub");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let load =
        LoadGenerator::build(bench.workspace, Recipes { workspace: bench.workspace, peers: &peers, folder })?;
    if !load.cores.are_separate() {
        println!("\nServers and load share all cores here: the figures are lower than they could be.");
    }
    let rates = tables::fan_out(&load);
    latency::at_half_throughput(&load, &rates);
    latency::at_equal_load(&load, &rates);
    tables::stalled(&load);
    tables::idle(&load);
    tables::start(&load);
    Ok(())
}
