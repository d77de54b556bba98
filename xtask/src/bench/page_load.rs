//! Benchmark of the time from opening the page to a connection, in a browser that a program of the whole-system tests drives.

use anyhow::{Context, Result, ensure};

use super::Bench;
use super::report::Table;

/// Measures a number of loads, each in a fresh browser.
///
/// # Errors
/// When a browser does not start, or the page does not connect.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let browser = bench.setup.browser()?;
    let answer = bench
        .workspace
        .cargo()?
        .args(["run", "--quiet", "--package", "tailcast-tests", "--bin", "measure-page-load"])
        .env("TAILCAST_BIN", bench.workspace.tailcast())
        .env("TAILCAST_SITE", bench.workspace.site())
        .env("CHROMIUM", &browser.program)
        .env("CHROMEDRIVER", &browser.driver)
        .capture()?;
    let mut loads: Vec<f64> = answer
        .lines()
        .map(|line| line.parse().with_context(|| format!("the measurement printed `{line}`")))
        .collect::<Result<_>>()?;
    loads.sort_by(f64::total_cmp);
    ensure!(!loads.is_empty(), "nothing was measured");
    let at = |share: usize| loads.get((loads.len() - 1) * share / 2).copied().unwrap_or_default();
    let mut table = Table::new(
        "From opening the page to a connection, loopback, empty cache, in ms",
        &["loads", "fastest", "median", "slowest"],
    );
    table.add([
        loads.len().to_string(),
        format!("{:.0}", at(0)),
        format!("{:.0}", at(1)),
        format!("{:.0}", at(2)),
    ]);
    table.print();
    Ok(())
}
