//! Packing what a user runs: the binary and the page, in one archive.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::setup::Setup;
use crate::workspace::Workspace;
use crate::{build, progress};

/// What goes beside the binary and the page, where it is there.
const DOCUMENTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds all and writes `target/dist/tailcast-VERSION-SYSTEM.tar.gz`. Unpacked, `./tailcast serve --site site` runs.
///
/// # Errors
/// When a build, a copy or `tar` fails.
pub fn run(workspace: &Workspace, setup: &Setup<'_>) -> Result<()> {
    build::all(workspace, setup)?;
    let name = format!("tailcast-{VERSION}-{}-{}", env::consts::ARCH, env::consts::OS);
    let parent = workspace.target().join("dist");
    let folder = parent.join(&name);
    progress::step(&format!("packing {name}"), "seconds", || {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        copy_folder(&workspace.site(), &folder.join("site"))?;
        copy_into(&workspace.tailcast(), &folder)?;
        let documents = DOCUMENTS.iter().map(|document| workspace.root().join(document));
        documents.filter(|path| path.exists()).try_for_each(|path| copy_into(&path, &folder))?;
        let archive = format!("{name}.tar.gz");
        workspace.program("tar")?.current_dir(&parent).args(["-czf", &archive, &name]).run()?;
        progress::note(&format!("{}", parent.join(archive).display()));
        Ok(())
    })
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    let entries = from.read_dir().with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", from.display()))?.path();
        if path.is_dir() {
            copy_folder(&path, &to.join(path.file_name().unwrap_or_default()))?;
        } else {
            copy_into(&path, to)?;
        }
    }
    Ok(())
}

fn copy_into(file: &Path, folder: &Path) -> Result<()> {
    let to = folder.join(file.file_name().unwrap_or_default());
    fs::copy(file, &to)
        .map(drop)
        .with_context(|| format!("cannot copy {} to {}", file.display(), to.display()))
}
