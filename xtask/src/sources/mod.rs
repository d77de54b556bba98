//! Rust files and documents of the checkout, read once for all rules that look at text.

mod rust;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

pub use rust::{Kind, RustSource};

/// Unit of all documents.
const DOCUMENTS: &str = "docs";

/// Files and folders at the root that hold text of ours.
const ROOTS: [&str; 9] =
    ["CHANGELOG.md", "Cargo.toml", "README.md", "crates", "docs", "fuzz", "src", "tests", "xtask"];

/// Folders of build output and of packages from npm.
const FOREIGN_FOLDERS: [&str; 2] = ["target", "node_modules"];

/// Rust file.
#[derive(Debug)]
pub struct RustFile {
    /// Path relative to the root, with slashes.
    pub path: String,
    /// Contents.
    pub source: RustSource,
}

/// File that is not Rust: Markdown or a manifest.
#[derive(Debug)]
pub struct TextFile {
    /// Path relative to the root, with slashes.
    pub path: String,
    /// Contents.
    pub text: String,
}

/// Text that people read, of one document, comment or literal.
#[derive(Debug)]
pub struct Passage<'a> {
    /// Folder of the crate, or `docs` for all documents.
    pub unit: &'a str,
    /// Path of its file.
    pub path: &'a str,
    /// Kind of text.
    pub kind: Kind,
    /// Number of the first line.
    pub line: usize,
    /// Lines, separated by `\n`.
    pub text: &'a str,
}

/// All text of ours in the checkout, sorted by path.
#[derive(Debug, Default)]
pub struct SourceTree {
    /// Rust files of all crates.
    pub rust: Vec<RustFile>,
    /// Markdown files.
    pub documents: Vec<TextFile>,
    /// Manifests of all crates.
    pub manifests: Vec<TextFile>,
}

impl SourceTree {
    /// Reads the files of the checkout at `root`.
    ///
    /// # Errors
    /// When a file or folder cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut sources = Self::default();
        for entry in ROOTS {
            sources.add(&root.join(entry), entry)?;
        }
        sources.rust.sort_by(|one, other| one.path.cmp(&other.path));
        sources.documents.sort_by(|one, other| one.path.cmp(&other.path));
        sources.manifests.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(sources)
    }

    fn add(&mut self, file: &Path, path: &str) -> Result<()> {
        let cannot_read = || format!("cannot read {}", file.display());
        if file.is_dir() {
            for entry in fs::read_dir(file).with_context(cannot_read)? {
                let entry = entry.with_context(cannot_read)?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if !name.starts_with('.') && !FOREIGN_FOLDERS.contains(&name.as_str()) {
                    self.add(&entry.path(), &format!("{path}/{name}"))?;
                }
            }
            return Ok(());
        }
        if is_text(path) {
            let text = fs::read_to_string(file).with_context(cannot_read)?;
            self.add_text(path, text);
        }
        Ok(())
    }

    /// Adds the text of a Rust file, document or manifest.
    pub fn add_text(&mut self, path: &str, text: String) {
        let path = path.to_owned();
        if path.ends_with(".rs") {
            self.rust.push(RustFile { path, source: RustSource::scan(&text) });
        } else if path.ends_with(".md") {
            self.documents.push(TextFile { path, text });
        } else {
            self.manifests.push(TextFile { path, text });
        }
    }

    /// Returns the text that people read.
    pub fn passages(&self) -> Vec<Passage<'_>> {
        let rust = self.rust.iter().flat_map(|file| {
            file.source.prose.iter().map(|prose| Passage {
                unit: file.unit(),
                path: &file.path,
                kind: prose.kind,
                line: prose.line,
                text: &prose.text,
            })
        });
        let documents = self.documents.iter().map(|document| Passage {
            unit: DOCUMENTS,
            path: &document.path,
            kind: Kind::Document,
            line: 1,
            text: &document.text,
        });
        rust.chain(documents).collect()
    }
}

fn is_text(path: &str) -> bool {
    [".rs", ".md", "Cargo.toml"].iter().any(|end| path.ends_with(end))
}

impl RustFile {
    /// Returns the folder of the crate: `crates/NAME`, or the first component of the path.
    pub fn unit(&self) -> &str {
        let slashes_before = usize::from(self.path.starts_with("crates/"));
        let end = self.path.match_indices('/').nth(slashes_before).map(|(at, _)| at);
        end.and_then(|at| self.path.get(..at)).unwrap_or(&self.path)
    }

    /// Returns whether the file is compiled for tests only, by its name or the name of a folder.
    pub fn is_test(&self) -> bool {
        let mut names = self.path.trim_end_matches(".rs").split('/');
        names.any(|name| name == "tests" || name == "test_page" || name.ends_with("_tests"))
    }

    /// Returns the numbered lines of code that are not for tests.
    pub fn code_lines(&self) -> Vec<(usize, String)> {
        if self.is_test() {
            return Vec::new();
        }
        let code = self.source.code_without_tests();
        code.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> RustFile {
        RustFile { path: path.to_owned(), source: RustSource::default() }
    }

    #[test]
    fn a_unit_is_the_folder_of_a_crate() {
        assert_eq!(file("crates/hub/src/rest/mod.rs").unit(), "crates/hub");
        assert_eq!(file("src/main.rs").unit(), "src");
        assert_eq!(file("xtask/src/main.rs").unit(), "xtask");
    }

    #[test]
    fn tests_are_recognised_by_file_and_folder() {
        let tests =
            ["tests/run.rs", "src/app/tests/log.rs", "src/a/tests.rs", "crates/lines/src/store_tests.rs"];
        assert!(tests.iter().all(|path| file(path).is_test()));
        assert!(!file("xtask/src/test.rs").is_test());
    }
}
