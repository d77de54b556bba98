//! rustfmt and clippy, which are not in rustup's minimal profile.

use anyhow::{Context, Result};

use super::debian_rust;
use super::packages::Packages;
use super::wasm_target::WasmToolchain;
use crate::progress;
use crate::workspace::Workspace;

/// Finds or installs rustfmt and clippy for the active toolchain.
///
/// # Errors
/// When they are missing and rustup cannot install them.
pub fn ensure(workspace: &Workspace) -> Result<()> {
    let answers = |subcommand: &str| workspace.cargo()?.args([subcommand, "--version"]).capture();
    if answers("fmt").is_ok() && answers("clippy").is_ok() {
        return Ok(());
    }
    progress::step("adding rustfmt and clippy", "they check the code; seconds", || {
        workspace.program("rustup")?.args(["component", "add", "rustfmt", "clippy"]).run()
    })
    .context("linting needs rustfmt and clippy: `rustup component add rustfmt clippy`")
}

/// Finds or installs clippy for the toolchain that builds the page. Clippy reads the standard library of its own toolchain, so that
/// the active one is enough only if the active toolchain builds the page.
///
/// # Errors
/// When it is missing and cannot be installed.
pub fn ensure_wasm_clippy(
    workspace: &Workspace,
    packages: &Packages,
    toolchain: WasmToolchain,
) -> Result<()> {
    let answer = || toolchain.applied_to(workspace.cargo()?.args(["clippy", "--version"])).capture();
    if toolchain == WasmToolchain::Active || answer().is_ok() {
        return Ok(());
    }
    packages.install(&[debian_rust::CLIPPY_PACKAGE], "linting the page", "or `rustup target add` its target")
}
