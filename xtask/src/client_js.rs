//! Building the client for JavaScript, as a package of npm.

use std::path::Path;

use anyhow::Result;

use crate::dist::folder;
use crate::setup::{Setup, WASM_TARGET, WasmToolchain};
use crate::stamp::Stamp;
use crate::workspace::Workspace;
use crate::{npm_package, progress};

/// Files of `crates/client-js/package` that go into it.
const FILES: [&str; 12] = [
    "package.json",
    "README.md",
    "core-loader.js",
    "errors.js",
    "group-stream-writer.js",
    "group-streams.js",
    "message-deadline.js",
    "node.js",
    "options.js",
    "protocols.js",
    "webpubsub-client.d.ts",
    "webpubsub-client.js",
];
/// Name of the WebAssembly and its JavaScript.
const NAME: &str = "core";

/// Inputs of the package, relative to the root.
const INPUTS: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "crates/client",
    "crates/client-js",
    "crates/protocol",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "xtask/src/client_js.rs",
    "xtask/src/npm_package.rs",
];

/// Builds the package into [`Workspace::client_js`], unless nothing changed since the last time.
///
/// # Errors
/// When set-up, a build or a copy fails.
pub fn build(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let toolchain = setup.page()?;
    let inputs = INPUTS.iter().map(|input| workspace.root().join(input)).collect();
    let output = workspace.client_js().join("package.json");
    Stamp::new(workspace.page_target(), "client-js", output, inputs).renew(|| {
        progress::step("building the client for JavaScript", "a minute the first time", || {
            build_anew(workspace, toolchain, &workspace.client_js())
        })
    })
}

fn build_anew(workspace: &Workspace, toolchain: WasmToolchain, package: &Path) -> Result<()> {
    folder::recreate(package)?;
    let target = workspace.page_target();
    let cargo =
        workspace.cargo()?.args(["build", "--quiet", "--profile", "client-js", "--target", WASM_TARGET]);
    let cargo = cargo.args(["--package", "webpubsub-client-js"]).env("CARGO_TARGET_DIR", &target);
    toolchain.applied_to(cargo).run()?;
    // The types of the package are those of its own classes.
    let flags = ["--target", "web", "--no-typescript", "--out-name", NAME];
    let bindgen = workspace.program("wasm-bindgen")?.args(flags);
    let module = target.join(WASM_TARGET).join("client-js/webpubsub_client_js.wasm");
    bindgen.arg("--out-dir").arg(package).arg(module).run()?;
    npm_package::optimise(workspace, &package.join(format!("{NAME}_bg.wasm")), &["-O3"])?;
    let sources = workspace.root().join("crates/client-js/package");
    npm_package::write_files(workspace, &sources, &FILES, package, |_, text| text)
}
