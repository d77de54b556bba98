//! Files of npm packages beside their WebAssembly.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::workspace::Workspace;

const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];
/// Placeholder for the version.
const VERSION_MARK: &str = "__VERSION__";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes the licences and the files `names` of `sources`, with the version filled in. `change` gets the name and text of each
/// file, and returns its final text.
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
    write_licences(workspace, folder)
}

/// Writes the licences.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_licences(workspace: &Workspace, folder: &Path) -> Result<()> {
    LICENCES.iter().try_for_each(|name| write(&folder.join(name), &read(&workspace.root().join(name))?))
}

/// Optimises a module with these options of `wasm-opt`. The stack ends at the lowest addresses, so no data is there, and
/// offsets can be folded.
///
/// # Errors
/// When `wasm-opt` fails.
pub fn optimise(workspace: &Workspace, module: &Path, options: &[&str]) -> Result<()> {
    let optimised = module.with_extension("optimised");
    let wasm_opt = workspace.program("wasm-opt")?.args(options).arg("--low-memory-unused");
    wasm_opt.arg("-o").arg(&optimised).arg(module).run()?;
    fs::rename(&optimised, module).with_context(|| format!("cannot write {}", module.display()))
}

/// Reads a text file.
///
/// # Errors
/// When it cannot be read, with its name.
pub fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Writes a text file.
///
/// # Errors
/// When it cannot be written, with its name.
pub fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
