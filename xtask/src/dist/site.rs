//! The page for a file host, which reads the negotiation address from a settings file beside it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::folder;
use crate::site;
use crate::workspace::Workspace;

/// Initial settings: the defaults, as an example to edit.
const SETTINGS: &str = "{\n  \"negotiate\": \"negotiate\",\n  \"group\": \"stream\"\n}\n";
/// File of response headers, which several hosts read.
const HEADERS: &str = "_headers";
/// Header of files with a hash in their names.
const FOR_EVER: &str = "Cache-Control: public, max-age=31536000, immutable";

/// Writes the folder, and removes an existing one.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(workspace: &Workspace, to: &Path) -> Result<()> {
    folder::replace_with_copy(&workspace.site(), to)?;
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
