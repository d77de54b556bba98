//! Size budget of the files that a browser loads first.

use std::path::Path;

use anyhow::{Result, bail};

use crate::first_load::{self, FileSize};
use crate::progress;
use crate::workspace::Workspace;

/// Limit of the page and of the element, each, in bytes after Brotli compression: a page in idiomatic Leptos, with its model and
/// client, in a second and a half on a line of 1.6 Mbit/s.
const MAX_BYTES: u64 = 288 * 1024;

/// Checks the sizes of page and element, which are built.
///
/// # Errors
/// When one of them exceeds the limit: by how many bytes, and which files it consists of.
pub fn check(workspace: &Workspace) -> Result<()> {
    progress::announce("checking the sizes of page and element", "seconds");
    check_folder(workspace, "the page", &workspace.site())?;
    check_folder(workspace, "the element", &workspace.element())
}

fn check_folder(workspace: &Workspace, what: &str, folder: &Path) -> Result<()> {
    let sizes = first_load::measure(workspace, folder)?;
    let bytes = first_load::total(&sizes).brotli;
    if bytes > MAX_BYTES {
        bail!("{}", excess(what, &sizes));
    }
    progress::note(&format!(
        "a browser loads {bytes} bytes of {what}, {} below the limit",
        MAX_BYTES - bytes
    ));
    Ok(())
}

fn excess(what: &str, sizes: &[FileSize]) -> String {
    let bytes = first_load::total(sizes).brotli;
    let files: String = sizes.iter().map(|size| format!("\n    {:>8}  {}", size.brotli, size.name)).collect();
    format!(
        "{what} is too large: {bytes} bytes after Brotli compression, {} above the limit of {MAX_BYTES}. Reduce its size, or raise \
         the limit in xtask/src/budget.rs with a reason{files}",
        bytes.saturating_sub(MAX_BYTES)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_excess_and_the_files() {
        let size = |name: &str, brotli| FileSize { name: name.to_owned(), plain: 2 * brotli, brotli };
        let error = excess("the page", &[size("a.js", MAX_BYTES), size("b.css", 7)]);
        assert!(error.contains("294919 bytes") && error.contains("7 above the limit of 294912"), "{error}");
        assert!(error.ends_with("\n      294912  a.js\n           7  b.css"), "{error}");
    }
}
