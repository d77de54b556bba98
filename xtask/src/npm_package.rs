//! What every package of npm has besides its WebAssembly.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
/// What stands in the files for the version.
const VERSION_MARK: &str = "__VERSION__";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes the licences, and the files of these names from `sources`, with the version in its place and changed by `change`,
/// which is given name and text.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_files(
    workspace: &Workspace,
    sources: &Path,
    names: &[&str],
    folder: &Path,
    change: impl Fn(&str, String) -> String,
) -> Result<()> {
    for name in names {
        let text = read(&sources.join(name))?.replace(VERSION_MARK, VERSION);
        write(&folder.join(name), &change(name, text))?;
    }
    LICENCES.iter().try_for_each(|name| write(&folder.join(name), &read(&workspace.root().join(name))?))
}

/// Makes a module smaller, or faster, with these options of `wasm-opt`. The lowest memory is the end of the stack: nothing
/// has an address there.
///
/// # Errors
/// When `wasm-opt` fails.
pub fn optimise(workspace: &Workspace, module: &Path, options: &[&str]) -> Result<()> {
    let optimised = module.with_extension("optimised");
    let wasm_opt = workspace.program("wasm-opt")?.args(options).arg("--low-memory-unused");
    wasm_opt.arg("-o").arg(&optimised).arg(module).run()?;
    fs::rename(&optimised, module).with_context(|| format!("cannot write {}", module.display()))
}

/// Reads a text.
///
/// # Errors
/// When it cannot be read: names it.
pub fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Writes a text.
///
/// # Errors
/// When it cannot be written: names it.
pub fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
