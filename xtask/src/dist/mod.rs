//! Releases: `dist/` has one folder for each way of using Tailcast.
//!
//! | folder | use |
//! | --- | --- |
//! | `dist/site/` | the page on a file host |
//! | `dist/npm/` | `<tail-cast>` in another page |
//! | `dist/client-js/` | the client in JavaScript or TypeScript |
//! | `dist/bin/` | the server and the commands |

mod bin;
pub mod folder;
mod site;

use anyhow::Result;

use crate::setup::Setup;
use crate::workspace::Workspace;
use crate::{build, client_js, element, progress};

/// Builds all, and replaces the folders of `dist/`.
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
    folder::replace_with_copy(&workspace.element(), &dist.join("npm"))?;
    client_js::build(workspace, setup)?;
    folder::replace_with_copy(&workspace.client_js(), &dist.join("client-js"))?;
    progress::step("packing the program", "seconds", || bin::write(workspace, &dist))?;
    progress::note(&format!("all of it is in {}", dist.display()));
    Ok(())
}
