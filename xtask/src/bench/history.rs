//! Benchmark of the history: earlier lines in a page, the memory that they take, and many readers beside a publisher.

use anyhow::{Context, Result};

use super::Bench;
use super::report::Table;
use crate::program::Program;

/// Measures our server with programs of the whole-system tests.
///
/// # Errors
/// When a line is missing, or a program fails.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let build = ["build", "--quiet", "--release", "--package", "tailcast-tests", "--bin", "measure-history"];
    bench.workspace.cargo()?.args(build).run()?;
    let browser = bench.setup.browser()?;
    let output = Program::new(bench.workspace.target().join("release/measure-history"))
        .env("TAILCAST_BIN", bench.workspace.tailcast())
        .env("TAILCAST_SITE", bench.workspace.site())
        .env("CHROMIUM", &browser.program)
        .env("CHROMEDRIVER", &browser.driver)
        .capture()?;
    let mut table = Table::new("Earlier lines: a page, memory, and 1,000 readers", &["figure", "value"]);
    for line in output.lines() {
        let (name, value) =
            line.split_once(' ').with_context(|| format!("the measurement printed `{line}`"))?;
        table.add([name.replace('_', " "), value.to_owned()]);
    }
    table.print();
    Ok(())
}
