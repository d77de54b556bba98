//! Rule that modules are found by their names: `foo.rs` alone, `foo/mod.rs` with modules of its own, and no `#[path]`.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use crate::sources::RustFile;

/// Checks the places of all modules.
///
/// # Errors
/// Each `#[path]`, and each file `foo.rs` beside a folder `foo` with modules.
pub fn check(files: &[RustFile]) -> Result<()> {
    let folders: BTreeSet<&str> = files.iter().flat_map(|file| folders_of(&file.path)).collect();
    let mut broken: Vec<_> = files.iter().flat_map(path_attributes).collect();
    broken.extend(files.iter().filter_map(|file| misplaced(&file.path, &folders)));
    ensure!(
        broken.is_empty(),
        "a module is not where its name says (xtask/src/module_files.rs):\n    {}",
        broken.join("\n    ")
    );
    Ok(())
}

/// Returns the folders around a file.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

fn misplaced(path: &str, folders: &BTreeSet<&str>) -> Option<String> {
    let folder = path.strip_suffix(".rs").filter(|folder| folders.contains(folder))?;
    Some(format!("{path}: move it to {folder}/mod.rs"))
}

/// Finds the attributes, also those in tests.
fn path_attributes(file: &RustFile) -> Vec<String> {
    let lines = file.source.code.lines().enumerate().filter(|(_, code)| code.contains("#[path"));
    lines.map(|(at, _)| format!("{}:{}: move the file to where its name says", file.path, at + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceTree;

    fn broken(files: &[(&str, &str)]) -> Option<String> {
        let mut sources = SourceTree::default();
        for (path, text) in files {
            sources.add_text(path, (*text).to_owned());
        }
        check(&sources.rust).err().map(|error| error.to_string())
    }

    #[test]
    fn a_module_with_modules_of_its_own_is_in_their_folder() {
        assert_eq!(broken(&[("src/a/mod.rs", ""), ("src/a/b.rs", ""), ("src/ab.rs", "")]), None);
        let text = broken(&[("src/a.rs", ""), ("src/a/b/c.rs", "")]).unwrap_or_default();
        assert!(text.ends_with("\n    src/a.rs: move it to src/a/mod.rs"), "{text}");
    }

    #[test]
    fn no_module_has_a_path() {
        assert_eq!(broken(&[("src/a.rs", "// #[path = \"c.rs\"]\nmod b;")]), None);
        let text = broken(&[("tests/a.rs", "\n#[path = \"c.rs\"]\nmod b;")]).unwrap_or_default();
        assert!(text.contains("tests/a.rs:2: "), "{text}");
    }
}
