//! Post-processing of trunk's output: external scripts for a strict Content-Security-Policy, an error message when the page does
//! not start, a service worker for offline use, and compressed copies of all files.

mod offline;
mod packing;
mod start;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

pub use offline::lasting_names;
pub use packing::is_packed;

/// File name of the page.
pub const INDEX: &str = "index.html";
/// File name of the settings of a page for file hosts.
pub const SETTINGS: &str = "config.json";

/// Number of hexadecimal digits of a hash in a file name, as in trunk's names.
const HASH_DIGITS: usize = 16;
/// Fewest of these digits: trunk omits leading zeros.
const MIN_HASH_DIGITS: usize = 8;
/// Root element of `index.html` without and with a settings file.
const ROOT: (&str, &str) = ("<html lang=\"en\">", "<html lang=\"en\" data-config=\"config.json\">");

/// Converts trunk's output to the page that a server sends.
///
/// # Errors
/// When `index.html` is not what trunk writes, or a file cannot be read or written.
pub fn finish(site: &Path) -> Result<()> {
    start::move_out(site)?;
    offline::keep(site, &[])?;
    files(site)?.iter().try_for_each(|file| packing::pack(file))
}

/// Converts a finished page to one for file hosts, which reads `settings` from a file beside it.
///
/// # Errors
/// When `index.html` is not ours, or a file cannot be read or written.
pub fn read_settings_beside(site: &Path, settings: &str) -> Result<()> {
    let index = site.join(INDEX);
    let html = read(&index)?;
    let with_settings = html.replacen(ROOT.0, ROOT.1, 1);
    anyhow::ensure!(with_settings != html, "{} has no `{}` to name its settings in", index.display(), ROOT.0);
    write(&index, with_settings.as_bytes())?;
    let file = site.join(SETTINGS);
    write(&file, settings.as_bytes())?;
    let worker = offline::keep(site, &[SETTINGS])?;
    // A host may change the settings, but would still send a compressed copy of the old ones.
    [index, worker].iter().try_for_each(|file| packing::pack(file))
}

/// Returns all files below `folder`, sorted by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.is_dir() { found.extend(files(&path)?) } else { found.push(path) }
    }
    found.sort();
    Ok(found)
}

/// Returns the hash of a file's contents for its name.
fn short_hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let digits = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    digits.chars().take(HASH_DIGITS).collect()
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}
