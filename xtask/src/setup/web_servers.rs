//! nginx and Caddy, for tests of the recipes in `deploy/`.
//!
//! Debian's packages are unpacked, not installed: the installation would start both as services on port 80.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::packages::Packages;
use crate::program::Program;
use crate::progress;
use crate::workspace::Workspace;

/// Packages of both, with the module for `.br` files and libraries that a minimal Debian lacks.
const PACKAGES: [&str; 5] =
    ["caddy", "libbrotli1", "libnginx-mod-http-brotli-static", "nginx", "nginx-common"];
/// Programs in the packages, and arguments that print their versions.
const PROGRAMS: [(&str, &str); 2] = [("usr/sbin/nginx", "-v"), ("usr/bin/caddy", "version")];

/// Finds both, or unpacks them, and returns their folder, which has Debian's layout.
///
/// # Errors
/// When a download fails, or a program does not run here.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<PathBuf> {
    let home = workspace.tools().join("web-servers");
    let run =
        || PROGRAMS.iter().all(|(program, ask)| Program::new(home.join(program)).arg(ask).capture().is_ok());
    if run() {
        return Ok(home);
    }
    progress::step("unpacking nginx and Caddy", "to try the recipes for them; seconds", || {
        if home.exists() {
            fs::remove_dir_all(&home).with_context(|| format!("cannot remove {}", home.display()))?;
        }
        packages.unpack(&PACKAGES, &home)
    })?;
    ensure!(
        run(),
        "nginx or Caddy do not run from {}: `apt-get install nginx caddy` installs the missing libraries",
        home.display()
    );
    Ok(home)
}
