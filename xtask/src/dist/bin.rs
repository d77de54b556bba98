//! The program with manual pages and completions, and an archive for users.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::folder;
use crate::platform::Platform;
use crate::program::Program;
use crate::workspace::Workspace;

/// Documents in the archive.
const DOCUMENTS: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// Shells, and the file names of their completions.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "tailcast.bash"), ("zsh", "_tailcast"), ("fish", "tailcast.fish")];
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes `bin/` in `dist`: `program`, manual pages, completions, and `tailcast-VERSION-PLATFORM.tar.gz`. The archive also
/// contains `site/` of `dist`, `deploy/` and the documents. Unpacked, `./tailcast serve` runs.
///
/// # Errors
/// When a copy, the program or `tar` fails.
pub fn write(workspace: &Workspace, program: &Path, platform: &Platform, dist: &Path) -> Result<()> {
    let to = dist.join("bin");
    folder::recreate(&to)?;
    folder::copy_into(program, &to)?;
    write_manual(program, &to)?;

    let name = format!("tailcast-{VERSION}-{}", platform.archive_name());
    let packing = workspace.target().join("dist");
    let packed = packing.join(&name);
    folder::replace_with_copy(&to, &packed)?;
    folder::replace_with_copy(&dist.join("site"), &packed.join("site"))?;
    folder::replace_with_copy(&workspace.root().join("deploy"), &packed.join("deploy"))?;
    DOCUMENTS.iter().try_for_each(|document| folder::copy_into(&workspace.root().join(document), &packed))?;
    let archive = to.join(format!("{name}.tar.gz"));
    workspace.program("tar")?.current_dir(&packing).arg("-czf").arg(archive).arg(&name).run()
}

/// Writes the manual pages and completions, which the program generates.
fn write_manual(program: &Path, folder: &Path) -> Result<()> {
    let tailcast = || Program::new(program);
    tailcast().arg("man").arg(folder.join("man")).run()?;
    let completions = folder.join("completions");
    fs::create_dir_all(&completions).with_context(|| format!("cannot create {}", completions.display()))?;
    COMPLETIONS.iter().try_for_each(|(shell, name)| {
        let file = completions.join(name);
        let text = tailcast().args(["completions", shell]).capture()?;
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    })
}
