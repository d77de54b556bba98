//! Python environment with third-party libraries for the whole-system tests and the benchmarks: the vendor's SDK, and the
//! WebSocket client of the tutorial.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::packages::Packages;
use crate::program::Program;
use crate::progress;
use crate::workspace::Workspace;

/// Copy of the installed requirements. A difference causes a new installation.
const STAMP: &str = "installed-requirements.txt";

/// Finds or creates the environment, and returns its interpreter.
///
/// # Errors
/// When there is no Python 3 that can make a virtual environment, or pip fails.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<PathBuf> {
    let (home, requirements) = (workspace.tools().join("python"), workspace.python_requirements());
    ensure_environment(workspace, packages, &home, &requirements, "for the vendor's SDK in the tests")
}

/// Finds or creates an environment at `home` with the packages of `requirements`.
///
/// # Errors
/// As [`ensure`].
pub(super) fn ensure_environment(
    workspace: &Workspace,
    packages: &Packages,
    home: &Path,
    requirements: &Path,
    purpose: &str,
) -> Result<PathBuf> {
    let python = if cfg!(windows) { home.join("Scripts/python.exe") } else { home.join("bin/python") };
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let is_current = fs::read_to_string(home.join(STAMP)).is_ok_and(|installed| installed == wanted);
    // An upgrade of the system's Python leaves a dangling link, so that the interpreter must run, not only exist.
    if is_current && Program::new(&python).arg("-c").arg("").capture().is_ok() {
        return Ok(python);
    }
    progress::step("making a Python environment", &format!("{purpose}; seconds"), || {
        make_environment(workspace, packages, home)?;
        Program::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(requirements)
            .run()
            .with_context(|| format!("pip could not install what {} lists", requirements.display()))?;
        fs::write(home.join(STAMP), &wanted).with_context(|| format!("cannot write to {}", home.display()))
    })?;
    Ok(python)
}

/// Creates an environment. Some Pythons lack `venv` or `ensurepip`, which only an attempt shows.
fn make_environment(workspace: &Workspace, packages: &Packages, home: &Path) -> Result<()> {
    if workspace.find_program("python3").is_some() {
        match environment_by("python3", home) {
            Ok(()) => return Ok(()),
            Err(error) => progress::note(&format!("this machine's python3 cannot make one ({error:#})")),
        }
    }
    packages.install(
        &["python3", "python3-venv"],
        "testing with the vendor's SDK",
        "any Python from 3.11 on with venv serves",
    )?;
    environment_by("/usr/bin/python3", home)
}

fn environment_by(python: &str, home: &Path) -> Result<()> {
    Program::new(python).args(["-m", "venv", "--clear"]).arg(home).capture().map(drop)
}
