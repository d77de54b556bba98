//! Build of the custom element: WebAssembly, its JavaScript, and the other files of an npm package.

use std::path::Path;

use anyhow::{Context, Result};

use crate::dist::{SCOPE, folder};
use crate::npm_package::{self, read, write};
use crate::platform::Platform;
use crate::progress;
use crate::setup::{Setup, WASM_TARGET, WasmToolchain};
use crate::stamp::Stamp;
use crate::workspace::Workspace;

/// Files of `src/element` that go into the package as they are, but for what [`STYLE_MARK`] names.
const FILES: [&str; 8] = [
    "tailcast.js",
    "command.js",
    "development.jsx",
    "tailcast.d.ts",
    "react.d.ts",
    "custom-elements.json",
    "package.json",
    "README.md",
];
/// Placeholder in `package.json` for the packages with the program.
const PROGRAMS_MARK: &str = "\"__PROGRAMS__\"";
/// Placeholder in those files for the style sheet, as a JavaScript string.
const STYLE_MARK: &str = "\"__STYLE__\"";
/// Base name of the WebAssembly files.
const CORE: &str = "tailcast-core";

/// Inputs of the package, relative to the root.
const INPUTS: [&str; 12] = [
    "assets/style.css",
    "Cargo.lock",
    "Cargo.toml",
    "crates/client",
    "crates/lines",
    "crates/protocol",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "src",
    "xtask/src/element.rs",
    "xtask/src/npm_package.rs",
    "xtask/src/platform.rs",
];

/// Builds the package into [`Workspace::element`], unless nothing changed since the last time.
///
/// # Errors
/// When set-up, a build or a copy fails.
pub fn build(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let toolchain = setup.page()?;
    let inputs = INPUTS.iter().map(|input| workspace.root().join(input)).collect();
    let output = workspace.element().join("package.json");
    let stamp = Stamp::new(workspace.page_target(), "element", output, inputs);
    stamp.renew(|| {
        progress::step("building the custom element", "about 4 minutes the first time, then a minute", || {
            build_anew(workspace, toolchain, &workspace.element())
        })
    })
}

fn build_anew(workspace: &Workspace, toolchain: WasmToolchain, package: &Path) -> Result<()> {
    folder::recreate(package)?;
    let target = workspace.page_target();
    let cargo = workspace.cargo()?.args(["build", "--quiet", "--profile", "page", "--target", WASM_TARGET]);
    let cargo = cargo.args(["--bin", "tailcast-element", "--features", "element"]);
    toolchain.applied_to(cargo.env("CARGO_TARGET_DIR", &target)).run()?;
    let bindgen =
        workspace.program("wasm-bindgen")?.args(["--target", "web", "--no-typescript", "--out-name", CORE]);
    let module = target.join(WASM_TARGET).join("page/tailcast-element.wasm");
    bindgen.arg("--out-dir").arg(package).arg(module).run()?;
    // As trunk does it for the page.
    npm_package::optimise(workspace, &package.join(format!("{CORE}_bg.wasm")), &["-Oz", "--converge"])?;
    let script = package.join(format!("{CORE}.js"));
    write(&script, &without_comments(&read(&script)?))?;
    write_files(workspace, package)
}

fn write_files(workspace: &Workspace, package: &Path) -> Result<()> {
    let style = read(&workspace.root().join("assets/style.css"))?;
    let style = serde_json::to_string(&own_style(&style)).context("the style sheet is no text")?;
    let programs = programs();
    npm_package::write_files(
        workspace,
        &workspace.root().join("src/element"),
        &FILES,
        package,
        |name, text| {
            let text = if name.ends_with(".js") { without_comments(&text) } else { text };
            text.replace(STYLE_MARK, &style).replace(PROGRAMS_MARK, &programs)
        },
    )
}

/// Returns the packages with the program, of this version, as a JSON object.
fn programs() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let packages = Platform::npm_names().map(|name| format!("\"{SCOPE}/{name}\": \"{version}\""));
    format!("{{ {} }}", packages.collect::<Vec<_>>().join(", "))
}

/// Returns the style sheet for a shadow root: sizes do not depend on the font of the host page, and comments are removed.
fn own_style(style: &str) -> String {
    let mut out = String::with_capacity(style.len());
    let is_code = |line: &&str| !(line.is_empty() || line.starts_with("/*") && line.ends_with("*/"));
    for line in style.lines().map(str::trim).filter(is_code) {
        out.push_str(&without_rem(line));
        out.push('\n');
    }
    out
}

/// Removes comments on lines of their own, and indentation, from a script.
fn without_comments(script: &str) -> String {
    let is_code =
        |line: &&str| !line.is_empty() && !["//", "/*", "*"].iter().any(|mark| line.starts_with(mark));
    script.lines().map(str::trim).filter(is_code).flat_map(|line| [line, "\n"]).collect()
}

/// Converts `0.875rem` to `14px`, scaled by a property that the host page may set.
fn without_rem(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("rem") {
        let (before, after) = rest.split_at(at);
        let digits = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number = &before[digits.len()..];
        out.push_str(digits);
        if number.is_empty() {
            out.push_str("rem");
        } else {
            out.push_str(&format!("calc({number} * var(--tailcast-font-size, 16px))"));
        }
        rest = &after["rem".len()..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_hang_on_what_the_page_sets_and_words_are_left_alone() {
        let own = own_style("  font: 0.875rem/1.45 x;\n\n  /* a note */\n  --premium: 1;\n");
        assert_eq!(own, "font: calc(0.875 * var(--tailcast-font-size, 16px))/1.45 x;\n--premium: 1;\n");
    }

    #[test]
    fn comments_are_removed_and_code_stays() {
        let script = "/** Says. */\n/**\n * At length.\n */\nfunction f() {\n  // Why.\n  return \"//\"; // stays\n}\n";
        assert_eq!(without_comments(script), "function f() {\nreturn \"//\"; // stays\n}\n");
    }
}
