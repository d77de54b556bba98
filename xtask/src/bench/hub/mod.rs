//! The hub's fan-out, beside servers that do the same, each alone on one core and the load on another.
//!
//! Every message is counted at every subscriber: a figure here is one of a run in which nothing was lost.

mod contestant;
mod cores;
mod load;
mod running;
mod tables;

use std::fs;

use anyhow::{Context, Result, ensure};

use super::Bench;
use contestant::Recipes;
use load::Load;

/// Measures all of them. A peer that cannot be had is a row that says why.
///
/// # Errors
/// When the load generator cannot be built, or this is not Linux.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), "measuring the hub needs Linux, which tells what a process uses");
    let peers = bench.setup.peers();
    let folder = bench.workspace.target().join("bench-hub");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let load = Load::build(bench.workspace, Recipes { workspace: bench.workspace, peers: &peers, folder })?;
    if !load.cores.are_separate() {
        println!("\nServers and load share all cores here: the figures are lower than they could be.");
    }
    let rates = tables::fan_out(&load);
    tables::latency(&load, &rates);
    tables::stalled(&load);
    tables::idle(&load);
    tables::start(&load);
    Ok(())
}
