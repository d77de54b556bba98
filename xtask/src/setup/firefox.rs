//! Firefox and its driver, for the tests that run in both browsers.
//!
//! Debian has no package of its driver, and the packages of npm and PyPI download it from elsewhere. So it is compiled from
//! crates.io, where its authors publish it.

use std::env;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::browser::Browser;
use super::cargo_tools;
use super::packages::Packages;
use crate::workspace::Workspace;

const BROWSER_NAMES: [&str; 2] = ["firefox-esr", "firefox"];
const PACKAGE: &str = "firefox-esr";

/// Finds both, or installs what is missing. `FIREFOX` and `GECKODRIVER` name other copies.
///
/// # Errors
/// When one is missing and cannot be installed.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<Browser> {
    let program = match find(workspace) {
        Some(program) => program,
        None => {
            packages.install(&[PACKAGE], "testing in Firefox", "or set FIREFOX to the program")?;
            find(workspace).context("firefox-esr was installed, but is not on PATH")?
        }
    };
    let named = env::var_os("GECKODRIVER").map(PathBuf::from);
    // Hosted CI machines have the driver in a folder of its own.
    let in_folder = || env::var_os("GECKOWEBDRIVER").map(|dir| PathBuf::from(dir).join("geckodriver"));
    let found = || named.or_else(in_folder).or_else(|| workspace.find_program("geckodriver"));
    let driver = match found() {
        Some(driver) => driver,
        None => {
            cargo_tools::ensure_geckodriver(workspace)?;
            workspace.find_program("geckodriver").context("geckodriver was installed, but is not on PATH")?
        }
    };
    Ok(Browser { program, driver })
}

fn find(workspace: &Workspace) -> Option<PathBuf> {
    let named = env::var_os("FIREFOX").map(PathBuf::from);
    named.or_else(|| BROWSER_NAMES.iter().find_map(|name| workspace.find_program(name)))
}
