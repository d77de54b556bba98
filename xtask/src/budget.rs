//! How large what a browser loads may become. Whoever goes beyond it learns it here, and not from readers who wait.

use std::path::Path;

use anyhow::{Result, bail};

use crate::first_load::{self, FileSize};
use crate::progress;
use crate::workspace::Workspace;

/// Most bytes, packed by Brotli, of the page and of the element, each: a second on a line of 1.6 Mbit/s.
const MOST_BYTES: u64 = 200 * 1024;

/// Looks at what a browser loads of page and element, which are built.
///
/// # Errors
/// When one of them is too large: then the message says by how much, and what of.
pub fn check(workspace: &Workspace) -> Result<()> {
    progress::announce("weighing what a browser loads", "seconds");
    check_folder(workspace, "the page", &workspace.site())?;
    check_folder(workspace, "the element", &workspace.element())
}

fn check_folder(workspace: &Workspace, what: &str, folder: &Path) -> Result<()> {
    let sizes = first_load::measure(workspace, folder)?;
    let bytes = first_load::total(&sizes).brotli;
    if bytes > MOST_BYTES {
        bail!("{}", complaint(what, &sizes));
    }
    progress::note(&format!(
        "a browser loads {bytes} bytes of {what}, {} less than it may",
        MOST_BYTES - bytes
    ));
    Ok(())
}

fn complaint(what: &str, sizes: &[FileSize]) -> String {
    let bytes = first_load::total(sizes).brotli;
    let files: String = sizes.iter().map(|size| format!("\n    {:>8}  {}", size.brotli, size.name)).collect();
    format!(
        "{what} has grown too large: a browser loads {bytes} bytes of it, packed by Brotli, which is {} more than the {MOST_BYTES} \
         that it may. Make it smaller, or say in xtask/src/budget.rs why it may be larger{files}",
        bytes.saturating_sub(MOST_BYTES)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_says_by_how_much_and_what_of() {
        let size = |name: &str, brotli| FileSize { name: name.to_owned(), plain: 2 * brotli, brotli };
        let words = complaint("the page", &[size("a.js", MOST_BYTES), size("b.css", 7)]);
        assert!(words.contains("204807 bytes") && words.contains("7 more than the 204800"), "{words}");
        assert!(words.ends_with("\n      204800  a.js\n           7  b.css"), "{words}");
    }
}
