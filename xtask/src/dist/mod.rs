//! Packing what others get: `dist/` holds one folder for each way of using Tailcast.
//!
//! | folder | for whom |
//! | --- | --- |
//! | `dist/site/` | who puts the page on a file host |
//! | `dist/npm/` | who has `<tail-cast>` in a page of his own |
//! | `dist/bin/` | who runs the server and the commands |

mod bin;
mod folder;
mod site;

use anyhow::Result;

use crate::setup::Setup;
use crate::workspace::Workspace;
use crate::{build, element, progress};

/// Builds all, and writes the folders of `dist/` anew.
///
/// # Errors
/// When a build, a copy or `tar` fails.
pub fn run(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    build::all(workspace, setup)?;
    let dist = workspace.dist();
    progress::step("packing the page for file hosts", "seconds", || {
        site::write(workspace, &dist.join("site"))
    })?;
    element::build(workspace, setup)?;
    folder::copy_anew(&workspace.element(), &dist.join("npm"))?;
    progress::step("packing the program", "seconds", || bin::write(workspace, &dist))?;
    progress::note(&format!("all of it is in {}", dist.display()));
    Ok(())
}
