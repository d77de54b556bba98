//! Rules for the source of the page: elements are accessed by `NodeRef`, and text from the stream becomes text nodes only.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Strings that the source of the page must not contain outside of tests, with the reason.
const FORBIDDEN: [(&str, &str); 5] = [
    ("inner_html", "text from the stream must become text nodes: use children of the view"),
    ("set_outer_html", "text from the stream must become text nodes: use children of the view"),
    ("query_selector", "a selector that matches nothing is silent: use a NodeRef"),
    (".closest(", "a selector that matches nothing is silent: use `on:` at the element itself"),
    (".matches(\":", "the state of an element belongs into a signal"),
];

/// Checks the Rust files below `folder`.
///
/// # Errors
/// Every line that breaks a rule, with the reason.
pub fn check(folder: &Path) -> Result<()> {
    let mut broken = Vec::new();
    for path in rust_files(folder)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        broken.extend(broken_rules(&text).map(|(line, why)| format!("{}:{line}: {why}", path.display())));
    }
    ensure!(
        broken.is_empty(),
        "the page breaks its rules (xtask/src/page_rules.rs):\n    {}",
        broken.join("\n    ")
    );
    Ok(())
}

/// Returns the lines of a file that break a rule, up to its tests.
fn broken_rules(text: &str) -> impl Iterator<Item = (usize, String)> {
    let code = text.lines().take_while(|line| !line.trim_start().starts_with("#[cfg(test)]"));
    code.enumerate().flat_map(|(at, line)| {
        let broken = FORBIDDEN.iter().filter(move |(word, _)| line.contains(word));
        broken.map(move |(word, why)| (at + 1, format!("`{word}`: {why}")))
    })
}

/// Returns all Rust files below a folder but those of tests.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests" || name == "test_page");
        if is_test {
            continue;
        }
        if path.is_dir() {
            files.extend(rust_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_rule_is_reported_with_its_line_and_tests_are_exempt() {
        let text =
            "fn a() {}\nroot.query_selector(\".row\");\n#[cfg(test)]\nroot.query_selector(\".row\");\n";
        let broken: Vec<_> = broken_rules(text).collect();
        assert_eq!(broken.len(), 1);
        assert!(matches!(&broken[..], [(2, why)] if why.contains("NodeRef")), "{broken:?}");
    }
}
