//! wasm-opt, which shrinks the page's WebAssembly. The npm package is a script and runs everywhere.

use anyhow::{Context, Result};

use super::packages::Packages;
use crate::program::Program;
use crate::progress;
use crate::workspace::Workspace;

/// Version of binaryen. Trunk.toml requires the same one under the name `version_132`.
const BINARYEN_VERSION: &str = "132";

/// Finds wasm-opt at [`BINARYEN_VERSION`], or installs it.
///
/// # Errors
/// When npm is missing and cannot be installed, or fails.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<()> {
    if is_there(workspace) {
        return Ok(());
    }
    ensure_npm(workspace, packages)?;
    let what = format!("installing binaryen {BINARYEN_VERSION}");
    progress::step(&what, "its wasm-opt shrinks the page; seconds", || {
        workspace
            .program("npm")?
            .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
            .arg(workspace.tools().join("npm"))
            .arg(format!("binaryen@{BINARYEN_VERSION}.0.0"))
            .run()
    })
    .context("wasm-opt is missing; npm's package `binaryen` has it, and any copy on PATH will be used")
}

fn is_there(workspace: &Workspace) -> bool {
    workspace.find_program("wasm-opt").is_some_and(|path| {
        let answer = Program::new(path).arg("--version").capture();
        answer.is_ok_and(|text| text.split_whitespace().any(|word| word == BINARYEN_VERSION))
    })
}

/// Finds npm, or installs it.
///
/// # Errors
/// When it cannot be installed.
pub fn ensure_npm(workspace: &Workspace, packages: &Packages) -> Result<()> {
    if workspace.find_program("npm").is_some() {
        return Ok(());
    }
    packages.install(
        &["nodejs", "npm"],
        "shrinking the page, and testing with the vendor's SDK",
        "any Node.js with npm serves",
    )
}
