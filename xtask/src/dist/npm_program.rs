//! npm package with the program for one platform. The package `tailcast` starts it.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::folder;
use crate::npm_package;
use crate::platform::Platform;
use crate::workspace::Workspace;

/// Scope of the packages.
pub const SCOPE: &str = "@tailcast";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes the package into the folder `to`, and removes an existing folder. npm installs it on its platform only.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write(workspace: &Workspace, program: &Path, platform: &Platform, to: &Path) -> Result<()> {
    folder::recreate(to)?;
    folder::copy_as(program, &to.join(platform.program()))?;
    let name = platform.npm_name();
    let (os, cpu) = platform.npm;
    let package = json!({
        "name": format!("{SCOPE}/{name}"),
        "version": VERSION,
        "description": format!("The program of the package tailcast, for {name}"),
        "license": env!("CARGO_PKG_LICENSE"),
        "repository": "github:tailcast/tailcast",
        "os": [os],
        "cpu": [cpu],
        "files": [platform.program(), "LICENSE-*"],
        // Yarn would keep the program in an archive otherwise.
        "preferUnplugged": true,
    });
    npm_package::write(&to.join("package.json"), &format!("{package:#}\n"))?;
    npm_package::write_licences(workspace, to)
}
