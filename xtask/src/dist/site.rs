//! The page for a file host: told where to negotiate by a file of settings beside it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::folder;
use crate::site;
use crate::workspace::Workspace;

/// What the settings say at first: what holds without them, for whoever hosts the page to change.
const SETTINGS: &str = "{\n  \"negotiate\": \"negotiate\",\n  \"group\": \"stream\"\n}\n";
/// Headers in the form that several hosts read from beside the page, and what they are to say of names with a hash.
const HEADERS: &str = "_headers";
const FOR_EVER: &str = "Cache-Control: public, max-age=31536000, immutable";

/// Writes the folder anew.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(workspace: &Workspace, to: &Path) -> Result<()> {
    folder::copy_anew(&workspace.site(), to)?;
    site::read_settings_beside(to, SETTINGS)?;
    write_headers(&workspace.root().join("deploy").join(HEADERS), to)
}

fn write_headers(common: &Path, to: &Path) -> Result<()> {
    let mut rules =
        fs::read_to_string(common).with_context(|| format!("cannot read {}", common.display()))?;
    for name in site::lasting_names(to)? {
        rules.push_str(&format!("/{name}\n  {FOR_EVER}\n"));
    }
    let file = to.join(HEADERS);
    fs::write(&file, rules).with_context(|| format!("cannot write {}", file.display()))
}
