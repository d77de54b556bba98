//! Soak: attacks of strangers on a public server, beside an honest publisher and viewer.

use anyhow::{Context, Result};

use super::Bench;
use super::report::Table;
use super::service::{ACCESS_KEY, BenchService};
use crate::program::Program;

/// Duration of the attacks, in seconds.
const SECONDS: u64 = 600;

/// Attacks our server.
///
/// # Errors
/// When the honest viewer misses a line, the server ends, or its memory does not return.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let build = ["build", "--quiet", "--release", "--package", "tailcast-tests", "--bin", "measure-abuse"];
    bench.workspace.cargo()?.args(build).run()?;
    let program = bench.workspace.target().join("release/measure-abuse");
    let mut server = BenchService::start_public(bench.workspace)?;
    let process_id = server.process_id().to_string();
    let (_, address) = server.address().split_once("://").context("the server printed no URL")?;
    let attack = Program::new(program).args([address, &process_id, ACCESS_KEY, &SECONDS.to_string()]);
    let output = attack.capture()?;
    let mut table = Table::new(&format!("Attacks on a public server for {SECONDS} s"), &["figure", "value"]);
    for line in output.lines() {
        let (name, value) = line.split_once(' ').with_context(|| format!("the attack printed `{line}`"))?;
        table.add([name.replace('_', " "), value.to_owned()]);
    }
    table.print();
    Ok(())
}
