//! Compiler for the page: Rust with a standard library for `wasm32-unknown-unknown`.
//!
//! The options, cheapest first: the active toolchain has the target; a Debian Rust that an earlier run prepared has it; rustup
//! downloads it; or, if the download fails, [`super::debian_rust`] prepares Debian's packaged Rust.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::debian_rust;
use super::packages::Packages;
use crate::program::{Ending, Program};
use crate::progress;
use crate::workspace::Workspace;

/// Compilation target of the page.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Time limit for the download of some 15 MB by rustup. A machine without access to its server should not wait for long.
const RUSTUP_LIMIT: Duration = Duration::from_secs(300);

/// Toolchain that builds for [`WASM_TARGET`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WasmToolchain {
    /// The toolchain of all other builds.
    Active,
    /// Debian's toolchain, linked into rustup as [`debian_rust::TOOLCHAIN`].
    Debian,
}

impl WasmToolchain {
    /// Makes `program`, which is cargo or calls it, use this toolchain.
    #[must_use]
    pub fn applied_to(self, program: Program) -> Program {
        match self {
            Self::Active => program,
            Self::Debian => program.env("RUSTUP_TOOLCHAIN", debian_rust::TOOLCHAIN),
        }
    }
}

/// Finds or prepares a toolchain.
///
/// # Errors
/// When all options fail, with their names.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<WasmToolchain> {
    if active_toolchain_has_target(workspace)? {
        return Ok(WasmToolchain::Active);
    }
    if debian_rust::is_ready(workspace) {
        return Ok(WasmToolchain::Debian);
    }
    if rustup_adds_target(workspace)? && active_toolchain_has_target(workspace)? {
        return Ok(WasmToolchain::Active);
    }
    progress::note(
        "rustup could not add the target (no rustup, or no access to its server): trying Debian's Rust",
    );
    debian_rust::ensure(workspace, packages).with_context(|| {
        format!(
            "no Rust here can build the page: `rustup target add {WASM_TARGET}` failed, and so did Debian's packaged \
             Rust. Install the target by either way, then run this again"
        )
    })?;
    Ok(WasmToolchain::Debian)
}

fn active_toolchain_has_target(workspace: &Workspace) -> Result<bool> {
    let sysroot = workspace.program("rustc")?.args(["--print", "sysroot"]).capture()?;
    Ok(has_std(Path::new(&sysroot), WASM_TARGET))
}

/// Returns whether this sysroot has a standard library for a target.
pub fn has_std(sysroot: &Path, triple: &str) -> bool {
    let libraries = sysroot.join("lib/rustlib").join(triple).join("lib");
    libraries.read_dir().is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

/// Adds the target by rustup. Returns whether that succeeded; a missing rustup is no error, because there are other options.
fn rustup_adds_target(workspace: &Workspace) -> Result<bool> {
    if workspace.find_program("rustup").is_none() {
        return Ok(false);
    }
    progress::announce(&format!("adding the Rust target {WASM_TARGET}"), "the page is WebAssembly; seconds");
    let add = workspace.program("rustup")?.args(["target", "add", WASM_TARGET]);
    // If rustup's server cannot be reached, its error message is enough.
    let ending = add.env("RUST_BACKTRACE", "0").run_within(RUSTUP_LIMIT)?;
    Ok(ending == Ending::Succeeded)
}
