//! The bytes of the page that a browser loads, plain and as a good server sends them.

use anyhow::{Context, Result};

use super::Bench;
use super::report::{Table, grouped};

/// Prints `PLAIN BROTLI NAME` for each file below its argument. In JavaScript, because set-up brings Node.js anyway,
/// and its standard library has Brotli.
const MEASURE: &str = include_str!("page_size.mjs");

/// Measures what lies in `dist/`.
///
/// # Errors
/// When Node.js is not there, or says what cannot be read.
pub fn run(bench: &Bench<'_>) -> Result<()> {
    let node = ["node", "nodejs"].iter().find(|name| bench.workspace.find_program(name).is_some());
    let node = node.context("measuring sizes needs Node.js, which is not on PATH")?;
    let measure = bench.workspace.program(node)?.args(["--input-type=module", "--eval", MEASURE]);
    let answer = measure.arg(bench.workspace.site()).capture()?;
    let sizes: Vec<FileSize> = answer
        .lines()
        .map(|line| FileSize::parse(line).with_context(|| format!("Node.js said `{line}`")))
        .collect::<Result<_>>()?;
    let total = FileSize {
        name: "total".to_owned(),
        plain: sizes.iter().map(|size| size.plain).sum(),
        brotli: sizes.iter().map(|size| size.brotli).sum(),
    };
    let mut table = Table::new("The page, in bytes", &["file", "plain", "brotli 11"]);
    for size in sizes.into_iter().chain([total]) {
        table.add([size.name, grouped(size.plain), grouped(size.brotli)]);
    }
    table.print();
    Ok(())
}

struct FileSize {
    name: String,
    plain: u64,
    brotli: u64,
}

impl FileSize {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let (plain, brotli) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { name: words.next()?.to_owned(), plain, brotli })
    }
}
