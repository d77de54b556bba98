//! Packing what a user runs: the binary and the page, in one archive.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::program::Program;
use crate::setup::Setup;
use crate::workspace::Workspace;
use crate::{build, progress};

/// What goes beside the binary and the page, where it is there.
const DOCUMENTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// The shells whose completions go along, and what they look for.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "tailcast.bash"), ("zsh", "_tailcast"), ("fish", "tailcast.fish")];
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Builds all and writes `target/dist/tailcast-VERSION-SYSTEM.tar.gz`. Unpacked, `./tailcast serve` runs; manual pages,
/// completions, what `deploy/` has, and the page for a file host lie beside it.
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
        copy_folder(&workspace.root().join("deploy"), &folder.join("deploy"))?;
        copy_into(&workspace.tailcast(), &folder)?;
        write_manual(workspace, &folder)?;
        let documents = DOCUMENTS.iter().map(|document| workspace.root().join(document));
        documents.filter(|path| path.exists()).try_for_each(|path| copy_into(&path, &folder))?;
        let archive = format!("{name}.tar.gz");
        workspace.program("tar")?.current_dir(&parent).args(["-czf", &archive, &name]).run()?;
        progress::note(&format!("{}", parent.join(archive).display()));
        Ok(())
    })
}

/// What the program says about itself.
fn write_manual(workspace: &Workspace, folder: &Path) -> Result<()> {
    let tailcast = || Program::new(workspace.tailcast());
    tailcast().arg("man").arg(folder.join("man")).run()?;
    let completions = folder.join("completions");
    fs::create_dir_all(&completions).with_context(|| format!("cannot create {}", completions.display()))?;
    COMPLETIONS.iter().try_for_each(|(shell, name)| {
        let file = completions.join(name);
        let text = tailcast().args(["completions", shell]).capture()?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
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
