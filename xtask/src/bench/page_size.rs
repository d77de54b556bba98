//! Size of the page that a browser loads.

use anyhow::Result;

use super::Bench;
use super::report::{Table, grouped};
use crate::first_load::{measure, total};

/// Measures the built page.
///
/// # Errors
/// When the sizes cannot be measured.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let sizes = measure(bench.workspace, &bench.workspace.site())?;
    let all = total(&sizes);
    let mut table = Table::new("The page, in bytes", &["file", "plain", "brotli 11"]);
    for size in sizes.into_iter().chain([all]) {
        table.add([size.name, grouped(size.plain), grouped(size.brotli)]);
    }
    table.print();
    Ok(())
}
