//! Sizes of the files that a browser loads before the page appears, plain and compressed.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

/// Prints `PLAIN BROTLI NAME` for each file below its argument. In JavaScript, because set-up brings Node.js anyway,
/// and its standard library has Brotli.
const MEASURE: &str = include_str!("first_load.mjs");
/// Extensions of these files.
const LOADED: [&str; 4] = [".css", ".html", ".js", ".wasm"];
/// Service worker, which is loaded after the page.
const LATER: [&str; 1] = ["service_worker.js"];

/// Size of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSize {
    /// Name relative to the folder.
    pub name: String,
    /// Size in bytes.
    pub plain: u64,
    /// Size in bytes after Brotli compression at the highest quality.
    pub brotli: u64,
}

/// Measures the files of `folder` that are loaded first.
///
/// # Errors
/// When Node.js is missing, prints an unknown line, or finds no file.
pub fn measure(workspace: &Workspace, folder: &Path) -> Result<Vec<FileSize>> {
    let node = ["node", "nodejs"].iter().find(|name| workspace.find_program(name).is_some());
    let node = node.context("measuring sizes needs Node.js, which is not on PATH")?;
    let program = workspace.program(node)?.args(["--input-type=module", "--eval", MEASURE]);
    let answer = program.arg(folder).capture()?;
    let mut sizes = Vec::new();
    for line in answer.lines() {
        let size = FileSize::parse(line).with_context(|| format!("Node.js printed `{line}`"))?;
        if size.is_loaded_first() {
            sizes.push(size);
        }
    }
    ensure!(!sizes.is_empty(), "{} holds nothing that a browser loads", folder.display());
    Ok(sizes)
}

/// Returns the sum of all sizes.
pub fn total(sizes: &[FileSize]) -> FileSize {
    FileSize {
        name: "total".to_owned(),
        plain: sizes.iter().map(|size| size.plain).sum(),
        brotli: sizes.iter().map(|size| size.brotli).sum(),
    }
}

impl FileSize {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(3, ' ');
        let (plain, brotli) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { name: words.next()?.to_owned(), plain, brotli })
    }

    fn is_loaded_first(&self) -> bool {
        LOADED.iter().any(|ending| self.name.ends_with(ending)) && !LATER.contains(&self.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_later_or_never_does_not_count() {
        let counts = |line| FileSize::parse(line).is_some_and(|size| size.is_loaded_first());
        for line in ["9 5 index.html", "9 5 start-1.js", "9 5 style-1.css", "9 5 page_bg.wasm"] {
            assert!(counts(line), "{line}");
        }
        for line in
            ["9 5 service_worker.js", "9 5 icon-192.png", "9 5 tailcast.d.ts", "9 5 a b", "nine 5 index.html"]
        {
            assert!(!counts(line), "{line}");
        }
    }
}
