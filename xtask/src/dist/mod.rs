//! Releases: `dist/` has one folder for each way of using Tailcast.
//!
//! | folder | use |
//! | --- | --- |
//! | `dist/site/` | the page on a file host |
//! | `dist/npm/` | `<tail-cast>` in another page, and the start of the program by npm |
//! | `dist/npm-PLATFORM/` | the program for npm |
//! | `dist/wheel/` | the program for Python's installers |
//! | `dist/client-js/` | the client in JavaScript or TypeScript |
//! | `dist/bin/` | the program, and an archive with it |

mod bin;
pub mod folder;
mod npm_program;
mod site;
mod wheel;

use anyhow::{Context, Result, ensure};

use crate::platform::Platform;
use crate::setup::Setup;
use crate::workspace::Workspace;
use crate::{build, client_js, element, progress};

pub use npm_program::SCOPE;

/// Extent of the packages.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct PackOptions {
    /// Build and pack only the program, with the page that is already in target/site/ and dist/site/
    #[arg(long)]
    program: bool,
}

/// Builds all, and replaces the folders of `dist/`.
///
/// # Errors
/// When a build, a copy or `tar` fails.
pub fn run(workspace: &Workspace, setup: &Setup<'_>, options: PackOptions) -> Result<()> {
    if !options.program {
        pages(workspace, setup)?;
    }
    program(workspace, setup)?;
    progress::note(&format!("all of it is in {}", workspace.dist().display()));
    Ok(())
}

/// Packs what runs on every platform.
fn pages(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let dist = workspace.dist();
    build::page(workspace, setup)?;
    progress::step("packing the page for file hosts", "seconds", || {
        site::write(workspace, &dist.join("site"))
    })?;
    element::build(workspace, setup)?;
    folder::replace_with_copy(&workspace.element(), &dist.join("npm"))?;
    client_js::build(workspace, setup)?;
    folder::replace_with_copy(&workspace.client_js(), &dist.join("client-js"))
}

/// Packs the program for this platform.
fn program(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    let dist = workspace.dist();
    for site in [workspace.site(), dist.join("site")] {
        ensure!(site.join("index.html").is_file(), "there is no page in {}", site.display());
    }
    let platform = Platform::current().context("there are no packages for this platform")?;
    let target = setup.static_target()?;
    let program = build::program(workspace, target.as_ref())?;
    progress::step("packing the program", "seconds", || {
        bin::write(workspace, &program, platform, &dist)?;
        wheel::write(workspace, &program, platform, &dist.join("wheel"))?;
        npm_program::write(workspace, &program, platform, &dist.join(format!("npm-{}", platform.npm_name())))
    })
}
