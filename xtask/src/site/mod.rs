//! What is done to the page after trunk: it then suits a strict Content-Security-Policy, says in words why it does not start,
//! works without a network, and suits servers that send files packed.

mod offline;
mod packing;
mod start;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

pub use offline::lasting_names;
pub use packing::is_packed;

/// The page itself.
pub const INDEX: &str = "index.html";
/// The settings that a page for file hosts has beside it.
pub const SETTINGS: &str = "config.json";

/// How many hexadecimal digits of a hash stand in a name, as trunk has it.
const HASH_DIGITS: usize = 16;
/// What follows in `index.html` when the page asks for no settings, and when it does.
const ROOT: (&str, &str) = ("<html lang=\"en\">", "<html lang=\"en\" data-config=\"config.json\">");

/// Makes what trunk wrote the page that a server sends.
///
/// # Errors
/// When `index.html` is not what trunk writes, or a file cannot be read or written.
pub fn finish(site: &Path) -> Result<()> {
    start::move_out(site)?;
    offline::keep(site, &[])?;
    files(site)?.iter().try_for_each(|file| packing::pack(file))
}

/// Makes a finished page one for file hosts: it reads `settings` from a file beside it.
///
/// # Errors
/// When `index.html` is not ours, or a file cannot be read or written.
pub fn read_settings_beside(site: &Path, settings: &str) -> Result<()> {
    let index = site.join(INDEX);
    let html = read(&index)?;
    let told = html.replacen(ROOT.0, ROOT.1, 1);
    anyhow::ensure!(told != html, "{} has no `{}` to name its settings in", index.display(), ROOT.0);
    write(&index, told.as_bytes())?;
    let file = site.join(SETTINGS);
    write(&file, settings.as_bytes())?;
    let worker = offline::keep(site, &[SETTINGS])?;
    // Settings are there to be changed: a packed copy would go on being sent.
    [index, worker].iter().try_for_each(|file| packing::pack(file))
}

/// All files below `folder`, in the order of their names.
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

/// What stands in a name for what the file holds.
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
