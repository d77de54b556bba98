//! Building: the page with trunk, the server with cargo.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::progress;
use crate::setup::{Setup, StaticTarget, WasmToolchain};
use crate::site;
use crate::stamp::Stamp;
use crate::workspace::Workspace;

/// Inputs of the page, relative to the root. Style sheets beside `index.html` are inputs too.
const PAGE_INPUTS: [&str; 10] = [
    "assets",
    "Cargo.lock",
    "Cargo.toml",
    "crates/client",
    "crates/lines",
    "crates/protocol",
    "index.html",
    "src",
    "Trunk.toml",
    "xtask/src/site",
];
const STYLE_EXTENSIONS: [&str; 3] = ["css", "scss", "sass"];

/// Builds the page and the server.
///
/// # Errors
/// When set-up or a build fails.
pub fn all(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    page(workspace, setup)?;
    program(workspace, None).map(drop)
}

/// Builds the page into `target/site/`, unless nothing changed since the last time.
///
/// # Errors
/// When set-up or trunk fails.
pub fn page(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let toolchain = setup.page()?;
    let stamp = Stamp::new(workspace.page_target(), "page", index(workspace), page_inputs(workspace.root()));
    stamp.renew(|| {
        progress::step("building the page", "about 4 minutes the first time, then half a minute", || {
            trunk(workspace, toolchain)?;
            site::finish(&workspace.site())
        })
    })
}

/// Builds the program, which contains the page of `target/site/`, and returns its path. Without a target, that is
/// `target/release/tailcast`.
///
/// # Errors
/// When the build fails.
pub fn program(workspace: &Workspace, target: Option<&StaticTarget>) -> Result<PathBuf> {
    progress::step("building the server", "a few minutes the first time", || {
        let build = workspace.cargo()?.args(["build", "--release", "--package", "tailcast-server"]);
        let build = match target {
            Some(target) => target.applied_to(build),
            None => build,
        };
        build.env("TAILCAST_EMBED_SITE", workspace.site()).run()
    })?;
    Ok(workspace.built_program(target.map(|target| target.triple.as_str())))
}

fn trunk(workspace: &Workspace, toolchain: WasmToolchain) -> Result<()> {
    let trunk = workspace
        .program("trunk")?
        .args([
            "build",
            "--release",
            "--offline",
            "--skip-version-check",
            "--cargo-profile",
            "page",
            "--dist",
        ])
        .arg(workspace.site())
        .env("CARGO_TARGET_DIR", workspace.page_target())
        // The error of a failed build is one line; the call stack of trunk adds nothing.
        .env("RUST_BACKTRACE", "0")
        // Trunk reads this as its own switch, and refuses the value that many machines set.
        .env_remove("NO_COLOR");
    toolchain.applied_to(trunk).run()
}

fn index(workspace: &Workspace) -> PathBuf {
    workspace.site().join("index.html")
}

fn page_inputs(root: &Path) -> Vec<PathBuf> {
    let is_style = |path: &PathBuf| {
        path.extension().is_some_and(|extension| STYLE_EXTENSIONS.iter().any(|style| extension == *style))
    };
    let styles = root.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).filter(is_style);
    PAGE_INPUTS.iter().map(|input| root.join(input)).chain(styles).collect()
}
