//! Programs that crates.io brings: found at the right version, or compiled once into `.tools/cargo`.

use std::fs;

use anyhow::{Context, Result};

use super::lock_file::locked_version;
use crate::program::Program;
use crate::progress;
use crate::workspace::Workspace;

/// The newest trunk that builds with the Rust this project supports.
const TRUNK: CargoTool = CargoTool {
    package: "trunk",
    program: "trunk",
    options: &["--no-default-features"],
    why_and_how_long: "it bundles the page; compiled once, about 4 minutes",
};
const WASM_BINDGEN: CargoTool = CargoTool {
    package: "wasm-bindgen-cli",
    program: "wasm-bindgen",
    options: &[],
    why_and_how_long: "it joins WebAssembly and JavaScript; compiled once, about 2 minutes",
};
const CARGO_DENY: CargoTool = CargoTool {
    package: "cargo-deny",
    program: "cargo-deny",
    options: &["--no-default-features"],
    why_and_how_long: "it checks the licences and sources of all dependencies; compiled once, about a minute",
};

const GECKODRIVER: CargoTool = CargoTool {
    package: "geckodriver",
    program: "geckodriver",
    options: &[],
    why_and_how_long: "it steers Firefox in the tests; compiled once, about 2 minutes",
};

const TRUNK_VERSION: &str = "0.21.14";
const CARGO_DENY_VERSION: &str = "0.20.2";
const GECKODRIVER_VERSION: &str = "0.37.1";

struct CargoTool {
    package: &'static str,
    program: &'static str,
    options: &'static [&'static str],
    why_and_how_long: &'static str,
}

/// Finds or installs trunk.
///
/// # Errors
/// When it is missing and cannot be installed.
pub fn ensure_trunk(workspace: &Workspace) -> Result<()> {
    ensure(workspace, &TRUNK, TRUNK_VERSION)
}

/// Finds or installs wasm-bindgen's command line and test runner. Their version must equal that of the library, because they
/// share a private format.
///
/// # Errors
/// As [`ensure_trunk`].
pub fn ensure_wasm_bindgen(workspace: &Workspace) -> Result<()> {
    ensure(workspace, &WASM_BINDGEN, &locked_version(workspace, "wasm-bindgen")?)
}

/// Finds or installs cargo-deny.
///
/// # Errors
/// As [`ensure_trunk`].
pub fn ensure_cargo_deny(workspace: &Workspace) -> Result<()> {
    ensure(workspace, &CARGO_DENY, CARGO_DENY_VERSION)
}

/// Finds or installs the driver of Firefox.
///
/// # Errors
/// As [`ensure_trunk`].
pub fn ensure_geckodriver(workspace: &Workspace) -> Result<()> {
    ensure(workspace, &GECKODRIVER, GECKODRIVER_VERSION)
}

fn ensure(workspace: &Workspace, tool: &CargoTool, version: &str) -> Result<()> {
    if is_there(workspace, tool, version) {
        return Ok(());
    }
    let what = format!("installing {} {version}", tool.package);
    progress::step(&what, tool.why_and_how_long, || install(workspace, tool, version)).with_context(|| {
        let package = tool.package;
        format!(
            "{package} {version} is missing; `cargo install {package}@{version}` by hand may tell more, and any copy \
             on PATH will be used"
        )
    })
}

/// Returns whether the program that a child would run has this version.
fn is_there(workspace: &Workspace, tool: &CargoTool, version: &str) -> bool {
    workspace.find_program(tool.program).is_some_and(|path| {
        let answer = Program::new(path).arg("--version").capture();
        answer.is_ok_and(|text| text.split_whitespace().any(|word| word == version))
    })
}

fn install(workspace: &Workspace, tool: &CargoTool, version: &str) -> Result<()> {
    let build = workspace.tools().join("build").join(tool.package);
    let attempt = |locked: &[&str]| {
        workspace
            .cargo()?
            .args(["install", "--debug", "--force"])
            .args(locked)
            .arg(format!("{}@{version}", tool.package))
            .args(tool.options)
            .arg("--root")
            .arg(workspace.tools().join("cargo"))
            .env("CARGO_TARGET_DIR", &build)
            // A debug build compiles in a quarter of the time, and these programs do little work.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .run()
    };
    attempt(&["--locked"]).or_else(|error| {
        // Some lock files have a dependency that was yanked, or that a mirror does not have yet.
        progress::note(&format!("with its lock file it failed ({error:#}): trying without"));
        attempt(&[])
    })?;
    fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))
}
