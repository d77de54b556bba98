//! Folders that are made anew each time: nothing of an earlier build may stay in what is shipped.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Makes an empty folder, in place of what was there.
///
/// # Errors
/// When the old one cannot be removed, or the new one not be made.
pub fn make_anew(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Makes a folder that holds what another does.
///
/// # Errors
/// As [`make_anew`], and when a file cannot be copied.
pub fn copy_anew(from: &Path, to: &Path) -> Result<()> {
    make_anew(to)?;
    let entries = from.read_dir().with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", from.display()))?.path();
        if path.is_dir() {
            copy_anew(&path, &to.join(path.file_name().unwrap_or_default()))?;
        } else {
            copy_into(&path, to)?;
        }
    }
    Ok(())
}

/// Copies one file into a folder.
///
/// # Errors
/// When it cannot be read or written.
pub fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to)
        .map(drop)
        .with_context(|| format!("cannot copy {} to {}", file.display(), to.display()))
}
