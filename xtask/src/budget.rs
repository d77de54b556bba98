//! Size budget of the files that a browser loads first.

use std::path::Path;

use anyhow::{Result, bail};

use crate::first_load::{self, FileSize};
use crate::progress;
use crate::workspace::Workspace;

/// Limit of the page in bytes after Brotli compression: a page in idiomatic Leptos, with its model and client, in two seconds and a
/// half on a line of 1.6 Mbit/s.
const MAX_PAGE_BYTES: u64 = 448 * 1024;
/// Limit of the element: the page, its programming interface, and connections that several elements share.
const MAX_ELEMENT_BYTES: u64 = 464 * 1024;

/// Checks the sizes of page and element, which are built.
///
/// # Errors
/// When one of them exceeds the limit: by how many bytes, and which files it consists of.
pub fn check(workspace: &Workspace) -> Result<()> {
    progress::announce("checking the sizes of page and element", "seconds");
    check_folder(workspace, "the page", &workspace.site(), MAX_PAGE_BYTES)?;
    check_folder(workspace, "the element", &workspace.element(), MAX_ELEMENT_BYTES)
}

fn check_folder(workspace: &Workspace, what: &str, folder: &Path, max_bytes: u64) -> Result<()> {
    let sizes = first_load::measure(workspace, folder)?;
    let bytes = first_load::total(&sizes).brotli;
    if bytes > max_bytes {
        bail!("{}", excess(what, &sizes, max_bytes));
    }
    progress::note(&format!(
        "a browser loads {bytes} bytes of {what}, {} below the limit",
        max_bytes - bytes
    ));
    Ok(())
}

fn excess(what: &str, sizes: &[FileSize], max_bytes: u64) -> String {
    let bytes = first_load::total(sizes).brotli;
    let files: String = sizes.iter().map(|size| format!("\n    {:>8}  {}", size.brotli, size.name)).collect();
    format!(
        "{what} is too large: {bytes} bytes after Brotli compression, {} above the limit of {max_bytes}. Reduce its size, or raise \
         the limit in xtask/src/budget.rs with a reason{files}",
        bytes.saturating_sub(max_bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_names_the_excess_and_the_files() {
        let size = |name: &str, brotli| FileSize { name: name.to_owned(), plain: 2 * brotli, brotli };
        let error = excess("the page", &[size("a.js", 1_000), size("b.css", 7)], 1_000);
        assert!(error.contains("1007 bytes") && error.contains("7 above the limit of 1000"), "{error}");
        assert!(error.ends_with("\n        1000  a.js\n           7  b.css"), "{error}");
    }
}
