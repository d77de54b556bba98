//! The program, what it says about itself, and all that a user runs in one archive.

use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result};

use super::folder;
use crate::program::Program;
use crate::workspace::Workspace;

/// What goes beside the program into the archive.
const DOCUMENTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// The shells whose completions go along, and what they look for.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "tailcast.bash"), ("zsh", "_tailcast"), ("fish", "tailcast.fish")];
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes `bin/` in `dist`: the program, manual pages, completions, and `tailcast-VERSION-SYSTEM.tar.gz`. That holds the
/// same, and `dist`'s `site/`, what `deploy/` has, and the documents. Unpacked, `./tailcast serve` runs.
///
/// # Errors
/// When a copy, the program or `tar` fails.
pub fn write(workspace: &Workspace, dist: &Path) -> Result<()> {
    let to = dist.join("bin");
    folder::make_anew(&to)?;
    folder::copy_into(&workspace.tailcast(), &to)?;
    write_manual(workspace, &to)?;

    let name = format!("tailcast-{VERSION}-{}-{}", env::consts::ARCH, env::consts::OS);
    let packing = workspace.target().join("dist");
    let packed = packing.join(&name);
    folder::copy_anew(&to, &packed)?;
    folder::copy_anew(&dist.join("site"), &packed.join("site"))?;
    folder::copy_anew(&workspace.root().join("deploy"), &packed.join("deploy"))?;
    DOCUMENTS.iter().try_for_each(|document| folder::copy_into(&workspace.root().join(document), &packed))?;
    let archive = to.join(format!("{name}.tar.gz"));
    workspace.program("tar")?.current_dir(&packing).arg("-czf").arg(archive).arg(&name).run()
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
