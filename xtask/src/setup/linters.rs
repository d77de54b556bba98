//! rustfmt and clippy, which `rustup`'s minimal profile leaves out.

use anyhow::{Context, Result};

use super::debian_rust;
use super::packages::Packages;
use super::wasm_target::WasmToolchain;
use crate::progress;
use crate::workspace::Workspace;

/// rustfmt and clippy for the active toolchain.
///
/// # Errors
/// When they are missing and rustup cannot bring them.
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

/// Clippy for the toolchain that builds the page. It reads that toolchain's standard library, so the active one's
/// clippy serves only when the active toolchain builds the page.
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
