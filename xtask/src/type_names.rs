//! Names of public types, of which no two in the workspace are equal: a name has one meaning for everybody who reads the code.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use crate::sources::RustFile;

const DEFINITIONS: [&str; 5] = ["pub struct ", "pub enum ", "pub trait ", "pub type ", "pub union "];

/// Checks that each name is defined once.
///
/// # Errors
/// The names of several public types, with the places of their definitions.
pub fn check(files: &[RustFile]) -> Result<()> {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for file in files {
        for (line, code) in file.code_lines() {
            if let Some(name) = defined_name(&code) {
                places.entry(name.to_owned()).or_default().push(format!("{}:{line}", file.path));
            }
        }
    }
    let shared = places.iter().filter(|(_, places)| places.len() > 1);
    let shared: Vec<_> = shared.map(|(name, places)| format!("`{name}`: {}", places.join(", "))).collect();
    ensure!(
        shared.is_empty(),
        "give each public type a name of its own (xtask/src/type_names.rs):\n    {}",
        shared.join("\n    ")
    );
    Ok(())
}

/// Returns the name of the public type that a line of code defines.
fn defined_name(code: &str) -> Option<&str> {
    let rest = DEFINITIONS.iter().find_map(|definition| code.trim_start().strip_prefix(definition))?;
    let is_end = |symbol: char| !symbol.is_alphanumeric() && symbol != '_';
    rest.split(is_end).next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::SourceTree;

    fn shared(files: &[(&str, &str)]) -> Option<String> {
        let mut sources = SourceTree::default();
        for (path, text) in files {
            sources.add_text(path, (*text).to_owned());
        }
        check(&sources.rust).err().map(|error| error.to_string())
    }

    #[test]
    fn a_name_in_two_crates_is_refused_with_both_places() {
        let files = [
            ("src/a.rs", "pub struct Queue<T>(T);\n// pub struct Queues;\npub(crate) struct Queues;"),
            ("crates/hub/src/b.rs", "mod inner {\n    pub enum Queue {}\n}\npub struct Queues;"),
        ];
        let text = shared(&files).unwrap_or_default();
        assert!(text.ends_with("\n    `Queue`: src/a.rs:1, crates/hub/src/b.rs:2"), "{text}");
    }

    #[test]
    fn types_of_tests_are_left_out() {
        let files = [
            ("tests/harness/a.rs", "pub struct Queue;"),
            ("src/a/tests.rs", "pub struct Queue;"),
            ("src/b.rs", "#[cfg(test)]\nmod tests {\n    pub struct Queue;\n}\npub type Queue = u8;"),
        ];
        assert_eq!(shared(&files), None);
    }
}
