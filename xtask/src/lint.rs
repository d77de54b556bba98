//! Checks of the code that do not run it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::program::{Ending, Program};
use crate::setup::{Setup, WASM_TARGET, WasmToolchain};
use crate::sources::SourceTree;
use crate::words::Update;
use crate::workspace::Workspace;
use crate::{
    clocks, dependencies, module_circles, module_files, page_rules, predicates, progress, type_names, words,
};

/// Packages that run in a browser, and the features that enable their code for it.
pub const WASM_PACKAGES: [&str; 8] = [
    "--package",
    "tailcast",
    "--package",
    "webpubsub-client",
    "--package",
    "webpubsub-client-js",
    "--features",
    "webpubsub-client/web,tailcast/element",
];

/// Crates that are published. Their archives must build without the workspace.
const PUBLISHED_PACKAGES: [&str; 4] = ["--package", "webpubsub-protocol", "--package", "webpubsub-client"];

/// Name of the feature in the output of `cargo tree`.
const DELEGATION_FEATURE: &str = "tachys feature \"delegation\"";

/// Time limit for the download of the advisory database.
const DATABASE_LIMIT: Duration = Duration::from_secs(60);

/// Checks to run.
#[derive(Debug, clap::Args)]
pub struct Checks {
    /// Check only words, names of types, places of modules, clocks and unused dependencies: seconds, without a compiler
    #[arg(long)]
    words: bool,
    /// Lower the committed counts of words to the present ones; checks nothing
    #[arg(long)]
    update_words: bool,
    /// Also raise the counts that have grown
    #[arg(long, requires = "update_words")]
    force: bool,
}

impl Checks {
    /// Runs the selected checks.
    ///
    /// # Errors
    /// As [`run`].
    pub fn run(&self, workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
        if self.update_words {
            let update = if self.force { Update::Replace } else { Update::Lower };
            return words::update(workspace, &SourceTree::read(workspace.root())?, update);
        }
        if self.words { check_text(workspace) } else { run(workspace, setup) }
    }
}

/// Runs the checks, and stops at the first that fails.
///
/// # Errors
/// When set-up fails, or a check does.
pub fn run(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let toolchain = setup.wasm_toolchain()?;
    setup.linters(toolchain)?;
    progress::step("checking the formatting", "seconds", || {
        workspace
            .cargo()?
            .args(["fmt", "--all", "--check"])
            .run()
            .context("the code is not formatted: run `cargo fmt --all`")
    })?;
    check_text(workspace)?;
    progress::step("running clippy", "a minute the first time", || {
        clippy(workspace.cargo()?, &["--workspace"])
    })?;
    progress::step("running clippy on the code for browsers", "a minute the first time", || {
        clippy(wasm_cargo(workspace, toolchain)?, &[&["--target", WASM_TARGET], &WASM_PACKAGES[..]].concat())
    })?;
    progress::step("checking the use of Leptos in the page", "seconds", || {
        page_rules::check(&workspace.root().join("src"))?;
        check_event_delegation(workspace)
    })?;
    // The fuzz targets are a workspace with a lock file of their own.
    progress::step("running clippy on the fuzz targets", "a minute the first time", || {
        clippy(workspace.cargo()?, &["--locked", "--manifest-path", "fuzz/Cargo.toml"])
    })?;
    progress::step("checking the documentation", "a minute the first time", || {
        let doc = workspace.cargo()?.args(["doc", "--no-deps", "--workspace", "--quiet"]);
        doc.env("RUSTDOCFLAGS", "-Dwarnings").run()
    })?;
    progress::step("packing the crates that are published", "a minute the first time", || {
        // Uncommitted changes are packed too: they are under test.
        let package = ["package", "--quiet", "--allow-dirty", "--all-features"];
        workspace.cargo()?.args(package).args(PUBLISHED_PACKAGES).run()
    })?;
    check_dependencies(workspace, setup)
}

/// Checks what needs no compiler.
fn check_text(workspace: &Workspace) -> Result<()> {
    progress::step("checking words, names, modules, clocks and unused dependencies", "seconds", || {
        let sources = SourceTree::read(workspace.root())?;
        words::check(workspace, &sources)?;
        type_names::check(&sources.rust)?;
        module_files::check(&sources.rust)?;
        module_circles::check(&sources.rust)?;
        predicates::check(&sources.rust)?;
        clocks::check(&sources.rust)?;
        dependencies::check(&sources)
    })
}

/// Returns a cargo command that builds for the browser, into the target folder of the page.
///
/// # Errors
/// As [`Workspace::program`].
pub fn wasm_cargo(workspace: &Workspace, toolchain: WasmToolchain) -> Result<Program> {
    Ok(toolchain.applied_to(workspace.cargo()?).env("CARGO_TARGET_DIR", workspace.page_target()))
}

fn clippy(cargo: Program, selection: &[&str]) -> Result<()> {
    let command = cargo.args(["clippy", "--quiet", "--all-targets"]).args(selection);
    command.args(["--", "-D", "warnings"]).run()
}

/// Checks that no dependency enables event delegation in Leptos: listeners on the window never get the target of an event inside
/// of the closed shadow root of the element.
fn check_event_delegation(workspace: &Workspace) -> Result<()> {
    let tree = [
        "tree",
        "--package",
        "tailcast",
        "--target",
        WASM_TARGET,
        "--edges",
        "features",
        "--invert",
        "tachys",
    ];
    let features = workspace.cargo()?.args(tree).capture()?;
    ensure!(
        features.contains("tachys"),
        "`cargo tree` does not list tachys: check the rule in xtask/src/lint.rs"
    );
    ensure!(
        !features.contains(DELEGATION_FEATURE),
        "a dependency turns on `delegation` of tachys, which breaks events in shadow roots; `cargo tree --package tailcast \
         --target {WASM_TARGET} --edges features --invert tachys` shows which one"
    );
    Ok(())
}

fn check_dependencies(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    setup.cargo_deny()?;
    let deny =
        |args: &[&str]| Ok::<_, anyhow::Error>(workspace.cargo()?.args(["deny", "--workspace"]).args(args));
    progress::step("checking the dependencies", "licences, sources and versions; seconds", || {
        deny(&["check", "licenses", "bans", "sources"])?
            .run()
            .context("a dependency breaks a rule of deny.toml")
    })?;
    progress::announce("checking for known vulnerabilities", "the database comes from the network");
    let fetched = deny(&["fetch", "db"])?.without_output().run_within(DATABASE_LIMIT)?;
    if fetched == Ending::Succeeded {
        deny(&["check", "--disable-fetch", "advisories"])?.run()
    } else {
        progress::note("NOT CHECKED for known vulnerabilities: their database cannot be fetched here");
        Ok(())
    }
}
