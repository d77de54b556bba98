//! A compiler that can build the page: Rust with a standard library for `wasm32-unknown-unknown`.
//!
//! Cheapest first: the active toolchain has the target; a Debian Rust that an earlier run made ready has it; rustup
//! downloads it; or, where rustup cannot download, [`super::debian_rust`] makes Debian's packaged Rust ready.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::debian_rust;
use super::packages::Packages;
use crate::program::{Ending, Program};
use crate::progress;
use crate::workspace::Workspace;

/// The page's compilation target.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// How long rustup may try. The download is some 15 MB; a machine that cannot reach it should not wait for long.
const RUSTUP_LIMIT: Duration = Duration::from_secs(300);

/// Which toolchain builds for [`WASM_TARGET`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WasmToolchain {
    /// The one that everything else uses too.
    Active,
    /// Debian's, linked into rustup under [`debian_rust::TOOLCHAIN`].
    Debian,
}

impl WasmToolchain {
    /// Makes `program`, a cargo or something that calls cargo, use this toolchain.
    #[must_use]
    pub fn applied_to(self, program: Program) -> Program {
        match self {
            Self::Active => program,
            Self::Debian => program.env("RUSTUP_TOOLCHAIN", debian_rust::TOOLCHAIN),
        }
    }
}

/// Finds such a toolchain, or makes one.
///
/// # Errors
/// When no way works, naming them all.
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
        "rustup could not bring the target (no rustup, or no way to its server): trying Debian's Rust",
    );
    debian_rust::ensure(workspace, packages).with_context(|| {
        format!(
            "no Rust here can build the page: `rustup target add {WASM_TARGET}` failed, and so did Debian's packaged \
             Rust. Bring the target by either way, then run this again"
        )
    })?;
    Ok(WasmToolchain::Debian)
}

fn active_toolchain_has_target(workspace: &Workspace) -> Result<bool> {
    let sysroot = workspace.program("rustc")?.args(["--print", "sysroot"]).capture()?;
    Ok(has_std(Path::new(&sysroot)))
}

/// Whether a standard library for the page lies in this sysroot.
pub fn has_std(sysroot: &Path) -> bool {
    let libraries = sysroot.join("lib/rustlib").join(WASM_TARGET).join("lib");
    libraries.read_dir().is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

/// Whether rustup said that it added the target. A missing rustup is a plain `false`: there are other ways.
fn rustup_adds_target(workspace: &Workspace) -> Result<bool> {
    if workspace.find_program("rustup").is_none() {
        return Ok(false);
    }
    progress::announce(&format!("adding the Rust target {WASM_TARGET}"), "the page is WebAssembly; seconds");
    let add = workspace.program("rustup")?.args(["target", "add", WASM_TARGET]);
    // Where there is no way to rustup's server, its own report is enough.
    let ending = add.env("RUST_BACKTRACE", "0").run_within(RUSTUP_LIMIT)?;
    Ok(ending == Ending::Succeeded)
}
