//! The documentation as a book, with the custom element at work in it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::dist::folder;
use crate::setup::Setup;
use crate::workspace::Workspace;
use crate::{element, progress};

/// Files of the element that the demo page loads.
const ELEMENT: [&str; 3] = ["tailcast.js", "tailcast-core.js", "tailcast-core_bg.wasm"];

/// Chapters of the book that are READMEs. On GitHub, the files in `docs/` link to these.
const READMES: [(&str, &str); 2] =
    [("client.md", "crates/client/README.md"), ("client-js.md", "crates/client-js/package/README.md")];

/// Builds the book and returns its folder.
///
/// # Errors
/// When set-up, the element's build or mdBook fails.
pub fn build(workspace: &Workspace, setup: &Setup<'_>) -> Result<PathBuf> {
    let mdbook = setup.mdbook()?;
    element::build(workspace, setup)?;
    let book = workspace.book();
    let source = workspace.book_source();
    copy_source(workspace, &source)?;
    progress::step("building the book", "seconds", || {
        let program = workspace.program(mdbook.to_string_lossy().as_ref())?;
        program.arg("build").arg(&source).arg("--dest-dir").arg(&book).run()?;
        copy_element(workspace, &book.join("element"))
    })?;
    progress::note(&format!("the book is in {}", book.display()));
    Ok(book)
}

/// Copies `docs/` with the READMEs as chapters.
fn copy_source(workspace: &Workspace, to: &Path) -> Result<()> {
    folder::replace_with_copy(&workspace.root().join("docs"), to)?;
    for (chapter, readme) in READMES {
        folder::copy_as(&workspace.root().join(readme), &to.join(chapter))?;
    }
    Ok(())
}

/// Copies the element to the folder of the demo.
fn copy_element(workspace: &Workspace, to: &PathBuf) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for file in ELEMENT {
        let from = workspace.element().join(file);
        fs::copy(&from, to.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
