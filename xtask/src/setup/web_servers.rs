//! nginx and Caddy, for which `deploy/` has recipes that the tests try.
//!
//! Debian's packages are unpacked, not installed: installed, both would serve port 80 of this machine from then on.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::packages::Packages;
use crate::program::Program;
use crate::progress;
use crate::workspace::Workspace;

/// nginx with what sends `.br` files, and what both need that a small Debian lacks.
const PACKAGES: [&str; 5] =
    ["caddy", "libbrotli1", "libnginx-mod-http-brotli-static", "nginx", "nginx-common"];
/// Where the packages have their programs.
const PROGRAMS: [(&str, &str); 2] = [("usr/sbin/nginx", "-v"), ("usr/bin/caddy", "version")];

/// Finds both, or unpacks them; returns the folder in which they lie as Debian has them.
///
/// # Errors
/// When the packages cannot be had, or their programs do not run here.
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
        "nginx or Caddy do not run from {}: `apt-get install nginx caddy` brings the libraries that they miss",
        home.display()
    );
    Ok(home)
}
