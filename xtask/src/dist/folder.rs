//! Folders that are replaced as a whole, so that releases contain no files of earlier builds.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Creates an empty folder, and removes an existing one.
///
/// # Errors
/// When the existing one cannot be removed, or the new one not created.
pub fn recreate(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Copies a folder with all its contents, and removes an existing one.
///
/// # Errors
/// As [`recreate`], and when a file cannot be copied.
pub fn replace_with_copy(from: &Path, to: &Path) -> Result<()> {
    recreate(to)?;
    let entries = from.read_dir().with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", from.display()))?.path();
        if path.is_dir() {
            replace_with_copy(&path, &to.join(path.file_name().unwrap_or_default()))?;
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
    copy_as(file, &folder.join(file.file_name().unwrap_or_default()))
}

/// Copies one file to a path.
///
/// # Errors
/// When it cannot be read or written.
pub fn copy_as(file: &Path, to: &Path) -> Result<()> {
    fs::copy(file, to)
        .map(drop)
        .with_context(|| format!("cannot copy {} to {}", file.display(), to.display()))
}
