//! Third-party packages from npm for the whole-system tests: the vendor's JavaScript SDK.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::packages::Packages;
use super::wasm_opt::ensure_npm;
use crate::progress;
use crate::workspace::Workspace;

/// Copy of the installed lock file. A difference causes a new installation.
const STAMP: &str = "installed-lock.json";

/// Finds the packages, or installs them, and returns their `node_modules`.
///
/// # Errors
/// When npm is missing and cannot be installed, or fails.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<PathBuf> {
    let (home, committed) = (workspace.tools().join("strangers"), workspace.strangers());
    ensure_modules(workspace, packages, &home, &committed, "the vendor's SDK, for the tests")
}

/// Finds or installs at `home` the packages of the lock file in the folder `committed`.
///
/// # Errors
/// As [`ensure`].
pub(super) fn ensure_modules(
    workspace: &Workspace,
    packages: &Packages,
    home: &Path,
    committed: &Path,
    purpose: &str,
) -> Result<PathBuf> {
    let modules = home.join("node_modules");
    let lock = committed.join("package-lock.json");
    let wanted = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    if fs::read_to_string(home.join(STAMP)).is_ok_and(|installed| installed == wanted) && modules.is_dir() {
        return Ok(modules);
    }
    ensure_npm(workspace, packages)?;
    progress::step("installing JavaScript packages", &format!("{purpose}; seconds"), || {
        fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
        for name in ["package.json", "package-lock.json"] {
            let copied = fs::copy(committed.join(name), home.join(name));
            copied.with_context(|| format!("cannot copy {name} to {}", home.display()))?;
        }
        let npm =
            workspace.program("npm")?.args(["ci", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]);
        npm.arg(home).run()?;
        fs::write(home.join(STAMP), &wanted).with_context(|| format!("cannot write to {}", home.display()))
    })?;
    Ok(modules)
}
